"""Resampling against closed forms and scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from coopgym.benchmarks.score import (
    Bootstrap,
    Replicates,
    estimate,
    interquartile_mean,
    profiles,
    resampled_counts,
    score_table,
)
from tests.benchmarks.score.run_rows import OTHER, anchored, row, seeded, table

RUNS_TASKS = ("runs", "tasks")
matrices = arrays(
    np.float64, st.tuples(st.integers(1, 6), st.integers(1, 5)), elements=st.floats(-3, 3, allow_subnormal=False)
)


def mean(replicates: Replicates, counts: Any) -> Any:
    """Mean over tasks of the means over runs."""
    return replicates.weights(counts) @ replicates.scores


def value(statistic: Any, replicates: Replicates) -> float:
    return float(statistic(replicates, replicates.once)[0])


@given(matrices)
def test_the_interquartile_mean_is_scipys(scores: np.ndarray) -> None:
    replicates = Replicates.of(scores, RUNS_TASKS)
    assert value(interquartile_mean, replicates) == pytest.approx(stats.trim_mean(scores, 0.25, axis=None), abs=1e-12)


@given(matrices, st.randoms(use_true_random=False))
def test_it_does_not_depend_on_the_order_of_runs_and_tasks(scores: np.ndarray, random: Any) -> None:
    runs, tasks = list(range(scores.shape[0])), list(range(scores.shape[1]))
    random.shuffle(runs)
    random.shuffle(tasks)
    first, second = Replicates.of(scores, RUNS_TASKS), Replicates.of(scores[runs][:, tasks], RUNS_TASKS)
    assert value(interquartile_mean, first) == pytest.approx(value(interquartile_mean, second), abs=1e-12)


@given(matrices, st.integers(0, 100))
def test_resamples_draw_within_tasks_and_move_with_the_scores(scores: np.ndarray, seed: int) -> None:
    replicates = Replicates.of(scores, RUNS_TASKS)
    counts = np.concatenate(list(resampled_counts(replicates, 50, np.random.default_rng(seed))))
    assert counts.shape == (50, scores.size)
    assert (np.add.reduceat(counts, replicates.starts, axis=1) == scores.shape[0]).all()
    moved = Replicates(2 * replicates.scores + 1, replicates.sizes)
    for statistic in (interquartile_mean, mean):
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
    # So many different numbers that no quantile lies where resampled means jump, as those of few round ones do.
    scores = [[0.137, 0.516, 0.219, 0.904, 0.333, 0.612, 0.471], [0.7, *[np.nan] * 6]]
    both = Replicates.of(scores, ("tasks", "runs"))
    alone = Replicates.of(scores[:1], ("tasks", "runs"))
    settings = Bootstrap(20_000, method="bca")
    wide, narrow = (estimate(each, mean, settings, np.random.default_rng(0)) for each in (alone, both))
    assert narrow.low == pytest.approx((wide.low + 0.7) / 2, abs=0.005)
    assert narrow.high == pytest.approx((wide.high + 0.7) / 2, abs=0.005)


def test_intervals_cover_the_truth_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    settings = Bootstrap(400)
    hits = 0
    for _ in range(200):
        found = estimate(Replicates.of(rng.normal(0.5, 0.2, (10, 8)), RUNS_TASKS), interquartile_mean, settings, rng)
        hits += found.low <= 0.5 <= found.high
    # 95 % in the limit; ten runs per task and bootstrap cost a few per cent, 200 trials as much noise.
    assert 0.86 <= hits / 200 <= 0.99


def test_equal_runs_have_no_interval_to_speak_of() -> None:
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


def test_a_profile_is_the_empirical_survival_function() -> None:
    values = (14.0, 16.0, 16.0, 19.0, 30.0)
    found = score_table(table(anchored(), seeded("IPPO", "return_mode", values)))
    thresholds = np.linspace(-0.2, 2.2, 49)
    ippo = profiles(found.only(["IPPO"]), thresholds)[0]
    survival = stats.ecdf((np.array(values) - 10) / 10).sf.evaluate(thresholds)
    np.testing.assert_allclose(ippo.share, survival, atol=1e-12)
    assert (ippo.low <= ippo.share + 1e-12).all()
    assert (ippo.share <= ippo.high + 1e-12).all()
    assert ippo.low[0] == pytest.approx(1.0)
    half = stats.t.ppf(0.975, 4) * np.sqrt(ippo.share * (1 - ippo.share) / 4)
    np.testing.assert_allclose(ippo.high, np.minimum(ippo.share + half, 1.0), atol=1e-12)
    constant = profiles(found.only(["Constant_60"]), thresholds)[0]
    assert constant.low is None


def test_tasks_weigh_the_same_in_a_profile_whatever_their_number_of_runs() -> None:
    runs = table(
        anchored(),
        anchored(environment=OTHER),
        seeded("IPPO", "return_mode", (20.0, 20.0, 20.0)),
        row("IPPO", return_mode=10.0, environment=OTHER),
    )
    (found,) = profiles(score_table(runs).only(["IPPO"]), [0.5])
    assert found.share == pytest.approx([0.5])
