"""Criteria of the second rubric: each has an outcome that earns all of its points and one that earns fewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from coopgym.benchmarks.case_studies import load_case
from coopgym.benchmarks.case_studies.credit import Criterion, Level
from coopgym.benchmarks.case_studies.interdependence.engine import (
    DyadParameters,
    Solution,
    StaticOutcome,
    equilibrium,
    play,
    without_dependence,
)
from coopgym.benchmarks.case_studies.measures import measured
from coopgym.benchmarks.case_studies.reciprocity.engine import PlatformParameters, Recursion, half_open_windows
from coopgym.benchmarks.case_studies.scorecard import MODELS
from coopgym.benchmarks.case_studies.team.engine import TeamParameters, everybody_plays, fill_in, solve
from coopgym.benchmarks.case_studies.trust.engine import AllianceParameters, Rates, TrustPath, follow


def parameters(case: str) -> dict[str, Any]:
    return load_case(case).parameters


def of_slcd() -> Iterator[StaticOutcome]:
    dyad = DyadParameters(**parameters("slcd")).dyad("logarithmic")
    yield play(dyad)
    yield play(DyadParameters(**parameters("slcd")).dyad("power"))
    yield play(replace(dyad, gamma=np.array(0.9)))
    yield play(without_dependence(dyad))
    poor = replace(dyad, endowments=np.ones(2))
    yield StaticOutcome(poor, equilibrium(dyad), Solution(np.array([500.0, 0.5]), np.array(1.0)))
    reluctant = StaticOutcome(dyad, equilibrium(dyad), Solution(np.array([0.5, 0.5]), np.array(1.0)))
    vars(reluctant)["restarts"] = np.array([[1.0, 1.0], [2.0, 2.0]])
    yield reluctant


def of_renault_nissan() -> Iterator[TrustPath]:
    alliance = AllianceParameters(**parameters("renault-nissan"))
    rates, start = Rates.of(alliance), np.array(alliance.intended_trust)
    yield follow(alliance, rates, start)
    yield follow(alliance, replace(rates, kappa=np.array(1e-9)), start)
    yield follow(alliance, replace(rates, lambda_minus=np.array(1e-3)), start)
    yield follow(alliance.model_copy(update={"actions": (2.0, 7.0, 7.0, 2.0, 2.0)}), rates, start)
    yield follow(alliance.model_copy(update={"actions": (7.0, 2.0, 2.0, 6.0, 6.0)}), rates, start)
    path = follow(alliance, rates, start)
    yield replace(path, trust=np.minimum(path.trust, 1.0 - path.damage))


def of_apache() -> Iterator[Any]:
    team = TeamParameters(**parameters("apache"))
    yield solve(team, "mean")
    yield solve(team, "sum")
    for efforts in ([6.8, 5.2, 4.1, 3.8], [-4.0, -3.0, -2.0, -1.0], [3.8, 4.1, 5.2, 6.8]):
        yield everybody_plays(team, "mean", np.array(efforts))


def of_app_store() -> Iterator[Any]:
    model = Recursion(PlatformParameters(**parameters("app-store")), "window", half_open_windows)
    for memory in ("window", "exponential"):
        for changed in (
            {},
            {"rho_0": 0.0},
            {"lambda_R": 20.0},
            {"shocks": ()},
            {"initial_baseline": 0.9, "lambda_R": 3.0},
        ):
            yield replace(model, memory=memory).changed(**changed).run()
    yield model.follow(model.parameters.reference_path())
    yield model.follow(model.parameters.reference_path()[::-1])
    yield model.follow(np.full((67, 3), 0.7))
    yield model.follow(np.tile([[0.0], [1.0]], (34, 3))[:67])
    levels = np.repeat([0.4, 0.8, 0.6, 0.3, 0.5], [16, 20, 12, 6, 13])
    yield model.follow(np.repeat(levels[:, None], 3, axis=1))


OUTCOMES: dict[str, Callable[[], Iterator[Any]]] = {
    "slcd": of_slcd,
    "renault-nissan": of_renault_nissan,
    "apache": of_apache,
    "app-store": of_app_store,
}


@pytest.mark.parametrize("case", OUTCOMES)
def test_every_strict_criterion_can_earn_all_and_fewer(case: str) -> None:
    file = load_case(case)
    measures, outcomes = MODELS[file.mechanism].measures, list(OUTCOMES[case]())
    for criterion in file.criteria("v2"):
        earned = [
            float(criterion.earned(measured(measures, criterion.measure, criterion.phase, outcome)))
            for outcome in outcomes
        ]
        assert max(earned) == criterion.points, criterion.id
        assert min(earned) < criterion.points, criterion.id


def test_equilibria_of_slcd_satisfy_their_conditions() -> None:
    for variant, alone in (("logarithmic", 19.0), ("power", 0.75**4)):
        outcome = play(DyadParameters(**parameters("slcd")).dyad(variant))
        assert np.abs(outcome.dyad.incentives(outcome.together.actions)).max() < 1e-6
        np.testing.assert_allclose(outcome.alone.actions, alone, atol=1e-6)


def test_pulls_of_slcd_are_those_of_the_closed_form() -> None:
    dyad = DyadParameters(**parameters("slcd")).dyad("logarithmic")
    np.testing.assert_allclose(dyad.pull, [0.27235, 0.299975], atol=1e-9)


@pytest.mark.parametrize("fork", ["mean", "sum"])
def test_equilibria_of_the_team_answer_themselves(fork: Any) -> None:
    outcome = solve(TeamParameters(**parameters("apache")), fork)
    assert outcome.distance.max() < 1e-6


def test_those_who_want_most_carry_the_team() -> None:
    np.testing.assert_allclose(fill_in(np.array([10.0, 70.0, 60.0]), 0.5, 50.0), [0.5, 50.0, 9.5])


def test_team_mates_count_once_each_or_on_average() -> None:
    team = TeamParameters(**parameters("apache"))
    effort, loyalty = np.array([3.0, 1.0, 2.0, 5.0, 1.0, 1.0, 4.0, 2.0]), np.ones(8)
    mean, total = (team.team(0, fork) for fork in ("mean", "sum"))
    others = total.payoffs(effort).sum() - total.payoffs(effort)
    glow = team.phi_C * team.cost * effort
    np.testing.assert_allclose(total.loyalty_terms(loyalty, effort), team.phi_B * others + glow)
    np.testing.assert_allclose(mean.loyalty_terms(loyalty, effort), team.phi_B * others / 7 + glow)


def test_the_store_draws_its_noise_actor_by_actor() -> None:
    model = Recursion(PlatformParameters(**parameters("app-store")))
    stream = np.random.RandomState(42)
    expected = [[stream.normal(0.0, 0.02) for _ in range(3)] for _ in range(2)]
    np.testing.assert_array_equal(model.draws()[:2], expected)
    first, second = model.run(), model.run()
    np.testing.assert_array_equal(first.actions, second.actions)


def test_a_batch_of_seeds_is_the_runs_of_each() -> None:
    model = Recursion(PlatformParameters(**parameters("app-store")), "window")
    together = model.run(model.draws((7, 42)))
    np.testing.assert_allclose(together.actions[1], model.run().actions, rtol=0, atol=1e-12)


def test_memory_matters_only_where_it_is_read() -> None:
    for memory, matters in (("window", True), ("exponential", False)):
        path = Recursion(PlatformParameters(**parameters("app-store")), memory).run()
        assert bool((path.short_memory != path.actions).any()) is matters


def test_values_that_are_no_numbers_earn_nothing() -> None:
    criterion = Criterion(
        id="x",
        category="c",
        about="a",
        measure="m",
        points=2,
        credit=(Level(points=2, above=0.0), Level(points=1, at_least=-1.0)),
        basis="theory",
    )
    np.testing.assert_array_equal(criterion.earned(np.array([np.nan, 1.0, 0.0, -2.0, np.inf])), [0, 2, 1, 0, 0])
    assert criterion.target == "> 0: 2; ≥ -1: 1; else 0"
