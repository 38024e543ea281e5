"""Counters and the floating types of games: nothing stops counting, and what cannot hold a game is refused."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

import coopgym
from coopgym.backend import NUMPY, Backend, torch_backend
from coopgym.play.engine import Engine
from tests.interfaces.playing import GAMES, every_game, torch_env

torch = pytest.importorskip("torch")

FAR = 2**24
"""From here on single precision has no odd numbers."""
SINGLE = [pytest.param(Backend(np, np.float32), id="numpy"), pytest.param(torch_backend("cpu"), id="torch")]


def engine(game_id: str, backend: Backend = NUMPY, **keywords: Any) -> Engine:
    """An engine of three environments that stand far into their episode."""
    made = Engine(coopgym.make_game(game_id, **keywords).to(backend), batch=(3,))
    made.reset(seed=0, options={"initial_state": {"t": FAR}})
    return made


@pytest.mark.parametrize("dtype", [np.float16, np.int64, torch.float16, torch.bfloat16, torch.int32, "float32"])
def test_types_that_cannot_hold_a_game_are_refused(dtype: Any) -> None:
    with pytest.raises(TypeError, match=r"dtype=.*: expected float32 or float64.*16 bits are too coarse"):
        Backend(np, dtype)
    with pytest.raises(TypeError, match=r"dtype=.*: expected float32 or float64.*16 bits are too coarse"):
        torch_env("TrustDilemma-v1", 2, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("horizon", [300, 3000])
def test_long_episodes_end_at_their_horizon(horizon: int, dtype: Any) -> None:
    env = torch_env("TeamProduction-v1", 1, dtype=dtype, max_steps=horizon, validate=False)
    env.reset(seed=0)
    actions = env.game.endowments.expand(1, -1) / 2.0
    env.state = dataclasses.replace(env.state)  # from here on the environment's own clock decides, not the host's
    ends = [step for step in range(1, horizon + 2) if bool(env.step(actions)[3])]
    assert ends == [horizon]


@every_game
@pytest.mark.parametrize("backend", SINGLE)
def test_the_horizon_is_met_where_single_precision_no_longer_counts(game_id: str, backend: Backend) -> None:
    played = engine(game_id, backend, max_steps=FAR + 3)
    actions = 0.5 * played.game.spec.endowments + np.zeros((3, 1))
    truncated = [np.asarray(played.step(actions)[0].truncated).all() for _ in range(3)]
    assert truncated == [False, False, True]
    assert played.state.t.tolist() == [FAR + 3] * 3


@pytest.mark.parametrize("backend", SINGLE)
def test_nothing_leaves_the_floating_type_of_a_game(backend: Backend) -> None:
    for game_id in GAMES:
        played = Engine(coopgym.make_game(game_id).to(backend), batch=(2,))
        played.reset(seed=0)
        transition, rewards = played.step(0.5 * played.game.spec.endowments + np.zeros((2, 1)))
        paid = (transition.payoffs, transition.weights, transition.relational, transition.multiplier)
        seen = [played.game.observe(played.state, view) for view in played.game.views]
        assert all(array.dtype == backend.dtype for array in (rewards, *paid, *seen) if array is not None), game_id


@pytest.mark.parametrize(
    ("game_id", "counted", "level"),
    [
        ("TrustDilemma-v0", "cooperations", 1.0),
        ("CooperativeNegotiation-v0", "agreements", 0.5),
        ("CooperativeNegotiation-v1", "agreements", 0.5),
    ],
)
@pytest.mark.parametrize("backend", SINGLE)
def test_tallies_go_on_counting(game_id: str, counted: str, level: float, backend: Backend) -> None:
    played = Engine(coopgym.make_game(game_id).to(backend))
    played.reset(options={"initial_state": {counted: FAR}})
    for _ in range(3):
        played.step(level * played.game.spec.endowments)
    assert set(np.ravel(getattr(played.state, counted)).tolist()) == {FAR + 3}


@pytest.mark.parametrize("backend", SINGLE)
def test_the_step_of_recovery_is_exact(backend: Backend) -> None:
    played = Engine(coopgym.make_game("RecoveryRace-v1", max_steps=2 * FAR).to(backend))
    played.reset(options={"initial_state": {"t": FAR}, "initial_trust": 1.0, "initial_reputation": 0.0})
    played.step(played.game.spec.endowments)
    assert int(played.state.recovery_step) == FAR + 1
