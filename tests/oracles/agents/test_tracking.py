"""Following the state of a game from a seat, and fixed points of many maps at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.agents import Seat
from coopgym.games.registry import games, make_game
from coopgym.games.state import state_arrays
from coopgym.oracles.agents.fixed_points import CLOSE, fixed_points
from coopgym.oracles.agents.tracking import StateTracker, joint_cooperation
from coopgym.play.engine import Engine

HIDDEN = {"SynergySearch-v1": {"gamma", "last_payoff"}}
"""Parts of a state that follow from what is drawn at reset and not shown to everybody."""
EPISODES, STEPS = 4, 14


@pytest.mark.parametrize("id", games("formal"))
def test_the_tracker_reproduces_the_state_from_what_a_seat_sees(id: str) -> None:
    game, rng = make_game(id), np.random.default_rng(5)
    index = game.n_agents - 1
    seat, engine, tracker = (
        Seat.of(game, index, "own", "private"),
        Engine(game, batch=(EPISODES,)),
        StateTracker(game, EPISODES),
    )
    engine.reset(0)
    age = np.zeros(EPISODES)
    for step in range(STEPS):
        observation = game.observe(engine.state, "own")[:, index]
        tracker.advance(joint_cooperation(seat, observation), age > 0)
        for name, array in state_arrays(engine.state).items():
            if name not in HIDDEN.get(id, ()):
                assert getattr(tracker.state, name) == pytest.approx(array, abs=1e-12), name
        before = engine.state
        engine.step(rng.random((EPISODES, game.n_agents)) * game.spec.endowments)
        age += 1
        if step == 5:
            rows = np.array([True, False, True, False])
            engine.reset_where(rows)
            tracker.restart(rows)
            age[rows] = 0
    # One step behind the state stands the one in which the last choice was made.
    tracker.advance(joint_cooperation(seat, game.observe(engine.state, "own")[:, index]), age > 0)
    assert tracker.before.trust == pytest.approx(before.trust, abs=1e-12)


@given(seed=st.integers(0, 10_000), n_agents=st.integers(1, 6), strength=st.floats(0.05, 0.95))
@settings(max_examples=40, deadline=None)
def test_contractions_lead_to_their_fixed_point_from_anywhere(seed: int, n_agents: int, strength: float) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(n_agents, n_agents))
    matrix *= strength / max(np.abs(matrix).sum(1).max(), 1e-9)
    target = rng.random(n_agents)

    def image(points: np.ndarray) -> np.ndarray:
        return np.clip(target + (points - target) @ matrix.T, 0.0, 1.0)

    points, residuals = fixed_points(image, rng.random((5, n_agents)))
    assert residuals.max() < CLOSE
    assert points == pytest.approx(np.tile(target, (5, 1)), abs=CLOSE / (1.0 - strength))


def test_a_map_that_jumps_over_itself_has_a_residual_to_show() -> None:
    def image(points: np.ndarray) -> np.ndarray:
        return np.where(points < 0.5, 0.8, 0.2)

    points, residuals = fixed_points(image, np.array([[0.1], [0.9]]))
    assert residuals.min() > 0.2
    assert ((points >= 0.0) & (points <= 1.0)).all()


def test_corners_are_found() -> None:
    points, residuals = fixed_points(lambda points: np.clip(2.0 * points - 0.6, 0.0, 1.0), np.array([[0.1, 0.9]]))
    assert points.tolist() == [[0.0, 1.0]]
    assert residuals[0] == 0.0
