"""Tail bounds hold, and know as much as they should."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from coopgym.oracles.bandits import concentration as tails
from coopgym.oracles.bandits.lower_bounds import bernoulli_kl, lai_robbins, minimax_lower_bound, pinsker_ratio

CHANCES = st.floats(0.02, 0.98)
DEVIATIONS = st.floats(0.01, 0.5)
COUNTS = st.integers(1, 400)


@settings(max_examples=60, deadline=None)
@given(CHANCES, DEVIATIONS, COUNTS)
def test_no_coin_leaves_its_mean_oftener_than_bounds_allow(p: float, deviation: float, count: int) -> None:
    # The exact tails of a sum of coins.
    high = float(stats.binom.sf(math.ceil(count * (p + deviation) - 1e-9) - 1, count, p))
    low = float(stats.binom.cdf(math.floor(count * (p - deviation) + 1e-9), count, p))
    slack = 1.0 + 1e-9
    assert high + low <= tails.hoeffding(deviation, count) * slack
    assert high + low <= tails.bernstein(deviation, count, p * (1.0 - p)) * slack
    assert high <= tails.chernoff(deviation, count, p, above=True) * slack
    assert low <= tails.chernoff(deviation, count, p, above=False) * slack
    assert high + low <= tails.azuma(deviation * count, np.full(count, max(p, 1.0 - p))) * slack
    assert high <= tails.freedman(deviation * count, count * p * (1.0 - p), 1.0 - p) * slack
    share = min(1.0, deviation / p)
    below = float(stats.binom.cdf(math.floor(count * p * (1.0 - share) + 1e-9), count, p))
    assert below <= tails.multiplicative_chernoff(share, count * p, above=False) * slack
    beyond = float(stats.binom.sf(math.ceil(count * p * (1.0 + share) - 1e-9) - 1, count, p))
    assert beyond <= tails.multiplicative_chernoff(share, count * p, above=True) * slack


@given(st.floats(0.001, 0.5), st.integers(1, 1000))
def test_a_radius_is_where_its_tail_is(confidence: float, count: int) -> None:
    assert tails.hoeffding(tails.hoeffding_radius(confidence, count), count) == pytest.approx(confidence)


@given(CHANCES, CHANCES)
def test_divergence_is_at_least_twice_the_square(p: float, q: float) -> None:
    assert bernoulli_kl(p, q) >= 2.0 * (p - q) ** 2 - 1e-12
    if abs(p - q) > 1e-3:
        assert pinsker_ratio(p, q) >= 1.0 - 1e-9


def test_empirical_bernstein_covers_and_is_tight_where_little_varies() -> None:
    rng = np.random.default_rng(0)
    samples = rng.beta(40.0, 40.0, size=(300, 200))
    radius = np.array([tails.empirical_bernstein_radius(0.05, row) for row in samples])
    assert ((0.5 - samples.mean(1)) > radius).mean() <= 0.05
    # Variance 1/324 against a width of 1: Hoeffding's radius does not know.
    assert radius.mean() < tails.hoeffding_radius(0.05, 200)


def test_lower_bounds_of_easy_and_of_hard_arms() -> None:
    assert lai_robbins([0.5, 0.5]) == 0.0
    assert lai_robbins([0.5, 0.4]) > lai_robbins([0.5, 0.2])
    assert minimax_lower_bound(100, 1) == 0.0
    assert minimax_lower_bound(4, 100) == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tails.hoeffding(-0.1, 10), "deviation"),
        (lambda: tails.hoeffding(0.1, 0), "count"),
        (lambda: tails.hoeffding_radius(0.0, 10), "confidence"),
        (lambda: tails.empirical_bernstein_radius(0.1, [0.5]), "at least two"),
        (lambda: tails.multiplicative_chernoff(2.0, 10.0, above=True), "share"),
    ],
)
def test_what_is_no_deviation_or_no_sample_is_refused(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match=message):
        call()
