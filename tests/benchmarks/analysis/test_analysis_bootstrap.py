"""Resampling against closed forms and scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from run_rows import OTHER, anchored, row, seeded, table
from scipy import stats

from benchmarks.analysis import (
    STATISTICS,
    Bootstrap,
    Replicates,
    aggregate,
    estimate,
    interquartile_mean,
    mean,
    median,
    optimality_gap,
    probability_of_improvement,
    profiles,
    resampled_counts,
    score_table,
)

RUNS_TASKS = ("runs", "tasks")
matrices = arrays(
    np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(-3, 3, allow_subnormal=False)
)


def value(statistic: Any, replicates: Replicates) -> float:
    return float(statistic(replicates, replicates.once)[0])


@given(matrices)
def test_statistics_are_what_scipy_and_numpy_say(scores: np.ndarray) -> None:
    replicates = Replicates.of(scores, RUNS_TASKS)
    assert value(interquartile_mean, replicates) == pytest.approx(stats.trim_mean(scores, 0.25, axis=None), abs=1e-12)
    assert value(mean, replicates) == pytest.approx(scores.mean(), abs=1e-12)
    assert value(median, replicates) == pytest.approx(np.median(scores.mean(0)), abs=1e-12)
    assert value(optimality_gap, replicates) == pytest.approx(1 - np.minimum(scores, 1).mean(), abs=1e-12)


@given(matrices, st.randoms(use_true_random=False))
def test_statistics_do_not_depend_on_the_order_of_runs_and_tasks(scores: np.ndarray, random: Any) -> None:
    runs, tasks = list(range(scores.shape[0])), list(range(scores.shape[1]))
    random.shuffle(runs)
    random.shuffle(tasks)
    first, second = Replicates.of(scores, RUNS_TASKS), Replicates.of(scores[runs][:, tasks], RUNS_TASKS)
    for statistic in STATISTICS.values():
        assert value(statistic, first) == pytest.approx(value(statistic, second), abs=1e-12)


@given(matrices, st.integers(0, 100))
def test_resamples_draw_within_tasks_and_move_with_the_scores(scores: np.ndarray, seed: int) -> None:
    replicates = Replicates.of(scores, RUNS_TASKS)
    counts = np.concatenate(list(resampled_counts(replicates, 50, np.random.default_rng(seed))))
    assert counts.shape == (50, scores.size)
    assert (np.add.reduceat(counts, replicates.starts, axis=1) == scores.shape[0]).all()
    moved = Replicates(2 * replicates.scores + 1, replicates.sizes)
    for statistic in (interquartile_mean, mean, median):
        np.testing.assert_allclose(statistic(moved, counts), 2 * statistic(replicates, counts) + 1, atol=1e-9)


def test_each_run_of_a_task_is_drawn_equally_often() -> None:
    replicates = Replicates.of([[0.0, 1.0, 2.0, np.nan], [3.0, 4.0, np.nan, np.nan]], ("tasks", "runs"))
    counts = np.concatenate(list(resampled_counts(replicates, 20_000, np.random.default_rng(3))))
    np.testing.assert_allclose(counts.mean(0), 1.0, atol=0.03)
    # A count is binomial with n draws of probability 1/n.
    np.testing.assert_allclose(counts.var(0), [2 / 3] * 3 + [1 / 2] * 2, atol=0.03)


def test_a_resample_is_read_like_the_sample_it_stands_for() -> None:
    rng = np.random.default_rng(5)
    replicates = Replicates.of(rng.normal(size=(7, 4)), RUNS_TASKS)
    counts = np.concatenate(list(resampled_counts(replicates, 20, rng)))
    for row_of_counts, found in zip(counts, interquartile_mean(replicates, counts), strict=True):
        drawn = np.repeat(replicates.scores, row_of_counts)
        assert found == pytest.approx(stats.trim_mean(drawn, 0.25))


def test_outliers_outside_the_middle_half_do_not_matter_at_all() -> None:
    calm = Replicates.of([[0.1, 0.2, 0.3, 0.4]], ("tasks", "runs"))
    wild = Replicates.of([[-1e15, 0.2, 0.3, 1e15]], ("tasks", "runs"))
    assert value(interquartile_mean, calm) == value(interquartile_mean, wild) == 0.25


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_agree_with_scipy_on_one_task(method: Any) -> None:
    scores = np.random.default_rng(11).gamma(3.0, size=15)
    theirs = stats.bootstrap(
        (scores,), np.mean, n_resamples=100_000, method=method, rng=np.random.default_rng(1)
    ).confidence_interval
    replicates = Replicates.of(scores, ("runs",))
    ours = estimate(replicates, mean, Bootstrap(100_000, method=method), np.random.default_rng(2))
    assert (ours.value, ours.n) == (pytest.approx(scores.mean()), 15)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_bca_over_tasks_reduces_to_a_shift_and_keeps_single_runs_fixed() -> None:
    scores = [[0.1, 0.5, 0.2, 0.9, 0.3], [0.7, np.nan, np.nan, np.nan, np.nan]]
    both = Replicates.of(scores, ("tasks", "runs"))
    alone = Replicates.of(scores[:1], ("tasks", "runs"))
    settings = Bootstrap(20_000, method="bca")
    wide, narrow = (estimate(each, mean, settings, np.random.default_rng(0)) for each in (alone, both))
    assert narrow.low == pytest.approx((wide.low + 0.7) / 2, abs=0.01)
    assert narrow.high == pytest.approx((wide.high + 0.7) / 2, abs=0.01)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    settings = Bootstrap(400)
    hits = 0
    for _ in range(200):
        found = estimate(Replicates.of(rng.normal(0.5, 0.2, (10, 8)), RUNS_TASKS), interquartile_mean, settings, rng)
        hits += found.low <= 0.5 <= found.high
    # 95 % in the limit; ten runs per task and bootstrap cost a few per cent, 200 trials as much noise.
    assert 0.86 <= hits / 200 <= 0.99


def test_the_same_seed_gives_the_same_interval_whoever_else_is_compared() -> None:
    ippo = seeded("IPPO", "return_mode", (15.0, 18.0, 11.0))
    alone, together = (
        score_table(table(anchored(), ippo, more)) for more in ([], seeded("VDN", "return_mode", (9.0, 8.0)))
    )
    found = [
        {each.entrant.name: each for each in aggregate(each, Bootstrap(200))}["IPPO"] for each in (alone, together)
    ]
    assert found[0] == found[1]
    assert found[0].iqm.low < found[0].iqm.value < found[0].iqm.high
    other = {each.entrant.name: each for each in aggregate(alone, Bootstrap(200, seed=1))}["IPPO"]
    assert other.iqm != found[0].iqm


def test_single_runs_have_no_interval_and_equal_ones_none_to_speak_of() -> None:
    runs = table(
        anchored(),
        anchored(environment=OTHER),
        [row("IPPO", return_mode=15.0, environment=e) for e in (OTHER, "TrustDilemma-v1")],
    )
    found = {each.entrant.name: each for each in aggregate(score_table(runs), Bootstrap(50))}
    assert (found["IPPO"].iqm.value, found["IPPO"].iqm.low, found["IPPO"].iqm.n) == (pytest.approx(0.5), None, 1)
    for method in ("percentile", "bca"):
        same = estimate(
            Replicates.of(np.full((4, 3), 0.7), RUNS_TASKS),
            mean,
            Bootstrap(50, method=method),
            np.random.default_rng(0),
        )
        assert (same.low, same.value, same.high) == pytest.approx((0.7, 0.7, 0.7))


@pytest.mark.parametrize(
    ("scores", "axes", "complaint"),
    [
        (np.zeros((3, 2)), ("runs",), "as many names as axes"),
        (np.zeros((3, 2)), ("episodes", "tasks"), "average them within a run first"),
        (np.zeros((3, 2, 8)), ("runs", "tasks", "episodes"), "average them within a run first"),
        (np.zeros((2, 2)), (), "expected one of"),
        (np.array([[0.0, np.nan]]), ("runs", "tasks"), r"tasks without a run: \[1\]"),
        (np.zeros((0, 0)), ("runs", "tasks"), "tasks without a run"),
        (np.array([np.inf]), ("runs",), "infinity"),
    ],
)
def test_ambiguous_axes_are_refused(scores: np.ndarray, axes: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Replicates.of(scores, axes)


def test_impossible_settings_are_refused() -> None:
    for mistake in ({"resamples": 0}, {"confidence": 1.0}, {"method": "basic"}):
        with pytest.raises(ValueError, match="expected at least one resample"):
            Bootstrap(**mistake)
    assert Bootstrap().caption.startswith("95% percentile bootstrap interval, 2,000 resamples of seeds")


@given(matrices, matrices)
def test_the_probability_of_improvement_is_a_mann_whitney_statistic(first: np.ndarray, second: np.ndarray) -> None:
    n_tasks = min(first.shape[1], second.shape[1])
    first, second = first[:, :n_tasks].round(1), second[:, :n_tasks].round(1)
    settings, rng = Bootstrap(20), np.random.default_rng(0)
    one, other = Replicates.of(first, RUNS_TASKS), Replicates.of(second, RUNS_TASKS)
    found = probability_of_improvement(one, other, settings, rng)
    u = [stats.mannwhitneyu(first[:, t], second[:, t], method="exact").statistic for t in range(n_tasks)]
    assert found.value == pytest.approx(np.mean(u) / (len(first) * len(second)))
    swapped = probability_of_improvement(other, one, settings, rng)
    assert swapped.value == pytest.approx(1 - found.value)


def test_the_interval_of_a_probability_of_improvement_matches_independent_resampling() -> None:
    rng = np.random.default_rng(4)
    first, second = rng.normal(0.3, 1, (10, 3)), rng.normal(0, 1, (7, 3))
    found = probability_of_improvement(
        Replicates.of(first, RUNS_TASKS), Replicates.of(second, RUNS_TASKS), Bootstrap(10_000), rng
    )
    draws = []
    for _ in range(4000):
        one = np.take_along_axis(first, rng.integers(10, size=(10, 3)), 0)
        other = np.take_along_axis(second, rng.integers(7, size=(7, 3)), 0)
        draws.append((one[:, None] > other[None]).mean())
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(draws, [0.025, 0.975])), abs=0.015)
    with pytest.raises(ValueError, match="3 tasks against 2"):
        probability_of_improvement(
            Replicates.of(first, RUNS_TASKS), Replicates.of(second[:, :2], RUNS_TASKS), Bootstrap(10), rng
        )


def test_a_profile_is_the_empirical_survival_function() -> None:
    values = (14.0, 16.0, 16.0, 19.0, 30.0)
    found = score_table(table(anchored(), seeded("IPPO", "return_mode", values)))
    thresholds = np.linspace(-0.2, 2.2, 49)
    ippo = profiles(found.only(["IPPO"]), Bootstrap(500), thresholds)[0]
    survival = stats.ecdf((np.array(values) - 10) / 10).sf.evaluate(thresholds)
    np.testing.assert_allclose(ippo.share, survival, atol=1e-12)
    assert (ippo.low <= ippo.share + 1e-12).all()
    assert (ippo.share <= ippo.high + 1e-12).all()
    assert ippo.low[0] == pytest.approx(1.0)
    constant = profiles(found.only(["Constant_60"]), Bootstrap(500), thresholds)[0]
    assert constant.low is None


def test_tasks_weigh_the_same_in_a_profile_whatever_their_number_of_runs() -> None:
    runs = table(
        anchored(),
        anchored(environment=OTHER),
        seeded("IPPO", "return_mode", (20.0, 20.0, 20.0)),
        row("IPPO", return_mode=10.0, environment=OTHER),
    )
    (found,) = profiles(score_table(runs).only(["IPPO"]), Bootstrap(20), [0.5])
    assert found.share == pytest.approx([0.5])
