"""Speed beside the reference implementation, Coopetition-Gym v1.0 (arXiv:2605.02063), for those who have it.

It is no dependency of this package. Both play the released edition of a game with the same actions, in this process and
on one core, and are timed in turn; that they pay the same is checked first.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.benchmarks.perf.measure import REFERENCE, Ratio, UnavailableError, compare, rate
from coopgym.games.registry import make_game
from coopgym.interfaces.gymnasium import make_env
from coopgym.interfaces.vector import make_vector_env

DYAD, SIX, FORTY = "TrustDilemma-v0", "GraduatedSanction-v0", "ApacheProject-v0"
LEVEL = 0.5
"""Share of endowment that everybody plays; no game ends early on it."""
STEPS = {DYAD: 3000, SIX: 600, FORTY: 40}
"""Steps of the reference per measurement, about as long for each game."""
ROWS = {DYAD: 1024, SIX: 1024, FORTY: 64}
"""Environments of a batch, as many as stay in a processor's cache."""
COMPARED = 5
"""Steps whose rewards are compared before anything is timed."""


def provide(folder: Path) -> None:
    """Let the reference implementation be imported from a folder.

    Raises:
        ValueError: its package is not there.
    """
    if not (folder / REFERENCE / "__init__.py").is_file():
        raise ValueError(f"--reference {folder}: expected the folder that holds the package {REFERENCE}")
    sys.path.insert(0, str(folder.resolve()))


def one_environment(id: str, game: str, floor: float, aim: float, quick: bool = False) -> Ratio:
    """Steps of one environment with joint observation, rewards and diagnostics, ours against theirs.

    Raises:
        UnavailableError: the reference implementation is not here.
        ValueError: it pays something else.
    """
    theirs, ours = _reference(game), make_env(game, control="joint")
    _compare_rewards(game, theirs, ours)
    return compare(
        lambda: rate(_steps(ours, _actions(game)), 3000),
        lambda: rate(_steps(theirs, _actions(game)), STEPS[game]),
        quick,
        id=id, title=f"one environment of {game} ÷ reference", unit="joint steps/s", floor=floor, aim=aim,
    )  # fmt: skip


def batch(id: str, game: str, floor: float, aim: float, quick: bool = False) -> Ratio:
    """Environment steps of a NumPy batch with joint observations and rewards, against steps of their one environment.

    Raises:
        UnavailableError: the reference implementation is not here.
        ValueError: it pays something else.
    """
    theirs, rows = _reference(game), ROWS[game]
    _compare_rewards(game, theirs, make_env(game, control="joint"))
    ours = make_vector_env(game, rows, control="joint")
    ours.reset(seed=0)
    actions = np.tile(_actions(game), (rows, 1))
    return compare(
        lambda: rate(lambda: ours.step(actions), 100, rows), lambda: rate(_steps(theirs, _actions(game)), STEPS[game]),
        quick,
        id=id, title=f"batch of {rows:,} of {game} ÷ reference", unit="env steps/s", floor=floor, aim=aim,
    )  # fmt: skip


def _reference(game: str) -> Any:
    try:
        module = importlib.import_module(REFERENCE)
    except ImportError as error:
        raise UnavailableError(
            f"the reference implementation is not installed ({error}); give the folder that holds its package "
            f"{REFERENCE} with --reference"
        ) from error
    return module.make(game)


def _actions(game: str) -> Any:
    return (LEVEL * make_game(game).spec.endowments).astype(np.float32)


def _compare_rewards(game: str, theirs: Any, ours: Any) -> None:
    """Make sure that both play the same game.

    Raises:
        ValueError: they do not.
    """
    theirs.reset(seed=0)
    ours.reset(seed=0)
    for step in range(COMPARED):
        paid = theirs.step(_actions(game))[1], ours.step(_actions(game))[4]["rewards"]
        if not np.allclose(*paid, rtol=1e-5):
            raise ValueError(
                f"{REFERENCE} pays {paid[0]} in step {step} of {game}, expected {paid[1]}: another version?"
            )


def _steps(environment: Any, actions: Any) -> Callable[[], object]:
    """Step an environment; finished episodes start anew."""
    environment.reset(seed=0)

    def step() -> None:
        _, _, terminated, truncated, _ = environment.step(actions)
        if terminated or truncated:
            environment.reset()

    return step


r2 = partial(one_environment, "R2", DYAD, 2.5, 3.0)
r6 = partial(one_environment, "R6", SIX, 8.0, 15.0)
r40 = partial(one_environment, "R40", FORTY, 100.0, 200.0)
r2_batch = partial(batch, "R2b", DYAD, 200.0, 600.0)
r6_batch = partial(batch, "R6b", SIX, 400.0, 1200.0)
r40_batch = partial(batch, "R40b", FORTY, 400.0, 1200.0)
