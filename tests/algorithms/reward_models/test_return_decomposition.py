"""The arithmetic of return decomposition against all subsets, and against another least squares."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.testing as npt
import pytest
import torch

from coopgym.algorithms.reward_models.return_decomposition import biased_loss, decomposition_loss, linear_head


@pytest.mark.parametrize("drawn_steps", [2, 3, 6])
def test_the_mean_over_all_subsets_is_the_loss_of_the_whole_episode(drawn_steps: int) -> None:
    rng = np.random.default_rng(drawn_steps)
    predicted, target = torch.as_tensor(rng.normal(size=6)), torch.tensor(0.4, dtype=torch.float64)
    subsets = list(itertools.combinations(range(6), drawn_steps))
    drawn = torch.zeros(len(subsets), 6, dtype=torch.float64)
    for row, subset in enumerate(subsets):
        drawn[row, list(subset)] = 1.0
    whole = biased_loss(predicted, target, torch.ones(6, dtype=torch.float64))
    found = decomposition_loss(predicted.expand_as(drawn), target, torch.tensor(6.0, dtype=torch.float64), drawn)
    assert float(found.mean()) == pytest.approx(float(whole), abs=1e-12)
    too_high = biased_loss(predicted.expand_as(drawn), target, drawn).mean() - whole
    assert (float(too_high) > 1e-6) == (drawn_steps < 6)


def test_the_linear_head_is_least_squares() -> None:
    rng = np.random.default_rng(0)
    means, targets = rng.normal(size=(3, 20, 4)), rng.normal(size=(3, 20))
    weights = linear_head(torch.as_tensor(means), torch.as_tensor(targets))
    for replica in range(3):
        expected = np.linalg.lstsq(means[replica], targets[replica])[0]
        npt.assert_allclose(weights[replica], expected, rtol=1e-9)


def test_directions_without_variation_get_no_weight() -> None:
    means = torch.tensor([[1.0, 1.0, 0.0], [2.0, 2.0, 0.0], [4.0, 4.0, 0.0]], dtype=torch.float64)
    weights = linear_head(means, means[:, 0] * 3.0)
    npt.assert_allclose(weights, [1.5, 1.5, 0.0], atol=1e-9)


def test_a_ridge_shrinks() -> None:
    means, targets = torch.eye(2, dtype=torch.float64), torch.tensor([1.0, 2.0], dtype=torch.float64)
    npt.assert_allclose(linear_head(means, targets, ridge=1.0), [0.5, 1.0], rtol=1e-12)
