"""The numbers that define a released game: who has what, what it is worth and how trust moves."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from coopgym.mechanisms.interdependence import Matrix

Pairs = tuple[tuple[str, Any], ...]
"""A mapping in hashable form."""


def _check(name: str, value: float, low: float, high: float, above_low: bool = False) -> None:
    number = isinstance(value, int | float) and math.isfinite(value)
    if not (number and (value > low if above_low else value >= low) and value <= high):
        interval = f"{'(' if above_low else '['}{low:g}, {high:g}{']' if math.isfinite(high) else ')'}"
        raise ValueError(f"{name}={value!r}: expected a finite number in {interval}")


@dataclass(frozen=True, kw_only=True)
class TrustTable:
    """Trust and reputation parameters (TR-2 Eq. 5-9).

    Raises:
        ValueError: a number is out of its range.
    """

    lambda_plus: float = 0.10
    """Building rate λ⁺, in (0, 1]."""
    lambda_minus: float = 0.30
    """Erosion rate λ⁻, in (0, 1]."""
    mu_R: float = 0.60
    """Damage rate μ_R, in [0, 1]."""
    delta_R: float = 0.03
    """Healing rate δ_R, in [0, 1]."""
    xi: float = 0.50
    """Amplification of erosion by dependence ξ ≥ 0."""
    kappa: float = 1.0
    """Signal sensitivity κ > 0, per unit of action."""
    initial_trust: float = 0.50
    """Trust between any two agents at reset, in [0, 1]."""
    initial_reputation: float = 0.0
    """Reputation damage between any two agents at reset, in [0, 1]."""

    def __post_init__(self) -> None:
        for name in ("lambda_plus", "lambda_minus"):
            _check(name, getattr(self, name), 0.0, 1.0, above_low=True)
        for name in ("mu_R", "delta_R", "initial_trust", "initial_reputation"):
            _check(name, getattr(self, name), 0.0, 1.0)
        _check("xi", self.xi, 0.0, math.inf)
        _check("kappa", self.kappa, 0.0, math.inf, above_low=True)


@dataclass(frozen=True, kw_only=True)
class ValueTable:
    """Value parameters (TR-1 Eq. 5-8).

    Raises:
        ValueError: a number is out of its range, or the form of f is unknown.
    """

    specification: Literal["logarithmic", "power"] = "logarithmic"
    """Form of the individual value f."""
    theta: float = 20.0
    """Scale θ > 0 of the logarithmic form."""
    beta: float = 0.75
    """Exponent β in (0, 1] of the power form."""
    gamma: float = 0.65
    """Synergy weight γ, in [0, 1]."""

    def __post_init__(self) -> None:
        if self.specification not in ("logarithmic", "power"):
            raise ValueError(f"specification={self.specification!r}: expected 'logarithmic' or 'power'")
        _check("theta", self.theta, 0.0, math.inf, above_low=True)
        _check("beta", self.beta, 0.0, 1.0, above_low=True)
        _check("gamma", self.gamma, 0.0, 1.0)


@dataclass(frozen=True, kw_only=True)
class GameTable:
    """One game in numbers; vectors are ordered by agent."""

    endowments: Sequence[float]
    """e_i, the greatest action."""
    baselines: Sequence[float]
    """b_i, what partners expect, action units."""
    shares: Sequence[float]
    """Bargaining shares α_i of the synergy, summing to one."""
    interdependence: Matrix
    """D, row = depender."""
    value: ValueTable = ValueTable()
    trust: TrustTable = TrustTable()
    roles: tuple[str, ...] | None = None
    """The part each agent plays; None where they are interchangeable."""


def equal_shares(n_agents: int) -> tuple[float, ...]:
    """Split the synergy equally."""
    return (1.0 / n_agents,) * n_agents


def frozen_overrides(name: str, overrides: Mapping[str, Any] | Pairs, kind: type) -> Pairs:
    """Turn overrides of a table into pairs in a fixed order, after checking names and ranges.

    Raises:
        TypeError: a name is not a field of ``kind``.
        ValueError: a value is out of its range.
    """
    if not isinstance(overrides, Mapping | tuple):
        raise TypeError(f"{name}={overrides!r}: expected a mapping of names to numbers")
    pairs = tuple(sorted(dict(overrides).items()))
    known = [field.name for field in fields(kind)]
    for key, _ in pairs:
        if key not in known:
            raise TypeError(f"unknown entry {key!r} of {name}; known entries: {', '.join(known)}")
    kind(**dict(pairs))
    return pairs


def known_phase(phase: str, known: Iterable[str]) -> str:
    """Return the phase in lower case.

    Raises:
        ValueError: there is no such phase.
    """
    if phase.lower() not in known:
        raise ValueError(f"phase={phase!r}: expected one of {', '.join(known)}")
    return phase.lower()
