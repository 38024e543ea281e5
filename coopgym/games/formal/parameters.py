"""Parameter sets of the formal games (formal edition §1, §3), composed from small parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np

from coopgym.games.parameters import Parameters, parameter
from coopgym.mechanisms import interdependence
from coopgym.typing import FloatArray
from coopgym.worlds import FIXED, check_world

PerAgent = float | tuple[float, ...]
"""One number for everybody, or one per agent."""


def per_agent(value: PerAgent, n_agents: int, name: str) -> FloatArray:
    """Expand a number or a per-agent tuple to ``(N,)``.

    Raises:
        ValueError: a tuple of another length.
    """
    array = np.asarray(value, dtype=np.float64)
    if array.ndim == 0:
        return np.full(n_agents, float(array))
    if array.shape != (n_agents,):
        raise ValueError(f"{name}={value!r}: expected one number or {n_agents} numbers, got {len(array)}")
    return array


def same_for_all(value: Any) -> Any:
    """Return the one number that a vector, or a matrix off its diagonal of zeros, holds; other values as they are."""
    array = np.asarray(value)
    if array.ndim not in (1, 2) or array.dtype.kind != "f" or (array.ndim == 2 and np.diagonal(array).any()):
        return value
    numbers = array if array.ndim == 1 else array[~np.eye(len(array), dtype=bool)]
    return float(numbers[0]) if (numbers == numbers[0]).all() else value


def spread_of_factors(default: float) -> Any:
    """Declare a game's own ``world_spread``: records say nothing of it while it holds this default."""
    doc = "factors lie between 1/s and s"
    return parameter(default, 1.0, doc=doc, symbol="s", above_low=True, joined_later=True)


@dataclass(frozen=True, kw_only=True)
class FormalParameters(Parameters, ABC):
    """Parameters of every formal game: own value, trust, noise and the off switch."""

    norm: PerAgent = parameter(0.3, 0.0, 1.0, doc="baseline", symbol="b_i", unit="share of endowment")
    theta: float = parameter(6.0, 0.0, doc="own-use value", symbol="θ")
    beta: float = parameter(0.65, 0.0, 1.0, doc="production elasticity", symbol="β", above_low=True)
    k: float = parameter(2.0, 0.0, doc="linear cost of cooperation", symbol="k")
    q: float = parameter(0.0, 0.0, doc="quadratic cost of cooperation", symbol="q")
    lambda_plus: float = parameter(0.1, 0.0, 1.0, doc="trust building rate", symbol="λ⁺", above_low=True)
    lambda_minus: float = parameter(0.3, 0.0, 1.0, doc="trust erosion rate", symbol="λ⁻", above_low=True)
    mu_R: float = parameter(0.6, 0.0, 1.0, doc="reputation damage rate", symbol="μ_R")
    delta_R: float = parameter(0.03, 0.0, 1.0, doc="reputation healing rate", symbol="δ_R")
    xi: float = parameter(0.5, 0.0, doc="amplification of erosion by dependence", symbol="ξ")
    kappa: float = parameter(1.0, 0.0, doc="signal sensitivity", symbol="κ", above_low=True)
    initial_trust: float = parameter(0.5, 0.0, 1.0, doc="trust at reset", symbol="T0")
    initial_reputation: float = parameter(0.0, 0.0, 1.0, doc="reputation damage at reset", symbol="R0")
    payoff_noise: float = parameter(0.0, 0.0, doc="standard deviation of payoff noise", unit="payoff units")
    mechanism: bool = parameter(True, doc="False switches the named mechanism off, for certificates")
    world: str = parameter(
        FIXED, joined_later=True, doc="fixed, or what is drawn of costs and synergy: common, private or shifting"
    )
    world_spread: float = spread_of_factors(2.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_world(self.world)

    def canonical(self) -> Self:
        """Return the same parameters with one number wherever it holds for everybody."""
        several = [each.name for each in fields(self) if str(each.type).startswith(("PerAgent", "float | tuple"))]
        return replace(self, **{name: same_for_all(getattr(self, name)) for name in several})

    def agent_count(self) -> int:
        """Number of agents N."""
        return 2

    @abstractmethod
    def endowment_vector(self) -> FloatArray:
        """Endowments ``(N,)`` in units."""

    @abstractmethod
    def dependence_matrix(self) -> FloatArray:
        """Interdependence D ``(N, N)``, row = depender."""

    def bargaining_shares(self) -> FloatArray:
        """Bargaining shares α ``(N,)``, summing to one; equal unless a game says otherwise."""
        n_agents = self.agent_count()
        return np.full(n_agents, 1.0 / n_agents)

    def norm_vector(self) -> FloatArray:
        """Norms b ``(N,)`` as shares of endowment."""
        return per_agent(self.norm, self.agent_count(), "norm")


@dataclass(frozen=True, kw_only=True)
class Productive(FormalParameters):
    """Adds the weight of joint production."""

    gamma: float = parameter(2.5, 0.0, doc="synergy weight; productivity A in team games", symbol="γ")


@dataclass(frozen=True, kw_only=True)
class Structured(FormalParameters):
    """Adds endowments and interdependence."""

    endowment: PerAgent = parameter(100.0, 0.0, doc="endowment", symbol="e_i", unit="units", above_low=True)
    dependence: float | tuple[tuple[float, ...], ...] = parameter(
        0.5, 0.0, 1.0, doc="interdependence: one number off the diagonal, or the matrix", symbol="D"
    )

    def endowment_vector(self) -> FloatArray:
        return per_agent(self.endowment, self.agent_count(), "endowment")

    def dependence_matrix(self) -> FloatArray:
        n_agents = self.agent_count()
        if not isinstance(self.dependence, tuple):
            return interdependence.symmetric(n_agents, self.dependence)
        rows = [len(row) if isinstance(row, tuple) else 0 for row in self.dependence]
        if rows != [n_agents] * n_agents:
            raise ValueError(
                f"dependence={self.dependence!r}: expected one number or a {n_agents}×{n_agents} matrix, row = depender"
            )
        return interdependence.explicit(self.dependence)


@dataclass(frozen=True, kw_only=True)
class Bargained(Structured):
    """Adds unequal bargaining shares."""

    share: PerAgent = parameter((0.5, 0.5), 0.0, 1.0, doc="bargaining shares, summing to one", symbol="α_i")

    def __post_init__(self) -> None:
        super().__post_init__()
        if abs(self.bargaining_shares().sum() - 1.0) > 1e-9:
            raise ValueError(f"share={self.share!r}: bargaining shares must sum to one")

    def bargaining_shares(self) -> FloatArray:
        return per_agent(self.share, self.agent_count(), "share")


@dataclass(frozen=True, kw_only=True)
class GroupParameters(Structured, Productive):
    """Any number of exchangeable agents with a joint product."""

    n_agents: int = parameter(4, 2, doc="number of agents", symbol="N")

    def agent_count(self) -> int:
        return self.n_agents
