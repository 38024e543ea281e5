"""The joint planner: known optima, what a plan must not fall below, and the searches it is made of."""

from __future__ import annotations

import sys
from functools import cache, partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar

from coopgym.agents.heuristics import Constant
from coopgym.backend import torch_backend
from coopgym.games.registry import games, make_game
from coopgym.oracles.dynamic.ascent import ascend, concave_maxima, polish
from coopgym.oracles.dynamic.baseline_plans import baseline_plans, best_constant, default_agents
from coopgym.oracles.dynamic.joint_search import jostled, ramps, swept
from coopgym.oracles.dynamic.planner import QUICK, Budget, Plan, plan, plan_modes
from coopgym.oracles.dynamic.planning import PlanningProblem
from coopgym.oracles.games.normal_form import CommitmentGame
from coopgym.oracles.games.rollout import initial_state, plan_returns
from coopgym.oracles.games.symmetry import block_of_seats
from coopgym.play import state_after
from coopgym.play.unroll import remaining_steps
from coopgym.rewards import reward_layer

STEPS = 20
PLAYERS = ("GrimTrigger", "Random", "TitForTat")
MODES = ("private", "integrated", "cooperative")
THRIFTY = Budget(restarts=1, iterations=0, polish=1, population=2, generations=1, shifts=0)
few = settings(max_examples=10, deadline=None)
seeds = st.integers(0, 2**32 - 1)


@cache
def quick_plans(id: str) -> dict[str, Plan]:
    return plan_modes(make_game(id, max_steps=STEPS), agents=PLAYERS, budget=QUICK)


