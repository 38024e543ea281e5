"""Scores among strangers: what they are, and how sure one can be of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest

from coopgym.benchmarks.score import Leaderboards, compare, mean_estimate, rank_table, strangers_table
from coopgym.benchmarks.score.estimates import crossed_error, crossed_estimate, rank_correlation, student_quantile
from coopgym.benchmarks.score.paired import crossed_test
from coopgym.benchmarks.score.strangers import normalised_returns, strangers_scores
from tests.benchmarks.score.run_rows import GAME, OTHER, among_strangers, row, table

PARTNERS = [f"{kind}-{number}" for kind in ("grim", "noisy") for number in range(5)]


def flat(value: float) -> dict[str, float]:
    return dict.fromkeys(PARTNERS, value)


def wavy(value: float, size: float = 0.5) -> dict[str, float]:
    """As much more with one partner as less with the next."""
    return {name: value + size * (-1) ** number for number, name in enumerate(PARTNERS)}


def learned(algorithm: str, value: float, seeds: Iterable[int] = range(99, 104), **facts: Any) -> list[dict[str, Any]]:
    return [among_strangers(algorithm, wavy(value + 0.05 * seed), seed, **facts) for seed in seeds]


class TestScores:
    def test_the_best_single_number_scores_nothing_and_a_best_response_one(self) -> None:
        found = strangers_table(
            table(
                among_strangers("Constant_40", flat(8.0)),
                among_strangers("Oracle_Best", flat(10.0)),
                among_strangers("TitForTat", wavy(9.0)),
            )
        )
        scores = {name: found.estimate(name) for name in found.names}
        assert (scores["Constant_40"].value, scores["Constant_40"].high) == (0.0, 0.0)
        assert (scores["Oracle_Best"].value, scores["Oracle_Best"].low) == (1.0, 1.0)
        assert scores["TitForTat"].value == pytest.approx(0.5)
        assert scores["TitForTat"].low < 0.5 < scores["TitForTat"].high

    def test_they_are_those_of_a_single_game(self) -> None:
        rng = np.random.default_rng(3)
        returns, random, floors, ceilings = rng.normal([[10.0], [1.0], [7.0], [12.0]], 0.5, (4, len(PARTNERS)))
        given = {
            "stranger_random": random.tolist(),
            "stranger_floors": floors.tolist(),
            "stranger_ceilings": ceilings.tolist(),
        }
        runs = table(among_strangers("TitForTat", dict(zip(PARTNERS, returns.tolist(), strict=True)), **given))
        own, floor = normalised_returns(np.stack([returns, floors]), random, ceilings)
        assert strangers_table(runs).estimate("TitForTat").value == pytest.approx(strangers_scores(own, floor))
        by_kind = {each.kind: each.score for each in strangers_table(runs).by_kind("TitForTat")}
        assert by_kind["noisy"] == pytest.approx(strangers_scores(own[5:], floor[5:]))

    def test_every_scenario_of_a_game_counts_alike_and_every_game(self) -> None:
        twice = {
            "stranger_scenarios": ["visitor/0/grim-0", "resident/0/grim-0", "visitor/0/noisy-0", "mix/0/1"],
            "stranger_kinds": ["grim", "grim", "noisy", "mix"],
        }
        here = among_strangers("TitForTat", {"a": 9.0, "b": 10.0, "c": 8.0, "d": 6.0}, **twice)
        there = among_strangers("TitForTat", {"grim-0": 8.0, "noisy-0": 8.0}, environment=OTHER)
        found = strangers_table(table(here, there))
        assert [each.name for each in found.partners] == ["grim-0", "noisy-0", "mix 1"]
        by_game = [found.cell("TitForTat", task).value for task in found.tasks]
        assert sorted(by_game) == pytest.approx([0.0, (0.5 + 1.0 + 0.0 - 1.0) / 4])
        assert found.estimate("TitForTat").value == pytest.approx(0.125 / 2)
        assert found.crossed("TitForTat").mean() == pytest.approx(0.125 / 2), "also with one who is not everywhere"

    def test_a_learner_is_an_agent_for_each_reward(self) -> None:
        found = strangers_table(table(learned("IPPO", 4.0), learned("IPPO", 4.5, reward_mode="cooperative")))
        assert found.names == ("IPPO, private", "IPPO, cooperative")
        assert found.games == (GAME,)

    def test_a_run_that_diverged_counts_as_the_worst_of_its_game(self) -> None:
        lost = row("IPPO", 99, protocol="strangers", scenario="test", status="diverged")
        found = strangers_table(
            table(learned("IPPO", 4.0, range(100, 105)), lost, among_strangers("TitForTat", flat(5.0)))
        )
        assert found.by_seed("IPPO, private")[0] == pytest.approx(-1.5)
        assert np.isfinite(found.by_seed("IPPO, private")).all()

    def test_runs_that_met_others_are_not_compared(self) -> None:
        recent = [among_strangers(name, flat(9.0)) for name in ("TitForTat", "Random")]
        older = among_strangers("Constant_40", flat(9.0), stranger_ceilings=[11.0] * len(PARTNERS))
        found = strangers_table(table(recent, older))
        assert (found.names, found.set_aside) == (("Random", "TitForTat"), 1)

    def test_a_game_without_room_has_no_scores(self) -> None:
        nothing = among_strangers("TitForTat", flat(9.0), stranger_floors=[10.0] * len(PARTNERS))
        there = among_strangers("TitForTat", flat(9.0), environment=OTHER)
        assert strangers_table(table(nothing, there)).games == (OTHER,)

    def test_failed_runs_other_populations_and_other_protocols_are_passed_over(self) -> None:
        failed = row("Random", protocol="strangers", scenario="test", status="failed")
        training = among_strangers("TitForTat", flat(9.0)) | {"scenario": "training", "run_id": "training"}
        assert strangers_table(table(failed, training, row("TitForTat"))).names == ()

    def test_two_runs_in_one_place_are_refused(self) -> None:
        runs = table(among_strangers("TitForTat", flat(9.0)), among_strangers("TitForTat", flat(9.0)) | {"run_id": "b"})
        with pytest.raises(ValueError, match="two runs"):
            strangers_table(runs)
        assert "two runs" in Leaderboards(runs).inconsistency


class TestWorstPartner:
    def test_it_is_the_one_with_the_least_mean_over_games(self) -> None:
        here = among_strangers("TitForTat", flat(9.0) | {"grim-1": 2.0, "grim-2": 3.0})
        there = among_strangers("TitForTat", flat(9.0) | {"grim-1": 9.0, "grim-2": 3.0}, environment=OTHER)
        worst = strangers_table(table(here, there)).worst_partner("TitForTat")
        assert (worst.partner, worst.kind) == ("grim-2", "grim")
        assert (worst.normalised.value, worst.normalised.n) == (pytest.approx(0.3), 1)
        assert worst.advantage == pytest.approx((3.0 - 5.0) / 10.0), "it was lived off"

    def test_seeds_tell_how_sure_it_is_of_a_learner(self) -> None:
        worst = strangers_table(table(learned("IPPO", 4.0))).worst_partner("IPPO, private")
        assert worst.normalised.value == pytest.approx(0.1 * (4.0 + 0.05 * 101 - 0.5))
        assert worst.normalised.low < worst.normalised.value
        few = strangers_table(table(learned("IPPO", 4.0, (99, 100)))).worst_partner("IPPO, private")
        assert few.normalised.low is None
        assert len(few.normalised.seeds) == 2

    def test_advantage_is_over_all_scenarios(self) -> None:
        found = strangers_table(table(among_strangers("TitForTat", wavy(9.0))))
        assert found.advantage("TitForTat") == pytest.approx(0.4)


class TestHowSure:
    def test_one_that_does_not_learn_strays_by_partner_alone(self) -> None:
        found = strangers_table(table(among_strangers("TitForTat", wavy(9.0)), learned("IPPO", 4.0)))
        estimate = found.estimate("TitForTat")
        by_partner = mean_estimate(found.crossed("TitForTat")[:, 0])
        assert estimate.n == 1
        assert (estimate.low, estimate.high) == pytest.approx((by_partner.low, by_partner.high))

    def test_few_seeds_of_a_learner_tell_nothing(self) -> None:
        found = strangers_table(table(learned("IPPO", 4.0, range(4)))).estimate("IPPO, private")
        assert (found.low, found.n, len(found.seeds)) == (None, 4, 4)

    def test_differences_are_paired_by_partner_and_seed(self) -> None:
        runs = table(learned("IPPO", 4.0), learned("MAPPO", 4.1), among_strangers("TitForTat", wavy(9.3, 0.1)),
                     among_strangers("Random", wavy(9.2, 2.0)))  # fmt: skip
        found = strangers_table(runs)
        close = compare(found, "MAPPO, private", "IPPO, private")
        assert close.test.difference.value == pytest.approx(0.05)
        assert close.test.p_t < 1e-9, "the same everywhere, with whoever and under whatever seed"
        assert not close.exact
        unsure = compare(found, "TitForTat", "Random")
        assert not unsure.exact, "other partners might tell otherwise"
        assert 0.05 < unsure.test.p_t < 1.0
        assert rank_table(found).told_apart("MAPPO, private", "IPPO, private")
        assert not rank_table(found).told_apart("TitForTat", "Random")

    def test_who_is_worse_with_everybody_is_worse_though_room_differs(self) -> None:
        floors = [9.9 if number % 3 else 1.0 for number in range(len(PARTNERS))]
        good, bad = (among_strangers(name, wavy(value), stranger_floors=floors)
                     for name, value in (("TitForTat", 9.0), ("Random", 1.0)))  # fmt: skip
        found = strangers_table(table(good, bad))
        estimates = [found.estimate(name) for name in found.names]
        compared = compare(found, "TitForTat", "Random")
        assert compared.test.difference.value == pytest.approx(estimates[1].value - estimates[0].value)
        assert estimates[0].high > estimates[1].low, "of the two ends only the scale is unsure"
        assert compared.test.p_t < 1e-9

    def test_equals_are_equal(self) -> None:
        runs = table(among_strangers("TitForTat", wavy(9.0)), among_strangers("Constant_40", wavy(9.0)))
        assert compare(strangers_table(runs), "TitForTat", "Constant_40").test.p_t == 1.0

    def test_with_nobody_but_seeds_an_interval_is_students(self) -> None:
        values = np.array([[0.3, 0.5, np.nan, 0.9, 0.1, 0.2]])
        assert crossed_estimate(values) == mean_estimate(values)
        assert crossed_estimate(values, certain=True) == mean_estimate(values[0, :1])

    def test_both_spreads_add_up(self) -> None:
        values = np.random.default_rng(1).normal(size=(8, 6))
        partners, seeds = values.mean(1), values.mean(0)
        error = crossed_error(values)
        parts = partners.var(ddof=1) / 8, seeds.var(ddof=1) / 6
        assert error.size**2 == pytest.approx(sum(parts))
        assert error.degrees == pytest.approx(sum(parts) ** 2 / (parts[0] ** 2 / 7 + parts[1] ** 2 / 5))
        assert crossed_error(values[:, :4]) is None
        assert crossed_error(values[:4], certain=True) is None

    @pytest.mark.parametrize(
        ("partners", "seeds", "sizes"), [(27, 5, (1, 1, 1)), (27, 5, (0.2, 1, 0.5)), (12, 10, (1, 0.1, 2))]
    )
    def test_intervals_hold_the_truth_as_often_as_they_say(
        self, partners: int, seeds: int, sizes: tuple[float, float, float]
    ) -> None:
        rng, trials = np.random.default_rng([partners, seeds]), 4000
        shapes = (trials, partners, 1), (trials, 1, seeds), (trials, partners, seeds)
        drawn = sum(size * rng.normal(size=shape) for size, shape in zip(sizes, shapes, strict=True))
        errors = [crossed_error(values) for values in drawn]
        reach = [student_quantile(error.degrees + 1.0) * error.size for error in errors]
        held = np.abs(drawn.mean((1, 2))) <= reach
        assert 0.94 <= held.mean() <= 0.99

    def test_a_test_is_significant_as_often_as_its_level_says(self) -> None:
        rng = np.random.default_rng(5)
        drawn = rng.normal(size=(2000, 20, 1)) + rng.normal(size=(2000, 1, 5))
        alarms = np.mean([crossed_test(values).p_t < 0.05 for values in drawn])
        assert 0.03 <= alarms <= 0.06

    def test_ranks_correlate_with_an_interval(self) -> None:
        ranks = np.arange(20.0)
        found = rank_correlation(ranks, ranks + np.where(ranks % 2, 1.5, -1.5))
        assert 0.8 < found.low < found.value < found.high < 1.0
        assert rank_correlation(ranks, -ranks).value == pytest.approx(-1.0)
        assert rank_correlation(ranks, np.ones(20)) is None
        assert rank_correlation(ranks[:4], [1.0, 0.0, 3.0, 2.0]).low is None
