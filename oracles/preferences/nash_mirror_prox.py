"""Nash mirror prox: the regularised equilibrium of a preference game, at a linear rate (Tiapkin et al. 2025).

The symmetric equilibrium of P(π, π') - β KL(π‖ref) + β KL(π'‖ref), by an extrapolation and a step, in logarithms::

    π_½    ∝ ref^{η/(1+η)} π_k^{1/(1+η)} exp(η/(β(1+η)) P π_k),      η = 2β
    π_{k+1} ∝ ref^{η/(1+η)} π_k^{1/(1+η)} exp(η/(β(1+η)) P π_½)
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp, rel_entr

from coopgym.oracles.preferences.preference_matrix import COMPLEMENT, PreferenceMatrix
from coopgym.typing import FloatArray


@dataclass(frozen=True)
class NashMirrorProx:
    """Mirror prox between a policy and itself, towards the regularised equilibrium; a `GameSolver`.

    KL(π*‖π_k) ≤ (1 + 2β)^{-k} KL(π*‖π_0), whatever the number of options; an iteration evaluates preferences against a
    policy twice.

    Attributes:
        beta: weight β of the divergence from the reference.
        iterations: k.
        reference: ``(K,)`` positive probabilities; None is uniform. Iterations begin there.

    >>> cyclic = PreferenceMatrix.of([[0.5, 0.9, 0.2], [0.1, 0.5, 0.8], [0.8, 0.2, 0.5]])
    >>> solver = NashMirrorProx(beta=0.01, iterations=1000)
    >>> solver.solve(cyclic).round(3), round(solver.gap(cyclic, [1/3, 1/3, 1/3]), 3)
    (array([0.303, 0.297, 0.4  ]), 0.023)
    """

    beta: float = 0.1
    iterations: int = 200
    reference: Sequence[float] | None = None

    def __post_init__(self) -> None:
        if not 0.0 < self.beta < math.inf:
            raise ValueError(f"beta={self.beta!r}: expected a positive number")
        if not isinstance(self.iterations, int | np.integer) or self.iterations < 1:
            raise ValueError(f"iterations={self.iterations!r}: expected a whole number of at least 1")
        if self.reference is not None:
            told = np.asarray(self.reference, dtype=np.float64)
            if told.ndim != 1 or not (told > 0.0).all() or abs(told.sum() - 1.0) > COMPLEMENT:
                raise ValueError(
                    f"reference={self.reference!r}: expected positive probabilities that sum to 1, since options "
                    "without any would never be played"
                )

    @classmethod
    def for_exploitability(cls, target: float, options: int) -> Self:
        """Return the solver whose answer surely has max_y P(y, π) - 1/2 of at most a target, with a uniform reference.

        Half of it goes to regularisation, β = target / (2 ln K), since max_y P(y, π*) - 1/2 ≤ β ln K; half to the
        distance ‖π_k - π*‖₁ / 2 ≤ √(KL / 2).

        Raises:
            ValueError: a target that is not above 0 and below 1/2, or fewer than two options.
        """
        if not 0.0 < target < 0.5 or options < 2:
            raise ValueError(
                f"target={target!r}, options={options!r}: expected a target between 0 and 0.5 and at least two options"
            )
        beta = target / (2.0 * math.log(options))
        return cls(beta, math.ceil(math.log(2.0 * math.log(options) / target**2) / math.log1p(2.0 * beta)))

    @property
    def contraction(self) -> float:
        """Factor (1 + 2β)^{-1} by which every iteration surely brings the divergence from the equilibrium down."""
        return 1.0 / (1.0 + 2.0 * self.beta)

    def solve(self, preferences: PreferenceMatrix) -> FloatArray:
        """Return the policy ``(K,)`` after all iterations.

        Raises:
            ValueError: a reference of another length.
        """
        policy = deque(self.iterates(preferences), maxlen=1).pop()
        return np.exp(policy)

    def gap(self, preferences: PreferenceMatrix, distribution: npt.ArrayLike) -> float:
        """Return the regularised exploitability, β ln E_ref exp(P π / β) + β KL(π‖ref) - 1/2; 0 at the equilibrium.

        Raises:
            ValueError: no distribution over the options, or a reference of another length.
        """
        policy, log_reference = preferences.checked(distribution), self._log_reference(preferences)
        answered = self.beta * logsumexp(log_reference + preferences.probabilities @ policy / self.beta)
        return float(answered + self.beta * divergence(policy, np.exp(log_reference)) - 0.5)

    def iterates(self, preferences: PreferenceMatrix, start: npt.ArrayLike | None = None) -> Iterator[FloatArray]:
        """Yield logarithms of the policies ``(K,)`` after each iteration.

        Args:
            preferences: of the options.
            start: a distribution π_0 ``(K,)`` with positive entries; None is the reference.

        Raises:
            ValueError: no such distribution, or a reference of another length.
        """
        log_reference = self._log_reference(preferences)
        begun = np.exp(log_reference) if start is None else preferences.checked(start)
        if not (begun > 0.0).all():
            raise ValueError(f"start={start!r}: expected positive probabilities; an option without any is never played")
        policy = log_reference if start is None else np.log(begun)
        for _ in range(self.iterations):
            policy = mirror_prox_step(preferences.probabilities, policy, log_reference, self.beta)
            yield policy

    def _log_reference(self, preferences: PreferenceMatrix) -> FloatArray:
        if self.reference is None:
            return np.full(len(preferences), -math.log(len(preferences)))
        return np.log(preferences.checked(self.reference))


def mirror_prox_step(
    probabilities: FloatArray, log_policy: FloatArray, log_reference: FloatArray, beta: float
) -> FloatArray:
    """Return the logarithm of the next policy ``(..., K)``; preferences are evaluated against two policies.

    Args:
        probabilities: ``(..., K, K)``.
        log_policy: of π_k, ``(..., K)``.
        log_reference: likewise.
        beta: β; the step is η = 2β.
    """
    half = _moved(probabilities, log_policy, log_policy, log_reference, beta)
    return _moved(probabilities, half, log_policy, log_reference, beta)


def divergence(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return KL(first‖second) of two distributions ``(K,)``."""
    return float(rel_entr(first, second).sum())


def _moved(
    probabilities: FloatArray, opponent: FloatArray, base: FloatArray, log_reference: FloatArray, beta: float
) -> FloatArray:
    step = 2.0 * beta
    values = (probabilities @ np.exp(opponent)[..., None])[..., 0]
    # η/β is 2 whatever β.
    moved = (step * log_reference + base + 2.0 * values) / (1.0 + step)
    moved = moved - moved.max(-1, keepdims=True)
    normalised: FloatArray = moved - np.log(np.exp(moved).sum(-1, keepdims=True))
    return normalised
