"""Two firms that invest once, alone or together: the static equilibria of S-LCD (TR-1 Eq. 5-13)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

import numpy as np

from coopgym.benchmarks.study.schema import Strict
from coopgym.mechanisms.value import bargained_payoffs, geometric_mean_synergy, logarithmic_value, power_value
from coopgym.small_arrays import applied
from coopgym.typing import FloatArray

SWEEPS = 1000
SETTLED = 1e-10
"""Change of actions in a sweep, units, after which best responses are taken to be at rest."""
_STEPS = 100
_NEGLIGIBLE = 1e-14
"""Part of an investment by which Newton's last step may still raise it."""
_STARTS, _START_SEED, _HIGHEST_START = 50, 42, 50.0
_GRID = 1001


class Value(Protocol):
    """What an investment is worth to its investor, and its derivatives: the first falls, ever more slowly."""

    def __call__(self, action: FloatArray) -> FloatArray: ...

    def marginal(self, action: FloatArray) -> FloatArray: ...

    def curvature(self, action: FloatArray, marginal: FloatArray) -> FloatArray: ...


@dataclass(frozen=True)
class Logarithmic:
    """f(a) = θ ln(1 + a)."""

    theta: float

    def __call__(self, action: FloatArray) -> FloatArray:
        return logarithmic_value(action, self.theta)

    def marginal(self, action: FloatArray) -> FloatArray:
        return self.theta / (1.0 + action)

    def curvature(self, action: FloatArray, marginal: FloatArray) -> FloatArray:
        return -marginal / (1.0 + action)


@dataclass(frozen=True)
class Power:
    """f(a) = a^β."""

    beta: float

    def __call__(self, action: FloatArray) -> FloatArray:
        return power_value(action, self.beta)

    def marginal(self, action: FloatArray) -> FloatArray:
        return self.beta * action ** (self.beta - 1.0)

    def curvature(self, action: FloatArray, marginal: FloatArray) -> FloatArray:
        return (self.beta - 1.0) * marginal / action


class LogarithmicParameters(Strict):
    """Of the logarithmic variant."""

    theta: float
    gamma: float


class PowerParameters(Strict):
    """Of the power variant."""

    beta: float
    gamma: float


class DyadParameters(Strict):
    """What a case file says of two firms."""

    endowments: tuple[float, float]
    shares: tuple[float, float]
    dependence: tuple[tuple[float, float], tuple[float, float]]
    start: float
    """Where best responses begin, units."""
    lowest: float
    """Least investment, units."""
    logarithmic: LogarithmicParameters
    power: PowerParameters

    def dyad(self, variant: str) -> Dyad:
        """Return the firms of one variant, ``logarithmic`` or ``power``."""
        value = Logarithmic(self.logarithmic.theta) if variant == "logarithmic" else Power(self.power.beta)
        return Dyad(
            endowments=np.array(self.endowments),
            shares=np.array(self.shares),
            dependence=np.array(self.dependence),
            gamma=np.array(self.logarithmic.gamma if variant == "logarithmic" else self.power.gamma),
            value=value,
            start=self.start,
            lowest=self.lowest,
        )


@dataclass(frozen=True)
class Dyad:
    """Two firms, or a batch of such pairs."""

    endowments: FloatArray
    """``(..., 2)``."""
    shares: FloatArray
    """``(..., 2)`` of the synergy, α."""
    dependence: FloatArray
    """``(..., 2, 2)``, D."""
    gamma: FloatArray
    """``(...)`` weight of the synergy, γ."""
    value: Value
    start: float
    lowest: float

    def payoffs(self, actions: FloatArray) -> FloatArray:
        """Private payoffs ``(..., 2)`` of investments ``(..., 2)``, units."""
        return bargained_payoffs(self.endowments, actions, self.value(actions), self.shares, self.synergy(actions))

    def synergy(self, actions: FloatArray) -> FloatArray:
        """What both together add, γ g(a) ``(...)``."""
        return self.gamma * geometric_mean_synergy(actions)

    def joint_value(self, actions: FloatArray) -> FloatArray:
        """Value of both investments and their synergy, ``(...)``."""
        return self.value(actions).sum(-1) + self.synergy(actions)

    def utilities(self, actions: FloatArray) -> FloatArray:
        """Integrated utility, own payoff and the partner's weighted by dependence, ``(..., 2)`` (TR-1 Eq. 13)."""
        payoffs = self.payoffs(actions)
        return payoffs + applied(np.broadcast_to(self.dependence, (*payoffs.shape, 2)), payoffs)

    @property
    def pull(self) -> FloatArray:
        """Weight k_i = γ (α_i + D_ij α_j) / 2 of the partner's investment in the own incentive, ``(..., 2)``."""
        return self.gamma[..., None] * (self.shares + applied(self.dependence, self.shares)) / 2.0

    def incentives(self, actions: FloatArray) -> FloatArray:
        """Derivatives of the utilities by own investments, ``(..., 2)``."""
        return -1.0 + self.value.marginal(actions) + self.pull * np.sqrt(actions[..., ::-1] / actions)

    def best_response(self, seat: int, partner: FloatArray) -> FloatArray:
        """Best investment of a seat beside a partner's, both ``(...)``, by Newton's method.

        The incentive falls in the own investment and is convex, so that steps from the left of its root never pass it.
        """
        pull, highest = self.pull[..., seat] * np.sqrt(partner), self.endowments[..., seat]
        action = np.full(partner.shape, self.lowest)
        for _ in range(_STEPS):
            marginal, from_partner = self.value.marginal(action), pull / np.sqrt(action)
            slope = self.value.curvature(action, marginal) - 0.5 * from_partner / action
            step = np.clip(action + (1.0 - marginal - from_partner) / slope, self.lowest, highest) - action
            action = action + step
            if (step <= _NEGLIGIBLE * action).all():
                break
        return action


