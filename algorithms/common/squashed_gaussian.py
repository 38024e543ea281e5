"""The squashed Gaussian policy on a seat's own endowment.

A seat draws u ~ N(μ, σ²) and plays the share z = (tanh u + 1)/2 of what it has. Buffers keep u, from which every
density follows without inverting the squashing. All densities are those of z, so endowments drop out.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

INITIAL_LOG_SIGMA = math.log(0.5)

_HALF_LOG_TAU = 0.5 * math.log(2.0 * math.pi)


def share(u: Tensor) -> Tensor:
    """Return the share of endowment z in (0, 1) that ``u`` stands for."""
    return 0.5 * (torch.tanh(u) + 1.0)


def drawn_log_prob(noise: Tensor, log_sigma: Tensor) -> Tensor:
    """Return log N(u; μ, σ²) of u = μ + σ·noise."""
    return -0.5 * noise.square() - log_sigma - _HALF_LOG_TAU


def pre_tanh_log_prob(u: Tensor, mean: Tensor, log_sigma: Tensor) -> Tensor:
    """Return log N(u; μ, σ²). Ratios of policies need no more: the squashing term is the same in both."""
    return drawn_log_prob((u - mean) * torch.exp(-log_sigma), log_sigma)


def log_slope(u: Tensor) -> Tensor:
    """Return log dz/du = log 2 + 2·(log s(2u) - u), s the logistic function; stable for every u."""
    return 2.0 * (logsigmoid(2.0 * u) - u) + math.log(2.0)


def log_prob(u: Tensor, mean: Tensor, log_sigma: Tensor) -> Tensor:
    """Return the log-density of the share z played by ``u``."""
    return pre_tanh_log_prob(u, mean, log_sigma) - log_slope(u)


def entropy(mean: Tensor, log_sigma: Tensor) -> Tensor:
    """Return the entropy of z: that of u plus E[log dz/du], by Gauss-Hermite quadrature with nodes μ and μ ± √3·σ.

    It is zero for the uniform policy and negative for every other. Differentiable in both arguments.
    """
    reach = math.sqrt(3.0) * torch.exp(log_sigma)
    low, middle, high = log_slope(torch.stack([mean - reach, mean, mean + reach])).unbind(0)
    return log_sigma + (_HALF_LOG_TAU + 0.5) + (low + 4.0 * middle + high) / 6.0
