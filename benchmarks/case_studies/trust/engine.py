"""Trust and damage under a script that both firms follow: the open loop of Renault–Nissan (TR-2 Eq. 5-9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from coopgym.backend import NUMPY
from coopgym.benchmarks.study.schema import Strict
from coopgym.mechanisms.trust import TrustRates, conduct_signal, update_trust, update_uncapped
from coopgym.typing import FloatArray

PairMatrix = tuple[tuple[float, float], tuple[float, float]]
Ceiling = Literal["open", "capped"]
"""Whether trust may stand above 1 - R, as in the suite, or is cut off there, as in the registered game."""
PAIRS = ((0, 1), (1, 0))
"""Who trusts whom, in the order of the anchors."""


class Anchor(Strict):
    """Trust that somebody took to be documented."""

    step: int
    trust: tuple[float, float]


class AllianceParameters(Strict):
    """What a case file says of the alliance."""

    dependence: PairMatrix
    initial_trust: PairMatrix
    """As the suite ships it, shifted by a column."""
    intended_trust: PairMatrix
    initial_damage: float
    baseline: float
    steps: tuple[int, ...]
    actions: tuple[float, ...]
    lambda_plus: float
    lambda_minus: float
    mu_R: float
    delta_R: float
    xi: float
    kappa: float
    anchors: tuple[Anchor, ...]


@dataclass(frozen=True)
class Rates:
    """How fast trust and damage move; numbers, or ``(...)`` of a batch."""

    lambda_plus: FloatArray
    lambda_minus: FloatArray
    mu_R: FloatArray
    delta_R: FloatArray
    xi: FloatArray
    kappa: FloatArray

    @classmethod
    def of(cls, parameters: AllianceParameters) -> Rates:
        """Return the rates of a case file."""
        return cls(**{name: np.array(getattr(parameters, name)) for name in cls.__dataclass_fields__})


@dataclass(frozen=True)
class TrustPath:
    """Trust and damage of two firms over time."""

    trust: FloatArray
    """``(..., steps + 1, 2, 2)``."""
    damage: FloatArray
    """``(..., steps + 1, 2, 2)``."""
    ends: tuple[int, ...]
    """Where each phase ends: index of the state after its last step."""
    signals: FloatArray
    """``(..., phases)`` signal that the script sends in each phase."""
    anchors: tuple[Anchor, ...]

    def pair(self) -> FloatArray:
        """Trust of the first in the second and of the second in the first, ``(..., steps + 1, 2)``."""
        return np.stack([self.trust[..., i, j] for i, j in PAIRS], axis=-1)


def follow(
    parameters: AllianceParameters, rates: Rates, initial_trust: FloatArray, ceiling: Ceiling = "open"
) -> TrustPath:
    """Play the script of a case.

    Args:
        parameters: of the case.
        rates: in force, of a batch ``(...)``.
        initial_trust: ``(2, 2)``.
        ceiling: what reputation does to trust that stands above it.
    """
    dependence = np.array(parameters.dependence)
    spread = {name: getattr(rates, name)[..., None, None] for name in Rates.__dataclass_fields__ if name != "kappa"}
    moving = TrustRates.from_parameters(NUMPY, dependence, **spread)
    excess = np.array(parameters.actions) - parameters.baseline
    signals = conduct_signal(rates.kappa[..., None] * excess, np.array(0.0), 1.0)
    batch = signals.shape[:-1]
    trust = np.broadcast_to(initial_trust, (*batch, 2, 2))
    damage = np.full((*batch, 2, 2), parameters.initial_damage) * moving.others
    states = [(trust, damage)]
    for phase in np.repeat(np.arange(len(parameters.steps)), parameters.steps):
        signal = np.repeat(signals[..., phase, None], 2, axis=-1)
        if ceiling == "open":
            trust, damage = update_uncapped(trust, damage, signal, 1.0 - damage, moving)
        else:
            trust, damage = update_trust(trust, damage, signal, moving)
        states.append((trust, damage))
    return TrustPath(
        trust=np.stack([trust for trust, _ in states], axis=-3),
        damage=np.stack([damage for _, damage in states], axis=-3),
        ends=tuple(int(end) for end in np.cumsum(parameters.steps)),
        signals=signals,
        anchors=parameters.anchors,
    )
