"""Agents of worlds: what they infer is what was drawn, and what they earn lies near what the informed earn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.agents import Seat, make_agent
from coopgym.backend import Array
from coopgym.games.game import AnyGame, ResetOptions
from coopgym.games.registry import games, make_game
from coopgym.games.state import State, state_arrays
from coopgym.oracles.agents import WORLD_ORACLES, ExploreThenCommit, Inferring, Oracle
from coopgym.oracles.agents.inferring import FactorEstimate, Prior, priors
from coopgym.oracles.dynamic.baseline_plans import default_agents
from coopgym.oracles.dynamic.informed import best_uninformed, drawn_states
from coopgym.oracles.dynamic.world_scores import world_anchors, world_score
from coopgym.oracles.games.rollout import initial_state
from coopgym.play import NOMINAL, CommonRandomNumbers, open_loop, play, unroll
from coopgym.testing import check_agent
from coopgym.typing import FloatArray
from coopgym.worlds import TEST_SEEDS, WORLDS

FORMAL = games("formal")
FACTOR = st.floats(0.5, 2.0)
LAGGING = {"last_payoff", "payoff_share", "cost_factor", "synergy_factor"}
"""State that says what was earned or drawn; nothing moves with it."""
ONE_OF_EACH_CLASS = ("SLCD-v1", "TrustDilemma-v1", "PublicGoods-v1", "ReciprocalDilemma-v1")
INFERRING_EARNS = 0.5
"""Of what the informed earn more than the best uninformed level."""


def opened(game: AnyGame, **factors: Any) -> State:
    options = ResetOptions(world={name: np.asarray(value) for name, value in factors.items()})
    return game.initial_state((), options, *NOMINAL.reset(game, ()))


def agents_of(game: AnyGame, name: str, **options: Any) -> list[Oracle]:
    made = [make_agent(name, **options) for _ in range(game.n_agents)]
    assert all(isinstance(agent, Oracle) for agent in made)
    return made  # type: ignore[return-value]  # as was just asserted


@pytest.mark.parametrize("world", [None, *WORLDS])
def test_the_uninformed_level_is_the_best_on_the_test_draws(world: str | None) -> None:
    game = make_game("PlatformEcosystem-v1", max_steps=4, **({} if world is None else {"world": world}))
    episodes = play(game, agents_of(game, "Oracle_Uninformed"), reward="private", episodes=2, record=True)
    assert episodes.trajectory is not None
    shares = episodes.trajectory.shares
    assert np.ptp(shares, axis=(0, 1)).max() == 0.0, "the draw of an episode is not seen"
    draws = NOMINAL if world is None else CommonRandomNumbers(game, TEST_SEEDS[0], len(TEST_SEEDS))
    openings = drawn_states(game, TEST_SEEDS[:1] if world is None else TEST_SEEDS)
    np.testing.assert_allclose(shares[0, 0], best_uninformed(game, openings, draws).levels)


@pytest.mark.parametrize("id", FORMAL)
@given(costs=st.lists(FACTOR, min_size=40, max_size=40), synergy=FACTOR, seed=st.integers(0, 99))
@settings(max_examples=10, deadline=None)
def test_payoffs_are_affine_in_the_factors_and_states_move_without_them(
    id: str, costs: list[float], synergy: float, seed: int
) -> None:
    game = make_game(id, world="private")
    cost = np.array(costs[: game.n_agents])
    plan = np.random.default_rng(seed).uniform(0.2, 1.0, (4, game.n_agents))
    usual, drawn = (
        unroll(game, open_loop(game, plan), start=start, draws=NOMINAL, horizon=len(plan))
        for start in (initial_state(game), opened(game, cost=cost, synergy=synergy))
    )
    for plain, step in zip(usual, drawn, strict=True):
        one, dearer, better = (
            game.stage_payoffs(
                replace(plain.before, cost_factor=np.full(game.n_agents, m), synergy_factor=g), plan[plain.t]
            )
            for m, g in ((1.0, np.asarray(1.0)), (2.0, np.asarray(1.0)), (1.0, np.asarray(2.0)))
        )
        expected = one + (cost - 1.0) * (dearer - one) + (synergy - 1.0) * (better - one)
        np.testing.assert_allclose(step.transition.payoffs, expected, rtol=0.0, atol=1e-12)
        for name, array in state_arrays(plain.transition.state).items():
            if name not in LAGGING:
                np.testing.assert_array_equal(array, getattr(step.transition.state, name), err_msg=name)


@settings(max_examples=20)
@given(spread=st.floats(1.1, 4.0), low=st.floats(0.5, 1.0), width=st.floats(0.0, 1.0))
def test_priors_have_the_mean_and_variance_of_what_is_drawn(spread: float, low: float, width: float) -> None:
    at = (np.arange(2000) + 0.5) / 2000
    factor, uniform = spread ** (2.0 * at - 1.0), low + width * at
    own = Prior.of_factor(spread)
    assert (own.mean, own.variance) == pytest.approx((factor.mean(), factor.var()), abs=1e-4)
    product = own.times_uniform(low, low + width)
    drawn = factor[:, None] * uniform / uniform.mean()
    assert (product.mean, product.variance) == pytest.approx((drawn.mean(), drawn.var()), abs=1e-4)
    assert product.low <= drawn.min() <= drawn.max() <= product.high


@given(cost=FACTOR, synergy=FACTOR, slopes=st.lists(st.floats(0.3, 1.0), min_size=2, max_size=2))
def test_two_payoffs_that_differ_identify_both_factors_and_one_leaves_the_rest_to_the_prior(
    cost: float, synergy: float, slopes: list[float]
) -> None:
    prior, rows = Prior.of_factor(2.0), np.array([True, False])
    estimate = FactorEstimate(prior, prior, 2)
    truth, first = np.array([cost, synergy]), np.array([[-1.0, slopes[0]]] * 2)
    estimate.learn(first, first @ truth, 1e-7, rows)
    assert estimate.mean[0] @ first[0] == pytest.approx(truth @ first[0], abs=1e-9)
    across = np.array([slopes[0], 1.0])
    assert estimate.mean[0] @ across == pytest.approx(np.full(2, prior.mean) @ across)
    assert estimate.cost_is_unknown.tolist() == [True, True]
    second = np.array([[-1.0, slopes[0] + slopes[1]]] * 2)
    estimate.learn(second, second @ truth, 1e-7, rows)
    assert estimate.mean[0] == pytest.approx(truth, abs=1e-5)
    assert estimate.mean[1] == pytest.approx(np.full(2, prior.mean))
    assert estimate.cost_is_unknown.tolist() == [False, True]


@pytest.mark.parametrize("id", ONE_OF_EACH_CLASS)
def test_both_factors_are_known_exactly_after_two_steps(id: str) -> None:
    game, episodes = make_game(id, world="common", max_steps=3), 12
    agents = agents_of(game, "Inferring")
    play(game, agents, reward="private", episodes=episodes, seed=7)
    drawn = drawn_states(game, range(7, 7 + episodes))
    truth = np.stack([drawn.cost_factor[:, 0], drawn.synergy_factor], axis=1)
    for agent in agents:
        assert isinstance(agent, Inferring)
        np.testing.assert_allclose(agent.estimate.mean, truth, atol=1e-4)
        assert not agent.estimate.cost_is_unknown.any()


@pytest.mark.parametrize("world", ["common", "private"])
def test_single_precision_is_enough_to_find_the_factors(world: str) -> None:
    game = make_game("ReputationMarket-v1", world=world)
    state, agents = drawn_states(game, range(8)), agents_of(game, "Inferring")
    for index, agent in enumerate(agents):
        agent.begin(Seat.of(game, index, "own", "private"), 8, np.random.default_rng(0))

    def policy(t: int, now: State) -> Array:
        seen = game.observe(now, "own").astype(np.float32)
        return np.stack([agent.act(seen[:, index]) for index, agent in enumerate(agents)], axis=1) * game.endowments

    assert len(list(unroll(game, policy, start=state, draws=NOMINAL, horizon=4))) == 4
    for index, agent in enumerate(agents):
        assert isinstance(agent, Inferring)
        truth = np.stack([state.cost_factor[:, index], state.synergy_factor], axis=1)
        np.testing.assert_allclose(agent.estimate.mean, truth, atol=1e-4)


def test_a_seat_that_sees_its_cost_knows_synergy_after_one_step_and_forgets_it_when_its_cost_changes() -> None:
    game, episodes = make_game("SLCD-v1", world="shifting", max_steps=40), 16
    start, draws = drawn_states(game, range(episodes)), CommonRandomNumbers(game, 0, episodes)
    agent = agents_of(game, "Inferring")[1]
    agent.begin(Seat.of(game, 1, "own", "private"), episodes, np.random.default_rng(0))
    assert isinstance(agent, Inferring)
    prior, old = priors(game)[1].mean, np.full(episodes, np.nan)
    shifts = 0
    for step in unroll(game, lambda *_: np.full((episodes, 2), 60.0), start=start, draws=draws):
        agent.act(game.observe(step.before, "own")[:, 1])
        cost, synergy = step.before.cost_factor[:, 1], step.before.synergy_factor
        shifts += int((cost != old).sum())
        np.testing.assert_allclose(agent.estimate.mean[:, 0], cost, rtol=1e-9)
        np.testing.assert_allclose(agent.estimate.mean[:, 1], np.where(cost == old, synergy, prior), rtol=1e-4)
        old = cost
    assert shifts > 2 * episodes


def test_the_second_level_differs_from_the_first_where_two_factors_are_unknown() -> None:
    game = make_game("TrustDilemma-v1", world="common", max_steps=2)
    played = play(game, agents_of(game, "Inferring"), reward="private", episodes=40, seed=3, record=True).trajectory
    assert played is not None
    assert np.abs(np.diff(played.shares, axis=0)).min() > 0.099
    assert np.unique(played.shares[0]).size == 1


def test_explorers_play_their_levels_in_turn_and_then_one_for_good() -> None:
    game = make_game("PublicGoods-v1", world="shifting", max_steps=30)
    agents = agents_of(game, "ExploreThenCommit", steps=3, levels=(0.2, 0.8))
    played = play(game, agents, reward="private", episodes=5, record=True).trajectory
    assert played is not None
    np.testing.assert_array_equal(played.shares[:3, 0, 0], (0.2, 0.8, 0.2))
    assert np.ptp(played.shares[3:], axis=0).max() == 0.0
    assert np.ptp(played.shares[3], axis=0).max() > 0.2


def test_in_the_fixed_world_the_best_constants_are_played() -> None:
    game = make_game("RenaultNissan-v1", max_steps=6)
    best = best_uninformed(game, drawn_states(game, [0])).levels
    for name, first in (("Inferring", 0), ("ExploreThenCommit", 4)):
        played = play(game, agents_of(game, name), record=True).trajectory
        assert played is not None
        np.testing.assert_allclose(played.shares[first:, 0], np.broadcast_to(best, (6 - first, 2)))


def test_new_episodes_are_inferred_anew() -> None:
    game = make_game("SLCD-v1", world="common", max_steps=9)
    seen = [game.observe(drawn_states(game, [k]), "own")[:, 0] for k in (1, 2)]
    agent, seat = agents_of(game, "Inferring")[0], Seat.of(game, 0, "own", "private")
    agent.begin(seat, 2, np.random.default_rng(0))
    first = agent.act(np.concatenate(seen))
    agent.act(np.concatenate(seen) + 0.1)
    agent.restart(np.array([True, False]))
    again: FloatArray = agent.act(np.concatenate(seen))
    assert again[0] == first[0]
    assert again[1] != first[1]


@pytest.mark.parametrize("id", ["PublicGoods-v1", "PartnerHoldUp-v1"])
def test_informed_agents_play_the_plans_of_what_was_drawn_and_plan_anew_when_it_changes(
    id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from coopgym.oracles.agents import informed

    def revealing(game: AnyGame, openings: State) -> FloatArray:
        """Plans that tell what they were made for: seat i's cost, then the synergy factor, and so on."""
        told = np.stack([openings.cost_factor, 0.0 * openings.cost_factor + openings.synergy_factor[:, None]])
        return np.tile(told, (game.spec.horizon // 2, 1, 1)) / 2.0

    monkeypatch.setattr(informed, "known_plans", revealing)
    for world in WORLDS:
        game = make_game(id, world=world, max_steps=30)
        episodes = play(game, agents_of(game, "Oracle_InformedPlan"), views="full", episodes=6, seed=4, record=True)
        assert episodes.trajectory is not None
        draws = CommonRandomNumbers(game, 4, 6)
        idle = open_loop(game, np.zeros((30, 6, game.n_agents)))
        steps = unroll(game, idle, start=drawn_states(game, range(4, 10)), draws=draws)
        for step, shares in zip(steps, episodes.trajectory.shares, strict=True):
            expected = step.before.cost_factor if step.t % 2 == 0 else step.before.synergy_factor[:, None]
            np.testing.assert_allclose(2.0 * shares, np.broadcast_to(expected, shares.shape), rtol=1e-12)


def test_mistakes_are_told() -> None:
    game = make_game("SLCD-v1", world="private", max_steps=3)
    with pytest.raises(ValueError, match="view='own' of SLCD-v1 hides; use view='full', or Inferring"):
        play(game, agents_of(game, "Oracle_InformedPlan"))
    with pytest.raises(ValueError, match="plays under view='own'; got view='full' in SLCD-v1"):
        play(game, agents_of(game, "Inferring"), views="full")
    with pytest.raises(ValueError, match="steps=-1"):
        ExploreThenCommit(steps=-1)
    with pytest.raises(ValueError, match=r"levels=\[1.5\]"):
        ExploreThenCommit(levels=[1.5])


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("Inferring", "PartnerHoldUp-v1"),
        ("ExploreThenCommit", "AppleAppStore-v0"),
        ("Oracle_InformedPlan", "PublicGoods-v1"),
        ("Oracle_Informed", "PartnerHoldUp-v1"),
    ],
)
def test_they_keep_the_promises_of_agents(name: str, id: str) -> None:
    check_agent(name, games=(id,))


@pytest.mark.parametrize("oracle", WORLD_ORACLES, ids=lambda oracle: oracle.title())
def test_they_are_registered_and_say_where_they_come_from(oracle: type[Oracle]) -> None:
    assert type(make_agent(oracle.title())) is oracle
    assert oracle.citation
    assert oracle.title() not in default_agents()


def inferred_score(id: str, world: str, episodes: int, **parameters: int) -> float:
    game = make_game(id, world=world, **parameters)
    return world_score(game, agents_of(game, "Inferring"), world_anchors(game, TEST_SEEDS[:episodes]))


@pytest.mark.parametrize(
    ("id", "world"), [(id, ("common", "private")[place % 2]) for place, id in enumerate(ONE_OF_EACH_CLASS)]
)
def test_who_infers_earns_most_of_what_the_informed_earn(id: str, world: str) -> None:
    assert inferred_score(id, world, 8, max_steps=10) > INFERRING_EARNS


@pytest.mark.slow
@pytest.mark.parametrize("world", ["common", "private"])
@pytest.mark.parametrize("id", FORMAL)
def test_who_infers_earns_most_of_what_the_informed_earn_in_every_game(id: str, world: str) -> None:
    assert inferred_score(id, world, 32) > INFERRING_EARNS
