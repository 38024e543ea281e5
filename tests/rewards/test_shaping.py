"""Potential-based shaping: sums telescope, and neither optima nor best responses move."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.games.game import AnyGame
from coopgym.games.registry import games, make_game
from coopgym.games.state import State
from coopgym.games.step import Step
from coopgym.rewards import Integrated, Private, Rewards, Shaping
from coopgym.testing import check_transform
from coopgym.testing.tape import random_tape, replay, start

few = settings(max_examples=20, deadline=None)
GAMES = {id: make_game(id, max_steps=7) for id in games()}
ids, seeds, discounts = st.sampled_from(sorted(GAMES)), st.integers(0, 2**32 - 1), st.floats(0.0, 1.0)


def returns(game: AnyGame, rewards: Rewards, tape: Any, gamma: float) -> tuple[Any, Any]:
    """Discounted sums of rewards ``(B, N)`` with and without transforms, up to the end of each episode."""
    running, alive = rewards.running(game, tape.batch), np.ones(tape.batch, dtype=bool)
    running.reset()
    shaped, plain = np.zeros((*tape.batch, game.n_agents)), np.zeros((*tape.batch, game.n_agents))
    for t, (before, actions, transition) in enumerate(replay(game, tape)):
        step = Step(game, t, before, actions, transition)
        counts = gamma**t * alive[..., None]
        shaped += counts * running(step)
        plain += counts * rewards.evaluated(step)
        alive = alive & ~step.ended
    assert not alive.any()
    return shaped, plain


def trust_of(state: State) -> Any:
    """Mean trust ``(..., N)`` of every agent in the others."""
    trust = np.asarray(state.trust)
    n = trust.shape[-1]
    return (trust.sum(-1) - 1.0) / (n - 1)


@few
@given(ids, seeds, discounts, st.floats(-3.0, 3.0))
def test_discounted_sums_telescope_to_minus_the_potential_of_the_start(
    id: str, seed: int, gamma: float, weight: float
) -> None:
    game = GAMES[id]
    tape = random_tape(game, game.spec.horizon, (2,), seed)
    shaped, plain = returns(game, Rewards(Private(), (Shaping("trust", weight, gamma),)), tape, gamma)
    scale = np.abs(plain).max() + 1.0
    npt.assert_allclose(shaped - plain, -weight * trust_of(start(game, tape)), rtol=0, atol=1e-12 * scale)
    shaped, plain = returns(game, Rewards(Integrated(), (Shaping("mean_trust", weight, gamma),)), tape, gamma)
    everybody = trust_of(start(game, tape)).mean(-1, keepdims=True)
    scale = np.abs(plain).max() + 1.0
    npt.assert_allclose(shaped - plain, -weight * everybody + 0.0 * plain, rtol=0, atol=1e-12 * scale)


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "AppleAppStore-v1", "TrustDilemma-v0"])
def test_the_best_constant_plans_stay_the_best(id: str) -> None:
    game, levels = GAMES[id], np.linspace(0.0, 1.0, 11)
    tape = random_tape(game, game.spec.horizon, (11, game.n_agents), seed=0)
    mine = np.eye(game.n_agents, dtype=bool)
    shares = np.where(mine, levels[:, None, None], 0.4)  # (level, who deviates, agent)
    tape.actions[:] = shares * game.spec.endowments
    shaped, plain = returns(game, Rewards(Private(), (Shaping("trust", 50.0, 1.0),)), tape, 1.0)
    npt.assert_array_equal(shaped.sum(-1).argmax(0), plain.sum(-1).argmax(0))
    own_shaped, own_plain = (np.einsum("lii->li", each) for each in (shaped, plain))
    npt.assert_array_equal(own_shaped.argmax(0), own_plain.argmax(0))
    assert np.ptp(trust_of(start(game, tape))) == 0.0


def test_a_potential_left_at_the_horizon_would_move_the_optimum() -> None:
    game = GAMES["TrustDilemma-v1"]
    tape = random_tape(game, game.spec.horizon, (2,), seed=0)
    tape.actions[:] = np.array([[0.0], [1.0]]) * game.spec.endowments
    left = [trust_of(transition.state) for *_, transition in replay(game, tape)][-1]
    shaped, plain = returns(game, Rewards(Private(), (Shaping("trust", 1.0, 1.0),)), tape, 1.0)
    npt.assert_allclose(shaped[1] - shaped[0], plain[1] - plain[0])
    assert (left[1] > left[0]).all()  # what the last step leaves behind differs, and is paid to nobody


def test_by_hand() -> None:
    game = make_game("TrustDilemma-v1", max_steps=3)
    running = Rewards(Private(), (Shaping("trust", weight=2.0, gamma=0.9),)).running(game, ())
    for t, (before, actions, transition) in enumerate(replay(game, random_tape(game, 3, (), seed=1))):
        there = 0.0 if t == 2 else 0.9 * transition.state.trust[[0, 1], [1, 0]]
        expected = transition.payoffs + 2.0 * (there - before.trust[[0, 1], [1, 0]])
        npt.assert_allclose(running(Step(game, t, before, actions, transition)), expected, rtol=1e-12)


@pytest.mark.parametrize(
    "text", ["shaping(trust)", "shaping(trust, weight=-2, gamma=1)", "shaping(mean_trust, gamma=0.9)"]
)
def test_shaping_keeps_its_promises(text: str) -> None:
    check_transform(text)
