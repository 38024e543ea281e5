"""Readable records of a few scripted steps of a game, kept under version control to show what a change changes.

``python -m coopgym.testing.playthrough FOLDER`` writes one file per game.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.games.parameters import describe
from coopgym.games.registry import games, make_game
from coopgym.games.state import State, state_arrays
from coopgym.games.step import Step
from coopgym.play import Seeded, unroll
from coopgym.rewards import MODES
from coopgym.typing import FloatArray

STEPS = 5
SCRIPT = (0.45, 0.85, 0.05, 0.65, 1.0, 0.0, 0.25)
"""Shares of endowment that agents go through, each from its own place in the list."""
SHOWN = 6
"""Entries of a row, and rows of a matrix, that are written out; the rest is counted and the mean of all given."""
NOISE = 1e-9
"""Numbers below this are rounding noise and written as 0."""


def playthrough(id: str) -> str:
    """Describe a game and a few scripted steps of it, in text that is the same on every platform.

    Raises:
        ValueError: an unknown id.
    """
    game = make_game(id)
    lines = [*_description(game), ""]
    script = unroll(game, lambda t, _: scripted_actions(game, t), draws=Seeded([0]), horizon=STEPS)
    for step in script:
        lines += [f"state {step.t}", *_state(game, step.before), ""]
        lines += [f"step {step.t + 1}", *_outcome(step), ""]
    lines += ["last state", *_state(game, step.transition.state)]
    return "\n".join(lines) + "\n"


def scripted_actions(game: AnyGame, step: int) -> FloatArray:
    """Actions ``(N,)`` of the script at a step."""
    shares = [SCRIPT[(step + 2 * i) % len(SCRIPT)] for i in range(game.n_agents)]
    return np.asarray(shares * game.spec.endowments)


def write(folder: Path) -> None:
    """Write the playthroughs of all games into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for id in games():
        (folder / f"{id}.txt").write_text(playthrough(id), encoding="utf-8")


def _description(game: AnyGame) -> Iterator[str]:
    spec = game.spec
    yield f"{spec.id}: {spec.summary}"
    yield ""
    yield ", ".join(spec.labels)
    yield f"agents {spec.n_agents}: {_names(spec.roles)}"
    yield f"horizon {spec.horizon}, may end early: {'yes' if game.may_end_early else 'no'}"
    yield from _entry("endowments", spec.endowments)
    yield from _entry("baselines", spec.baselines)
    yield from _entry("shares", spec.shares)
    yield from _entry("interdependence", spec.interdependence)
    for view in game.views:
        per_agent, jointly = game.observation_bounds(view)[0].shape[1], game.joint_observation_bounds(view)[0].size
        default = ", the default" if view == spec.default_view else ""
        yield f"view {view}: {per_agent} entries per agent, {jointly} jointly{default}"
    yield "parameters"
    for name, value, _ in describe(spec.parameters):
        yield f"  {name} = {_value(value)}"


def _state(game: AnyGame, state: State) -> Iterator[str]:
    for name, array in state_arrays(state).items():
        yield from _entry(f"  {name}", array)
    observation = game.observe(state, "own")[0]
    yield "  agent_0 sees"
    for name, columns in game.observation_columns("own", 0).items():
        yield from _entry(f"    {name}", observation[columns])


def _outcome(step: Step) -> Iterator[str]:
    transition = step.transition
    yield from _entry("  actions", step.actions)
    yield from _entry("  payoffs", transition.payoffs)
    for name, layer in MODES.items():
        yield from _entry(f"  {name} rewards", layer(step))
    yield f"  terminated {bool(transition.terminated)}, truncated {bool(transition.truncated)}"


def _entry(name: str, value: Any) -> Iterator[str]:
    """Write an array of up to two dimensions: on one line, or a matrix row by row."""
    array = np.asarray(value)
    if array.ndim < 2:
        yield f"{name} {_row(array)}"
        return
    yield f"{name}{_rest(array)}"
    for row in array[:SHOWN]:
        yield f"{' ' * (len(name) - len(name.lstrip()))}  {_row(row)}"


def _row(array: FloatArray) -> str:
    if array.ndim == 0:
        return number(float(array))
    return "[" + " ".join(number(float(entry)) for entry in array[:SHOWN]) + "]" + _rest(array)


def _rest(array: FloatArray) -> str:
    length = len(array)
    return f" +{length - SHOWN}, mean {number(float(array.mean()))}" if length > SHOWN else ""


def number(value: float) -> str:
    """Write a number with six significant digits, without rounding noise."""
    return f"{0.0 if abs(value) < NOISE else value:.6g}"


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"


def _value(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(_value(entry) for entry in value)})"
    return number(value) if isinstance(value, float) else str(value)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m coopgym.testing.playthrough FOLDER")
    write(Path(sys.argv[1]))