@dataclass(frozen=True)
class Solution:
    """Where best responses in turn come to rest."""

    actions: FloatArray
    """``(..., 2)`` units."""
    last_change: FloatArray
    """``(...)`` largest change of an action in the last sweep, units."""


def equilibrium(dyad: Dyad, starts: FloatArray | None = None) -> Solution:
    """Let the first firm and the second answer in turn until nothing moves.

    Args:
        dyad: a pair or a batch of them.
        starts: ``(..., 2)``; None for the published one.
    """
    batch = np.broadcast_shapes(dyad.gamma.shape, dyad.shares.shape[:-1], dyad.dependence.shape[:-2])
    actions = np.full((*batch, 2), dyad.start) if starts is None else starts.copy()
    change = np.full(actions.shape[:-1], np.inf)
    for _ in range(SWEEPS):
        before = actions.copy()
        for seat in range(2):
            actions[..., seat] = dyad.best_response(seat, actions[..., 1 - seat])
        change = np.abs(actions - before).max(-1)
        if (change < SETTLED).all():
            break
    return Solution(actions, change)


@dataclass(frozen=True)
class StaticOutcome:
    """Both firms alone and together."""

    dyad: Dyad
    alone: Solution
    """Without dependence and without synergy."""
    together: Solution

    @cached_property
    def independent(self) -> Solution:
        """With the synergy, without dependence."""
        return equilibrium(without_dependence(self.dyad))

    @cached_property
    def transposed(self) -> Solution:
        """With dependence turned round."""
        return equilibrium(replace(self.dyad, dependence=np.swapaxes(self.dyad.dependence, -1, -2)))

    @cached_property
    def restarts(self) -> FloatArray:
        """Where the search ends from 50 starts, ``(50, ..., 2)``."""
        batch = self.together.actions.shape
        starts = np.random.default_rng(_START_SEED).uniform(0.1, _HIGHEST_START, (_STARTS, 2))
        starts = np.broadcast_to(starts.reshape((_STARTS, *(1,) * (len(batch) - 1), 2)), (_STARTS, *batch))
        return equilibrium(self.dyad, starts).actions

    @cached_property
    def best_deviation(self) -> FloatArray:
        """Most that a firm gains by another investment alone, of 1001 even ones, ``(...)``."""
        actions = self.together.actions
        standing, gains = self.dyad.utilities(actions), []
        for seat in range(2):
            others = np.linspace(0.0, np.broadcast_to(self.dyad.endowments[..., seat], actions.shape[:-1]), _GRID)
            tried = np.broadcast_to(actions, (_GRID, *actions.shape)).copy()
            tried[..., seat] = np.maximum(others, self.dyad.lowest)
            gains.append((self.dyad.utilities(tried) - standing)[..., seat].max(0))
        return np.maximum(*gains)


def dependence_matrices(entries: FloatArray) -> FloatArray:
    """Return D ``(rows, 2, 2)`` from how far the first depends on the other, and the other on it, ``(rows, 2)``."""
    matrices = np.zeros((len(entries), 2, 2))
    matrices[:, 0, 1], matrices[:, 1, 0] = entries.T
    return matrices


def synergy_shares(first: FloatArray) -> FloatArray:
    """Return both shares of the synergy ``(rows, 2)`` from the first one's ``(rows,)``."""
    return np.stack([first, 1.0 - first], axis=-1)


def without_dependence(dyad: Dyad) -> Dyad:
    """Return the same firms, none of which depends on the other."""
    return replace(dyad, dependence=np.zeros_like(dyad.dependence))


def play(dyad: Dyad, baseline: Dyad | None = None) -> StaticOutcome:
    """Return what two firms invest alone and together.

    Args:
        dyad: the firms together.
        baseline: the firms alone; None without dependence and synergy.
    """
    alone = without_dependence(replace(dyad, gamma=np.zeros_like(dyad.gamma))) if baseline is None else baseline
    return StaticOutcome(dyad, equilibrium(alone), equilibrium(dyad))
