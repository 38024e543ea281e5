"""Upper bounds on plans: no reachable path exceeds them, and where the argument is tight they meet the plan."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.games.game import AnyGame
from coopgym.games.registry import games, make_game
from coopgym.games.state import State, state_arrays
from coopgym.oracles.dynamic.baseline_plans import BaselinePlans
from coopgym.oracles.dynamic.bounds import Gap, certified_gap
from coopgym.oracles.dynamic.bounds.optimistic import dominating_states
from coopgym.oracles.dynamic.planner import QUICK, Plan, plan
from coopgym.oracles.dynamic.planning import PlanningProblem
from coopgym.oracles.games.rollout import initial_state, repeated
from coopgym.play import NOMINAL, open_loop, unroll

STEPS = 16
few = settings(max_examples=8, deadline=None)
seeds = st.integers(0, 2**32 - 1)
SMALL: dict[str, dict[str, Any]] = {"ApacheProject-v1": {"phase": "emergence"}}
RISING = ("trust", "loyalty", "score", "image", "asset")
FALLING = ("damage", "record")


def make(id: str, **options: Any) -> AnyGame:
    return make_game(id, max_steps=STEPS, **SMALL.get(id, {}), **options)


def unplanned(game: AnyGame, reward: str, shares: np.ndarray, start: State | None = None) -> Plan:
    """A plan that nobody searched for, with its value."""
    problem = PlanningProblem(game, [reward], start)
    returns = problem.returns(shares[:, None])[0, 0]
    nothing: Any = {"status": "stopped", "residual": np.inf, "restarts": 0, "agreeing": 0, "origin": "given"}
    return Plan(
        game=game,
        reward=reward,
        start=problem.start,
        seat_weights=problem.seat_weights,
        shares=shares,
        returns=returns,
        value=float(returns.sum()),
        baseline_plans=BaselinePlans((), {}),
        **nothing,
    )


def varied_plans(rng: np.random.Generator, n_agents: int, count: int = 60) -> np.ndarray:
    """Plans ``(STEPS, count, N)``: noise, extremes, constants, and switches between two profiles."""
    shape = (STEPS, count, n_agents)
    first, second = rng.random((2, 1, count, n_agents))
    level = np.linspace(0.0, 1.0, count)[:, None] + np.zeros(shape)
    switch = np.where(np.arange(STEPS)[:, None, None] < rng.integers(1, STEPS, (1, count, 1)), first, second)
    steady = np.where(rng.random((1, count, n_agents)) < 0.5, 0.0, level)
    return np.concatenate([rng.random(shape), rng.integers(0, 2, shape) * 1.0, level, switch, steady], axis=1)


def greatest(game: AnyGame, reward: str, plans: np.ndarray, start: State | None = None) -> float:
    return float(PlanningProblem(game, [reward], start).values(plans).max())


@pytest.mark.parametrize("reward", ["private", "integrated"])
@pytest.mark.parametrize("id", games("formal"))
def test_no_path_earns_more_than_the_bound(id: str, reward: str) -> None:
    game, rng = make(id), np.random.default_rng(0)
    plans = varied_plans(rng, game.n_agents)
    gap = certified_gap(unplanned(game, reward, plans[:, 0]))
    if gap.upper is None:
        assert (id, reward) == ("PartnerHoldUp-v1", "integrated")
        return
    assert greatest(game, reward, plans) <= gap.upper * (1.0 + 1e-12)


@few
@given(
    st.sampled_from(games("formal")),
    st.sampled_from(["private", "integrated", "mutuality=0.3"]),
    seeds,
    st.floats(0.0, 1.0),
    st.floats(0.0, 1.0),
    st.booleans(),
)
def test_bounds_hold_from_other_states_and_without_the_mechanism(
    id: str, reward: str, seed: int, trust: float, damage: float, mechanism: bool
) -> None:
    game = make(id, mechanism=mechanism)
    start = initial_state(game, trust=trust, damage=damage)
    plans = varied_plans(np.random.default_rng(seed), game.n_agents, 20)
    gap = certified_gap(unplanned(game, reward, plans[:, 0], start))
    if gap.upper is not None:
        assert greatest(game, reward, plans, start) <= gap.upper * (1.0 + 1e-12)


@pytest.mark.parametrize("id", games("formal"))
def test_optimistic_states_dominate_every_reachable_one(id: str) -> None:
    game = make(id)
    plans = varied_plans(np.random.default_rng(1), game.n_agents, 20)
    best = dominating_states(game, initial_state(game), STEPS)
    start = repeated(game, initial_state(game), plans.shape[1:2])
    for step in unroll(game, open_loop(game, plans), start=start, draws=NOMINAL, horizon=STEPS, past_end=True):
        t, state = step.t, step.before
        for name in state_arrays(state):
            reached, bound = getattr(state, name), getattr(best, name)[t]
            if name in RISING:
                assert (reached <= bound + 1e-12).all(), (name, t)
            elif name in FALLING:
                assert (reached >= bound - 1e-12).all(), (name, t)
            elif name == "memory":
                assert (reached.mean(-2) >= bound.mean(-2) - 1e-12).all(), t


TIGHT = (
    "TeamProduction-v1",
    "PublicGoods-v1",
    "SynergySearch-v1",
    "CooperativeNegotiation-v1",
    "ReputationMarket-v1",
    "DynamicPartnerSelection-v1",
    "PlatformEcosystem-v1",
    "GraduatedSanction-v1",
)


@pytest.mark.parametrize("id", TIGHT)
def test_where_no_stock_pays_the_bound_meets_the_plan(id: str) -> None:
    gap = certified_gap(plan(make(id), "cooperative", agents=(), budget=QUICK))
    assert gap.relative is not None
    assert -1e-12 <= gap.relative < 1e-6


def test_hold_up_prices_make_the_bound_tight() -> None:
    game = make("PartnerHoldUp-v1")
    good = plan(game, "private", agents=(), budget=QUICK)
    tight = certified_gap(good)
    assert tight.upper is not None
    assert tight.relative is not None
    assert -1e-12 <= tight.relative < 1e-4
    careless = certified_gap(unplanned(game, "private", np.full((STEPS, 2), 0.1)))
    assert careless.upper is not None
    assert careless.upper > tight.upper


def test_the_bound_grows_with_the_scale_of_equal_seat_weights() -> None:
    game = make("TrustDilemma-v1")
    shares = np.full((STEPS, 2), 0.5)
    single = certified_gap(unplanned(game, "integrated", shares))
    double = certified_gap(dataclasses.replace(unplanned(game, "integrated", shares), seat_weights=np.full(2, 2.0)))
    assert single.upper is not None
    assert double.upper == pytest.approx(2.0 * single.upper)


def test_without_a_proof_there_is_a_reason() -> None:
    half = np.full((STEPS, 2), 0.5)
    game = make("TrustDilemma-v1")
    lopsided = dataclasses.replace(unplanned(game, "private", half), seat_weights=np.array([1.0, 2.0]))
    released = make_game("RecoveryRace-v0", max_steps=STEPS)
    expected = {
        "released edition": unplanned(released, "private", half),
        "bounds are proved for": unplanned(game, "svo=45", half),
        "equal seat weights": lopsided,
        "not concave": unplanned(make("PartnerHoldUp-v1"), "integrated", half),
        "assignments": unplanned(
            make_game("IndirectReciprocity-v1", n_agents=13, max_steps=STEPS), "integrated", np.full((STEPS, 13), 0.5)
        ),
    }
    for words, given_plan in expected.items():
        gap = certified_gap(given_plan)
        assert gap == Gap(given_plan.value, None, gap.reason)
        assert words in gap.reason
        assert gap.relative is None


def test_a_changed_game_has_no_proved_bound() -> None:
    class Generous(type(make_game("SLCD-v1"))):
        def payoffs(self, state, cooperation):
            return super().payoffs(state, cooperation) + 20.0 * cooperation

    made = Generous.configure(max_steps=2)
    gap = certified_gap(plan(made, "private", agents=(), budget=QUICK))
    assert gap.upper is None
    assert "Generous declares no traits of its own" in gap.reason
