"""Crossover, D contribution and noise, oracle gaps, stability, distribution."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from coopgym.benchmarks.metrics import gini
from coopgym.benchmarks.score import (
    CENTRALISED,
    INDEPENDENT,
    censoring,
    contributions,
    distributions,
    exceedances,
    instabilities,
    instability,
    jain_index,
    noise_floors,
    oracle_gaps,
    paradigm_crossovers,
    payoff_spread,
    score_table,
    summarise_contributions,
    worst_off,
)
from coopgym.corpus import table_from_rows
from tests.benchmarks.score.run_rows import GAME, OTHER, anchored, row, seeded, table

MODES = ("private", "integrated")


def welfare(name: str, private: tuple[float, ...], integrated: tuple[float, ...], **facts: Any) -> list[dict[str, Any]]:
    return [
        row_
        for mode, values in zip(MODES, (private, integrated), strict=True)
        for row_ in seeded(name, "welfare", values, reward_mode=mode, **facts)
    ]


def scored(*rows: Any) -> Any:
    both = [anchored("welfare", reward_mode=mode) for mode in MODES]
    return score_table(table(*both, *rows), "welfare")


def test_paradigms_hold_the_sixteen_learners_once() -> None:
    assert (len(INDEPENDENT), len(CENTRALISED), INDEPENDENT & CENTRALISED) == (7, 9, set())


def test_a_crossover_needs_intervals_beside_zero_on_both_sides() -> None:
    ippo = welfare("IPPO", (18.0, 18.5, 19.0, 18.0, 18.0), (12.0, 12.5, 13.5, 12.0, 12.0))
    other = (14.0, 14.0, 15.0, 14.0, 14.0)
    (clear,) = paradigm_crossovers(scored(ippo, welfare("MAPPO", other, (16.0, 16.0, 17.5, 16.0, 16.0))))
    assert (clear.place, clear.first.reward_mode, clear.second.reward_mode) == (GAME, *MODES)
    assert clear.first.gap.value == pytest.approx((4 + 4.5 + 4 + 4 + 4) / 50)
    assert clear.second.gap.value == pytest.approx(-(4 + 3.5 + 4 + 4 + 4) / 50)
    assert clear.crossed
    (vague,) = paradigm_crossovers(scored(ippo, welfare("MAPPO", other, (12.0, 19.0, 13.0, 12.0, 12.0))))
    assert vague.second.gap.value < 0
    assert not vague.crossed
    (same_side,) = paradigm_crossovers(scored(ippo, welfare("MAPPO", other, (9.0, 9.0, 10.5, 9.0, 9.0))))
    assert same_side.judged
    assert not same_side.crossed
    (few,) = paradigm_crossovers(
        scored(welfare("IPPO", (18.0,) * 4, (12.0,) * 4), welfare("MAPPO", other[:4], (16.0,) * 4))
    )
    assert not few.judged


def test_crossovers_use_the_seeds_and_learners_that_both_modes_have() -> None:
    rows = [
        welfare("IPPO", (18.0, 18.5, 99.0), (12.0, 12.5)),
        welfare("IA2C", (10.0, 10.0), ()),
        welfare("MAPPO", (14.0, 14.0, 15.0), (16.0, 16.0, 17.0)),
    ]
    (found,) = paradigm_crossovers(scored(*rows), places="class")
    assert found.place == "TR-2"
    assert (found.first.gap.n, found.second.gap.n) == (2, 2)
    assert found.first.gap.value == pytest.approx(0.425), "IA2C has no run under integrated reward"
    (nobody,) = paradigm_crossovers(scored(rows[0]))
    assert nobody.first.gap is None
    assert not nobody.crossed


def test_the_best_of_a_paradigm_is_chosen_on_other_seeds() -> None:
    lucky = welfare("IA2C", (30.0, 10.0, 10.0), (10.0, 10.0, 10.0))
    steady = welfare("IPPO", (16.0, 16.0, 16.0), (10.0, 10.0, 10.0))
    (found,) = paradigm_crossovers(
        scored(lucky, steady, welfare("MAPPO", (10.0, 10.0, 10.0), (10.0, 10.0, 10.0))), representative="best"
    )
    # At seed 99 the others favour IPPO (16 + 16 against 10 + 10), at the other two seeds IA2C (30 + 10 against 32).
    assert found.first.gap.value == pytest.approx((0.6 + 0.0 + 0.0) / 3)


def test_a_crossover_wants_a_fixed_metric() -> None:
    with pytest.raises(ValueError, match="needs a fixed one, such as 'welfare'"):
        paradigm_crossovers(score_table(table(anchored())))
    with pytest.raises(ValueError, match="places='tier'"):
        paradigm_crossovers(scored(), places="tier")  # type: ignore[arg-type]  # the mistake under test


def test_the_contribution_holds_the_metric_and_keeps_the_old_quantity_by_its_name() -> None:
    def runs(mode: str, values: tuple[float, ...], returns: tuple[float, ...], trust: float) -> list[dict[str, Any]]:
        return [
            row("IPPO", seed, welfare=w, return_mode=r, mean_trust_final=trust, reward_mode=mode)
            for seed, (w, r) in enumerate(zip(values, returns, strict=True), start=99)
        ]

    (found,) = contributions(
        table(
            runs("private", (10.0, 20.0, 15.0, 15.0, 15.0), (10.0, 20.0, 15.0, 15.0, 15.0), 0.5),
            runs("integrated", (13.0, 25.0, 19.0, 19.0, 19.0), (30.0,) * 5, 0.7),
        )
    )
    low, high = stats.t.interval(0.95, 4, 4.0, stats.sem([3.0, 5.0, 4.0, 4.0, 4.0]))
    assert (found.welfare.value, found.welfare.low, found.welfare.high) == pytest.approx((4.0, low, high))
    assert found.relative_welfare == pytest.approx(4.0 / 15.0)
    assert found.trust.value == pytest.approx(0.2)
    assert found.metric_shift == pytest.approx((30.0 - 15.0) / 30.0)
    assert found.beyond_noise is None


def test_a_fixed_policy_contributes_nothing_though_its_metric_shifts() -> None:
    rows = [
        row("IPPO", welfare=10.0, return_mode=r, reward_mode=mode) for mode, r in zip(MODES, (10.0, 15.0), strict=True)
    ]
    (found,) = contributions(table(rows))
    assert found.welfare.value == 0.0
    assert found.metric_shift == pytest.approx(1 / 3)


def test_contributions_are_held_against_a_learner_that_differs_from_itself() -> None:
    runs = table(
        welfare("IPPO", (10.0, 11.0, 12.0), (30.0, 31.0, 32.0)),
        welfare("IPPO again", (11.0, 10.0, 12.0), (30.0, 33.0, 31.0)),
        welfare("IA2C", (10.0, 10.0, 10.0), (10.5, 10.5, 10.5)),
        welfare("IA2C", (10.0,), (5.0,), environment=OTHER),
        seeded("IPPO", "welfare", (1.0,), reward_mode="cooperative"),
        [row("Random", welfare=1.0, reward_mode=mode) for mode in MODES],
    )
    floors = noise_floors(runs, "IPPO", "IPPO again")
    floor = floors[GAME]
    assert floor.spread == pytest.approx(np.sqrt((1 + 1 + 0 + 0 + 4 + 1) / 6))
    assert (floor.difference.n, floor.difference.value) == (6, pytest.approx(1 / 6))
    assert floor.of_mean(3) == pytest.approx(stats.t.ppf(0.975, 6) * floor.spread / np.sqrt(3))
    found = {(each.algorithm.name, each.game): each for each in contributions(runs, floors)}
    assert found["IPPO", GAME].beyond_noise is True
    assert found["IA2C", GAME].beyond_noise is False
    assert found["IA2C", OTHER].noise is None
    assert {name for name, _ in found} == {"IPPO", "IPPO again", "IA2C"}, "Random does not learn"
    trust, team = summarise_contributions(list(found.values()))
    assert (trust.mechanism_class, trust.pairs, trust.negative, trust.beyond_noise) == ("TR-2", 3, 0, 2)
    assert trust.percentiles[50] == pytest.approx(np.median([20 / 11, 0.05, (19 + 23 + 19) / 33]))
    assert (team.negative, team.beyond_noise) == (1, None)
    with pytest.raises(ValueError, match="no runs of 'LOLA'"):
        noise_floors(runs, "IPPO", "LOLA")


def test_gaps_to_oracles_are_relative_to_what_they_reach() -> None:
    runs = table(anchored(), row("Oracle_Loyalty", return_mode=-10.0), seeded("IPPO", "return_mode", (-5.0, -20.0)))
    (gap,) = [gap for gap in oracle_gaps(score_table(runs), "Oracle_Loyalty") if gap.algorithm.name == "IPPO"]
    assert (gap.difference.value, gap.relative, gap.on_every_seed) == (-2.5, -0.25, False)
    assert gap.difference.n == 2


def test_exceedance_is_over_the_best_constant_that_was_played() -> None:
    runs = table(anchored(), row("Oracle_Loyalty", return_mode=5.0), seeded("IPPO", "return_mode", (21.0, 23.0)))
    found = {gap.algorithm.name: gap for gap in exceedances(score_table(runs))}
    assert set(found) == {"IPPO", "Oracle_Loyalty", "Random"}
    assert (found["IPPO"].reference, found["IPPO"].difference.value, found["IPPO"].on_every_seed) == (
        "Constant_60",
        2.0,
        True,
    )
    assert found["Oracle_Loyalty"].relative == pytest.approx(-0.75), "an oracle that is called a bound need not be one"


def test_endings_are_counted() -> None:
    runs = table(
        row("IPPO", 99),
        row("IPPO", 100, status="diverged", diverged_at_step=700),
        row("IPPO", 101, status="diverged", diverged_at_step=300),
        row("IPPO", 102, status="failed", error="boom"),
        row("Random", 99),
    )
    ippo, random = censoring(runs)
    assert (ippo.completed, ippo.diverged, ippo.failed, ippo.diverged_at) == (1, 2, 1, (300, 700))
    assert (random.algorithm.name, random.completed, random.diverged_at) == ("Random", 1, ())


def test_instability_by_hand() -> None:
    steps = np.arange(1, 11) * 100
    assert instability(steps, np.linspace(0, 1, 10)) == 0.0
    # The first fifth, two points, may do what it likes; of the other eight three lie below half of the best.
    assert instability(steps, [0.9, 0.0, 0.4, 0.8, 0.2, 0.5, 0.46, 0.44, 1.2, 0.7]) == pytest.approx(3 / 8)
    assert instability(steps, np.full(10, -0.3)) == 0.0, "never better than the zero anchor"
    assert instability(steps, [1.0] * 5 + [np.nan] * 5) == pytest.approx(5 / 8)
    assert instability([], []) is None
    with pytest.raises(ValueError, match="ascending steps"):
        instability([2, 1], [0.0, 0.0])


def test_long_curves_are_smoothed_so_that_a_single_dip_is_no_collapse() -> None:
    values = np.ones(400)
    values[200] = -0.5
    assert instability(np.arange(1, 401), values) == 0.0
    values[200:210] = -0.5
    assert instability(np.arange(1, 401), values) > 0.0


@given(arrays(np.float64, st.integers(1, 60), elements=st.floats(-5, 5)), st.floats(0.5, 20), st.floats(-5, 5))
def test_instability_depends_on_scores_alone(values: np.ndarray, scale: float, shift: float) -> None:
    values = values.round(2)
    steps = np.arange(1, len(values) + 1)
    found = instability(steps, values)
    assert 0 <= found <= 1
    assert instability(steps, values * 4 + 2, zero=2.0, one=6.0) == pytest.approx(found)


def test_curves_are_read_between_the_anchors_of_their_task() -> None:
    runs = table(anchored(), seeded("IPPO", "return_mode", (15.0, 15.0)), row("VDN", return_mode=15.0))
    ids = {(each["algorithm"], each["seed"]): each["run_id"] for each in runs.to_pylist()}
    curves = {ids["IPPO", 99]: (20.0, 20.0, 14.0, 20.0, 20.0), ids["IPPO", 100]: (11.0, 12.0, 13.0, 14.0, 15.0)}
    points = [
        {"run_id": id, "step": 10 * k, "metric": metric, "value": value / size}
        for id, values in curves.items()
        for k, value in enumerate(values, start=1)
        for metric, size in (("evaluation", 1), ("reward", 200))
    ][::-1]
    (found,) = instabilities(runs, table_from_rows("curves", points), "evaluation")
    assert (found.algorithm.name, found.share.n, found.share.value) == ("IPPO", 2, pytest.approx((1 / 4 + 0) / 2))
    (per_step,) = instabilities(runs, table_from_rows("curves", points), "reward", unit="step")
    assert per_step.share.value == pytest.approx(found.share.value)
    with pytest.raises(ValueError, match=r"no curve 'loss'; the corpus has evaluation, reward"):
        instabilities(runs, table_from_rows("curves", points), "loss")
    with pytest.raises(ValueError, match="unit='block'"):
        instabilities(runs, table_from_rows("curves", []), "x", unit="block")  # type: ignore[arg-type]  # the mistake
    assert instabilities(runs, table_from_rows("curves", []), "evaluation") == ()


amounts = arrays(np.float64, st.integers(1, 8), elements=st.floats(0, 100)).filter(lambda x: x.sum() > 1e-3)


@given(amounts, st.floats(0.01, 100))
def test_measures_of_equity_are_bounded_and_know_no_currency(payoffs: np.ndarray, rate: float) -> None:
    n = len(payoffs)
    assert 1 / n - 1e-9 <= jain_index(payoffs) <= 1 + 1e-9
    assert 0 <= worst_off(payoffs) <= 1 + 1e-9
    assert 0 <= payoff_spread(payoffs) <= 2 * (1 - 1 / n) + 1e-9
    for measure in (jain_index, payoff_spread, worst_off):
        assert measure(rate * payoffs) == pytest.approx(measure(payoffs))
        assert measure(payoffs[::-1]) == pytest.approx(measure(payoffs))


def test_equity_by_hand() -> None:
    equal, alone, loss = np.array([2.0, 2.0]), np.array([0.0, 0.0, 0.0, 8.0]), np.array([-1.0, 1.0])
    assert (jain_index(equal), payoff_spread(equal), worst_off(equal)) == (1.0, 0.0, 1.0)
    assert (jain_index(alone), payoff_spread(alone), worst_off(alone)) == (0.25, 1.5, 0.0)
    assert (jain_index(loss), payoff_spread(loss), worst_off(loss)) == (None, None, None)
    assert jain_index(np.zeros(3)) is None


def test_distribution_is_measured_run_by_run_before_it_is_averaged() -> None:
    payoffs = ([1.0, 3.0], [3.0, 1.0], [-1.0, 2.0])
    runs = table(
        [
            row(
                *("IPPO", seed),
                welfare=sum(own),
                seat_payoffs=own,
                seat_cooperation=[0.2, 0.6],
                cooperation_rate=0.4,
                mean_trust_final=0.5,
                class_metrics={"team_output": float(seed)} if seed < 101 else None,
            )
            for seed, own in enumerate(payoffs, start=99)
        ]
    )
    (found,) = distributions(runs)
    assert found.gini.value == pytest.approx(gini(np.array([1.0, 3.0]))), "not the zero of the mean payoffs"
    assert (found.gini.n, found.welfare.n) == (2, 3), "a negative payoff has no Gini coefficient"
    assert found.welfare.value == pytest.approx(3.0)
    assert (found.jain.value, found.worst_off.value) == pytest.approx((0.8, (0.5 + 0.5 - 2.0) / 3))
    assert (found.cooperation.value, found.least_cooperation.value, found.trust.value) == pytest.approx((0.4, 0.2, 0.5))
    assert found.effective_trust is None
    assert (found.class_metrics["team_output"].value, found.class_metrics["team_output"].n) == (99.5, 2)
