"""Losses of decomposing an episode's return into rewards of its steps.

Return decomposition (RD) asks the mean predicted step reward to be the mean of the return (Arjona-Medina et al. 2019;
Efroni et al. 2021); its randomised form (RRD; Ren et al. 2022) sees K random steps of T and takes off the variance that
this adds, so that its expectation over subsets is the loss of whole episodes. A linear head has a closed form.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

CUTOFF = 1e-12
"""Eigenvalues of the normal matrix below this share of the largest count as zero: directions that nothing varies in."""


def biased_loss(predicted: Tensor, target: Tensor, drawn: Tensor) -> Tensor:
    """Return (g - mean of the drawn predictions)², ``(...)``; the loss RD where all steps are drawn.

    Args:
        predicted: rewards of steps ``(..., T)``.
        target: g = G/T, ``(...)``.
        drawn: ``(..., T)`` which steps are looked at.
    """
    return (target - _mean(predicted, drawn)).square()


def decomposition_loss(predicted: Tensor, target: Tensor, steps: Tensor, drawn: Tensor) -> Tensor:
    """Return the loss RRD, ``(...)``: (g - m)² - (1 - K/T) s²/K of the mean m and variance s² of K drawn predictions.

    Its mean over all subsets of K steps is the loss RD, which it is itself for K = T. One drawn step has no variance to
    tell the excess from: the loss is then too high by it.

    Args:
        predicted: rewards of steps ``(..., T')``; what is not drawn does not matter.
        target: g = G/T, ``(...)``.
        steps: T, ``(...)``.
        drawn: ``(..., T')`` which steps are looked at, K of them.
    """
    count = drawn.sum(-1)
    deviations = (predicted - _mean(predicted, drawn).unsqueeze(-1)) * drawn
    variance = deviations.square().sum(-1) / (count - 1).clamp(min=1)
    return biased_loss(predicted, target, drawn) - (1.0 - count / steps) * variance / count


def _mean(predicted: Tensor, drawn: Tensor) -> Tensor:
    return (predicted * drawn).sum(-1) / drawn.sum(-1)


def linear_head(means: Tensor, targets: Tensor, ridge: float = 0.0) -> Tensor:
    """Return the weights ``(..., F)`` of factors that minimise RD on episodes, by least squares.

    Args:
        means: factors, averaged over the steps of each of E episodes, ``(..., E, F)``.
        targets: G/T, ``(..., E)``.
        ridge: added to the diagonal of the normal matrix. Without it, weights are the smallest of the best.
    """
    transposed = means.transpose(-1, -2)
    normal = transposed @ means + ridge * torch.eye(means.shape[-1], dtype=means.dtype, device=means.device)
    inverse = torch.linalg.pinv(normal, rtol=CUTOFF, hermitian=True)
    return (inverse @ transposed @ targets.unsqueeze(-1)).squeeze(-1)


def _lare(factors: Sequence[Sequence[Sequence[float]]], returns: Sequence[float], ridge: float) -> dict[str, Any]:
    episodes = [torch.tensor(steps, dtype=torch.float64) for steps in factors]
    total = torch.tensor(returns, dtype=torch.float64)
    means = torch.stack([steps.mean(0) for steps in episodes])
    targets = total / torch.tensor([len(steps) for steps in episodes])
    weights = linear_head(means, targets, ridge)
    dense = [steps @ weights for steps in episodes]
    return {
        "weights": weights.tolist(),
        "dense": [rewards.tolist() for rewards in dense],
        "return_error": (torch.stack([rewards.sum() for rewards in dense]) - total).tolist(),
        "loss": float((means @ weights - targets).square().mean()),
    }


def _rrd(pred: Sequence[float], ret: float, K: int, subset: Sequence[int]) -> dict[str, float]:
    subsets = list(itertools.combinations(range(len(pred)), K))
    drawn = torch.zeros(len(subsets) + 2, len(pred), dtype=torch.float64)
    for row, places in enumerate([*subsets, subset, range(len(pred))]):
        drawn[row, list(places)] = 1.0
    predicted = torch.tensor(pred, dtype=torch.float64).expand_as(drawn)
    steps = torch.full((len(drawn),), float(len(pred)), dtype=torch.float64)
    biased = biased_loss(predicted, ret / steps, drawn)
    unbiased = decomposition_loss(predicted, ret / steps, steps, drawn)
    return {
        "rd_loss": float(biased[-1]),
        "mean_biased": float(biased[:-2].mean()),
        "mean_unbiased": float(unbiased[:-2].mean()),
        "subset_biased": float(biased[-2]),
        "subset_unbiased": float(unbiased[-2]),
    }


KERNELS: Mapping[str, Callable[..., Any]] = {"lare": _lare, "rrd": _rrd}
"""Functions of named inputs by the ids of their worked examples."""
