"""Nash mirror prox by policy gradients on sampled comparisons, for categorical policies (our reconstruction).

Source: Tiapkin et al. 2025, "Accelerating Nash Learning from Human Feedback via Mirror Prox" (arXiv:2505.19731); what
is sampled and the slow copy are rebuilt here.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor

from coopgym.oracles.preferences.preference_matrix import PreferenceMatrix
from coopgym.typing import FloatArray, IntArray

Preference: TypeAlias = Callable[[IntArray, IntArray], FloatArray]
"""How probably each of M options is preferred to another one, ``(M,)`` of their numbers ``(M,)`` and ``(M,)``."""


@dataclass(frozen=True)
class NashMPPolicyGradient:
    """Ascend P(y, y') - 1/2 - β ln(π/ref) - (β/η) ln(π/slow), y from the policy and y' from its slow copy, η = 2β.

    The slow copy is a moving average of the policy's logits, and the mean over the other samples of a batch is each
    sample's baseline. Only comparisons of sampled options are asked for, never a row of the matrix.

    Attributes:
        beta: weight β of the divergence from the reference, which is uniform.
        steps: gradient steps of Adam.
        batch: comparisons per step.
        learning_rate: of Adam; 1e-3 suits networks, tables of logits take more.
        decay: of the moving average.
        seed: of what is sampled.

    >>> from coopgym.oracles import NashMirrorProx, PreferenceMatrix
    >>> cyclic = PreferenceMatrix.of([[0.5, 0.9, 0.2], [0.1, 0.5, 0.8], [0.8, 0.2, 0.5]])
    >>> found = NashMPPolicyGradient(beta=0.1, steps=400, learning_rate=0.05).solve(cyclic)
    >>> bool(abs(found - NashMirrorProx(beta=0.1).solve(cyclic)).max() < 0.1)
    True
    """

    beta: float = 0.1
    steps: int = 2000
    batch: int = 64
    learning_rate: float = 1e-2
    decay: float = 0.99
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("beta", "learning_rate"):
            if not 0.0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected a positive number")
        if self.steps < 1 or self.batch < 2:
            raise ValueError(f"steps={self.steps}, batch={self.batch}: expected at least 1 step and a batch of 2")
        if not 0.0 <= self.decay < 1.0:
            raise ValueError(f"decay={self.decay!r}: expected a number of at least 0 and below 1")

    def solve(self, preferences: PreferenceMatrix) -> FloatArray:
        """Return the last policy ``(K,)``; comparisons come out as the matrix says, without chance."""
        return self.train(lambda own, other: preferences.probabilities[own, other], len(preferences))

    def train(self, preference: Preference, options: int) -> FloatArray:
        """Return the policy ``(K,)`` that is learned from comparisons of K options.

        Raises:
            ValueError: fewer than two options.
        """
        if options < 2:
            raise ValueError(f"options={options}: expected at least 2")
        rng = np.random.default_rng(self.seed)
        logits = torch.zeros(options, dtype=torch.float64, requires_grad=True)
        slow = torch.zeros(options, dtype=torch.float64)
        adam = torch.optim.Adam([logits], self.learning_rate)
        for _ in range(self.steps):
            log_policy = torch.log_softmax(logits, dim=-1)
            log_slow = torch.log_softmax(slow, dim=-1)
            own, other = (self._drawn(rng, each) for each in (log_policy, log_slow))
            won = torch.from_numpy(np.asarray(preference(own, other), dtype=np.float64))
            taken = log_policy[own]
            gain = won - 0.5 - self.beta * (taken.detach() + math.log(options)) - 0.5 * (taken.detach() - log_slow[own])
            adam.zero_grad()
            (-(leave_one_out(gain) * taken).mean()).backward()
            adam.step()
            slow.lerp_(logits.detach(), 1.0 - self.decay)
        return np.asarray(torch.softmax(logits, dim=-1).detach())

    def _drawn(self, rng: np.random.Generator, log_policy: Tensor) -> IntArray:
        reached = np.cumsum(log_policy.detach().exp().numpy())
        return np.minimum(np.searchsorted(reached, rng.random(self.batch), side="right"), len(reached) - 1)


def leave_one_out(values: Tensor) -> Tensor:
    """Return numbers ``(M,)`` less the mean of the others.

    >>> leave_one_out(torch.tensor([1.0, 2.0, 6.0]))
    tensor([-3.0000, -1.5000,  4.5000])
    """
    count = len(values)
    return (values - values.mean()) * count / (count - 1)
