"""Steering the herd: Bayes' rule, phases, audits, games, and roles that answer in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.games.registry import make_game
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.mechanism_design.herd import Herd, HerdPlan, HerdPlanner, finite_horizon
from coopgym.oracles.mechanism_design.herd_games import herd_in
from coopgym.oracles.mechanism_design.herd_play import play_herds, play_with_roles

HAIL_MARY = Herd("biased", baseline=0.7, cost=0.3)
BELIEFS_OF_49 = np.linspace(0.02, 0.98, 49)

beliefs = st.floats(0.001, 0.999)
precisions = st.floats(0.5, 1.0)
losses = st.tuples(st.floats(0.2, 3.0), st.floats(0.2, 3.0))


@given(beliefs, precisions, losses)
def test_beliefs_are_a_martingale_and_agents_do_what_costs_them_less(
    belief: float, precision: float, lost: tuple[float, float]
) -> None:
    step = Herd(losses=lost).step(belief, precision)
    assert float((step.chances * step.beliefs).sum()) == pytest.approx(belief, abs=1e-12)
    always = min(belief * lost[0], (1.0 - belief) * lost[1])
    follow = belief * (1.0 - precision) * lost[0] + (1.0 - belief) * (1.0 - precision) * lost[1]
    assert float(step.lost) == pytest.approx(min(always, follow), abs=1e-9)


@given(beliefs, losses)
def test_the_least_precision_that_agents_follow_is_the_least(belief: float, lost: tuple[float, float]) -> None:
    herd = Herd(losses=lost)
    least = float(herd.least_following(belief))
    assert bool(herd.step(belief, least).follows)
    if least > 0.5 + 1e-6:
        assert not bool(herd.step(belief, least - 1e-6).follows)


@pytest.fixture(scope="module")
def blurring() -> HerdPlan:
    return HerdPlanner().solve(HAIL_MARY)


def test_a_biased_planner_gambles_below_and_blurs_in_the_middle(blurring: HerdPlan) -> None:
    names = [phase.name for phase in blurring.phases()]
    assert names == ["baseline", "above baseline", "baseline", "below baseline", "baseline"]
    blurred = blurring.phases()[3]
    assert (blurred.low, blurred.high) == pytest.approx((0.306, 0.7), abs=0.002)


def test_a_transparent_planner_never_blurs_and_has_less(blurring: HerdPlan) -> None:
    plan = HerdPlanner().solve(HAIL_MARY.transparent())
    assert plan.precisions.min() >= HAIL_MARY.baseline
    assert (plan.values <= blurring.values + 1e-8).all()
    # At even odds it is agents for whom transparency is good.
    assert plan.agents_lose()[500] < blurring.agents_lose()[500]


def test_a_bare_grid_of_precisions_is_worse(blurring: HerdPlan) -> None:
    bare = HerdPlanner(bare=True, precisions=11).solve(HAIL_MARY)
    assert (blurring.values - bare.values).max() > 0.05


def test_an_altruistic_planner_is_as_clear_as_can_be_then_just_followed_then_idle() -> None:
    plan = HerdPlanner().solve(Herd(cost=3.0, discount=0.7))
    upper = [phase.name for phase in plan.phases() if phase.low > 0.42]
    assert upper == ["maximum", "baseline", "least following", "baseline"]
    assert plan.values == pytest.approx(plan.values[::-1], abs=1e-8)


def test_patience_widens_investment() -> None:
    def invested(cost: float, discount: float) -> int:
        plan = HerdPlanner(beliefs=501).solve(Herd(cost=cost, discount=discount))
        return int((plan.choose(BELIEFS_OF_49) > 0.6 + 1e-9).sum())

    assert (invested(2.5, 0.9), invested(0.8, 0.0)) == (39, 17)
    assert invested(2.5, 0.0) == 0


@pytest.mark.parametrize(("baseline", "cost", "discount"), [(0.5, 1.0, 0.9), (0.5, 4.0, 0.5), (0.6, 2.5, 0.9)])
def test_values_of_an_altruistic_planner_are_convex_where_following_is_never_free(
    baseline: float, cost: float, discount: float
) -> None:
    plan = HerdPlanner(beliefs=501).solve(Herd(baseline=baseline, cost=cost, discount=discount))
    assert np.diff(plan.values, 2).min() > -1e-9


def test_values_have_a_dent_at_a_baseline_that_is_followed_for_nothing() -> None:
    plan = HerdPlanner().solve(Herd(cost=4.0, discount=0.5))
    assert np.diff(plan.values, 2).min() == pytest.approx(-0.0027, abs=1e-4)


def test_an_audit_finds_values_and_policies_that_are_wrong(blurring: HerdPlan) -> None:
    planner = HerdPlanner()
    assert planner.audit(HAIL_MARY, blurring) == []
    dented = blurring.values.copy()
    dented[400] -= 0.01
    assert planner.audit(HAIL_MARY, replace(blurring, values=dented))
    clear = np.where(blurring.beliefs > 0.5, 1.0, blurring.precisions)
    assert "of the policy" in planner.audit(HAIL_MARY, replace(blurring, precisions=clear))[0]


def test_a_long_horizon_is_as_good_as_none() -> None:
    herd = Herd(cost=2.5, discount=0.5)
    endless = HerdPlanner(precisions=6).solve(herd)
    even = np.linspace(0.5, 1.0, 6)
    values, _ = finite_horizon(herd, [0.2, 0.5, 0.73], 7, even, least_following=True)
    assert values == pytest.approx(endless.values[[200, 500, 730]], abs=herd.discount**7 * 2.0)


def test_what_a_plan_says_agents_lose_is_what_they_lose(blurring: HerdPlan) -> None:
    rng = np.random.default_rng(0)
    good = rng.random(800) < 0.4
    herds = play_herds(blurring, good, 0.4, rng.random((50, len(good))))
    weights = 0.1 * 0.9 ** np.arange(50)
    played = weights @ herds.lost
    error = 4.0 * played.std() / np.sqrt(len(good)) + 0.01  # four standard errors, and the grid's
    assert played.mean() == pytest.approx(blurring.agents_lose()[400], abs=error)
    assert (weights @ ~herds.actions).mean() == pytest.approx(blurring.action_b()[400], abs=error)


def test_losses_of_a_game_are_its_payoff_differences() -> None:
    game, levels = make_game("DynamicPartnerSelection-v1"), (0.15, 0.7)
    found = herd_in(game, levels=levels, seat=2)
    stage = StageGame(game)
    mutual, alone = (stage.payoffs(np.full(6, level))[2] for level in (0.7, 0.15))
    exploited = stage.payoffs(np.where(np.arange(6) == 2, 0.7, 0.15))[2]
    assert found.costs_of_error == pytest.approx((mutual - alone, alone - exploited))
    assert found.unit * np.array(found.herd.losses) == pytest.approx(found.costs_of_error)
    assert sum(found.herd.losses) == pytest.approx(2.0)
    with pytest.raises(ValueError, match="expected them in this order"):
        herd_in(game, levels=levels, partners=1)
    with pytest.raises(ValueError, match="expected 1 to 5"):
        herd_in(game, levels=levels, partners=6)


def test_scripted_roles_are_read_as_data_and_what_cannot_be_read_is_counted(blurring: HerdPlan) -> None:
    draws = np.random.default_rng(3).random(12)
    exact = play_with_roles(blurring, True, 0.45, draws)
    assert (exact.precision_error, exact.agreement) == (0.0, 1.0)

    asked: list[str] = []

    def planner(text: str) -> str:
        asked.append(text)
        return "Let me think about 0.9.\n0.70" if len(asked) % 2 else "import os"

    run = play_with_roles(blurring, True, 0.45, draws, planner=planner, agent=lambda text: "Low.")
    assert run.unreadable == {"planner": 6, "agent": 0}
    assert {turn.precision for turn in run.turns} == {0.7}
    assert not any(turn.action for turn in run.turns)
    assert run.lost == pytest.approx(1.0)
    assert "Earlier newcomers: LOW, LOW" in asked[2]
    assert "public belief that partners reciprocate is 0.45" in asked[0]

    babble = play_with_roles(blurring, True, 0.45, draws, agent=lambda text: "HIGH or LOW")
    assert babble.unreadable == {"planner": 0, "agent": 12}
    assert [turn.action for turn in babble.turns] == [turn.action for turn in exact.turns]


def test_precisions_that_are_not_allowed_are_not_read(blurring: HerdPlan) -> None:
    draws = np.full(1, 0.2)
    for answer, unreadable in (("0.3", 1), ("1.2", 1), ("60%", 0), ("", 1)):
        run = play_with_roles(blurring, True, 0.5, draws, planner=lambda text, answer=answer: answer)  # type: ignore[misc]
        assert run.unreadable["planner"] == unreadable, answer
    strict = replace(blurring, herd=HAIL_MARY.transparent())
    run = play_with_roles(strict, True, 0.5, draws, planner=lambda text: "0.60")
    assert run.unreadable["planner"] == 1


def test_herds_that_are_none_are_refused() -> None:
    for wrong in ({"planner": "kind"}, {"baseline": 0.4}, {"cost": -1.0}, {"losses": (0.0, 1.0)}, {"discount": 1.0}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))}="):
            Herd(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be allowed"):
        Herd(least_precision=0.7)
    for horizon in (0, 2.5):
        with pytest.raises(ValueError, match=f"horizon={horizon}"):
            finite_horizon(Herd(), [0.5], horizon, [0.6])  # type: ignore[arg-type]
    for belief in (np.nan, 1.5, -0.1):
        with pytest.raises(ValueError, match=r"beliefs: expected probabilities in \[0, 1\], got"):
            finite_horizon(Herd(), [0.5, belief], 1, [0.6])


@pytest.mark.parametrize("scale", [1e-3, 1e8])
def test_a_policy_does_not_depend_on_the_unit_of_all_costs(scale: float) -> None:
    planner, herd = HerdPlanner(beliefs=101, precisions=21), Herd("biased", 0.7, 0.3)
    scaled = planner.solve(replace(herd, cost=scale * herd.cost, stake=scale * herd.stake))
    plan = planner.solve(herd)
    np.testing.assert_array_equal(scaled.precisions, plan.precisions)
    np.testing.assert_allclose(scaled.values, scale * plan.values, rtol=1e-6)
    with pytest.raises(ValueError, match="got nan"):
        plan.choose([0.5, np.nan])
