"""Interdependence from dependums, and the common shapes of D."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.mechanisms.interdependence import explicit, from_dependums, hub_and_spoke, symmetric

N, DEPENDUMS = 3, 4


@given(st.integers(0, 2**32 - 1), st.booleans())
def test_dependence_is_the_weighted_mean_of_criticality(seed: int, weights_per_depender: bool) -> None:
    rng = np.random.default_rng(seed)
    weights = rng.random((N, DEPENDUMS) if weights_per_depender else DEPENDUMS) + 0.01
    dependency = rng.integers(0, 2, (DEPENDUMS, N, N)).astype(float)
    criticality = rng.random((DEPENDUMS, N, N))
    D = from_dependums(weights, dependency, criticality)
    for i in range(N):
        w = weights[i] if weights_per_depender else weights
        for j in range(N):
            total = sum(w[d] * dependency[d, i, j] * criticality[d, i, j] for d in range(DEPENDUMS))
            assert D[i, j] == pytest.approx(0.0 if i == j else total / sum(w))
    assert ((D >= 0) & (D <= 1)).all()


def test_a_sole_critical_dependum_is_full_dependence() -> None:
    dependency = [[[0, 1], [0, 0]], [[0, 0], [1, 0]]]
    criticality = [[[0, 1.0], [0, 0]], [[0, 0], [0.5, 0]]]
    np.testing.assert_allclose(from_dependums([0.75, 0.25], dependency, criticality), [[0, 0.75], [0.125, 0]])


@pytest.mark.parametrize(
    ("importance", "dependency", "criticality", "message"),
    [
        ([1.0], np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), r"must both be \(dependums, N, N\); got \(1, 2, 3\)"),
        ([1.0], np.zeros((1, 2, 2)), np.zeros((2, 2, 2)), r"got \(1, 2, 2\) and \(2, 2, 2\)"),
        (
            [0.0],
            np.zeros((1, 2, 2)),
            np.zeros((1, 2, 2)),
            "importance must be finite, non-negative and positive in sum",
        ),
        ([-1.0], np.zeros((1, 2, 2)), np.zeros((1, 2, 2)), "importance must be finite"),
        ([1.0], np.zeros((1, 2, 2)), np.full((1, 2, 2), 1.5), r"must lie in \[0, 1\]"),
        ([1.0], np.full((1, 2, 2), -1.0), np.zeros((1, 2, 2)), r"must lie in \[0, 1\]"),
    ],
)
def test_models_that_do_not_fit_are_refused(importance: Any, dependency: Any, criticality: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        from_dependums(importance, dependency, criticality)


def test_common_shapes() -> None:
    assert symmetric(3, 0.4).tolist() == [[0, 0.4, 0.4], [0.4, 0, 0.4], [0.4, 0.4, 0]]
    assert hub_and_spoke(2, 0.25, 0.75).tolist() == [[0, 0.25, 0.25], [0.75, 0, 0], [0.75, 0, 0]]
    assert explicit(((0.0, 0.4), (0.7, 0.0))).tolist() == [[0, 0.4], [0.7, 0]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[0.0, 0.5]], "square"),
        ([[0.0, 1.5], [0.5, 0.0]], r"must lie in \[0, 1\]"),
        ([[0.0, float("nan")], [0.5, 0.0]], r"must lie in \[0, 1\]"),
        ([[0.1, 0.5], [0.5, 0.0]], "zero diagonal"),
    ],
)
def test_matrices_by_hand_are_checked(rows: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        explicit(rows)