def concave_quadratic(target: np.ndarray, curvature: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Values and gradients of ``-½ Σ curvature (point - target)²``, one function per row or one for all rows."""
    gap = points - target
    return -0.5 * (curvature * gap**2).sum(1), -curvature * gap


def best_stage(id: str) -> float:
    """Welfare of the best common share in the two games whose payoffs depend on no state, from their equations."""
    value = {
        "TeamProduction-v1": lambda c: 1 - c + 3 / 50 * np.log1p(50 * c) + 1.55 * ((c + 0.001) ** 0.55 - 0.001**0.55),
        "PublicGoods-v1": lambda c: 1 - c - 0.65 * c**2 + 3 / 50 * np.log1p(50 * c) + 2 * c,
    }[id]
    found = minimize_scalar(lambda c: -value(c), bounds=(0.0, 1.0), method="bounded", options={"xatol": 1e-10})
    return make_game(id).n_agents * float(-found.fun)


@pytest.mark.parametrize("id", ["TeamProduction-v1", "PublicGoods-v1"])
def test_without_a_paying_state_the_optimum_is_the_best_stage_at_every_step(id: str) -> None:
    for mode in ("private", "cooperative"):
        found = quick_plans(id)[mode]
        assert found.status == "converged"
        assert found.value == pytest.approx(STEPS * best_stage(id), rel=1e-6)
        assert found.agreeing == found.restarts


@pytest.mark.parametrize(
    "id",
    [
        *("TrustDilemma-v1", "PartnerHoldUp-v1", "DynamicPartnerSelection-v1"),
        pytest.param("CoalitionFormation-v0", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_no_baseline_plan_and_no_plan_of_another_mode_is_better(id: str, mode: str) -> None:
    found = quick_plans(id)[mode]
    layer, game = reward_layer(mode), found.game
    for baseline in found.baseline_plans.plans:
        assert found.value >= baseline.returns[mode].sum() - 1e-9
    for other in quick_plans(id).values():
        assert found.value >= plan_returns(game, found.start, other.shares, [layer])[0].sum() - 1e-9


ALWAYS = {
    *("SynergySearch-v1", "TrustDilemma-v1", "CooperativeNegotiation-v1"),
    *("LoyaltyTeam-v1", "ReciprocalDilemma-v1", "AppleAppStore-v1"),
}
"""A game of each mechanism class, with draws, agreements and unequal seats among them; the others are slow together."""


@pytest.mark.parametrize("id", [id if id in ALWAYS else pytest.param(id, marks=pytest.mark.slow) for id in games()])
def test_in_every_game_and_mode_no_constant_heuristic_or_oracle_does_better(id: str) -> None:
    plans = plan_modes(make_game(id, max_steps=2), budget=THRIFTY)
    assert tuple(plans) == MODES
    for mode, found in plans.items():
        tried = [*(baseline.name for baseline in found.baseline_plans.plans), *found.baseline_plans.refused]
        assert {name.partition("[")[0] for name in tried} >= {"Constant_00", "BestConstant", *default_agents()}
        best = max(baseline.returns[mode].sum() for baseline in found.baseline_plans.plans)
        assert found.value >= best - 1e-9 * abs(best)


@pytest.mark.parametrize("id", ["TrustDilemma-v1", "RecoveryRace-v1"])
def test_where_the_state_pays_timing_beats_every_constant(id: str) -> None:
    for mode in MODES:
        found = quick_plans(id)[mode]
        assert found.value > found.beaten("BestConstant").returns[mode].sum() + 1e-4
        assert np.ptp(found.shares[:, 0]) > 0.01


def test_a_plan_is_what_the_game_pays_for_its_shares() -> None:
    for mode, found in quick_plans("PartnerHoldUp-v1").items():
        replayed = plan_returns(found.game, found.start, found.shares, [reward_layer(mode)])[0]
        np.testing.assert_allclose(found.returns, replayed, rtol=1e-12)
        assert found.value == pytest.approx(replayed.sum(), rel=1e-12)
        assert found.shares.shape == (STEPS, 2)
        assert ((found.shares >= 0.0) & (found.shares <= 1.0)).all()


def test_exchangeable_seats_may_swap_their_parts_of_a_plan() -> None:
    found = quick_plans("DynamicPartnerSelection-v1")["integrated"]
    swapped = plan_returns(found.game, found.start, found.shares[:, ::-1], [reward_layer("integrated")])[0]
    np.testing.assert_allclose(swapped[::-1], found.returns, rtol=1e-12)


def test_the_same_seed_gives_the_same_plan() -> None:
    again = plan_modes(make_game("PartnerHoldUp-v1", max_steps=STEPS), agents=PLAYERS, budget=QUICK)
    for mode, found in quick_plans("PartnerHoldUp-v1").items():
        np.testing.assert_array_equal(again[mode].shares, found.shares)
        assert again[mode].origin == found.origin


def test_a_plan_from_a_later_state_is_the_rest_of_the_plan() -> None:
    # Bellman's principle: where the search converges, its continuation is worth what a fresh search finds.
    found = quick_plans("TrustDilemma-v1")["private"]
    state = state_after(found.game, found.shares[:12], found.start)
    rest = plan(found.game, "private", state, agents=(), budget=QUICK)
    continued = plan_returns(found.game, state, found.shares[12:], [reward_layer("private")])[0]
    assert remaining_steps(found.game, state) == len(rest.shares) == STEPS - 12
    assert rest.value == pytest.approx(continued.sum(), rel=1e-7)


def test_seat_weights_turn_the_plan_to_the_favoured_seat() -> None:
    game = make_game("TrustDilemma-v1", max_steps=STEPS)
    favoured = plan(game, "private", seat_weights=(1.0, 0.0), agents=(), budget=QUICK)
    assert favoured.returns[0] > quick_plans("TrustDilemma-v1")["private"].returns[0]
    assert favoured.value == pytest.approx(favoured.returns[0])
    assert favoured.shares[:, 1].mean() > favoured.shares[:, 0].mean()


def test_a_given_start_is_met() -> None:
    game = make_game("TrustDilemma-v0")
    late = initial_state(game, t=90.0)
    good = plan(game, "integrated", late, agents=(), budget=QUICK)
    again = plan(game, "integrated", late, starts={"good": good.shares}, agents=(), budget=THRIFTY)
    assert again.value >= good.value


def test_errors_say_what_to_change() -> None:
    game = make_game("TrustDilemma-v1", max_steps=STEPS)
    with pytest.raises(ValueError, match="unknown reward 'privat'"):
        plan(game, "privat")
    with pytest.raises(ValueError, match="at least one reward mode"):
        plan_modes(game, ())
    with pytest.raises(ValueError, match=r"start 'half': expected shares in \[0, 1\] of shape \(20, 2\) or \(2,\)"):
        plan(game, starts={"half": np.full((3, 2), 0.5)})
    with pytest.raises(ValueError, match="expected 2 finite, non-negative numbers"):
        plan(game, seat_weights=(1.0, -1.0))
    with pytest.raises(ValueError, match="at the horizon of 20 steps"):
        plan(game, state=initial_state(game, t=float(STEPS)))
    with pytest.raises(ValueError, match="expected a single state"):
        plan(game, state=game.initial_state((3,)))
    with pytest.raises(ValueError, match="pass the game on NUMPY"):
        plan(game.to(torch_backend()))
    with pytest.raises(ValueError, match="restarts=0"):
        Budget(restarts=0)


def test_without_torch_the_planner_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="coopgym\\[torch\\]"):
        plan(make_game("TrustDilemma-v1", max_steps=STEPS), agents=(), budget=QUICK)


# Baseline plans


class Refuser(Constant):
    """Plays no game with two seats."""

    def prepare(self) -> None:
        if self.seat.game.n_agents == 2:
            raise ValueError("needs a team")


def test_baseline_plans_are_realised_and_refusals_are_kept() -> None:
    game = make_game("TrustDilemma-v1", max_steps=STEPS)
    refuser = f"{__name__}:Refuser"
    found = baseline_plans(game, ("private", "integrated"), agents=("TitForTat", refuser))
    assert found.refused == {refuser: "needs a team"}
    names = [baseline.name for baseline in found.plans]
    assert len(names) == 101 + 2 + 1
    by_name = dict(zip(names, found.plans, strict=True))
    np.testing.assert_allclose(by_name["TitForTat"].shares, 0.5)
    np.testing.assert_allclose(by_name["TitForTat"].returns["private"], by_name["Constant_50"].returns["private"])
    with pytest.raises(ValueError, match="no baseline plan starts with 'Gradual'"):
        found.best("private", prefix="Gradual")


def test_the_best_constant_cannot_be_improved_by_one_seat_on_the_grid() -> None:
    problem = PlanningProblem(make_game("PartnerHoldUp-v1", max_steps=STEPS), ["integrated"])
    profile = best_constant(problem)
    value = problem.values(np.broadcast_to(profile, (STEPS, 1, 2)))[0, 0]
    for seat in range(2):
        tried = np.repeat(profile[None], 101, axis=0)
        tried[:, seat] = np.linspace(0.0, 1.0, 101)
        assert problem.values(np.broadcast_to(tried, (STEPS, 101, 2))).max() <= value + 1e-12


# The searches


@few
@given(seeds)
def test_ascent_maximises_concave_quadratics_over_the_box(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target, curvature = rng.uniform(-0.5, 1.5, (4, 7)), np.exp(rng.uniform(-2.0, 2.0, (4, 7)))
    climbed = ascend(partial(concave_quadratic, target, curvature), rng.random((4, 7)), 300, 1e-9)
    np.testing.assert_allclose(climbed.points, np.clip(target, 0.0, 1.0), atol=1e-7)
    assert (climbed.residuals <= 1e-8).all()


@few
@given(seeds)
def test_polish_maximises_a_concave_quadratic_over_the_box(seed: int) -> None:
    rng = np.random.default_rng(seed)
    target, curvature = rng.uniform(-0.5, 1.5, 7), np.exp(rng.uniform(-2.0, 2.0, 7))
    polished = polish(partial(concave_quadratic, target, curvature), rng.random(7), 200, 1e-9)
    np.testing.assert_allclose(polished.points[0], np.clip(target, 0.0, 1.0), atol=1e-6)


@few
@given(seeds)
def test_bounds_on_concave_maxima_hold_and_are_tight(seed: int) -> None:
    rng = np.random.default_rng(seed)
    slope = rng.uniform(-1.0, 3.0, (5, 3))
    exact = np.where(slope <= 1.0, 0.0, slope * np.log(np.clip(slope, 1.0, 2.0)) - np.clip(slope, 1.0, 2.0) + 1.0)
    exact = np.where(slope > 0.0, exact, 0.0).sum(1)  # of slope ln(1 + x) - x on [0, 1]
    bounds = concave_maxima(
        lambda x: (torch_backend().xp.log1p(x) * x.new_tensor(slope) - x).sum(-1), slope * 0.0 + 0.5
    )
    convex = (slope < 0.0).any(1)  # then the function is not concave, and nothing is claimed
    np.testing.assert_allclose(bounds[~convex], exact[~convex], atol=1e-8)
    assert (bounds[~convex] >= exact[~convex] - 1e-12).all()


@few
@given(seeds, st.sampled_from(["CooperativeNegotiation-v1", "CoalitionFormation-v0"]))
def test_sweeps_and_shifts_never_make_a_plan_worse(seed: int, id: str) -> None:
    options = {"max_steps": 8} if id == "CoalitionFormation-v0" else {"max_steps": STEPS}
    problem = PlanningProblem(make_game(id, **options), ["integrated"])
    rng = np.random.default_rng(seed)
    start = rng.random((problem.steps, problem.n_agents))
    value = problem.values(start[:, None])[0, 0]
    for better in (swept(problem, 0, start), jostled(problem, 0, start, 3, 10, rng)):
        assert ((better >= 0.0) & (better <= 1.0)).all()
        assert problem.values(better[:, None])[0, 0] > value


@few
@given(st.permutations(range(6)), st.integers(1, 5))
def test_every_seat_finds_its_block(order: list[int], cut: int) -> None:
    blocks = (tuple(order[:cut]), tuple(order[cut:]))
    found = block_of_seats(blocks)
    assert all(seat in blocks[found[seat]] for seat in range(6))


def test_ramps_are_plans() -> None:
    problem = PlanningProblem(make_game("TrustDilemma-v1", max_steps=STEPS), ["private"])
    for ramp in ramps(problem, np.array([0.3, 0.9])):
        assert ramp.shape == (STEPS, 2)
        assert ((ramp >= 0.0) & (ramp <= 1.0)).all()


def test_a_plan_for_one_seat_is_not_a_plan_for_all() -> None:
    made = make_game("TeamProduction-v1", n_agents=8, max_steps=2)
    weights = [1.0, *[0.0] * 7]
    found = plan(made, "private", seat_weights=weights, agents=(), budget=QUICK)
    one_rides_free = np.array([0.05, *[1.0] * 7])
    held = CommitmentGame(made).payoffs(one_rides_free)[0] * 2
    assert found.value >= held
