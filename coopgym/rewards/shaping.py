"""Potential-based shaping: F = γ Φ(s') - Φ(s), which guides learning and moves no optimum (Ng, Harada & Russell 1999).

Over an episode the discounted sum of F telescopes to -Φ(s₀): every policy's return shifts by the same number, and in
games, where each seat has a potential of its own, so does every seat's, which keeps best responses and equilibria
(Devlin & Kudenko 2011). That needs Φ = 0 where an episode ends. Here the horizon is such an end, as much as a relation
that breaks up: it is the game's own, agents see the time, and returns, plans and equilibria are sums up to it. Left in,
γ^T Φ(s_T) would pay for the state that the last step leaves behind, which nobody plays in.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.step import Step
from coopgym.mechanisms.trust import mean_over_pairs
from coopgym.rewards.transforms import ObservedStep, RewardTransform, RunningTransform, register_transform


class Potential(ABC):
    """Φ of a game: how good it is for each agent to be somewhere."""

    needs: ClassVar[frozenset[str]]
    """As `RewardTransform.needs`."""
    per_agent: ClassVar[bool]
    """Whether an agent's potential depends on what it sees itself only."""

    def __init__(self, game: AnyGame) -> None:
        self.game = game

    @abstractmethod
    def around(self, step: Any) -> tuple[Array, Array]:
        """Return Φ(s) and Φ(s') of a step, both ``(..., N)``."""


class OwnTrust(Potential):
    """How far the agent trusts the others on average, Φ_i = mean of T_ij over j ≠ i, in its own observation."""

    needs = frozenset({"observation"})
    per_agent = True

    def __init__(self, game: AnyGame) -> None:
        super().__init__(game)
        columns = [game.observation_columns("own", seat)["trust"] for seat in range(game.n_agents)]
        self._rows = game.backend.integers(np.arange(game.n_agents)[:, None])
        self._columns = game.backend.integers(np.array(columns))

    def around(self, step: ObservedStep) -> tuple[Array, Array]:
        return self._mean(step.before), self._mean(step.after)

    def _mean(self, observation: Array) -> Array:
        return observation[..., self._rows, self._columns].mean(-1)


class MeanTrust(Potential):
    """Mean trust over all ordered pairs of agents, the same for everybody; only the state shows it."""

    needs = frozenset({"state"})
    per_agent = False

    def around(self, step: Step) -> tuple[Array, Array]:
        return self._mean(step.before.trust), self._mean(step.transition.state.trust)

    def _mean(self, trust: Array) -> Array:
        mean = self.game.backend.array(mean_over_pairs(trust))[..., None]
        return self.game.xp.broadcast_to(mean, (*mean.shape[:-1], self.game.n_agents))


def shaping_term(here: Array, there: Array, gamma: float) -> Array:
    """Return γ Φ(s') - Φ(s) (Ng, Harada & Russell 1999)."""
    return gamma * there - here


POTENTIALS: Mapping[str, type[Potential]] = {"trust": OwnTrust, "mean_trust": MeanTrust}
"""Potentials by the name that texts have for them."""


@dataclass(frozen=True)
class PotentialTransform(RewardTransform):
    """A transform that pays for a potential.

    Attributes:
        potential: ``"trust"`` (own, from the own observation) or ``"mean_trust"`` (of everybody, from the state).
        weight: w, in the units of the reward.
    """

    potential: str
    weight: float = 1.0

    def __post_init__(self) -> None:
        if self.potential not in POTENTIALS:
            raise ValueError(f"unknown potential {self.potential!r}; known potentials: {', '.join(POTENTIALS)}")
        if not math.isfinite(self.weight):
            raise ValueError(f"weight={self.weight!r}: expected a finite number")

    @property
    def needs(self) -> frozenset[str]:
        return POTENTIALS[self.potential].needs

    @property
    def per_agent(self) -> bool:
        return POTENTIALS[self.potential].per_agent


@register_transform
@dataclass(frozen=True)
class Shaping(PotentialTransform):
    """Adds w (γ Φ(s') - Φ(s)), with Φ = 0 where the episode ends.

    Attributes:
        gamma: γ, which should be the learner's: under another discount a residue (γ' - γ) Φ(s') stays at every step.

    >>> from coopgym import make_game, play
    >>> game = make_game("TrustDilemma-v1", max_steps=3)
    >>> shaped = Shaping("mean_trust", gamma=1.0).running(game, ())
    >>> steps = play.unroll(game, lambda t, _: game.endowments, draws=play.NOMINAL)
    >>> paid = [shaped(step, 0.0 * step.actions) for step in steps]
    >>> np.round(paid, 3)[:, 0], sum(paid).round(3)  # trust is rewarded as it grows; all told, -Φ of the start
    (array([ 0.073,  0.062, -0.635]), array([-0.5, -0.5]))
    """

    kind = "shaping"
    potential_based = True
    bounded_sum = True
    gamma: float = 0.99

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.gamma <= 1.0:
            raise ValueError(f"gamma={self.gamma!r}: expected a number in [0, 1]")

    @classmethod
    def examples(cls) -> tuple[RewardTransform, ...]:
        return tuple(map(cls, POTENTIALS))

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> RunningTransform:
        return _RunningShaping(self, game)


class _RunningShaping(RunningTransform):
    """Shaping in one game. It remembers nothing: a step shows both its states."""

    def __init__(self, declared: Shaping, game: AnyGame) -> None:
        self._weight, self._gamma = declared.weight, declared.gamma
        self._potential = POTENTIALS[declared.potential](game)

    def __call__(self, step: Step | ObservedStep, reward: Array) -> Array:
        here, there = self._potential.around(step)
        goes_on = ~step.ended[..., None]
        return reward + self._weight * shaping_term(here, there * goes_on, self._gamma)
