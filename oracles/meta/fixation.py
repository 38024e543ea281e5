"""Fixation: the chance that the offspring of one mutant take over a finite population of residents."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import logsumexp

from coopgym.oracles.meta.payoffs import SAME, square_payoffs
from coopgym.typing import FloatArray

PopulationMatching = Literal["population", "pair"]
"""Whether fitness is the mean payoff among all other members, or what mutant and resident earn from each other."""
Update = Literal["fermi", "moran"]
"""Whether members imitate each other by the Fermi rule, or reproduce in proportion to 1 + intensity · payoff."""

POPULATION = 50


def fixation_probabilities(
    payoffs: npt.ArrayLike,
    population: int = POPULATION,
    intensity: float = 1.0,
    *,
    update: Update = "fermi",
    matching: PopulationMatching = "population",
) -> FloatArray:
    """Return the chance that one mutant (row) takes over a population of residents (column), ``(K, K)``.

    ρ = 1 / (1 + Σ_k Π_{i ≤ k} T-(i) / T+(i)) over the numbers i of mutants, 1 ≤ i ≤ k < m (Nowak et al. 2004; for the
    Fermi rule Traulsen et al. 2006). The diagonal is the neutral 1 / m.

    Args:
        payoffs: ``(K, K)`` what row earns against column.
        population: members m.
        intensity: of selection, per unit of payoff; 0 is neutral.
        update: how members are replaced.
        matching: what they earn.

    Raises:
        ValueError: payoffs that are no square matrix, a population below 2, an intensity below 0, an unknown update or
            matching, or fitness that is not positive where members reproduce in proportion to it.
    """
    mutant, resident = _earnings(square_payoffs(payoffs), population, matching)
    _require_intensity(intensity)
    if update == "fermi":
        return np.exp(log_fixation(np.cumsum(mutant - resident, axis=-1), intensity))
    if update != "moran":
        raise ValueError(f"update={update!r}: expected 'fermi' or 'moran'")
    fitness = 1.0 + intensity * np.stack([mutant, resident])
    if fitness.min() <= 0.0:
        raise ValueError(
            f"intensity={intensity:g} gives a fitness 1 + intensity · payoff of {fitness.min():g}, which must be "
            "positive: lower the intensity, add a constant to the payoffs, or use update='fermi'"
        )
    return np.exp(log_fixation(np.cumsum(np.log(fitness[0] / fitness[1]), axis=-1), 1.0))


def cumulative_advantages(payoffs: npt.ArrayLike, population: int, matching: PopulationMatching) -> FloatArray:
    """Return Σ_{i ≤ k} of what i mutants (row) earn more each than the residents (column), ``(K, K, m - 1)``.

    Raises:
        ValueError: as in `fixation_probabilities`.
    """
    mutant, resident = _earnings(square_payoffs(payoffs), population, matching)
    return np.cumsum(mutant - resident, axis=-1)


def constant_advantages(differences: FloatArray, population: int) -> FloatArray:
    """Return cumulative advantages ``(..., m - 1)`` where a mutant always earns ``differences`` more, ``(...)``."""
    _require_population(population)
    return differences[..., None] * np.arange(1, population)


def log_fixation(advantages: FloatArray, intensity: float) -> FloatArray:
    """Return the logarithm of fixation probabilities ``(...)`` under the Fermi rule; finite at any intensity.

    Args:
        advantages: cumulative, ``(..., m - 1)``.
        intensity: of selection, per unit of payoff.
    """
    neutral = np.zeros((*advantages.shape[:-1], 1))
    return -logsumexp(np.concatenate([neutral, -intensity * advantages], axis=-1), axis=-1)


def limit_fixation(advantages: FloatArray, payoff_scale: float) -> FloatArray:
    """Return fixation probabilities ``(...)`` in the limit of infinite intensity.

    Zero where the mutants ever fall behind on balance; 1 / (1 + the number of ties) elsewhere.

    Args:
        advantages: cumulative, ``(..., m - 1)``.
        payoff_scale: range of payoffs; differences below 1e-9 of it are ties.
    """
    slack = SAME * payoff_scale * np.arange(1, advantages.shape[-1] + 1)
    tied = np.abs(advantages) <= slack
    behind = (advantages < -slack).any(-1)
    return np.where(behind, 0.0, 1.0 / (1.0 + tied.sum(-1)))


def _earnings(table: FloatArray, population: int, matching: PopulationMatching) -> tuple[FloatArray, FloatArray]:
    """What one of i mutants and one of the residents earns, each ``(K, K, m - 1)``; row mutant, column resident."""
    _require_population(population)
    mutants = np.arange(1, population)
    against = np.broadcast_to(table[:, :, None], (*table.shape, population - 1))
    back = against.swapaxes(0, 1)
    if matching == "pair":
        return against, back
    if matching != "population":
        raise ValueError(f"matching={matching!r}: expected 'population' or 'pair'")
    own = np.diag(table)
    others = population - 1
    mutant = ((mutants - 1) * own[:, None, None] + (population - mutants) * against) / others
    resident = (mutants * back + (population - mutants - 1) * own[None, :, None]) / others
    return mutant, resident


def _require_population(population: int) -> None:
    if population < 2:
        raise ValueError(f"population={population!r}: expected a whole number of at least 2")


def _require_intensity(intensity: float) -> None:
    if not 0.0 <= intensity < np.inf:
        raise ValueError(f"intensity={intensity!r}: expected a number of at least 0")
