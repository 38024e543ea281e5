"""Reward modes: their laws and hand-computed numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.backend import torch_backend
from coopgym.games.game import AnyGame, ResetOptions, Transition
from coopgym.games.registry import games, make_game
from coopgym.games.step import Step
from coopgym.play.engine import Engine
from coopgym.rewards import (
    MODES,
    InequityAversion,
    Integrated,
    Mutuality,
    PayoffMatrix,
    SocialValueOrientation,
    reward_layer,
)
from coopgym.testing.tape import random_tape, replay

FORMAL, RELEASED = games("formal"), games("released")
TEAM = make_game("TeamProduction-v1", n_agents=3)
TRIO = make_game("AppleAppStore-v0")
plays = st.tuples(st.sampled_from(FORMAL), st.integers(0, 2**32 - 1))
payoff_vectors = st.lists(st.floats(-1e3, 1e3), min_size=3, max_size=3)
few = settings(max_examples=25)
GAMES = {id: make_game(id) for id in (*FORMAL, *RELEASED)}


def paying(payoffs: Sequence[float], game: AnyGame = TEAM, **parts: Any) -> Step:
    """A step in which only what modes read is filled in."""
    n = len(payoffs)
    arrays = {"weights": np.zeros((n, n)), "relational": None, "multiplier": None, "penalty": None, **parts}
    given_arrays = {
        name: None if value is None else np.asarray(value, dtype=np.float64) for name, value in arrays.items()
    }
    state, never = game.initial_state(), np.zeros((), dtype=bool)
    transition = Transition(state=state, payoffs=np.asarray(payoffs), terminated=never, truncated=never, **given_arrays)
    return Step(game, 0, state, state.last_action, transition)


def after_random_play(id: str, seed: int) -> Step:
    """The third step of random play on a batch of two."""
    game = GAMES[id]
    *_, (before, actions, transition) = replay(game, random_tape(game, 3, (2,), seed))
    return Step(game, 2, before, actions, transition)


@few
@given(plays)
def test_cooperative_rewards_redistribute_private_ones(play: tuple[str, int]) -> None:
    step = after_random_play(*play)
    cooperative = reward_layer("cooperative")(step)
    npt.assert_allclose(cooperative.sum(-1), reward_layer("private")(step).sum(-1), rtol=1e-12)
    npt.assert_allclose(cooperative, cooperative[:, :1] + 0 * cooperative)


@few
@given(plays, st.floats(0.0, 1.0))
def test_mutuality_leads_from_private_to_cooperative(play: tuple[str, int], degree: float) -> None:
    step = after_random_play(*play)
    private, cooperative = reward_layer("private")(step), reward_layer("cooperative")(step)
    npt.assert_array_equal(Mutuality(0.0)(step), private)
    npt.assert_array_equal(Mutuality(1.0)(step), cooperative)
    npt.assert_allclose(Mutuality(degree)(step), (1 - degree) * private + degree * cooperative, rtol=1e-12)


@few
@given(plays)
def test_without_trust_and_relations_integrated_is_private_up_to_its_scale(play: tuple[str, int]) -> None:
    id, seed = play
    engine = Engine(GAMES[id], "integrated")
    engine.reset(0, {"initial_trust": 0.0})
    game = GAMES[id]
    step, integrated = engine.step(np.random.default_rng(seed).random(game.n_agents) * game.spec.endowments)
    assert not step.weights.any()
    relational = 0.0 if step.relational is None else step.relational
    npt.assert_allclose(integrated * game.reward_normaliser - relational, step.payoffs, rtol=1e-12, atol=1e-15)


@few
@given(plays)
def test_integrated_adds_weighted_payoffs_and_relational_utility(play: tuple[str, int]) -> None:
    step = after_random_play(*play)
    paid = step.transition
    weighted = np.einsum("bij,bj->bi", paid.weights, paid.payoffs)
    relational = 0.0 if paid.relational is None else paid.relational
    expected = (paid.payoffs + weighted + relational) / step.game.reward_normaliser
    npt.assert_allclose(Integrated()(step), expected, rtol=1e-12)


@few
@given(st.sampled_from(RELEASED), st.integers(0, 2**32 - 1))
def test_released_rewards_are_utilities_times_multiplier_less_penalty(id: str, seed: int) -> None:
    step = after_random_play(id, seed)
    paid = step.transition
    utilities = paid.payoffs + np.einsum("bij,bj->bi", paid.weights, paid.payoffs)
    bases = {
        "private": paid.payoffs,
        "integrated": utilities,
        "cooperative": utilities.mean(-1, keepdims=True) + 0 * utilities,
    }
    multiplier = 1.0 if paid.multiplier is None else paid.multiplier
    penalty = 0.0 if paid.penalty is None else paid.penalty
    for mode, base in bases.items():
        npt.assert_allclose(MODES[mode].mode(step), base, rtol=1e-12)
        npt.assert_allclose(MODES[mode](step), base * multiplier - penalty, rtol=1e-12)


@given(payoff_vectors)
def test_an_individualist_and_the_identity_matrix_are_private(payoffs: list[float]) -> None:
    step = paying(payoffs)
    npt.assert_array_equal(SocialValueOrientation(0.0)(step), payoffs)
    npt.assert_array_equal(PayoffMatrix(((1, 0, 0), (0, 1, 0), (0, 0, 1)))(step), payoffs)
    npt.assert_array_equal(InequityAversion(0.0, 0.0)(step), payoffs)


@given(payoff_vectors, st.floats(-180.0, 180.0))
def test_value_orientation_weighs_own_payoff_against_the_mean_of_the_others(payoffs: list[float], angle: float) -> None:
    rewards = SocialValueOrientation(angle)(paying(payoffs))
    own, others = payoffs[0], (payoffs[1] + payoffs[2]) / 2
    expected = np.cos(np.radians(angle)) * own + np.sin(np.radians(angle)) * others
    assert rewards[0] == pytest.approx(expected, abs=1e-9)


@given(payoff_vectors, st.lists(st.floats(-5, 5), min_size=9, max_size=9))
def test_a_matrix_maps_payoffs_row_by_row(payoffs: list[float], entries: list[float]) -> None:
    matrix = np.reshape(entries, (3, 3))
    layer = PayoffMatrix(tuple(map(tuple, matrix.tolist())))
    npt.assert_allclose(layer(paying(payoffs)), matrix @ payoffs, atol=1e-9)


def test_inequity_aversion_by_hand() -> None:
    # Differences of 1, 4 and 3: envy 1 and guilt 0.5 on each, halved for two others.
    rewards = InequityAversion(envy=1.0, guilt=0.5)(paying([1.0, 2.0, 5.0]))
    npt.assert_allclose(rewards, [1.0 - (1 + 4) / 2, 2.0 - (3 + 0.5 * 1) / 2, 5.0 - 0.5 * (4 + 3) / 2])


def test_value_orientation_by_hand() -> None:
    step = paying([1.0, 2.0, 6.0])
    npt.assert_allclose(SocialValueOrientation(90.0)(step), [4.0, 3.5, 1.5])
    npt.assert_allclose(SocialValueOrientation(45.0)(step), np.sqrt(0.5) * np.array([5.0, 5.5, 7.5]))


def test_integrated_and_cooperative_by_hand() -> None:
    weights = [[0.0, 0.5, 0.0], [0.1, 0.0, 0.0], [0.0, 1.0, 0.0]]
    formal = paying([1.0, 2.0, 6.0], weights=weights, relational=[0.0, 0.3, -1.0])
    npt.assert_allclose(reward_layer("integrated")(formal), [2.0, 2.4, 7.0])
    npt.assert_allclose(reward_layer("cooperative")(formal), [3.0, 3.0, 3.0])
    released = paying([1.0, 2.0, 6.0], TRIO, weights=weights, multiplier=[1.0, 0.5, 2.0], penalty=[0.0, 1.0, 0.5])
    npt.assert_allclose(reward_layer("integrated")(released), [2.0, 2.1 * 0.5 - 1.0, 8.0 * 2 - 0.5])
    mean = (2.0 + 2.1 + 8.0) / 3
    npt.assert_allclose(reward_layer("cooperative")(released), [mean, mean * 0.5 - 1.0, mean * 2 - 0.5])


def test_apache_alone_rescales_its_integrated_rewards() -> None:
    scales = {id: game.reward_normaliser for id, game in GAMES.items()}
    assert {id for id, scale in scales.items() if scale != 1.0} == {"ApacheProject-v1"}


@pytest.mark.parametrize("reward", [*MODES, "mutuality=0.3", "svo=45", "inequity=1,0.5", "matrix=1,0.5;0,1"])
def test_rewards_are_the_same_on_torch(reward: str) -> None:
    torch = pytest.importorskip("torch")
    for id in ("PartnerHoldUp-v1", "PartnerHoldUp-v0"):
        actions = 0.4 * GAMES[id].spec.endowments
        on_torch = GAMES[id].to(torch_backend("cpu", torch.float64))
        _, expected = _first_step(GAMES[id], reward, actions)
        _, rewards = _first_step(on_torch, reward, actions)
        npt.assert_allclose(rewards.numpy(), expected, rtol=1e-9)


def _first_step(game: AnyGame, reward: str, actions: Any) -> tuple[Transition, Any]:
    engine = Engine(game, reward)
    engine.reset(0)
    return engine.step(actions)


def test_rows_of_a_batch_may_have_modes_of_their_own() -> None:
    game, modes = GAMES["AppleAppStore-v1"], ["private", "cooperative", "svo=30"]
    engine = Engine(game, modes, (3,))
    engine.reset(0, {"initial_trust": [0.2, 0.5, 0.9]})
    before, actions = engine.state, np.tile(0.4 * game.spec.endowments, (3, 1))
    transition, rewards = engine.step(actions)
    step = Step(game, 0, before, actions, transition)
    for row, mode in enumerate(modes):
        npt.assert_array_equal(rewards[row], reward_layer(mode)(step)[row])


def test_a_matrix_of_the_wrong_size_names_the_game() -> None:
    with pytest.raises(ValueError, match="reward matrix is 2×2, but TeamProduction-v1 has 3 agents"):
        PayoffMatrix(((1.0, 0.0), (0.0, 1.0)))(paying([1.0, 2.0, 3.0]))


def test_options_of_resets_reach_the_weights() -> None:
    game = GAMES["TrustDilemma-v1"]
    state = game.initial_state((), ResetOptions(initial_trust=1.0))
    step = game.step(state, np.array([50.0, 50.0]))
    npt.assert_allclose(step.weights, game.spec.interdependence)
