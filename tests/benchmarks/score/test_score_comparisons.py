"""Paired tests, Holm's correction, letters and ranks."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from coopgym.benchmarks.score import (
    compact_letters,
    compare,
    comparisons,
    holm,
    improvements,
    paired_test,
    rank_table,
    score_table,
)
from tests.benchmarks.score.run_rows import OTHER, anchored, row, seeded, table

pairs = st.lists(st.tuples(st.floats(-2, 2), st.floats(-2, 2)), min_size=5, max_size=8)


def test_the_paired_t_test_is_scipys() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(2, 9))
    found = paired_test(first - second)
    theirs = stats.ttest_rel(first, second)
    low, high = theirs.confidence_interval()
    assert found.p_t == pytest.approx(theirs.pvalue)
    assert (found.difference.low, found.difference.high) == pytest.approx((low, high))
    assert found.effect_size == pytest.approx(theirs.statistic / 3)
    assert found.difference.n == 9


@given(pairs)
def test_sign_flips_are_tried_in_full(numbers: list[tuple[float, float]]) -> None:
    differences = np.array([one - other for one, other in numbers]).round(3)
    totals = [abs(np.dot(signs, differences)) for signs in product((-1, 1), repeat=len(differences))]
    expected = np.mean(np.array(totals) >= abs(differences.sum()) - 1e-9)
    assert paired_test(differences).p_signflip == pytest.approx(expected)


def test_many_pairs_draw_their_sign_flips() -> None:
    differences = np.random.default_rng(1).normal(0.4, 1.0, 30)
    with pytest.raises(ValueError, match="30 pairs are too many"):
        paired_test(differences)
    found = paired_test(differences, np.random.default_rng(0))
    theirs = stats.permutation_test(
        (differences, np.zeros(30)),
        lambda x, y: np.mean(x - y),
        permutation_type="samples",
        rng=np.random.default_rng(5),
    )
    assert found.p_signflip == pytest.approx(theirs.pvalue, abs=0.01)


def test_too_few_or_all_equal_pairs_are_told_apart() -> None:
    nothing, one = paired_test([np.nan]), paired_test([0.2])
    assert nothing.difference is None
    assert (one.difference.value, one.p_t, one.p_signflip) == (0.2, None, None)
    few = paired_test([0.5, 0.6, 0.7, 0.8])
    assert (few.difference.low, few.difference.seeds, few.p_t) == (None, (0.5, 0.6, 0.7, 0.8), None)
    same, shifted = paired_test([0.0] * 5), paired_test([0.5] * 5)
    assert (same.p_t, same.p_signflip, same.effect_size) == (1.0, 1.0, None)
    assert (shifted.p_t, shifted.p_signflip, shifted.effect_size) == (0.0, 2 / 32, None)


def test_differences_in_the_last_digit_are_ties() -> None:
    one_ulp = np.nextafter(0.7, 1.0) - 0.7
    found = paired_test([one_ulp] * 5)
    assert (found.difference.value, found.p_t, found.p_signflip) == (0.0, 1.0, 1.0)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, None, 0.03, 0.005]) == pytest.approx([0.03, 0.06, None, 0.06, 0.02])
    assert holm([0.6, 0.7]) == [1.0, 1.0]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12), st.randoms(use_true_random=False))
def test_holm_keeps_the_order_and_stays_between_raw_and_bonferroni(p_values: list[float], random: object) -> None:
    adjusted = holm(p_values)
    assert all(p <= a <= min(1.0, p * len(p_values)) + 1e-15 for p, a in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()
    shuffled = list(range(len(p_values)))
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # hypothesis gives a random.Random
    assert holm([p_values[i] for i in shuffled]) == [adjusted[i] for i in shuffled]


def test_algorithms_are_paired_by_seed_on_scores_over_tasks() -> None:
    other = {"environment": OTHER}
    runs = table(
        *(anchored(), anchored(**other)),
        *(seeded("IPPO", "return_mode", (15.0, 20.0, 12.0)), seeded("IPPO", "return_mode", (11.0, 10.0), **other)),
        *(seeded("VDN", "return_mode", (14.0, 16.0, 10.0)), seeded("VDN", "return_mode", (12.0, 8.0), **other)),
    )
    found = compare(score_table(runs), "IPPO", "VDN")
    assert found.test.difference.n == 2, "the third seed lacks a task"
    assert found.test.difference.value == pytest.approx(((0.1 - 0.1) / 2 + (0.4 + 0.2) / 2) / 2)


def test_certain_agents_stand_against_every_seed_and_differ_from_each_other_for_certain() -> None:
    learner = (15.0, 18.0, 17.0, 16.0, 19.0)
    found = score_table(table(anchored(), seeded("IPPO", "return_mode", learner), row("TitForTat", return_mode=12.0)))
    against = compare(found, "IPPO", "TitForTat")
    assert against.test.p_t == pytest.approx(stats.ttest_1samp(learner, 12.0).pvalue)
    both = compare(found, "Constant_60", "TitForTat")
    assert (both.test.difference.n, both.test.difference.low, both.test.p_t) == (1, None, None)
    assert both.different()
    assert not compare(found, "TitForTat", "TitForTat").different()


def test_p_values_are_adjusted_within_the_table() -> None:
    values = {
        "IPPO": (15.0, 18.0, 17.0, 16.0, 15.5),
        "VDN": (14.0, 12.0, 15.0, 13.0, 13.5),
        "IA2C": (18.0, 19.0, 20.0, 19.0, 17.0),
    }
    found = score_table(table(anchored(), *(seeded(name, "return_mode", own) for name, own in values.items())))
    learners = comparisons(found.of_kinds(["learner"]))
    assert [(each.first, each.second) for each in learners] == [("IA2C", "IPPO"), ("IA2C", "VDN"), ("IPPO", "VDN")]
    assert [each.p_t_holm for each in learners] == pytest.approx(holm([each.test.p_t for each in learners]))
    (single,) = comparisons(found, [("IPPO", "VDN")])
    assert single.p_t_holm == single.test.p_t


@given(
    st.integers(1, 7).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.booleans(), min_size=n * n, max_size=n * n)))
)
def test_letters_are_shared_just_by_those_who_cannot_be_told_apart(shape: tuple[int, list[bool]]) -> None:
    n, entries = shape
    upper = np.triu(np.array(entries).reshape(n, n), 1)
    different = upper | upper.T
    letters = compact_letters(different)
    shared = np.array([[bool(set(one) & set(other)) for other in letters] for one in letters])
    np.testing.assert_array_equal(shared, ~different)
    assert "a" in letters[0], "the best gets the first letter"


def test_letters_by_hand() -> None:
    far = np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], dtype=bool)
    assert compact_letters(far) == ["a", "ab", "b"]
    assert compact_letters(np.zeros((3, 3), dtype=bool)) == ["a", "a", "a"]
    with pytest.raises(ValueError, match="symmetric"):
        compact_letters(np.array([[False, True], [False, False]]))


def test_ranks_have_intervals_and_letters() -> None:
    steady = np.linspace(0.0, 2.0, 8)
    values = {"IPPO": 16.1 + steady, "IA2C": 18.0 - steady, "VDN": 12.0 + steady}
    found = score_table(table(anchored(), *(seeded(name, "return_mode", own) for name, own in values.items())))
    ranking = rank_table(found)
    rows = {row.algorithm.name: row for row in ranking.rows}
    assert [row.rank for row in ranking.rows] == [1, 2, 3, 4, 5, 6]
    assert ranking.rows[0].algorithm.name == "Constant_60"
    assert (rows["Constant_60"].low, rows["Constant_60"].high) == (1, 2), "Random has too few seeds to tell"
    assert rows["IPPO"].low < rows["IPPO"].high, "two learners that are hard to tell apart"
    assert set(rows["IPPO"].significance_groups) & set(rows["IA2C"].significance_groups)
    assert not set(rows["IPPO"].significance_groups) & set(rows["VDN"].significance_groups)
    assert all(row.low <= row.rank <= row.high for row in ranking.rows if row.low is not None)
    assert len(ranking.comparisons) == 15


def test_equals_share_their_rank_and_single_seeds_still_rank() -> None:
    runs = table(anchored(), row("IPPO", return_mode=15.0), row("VDN", return_mode=15.0))
    rows = {row.algorithm.name: row for row in rank_table(score_table(runs)).rows}
    assert (rows["IPPO"].rank, rows["VDN"].rank) == (2.5, 2.5)
    assert (rows["IPPO"].low, rows["IPPO"].high, rows["IPPO"].significance_groups) == (None, None, ""), (
        "a single seed tells little"
    )


def test_order_letters_and_differences_come_from_one_statistic() -> None:
    games = [f"{name}-v1" for name in ("TrustDilemma", "PublicGoods", "SLCD", "TeamProduction", "GiftExchange")]
    rng = np.random.default_rng(3)
    rows = [each for game in games for each in anchored(environment=game)]
    for name, level in (("IPPO", 15.0), ("VDN", 15.5), ("IA2C", 19.0)):
        for game in games:
            rows += seeded(
                name, "return_mode", level + rng.normal(0, 2, 6) * (1 + 9 * (game == games[0])), environment=game
            )
    found = rank_table(score_table(table(rows)))
    score = {row.algorithm.name: row.score.value for row in found.rows}
    paired = [each for each in found.comparisons if "Random" not in (each.first, each.second)]  # of fewer seeds
    for each in paired:
        assert each.test.difference.value == pytest.approx(score[each.first] - score[each.second])
    places = {row.algorithm.name: place for place, row in enumerate(found.rows)}
    for each in paired:
        if each.different():
            higher = each.first if each.test.difference.value > 0 else each.second
            assert higher == min(each.first, each.second, key=places.__getitem__)


def test_nobody_is_best_inside_a_tie() -> None:
    close = table(
        anchored(),
        *(
            seeded(name, "return_mode", np.array([15.0, 18.0, 17.0, 14.0, 16.0]) + more)
            for name, more in (("A", 0), ("B", [1, -1, 0.5, -1, 1]))
        ),
    )
    found = rank_table(score_table(close))
    assert [row.algorithm.name for row in found.leaders(["A", "B"])] == ["B", "A"]
    assert [row.algorithm.name for row in found.leaders(["A", "B", "Constant_60"])] == ["Constant_60"]


def test_every_pair_is_compared_once_seed_by_seed() -> None:
    values = {"IPPO": (15.0, 30.0, 15.0, 15.0, 30.0), "VDN": (15.0, 20.0, 16.0, 14.0, 40.0)}
    found = improvements(score_table(table(anchored(), *(seeded(n, "return_mode", v) for n, v in values.items()))))
    by_pair = {(each.first, each.second): each.probability for each in found}
    assert len(by_pair) == 10
    assert by_pair["Constant_00", "Constant_60"].value == 0.0
    assert by_pair["Constant_60", "IPPO"].value == pytest.approx(3 / 5)
    against = by_pair["IPPO", "VDN"]
    assert (against.value, against.n) == (pytest.approx((0.5 + 1 + 0 + 1 + 0) / 5), 5)
    low, high = stats.t.interval(0.95, 4, against.value, stats.sem([0.5, 1, 0, 1, 0]))
    assert (against.low, against.high) == pytest.approx((low, high))
