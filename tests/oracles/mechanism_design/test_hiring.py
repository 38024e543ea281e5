"""Hiring information gatherers: closed form, incentives by brute force, correlation, learning, surveys in games."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.games.registry import make_game
from coopgym.oracles.finite.linear_programme import SolverError
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.games.rollout import initial_state
from coopgym.oracles.mechanism_design.hiring import HiringPlanner, HiringProblem, evaluated, worst_deviation
from coopgym.oracles.mechanism_design.hiring_learner import ExploreThenCommit, value_under_best_replies
from coopgym.oracles.mechanism_design.independent_hiring import best_independent, crowded_survey
from coopgym.oracles.mechanism_design.survey import survey_before_play
from tests.worked_examples.kernels import EXAMPLES


def symmetric(accuracies: list[float], costs: list[float], pay_cap: float = 10.0) -> HiringProblem:
    signals = [[[[0.5, 0.5], [0.5, 0.5]], [[q, 1.0 - q], [1.0 - q, q]]] for q in accuracies]
    return HiringProblem.independent(
        [[0.0, cost] for cost in costs], [0.5, 0.5], signals, [[1.0, 0.0], [0.0, 1.0]], pay_cap
    )


@settings(max_examples=15, deadline=None)
@given(st.floats(0.55, 0.99), st.floats(0.001, 0.2))
def test_one_agent_costs_its_closed_form(accuracy: float, cost: float) -> None:
    """The rent of limited liability: q c / (q - 1/2), if the cap allows it."""
    paid = accuracy * cost / (accuracy - 0.5)
    problem = symmetric([accuracy], [cost])
    contract = HiringPlanner().solve(problem)
    assert contract.value == pytest.approx(max(0.5, accuracy - paid), abs=1e-7)
    assert HiringPlanner().audit(problem, contract) == []


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 10_000))
def test_contracts_for_random_information_pass_every_deviation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    information = rng.dirichlet(np.full(8, 0.5), size=(2, 2)).reshape(2, 2, 2, 2, 2)
    # Efforts tell more or less of the state and do not move it.
    information *= np.array([0.4, 0.6]) / information.sum((2, 3), keepdims=True)
    costs = (np.array([0.0, 0.03]), np.array([0.0, 0.05]))
    problem = HiringProblem(costs, information, rng.random((3, 2)), pay_cap=2.0)
    contract = HiringPlanner().solve(problem)
    assert HiringPlanner().audit(problem, contract) == []
    assert contract.value <= problem.values.max() + 1e-9
    assert contract.payments.min() >= 0.0
    assert contract.payments.max() <= 2.0


def test_an_audit_finds_contracts_that_pay_too_little_or_for_lies() -> None:
    problem = symmetric([0.8], [0.05])
    contract = HiringPlanner().solve(problem)
    stingy = evaluated(problem, contract.mix, 0.9 * contract.payments)
    assert any(each.effort == 0 for each in HiringPlanner().audit(problem, stingy))
    upside_down = evaluated(problem, contract.mix, 1.5 * contract.payments[:, :, ::-1])
    worst = worst_deviation(problem, upside_down)
    assert (worst.effort, worst.reports) == (1, (1, 0))


def test_value_falls_with_slack() -> None:
    inputs = EXAMPLES["hiring-p1"].inputs
    problem = HiringProblem.independent(
        inputs["cost"], inputs["prior"], inputs["signal"], inputs["utility"], inputs["pay_cap"]
    )
    values = [HiringPlanner(slack=slack).solve(problem).value for slack in (0.0, 0.005, 0.01, 0.02)]
    assert values == sorted(values, reverse=True)
    assert values[2] == pytest.approx(0.72, abs=1e-6)


def test_a_programme_that_has_no_answer_names_the_constraint() -> None:
    idle = [[0.5, 0.5], [0.5, 0.5]]
    problem = HiringProblem.independent([[0.0, 0.0]], [0.5, 0.5], [[idle, idle]], [[1, 0], [0, 1]], 1.0)
    with pytest.raises(SolverError, match=r"agent 0, told effort 0, not making effort 1 \(short of 0\.1"):
        HiringPlanner(slack=0.1).solve(problem)


def test_correlated_efforts_beat_independent_ones_where_work_crowds() -> None:
    problem = crowded_survey()
    together = HiringPlanner().solve(problem)
    assert HiringPlanner().audit(problem, together) == []
    assert together.mix == pytest.approx(np.array([[0.0, 1 / 3], [1 / 3, 1 / 3]]), abs=1e-6)
    even = HiringPlanner(independent=((0.5, 0.5), (0.5, 0.5))).solve(problem)  # the best of all independent mixes
    assert together.value - even.value > 0.012
    with pytest.raises(SolverError, match="no optimum"):
        HiringPlanner(independent=((0.4, 0.6), (0.4, 0.6))).solve(problem)


@pytest.mark.slow
def test_no_independent_recommendation_comes_near() -> None:
    problem = crowded_survey()
    apart = best_independent(problem, levels=11, refinements=2)
    assert apart.value == pytest.approx(0.789, abs=1e-6)
    assert HiringPlanner().solve(problem).value == pytest.approx(0.802, abs=1e-6)


def test_a_contract_for_true_information_is_obeyed() -> None:
    problem = symmetric([0.9, 0.8], [0.05, 0.05], pay_cap=1.0)
    contract = HiringPlanner().solve(problem)
    worth, obeyed = value_under_best_replies(problem, problem, contract)
    assert obeyed
    assert worth == pytest.approx(contract.value, abs=1e-9)
    stingy = evaluated(problem, contract.mix, 0.5 * contract.payments)
    shirked, disobeyed = value_under_best_replies(problem, problem, stingy)
    assert not disobeyed
    assert shirked < contract.value


@pytest.mark.slow
def test_regret_of_exploring_and_committing_grows_as_the_horizon_to_the_two_thirds() -> None:
    problem, learner = symmetric([0.9, 0.8], [0.05, 0.05], pay_cap=1.0), ExploreThenCommit()
    best = HiringPlanner().solve(problem).value
    horizons = [2_000, 16_000, 128_000, 1_024_000]
    regrets = [
        np.mean([learner.run(problem, T, np.random.default_rng([T, seed]), best).regret for seed in range(10)])
        for T in horizons
    ]
    slope = np.polyfit(np.log(horizons), np.log(regrets), 1)[0]
    assert 0.55 < slope < 0.8


def test_a_horizon_that_leaves_nothing_to_commit_to_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 8 rounds"):
        ExploreThenCommit().rounds(7)


def test_what_a_survey_is_about_are_payoffs_of_the_game() -> None:
    game = make_game("SynergySearch-v1")
    survey = survey_before_play(game, chooser="all", levels=11)
    for column, gamma in enumerate((2.3, 2.7)):
        stage = StageGame(game, state=initial_state(game, gamma=gamma))
        assert survey.payoffs[4, column] == pytest.approx(stage.payoffs([0.4, 0.4]).mean())
    assert survey.worth_of_knowing > 0.0
    contract = HiringPlanner().solve(survey.problem)
    assert HiringPlanner().audit(survey.problem, contract) == []
    assert 0.0 < survey.gained(contract) < survey.worth_of_knowing


def test_phases_of_an_alliance_can_be_surveyed_and_what_is_known_cannot() -> None:
    phases = {phase: make_game("RenaultNissan-v1", phase=phase) for phase in ("mature", "crisis")}
    survey = survey_before_play(phases["mature"], phases, chooser="all")
    assert survey.best_shares[0] > survey.best_shares[1]
    with pytest.raises(ValueError, match="hides nothing"):
        survey_before_play(phases["mature"])
    with pytest.raises(ValueError, match="worth nothing"):
        survey_before_play(phases["mature"], {"a": phases["mature"], "b": phases["mature"]})
    with pytest.raises(ValueError, match="no better than a guess"):
        survey_before_play(phases["mature"], phases, accuracies=[0.5])


def test_problems_that_are_none_are_refused() -> None:
    problem = symmetric([0.8], [0.05])
    with pytest.raises(ValueError, match="sum to one"):
        replace(problem, information=0.9 * problem.information)
    with pytest.raises(ValueError, match="pay_cap"):
        replace(problem, pay_cap=0.0)
    with pytest.raises(ValueError, match="costs of agent 0"):
        replace(problem, costs=(np.zeros(3),))


@pytest.mark.parametrize("mix", [(1.5, -0.5), (np.nan, np.nan), (0.5, 0.6)])
def test_independent_recommendations_are_distributions(mix: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="expected a distribution over efforts per agent"):
        HiringPlanner(independent=(mix,)).solve(symmetric([0.8], [0.05]))
