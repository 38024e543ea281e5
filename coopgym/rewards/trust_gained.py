"""Pay for trust gained: the process reward that invites farming, and Clip and Delta, which make it safe.

What trust gains is paid, what it loses is not charged: whoever lets trust fall and builds it up again is paid for the
same trust twice. (Charged for losses too, it would be shaping by trust, with nothing to farm.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.step import Step
from coopgym.rewards.shaping import POTENTIALS, PotentialTransform
from coopgym.rewards.transforms import ObservedStep, RewardTransform, RunningTransform, register_transform

MECHANISMS = ("none", "clip", "delta", "clip_delta")


@register_transform
@dataclass(frozen=True)
class TrustGained(PotentialTransform):
    """Adds w p_t with p_t = max(Φ(s') - Φ(s), 0), Φ trust, or what Clip and Delta make of it.

    Delta needs the score of the step to come and is paid one step late: at step t, p_{t-1} / γ - p_t, at the first
    nothing, at the last p_{t-1} / γ. Discounted, what is paid after step t comes to p_t, and an episode to p_0.

    Attributes:
        potential: as of `Shaping`: ``"trust"`` (own, from the own observation) or ``"mean_trust"`` (of everybody).
        weight: w, in the units of the reward for all trust there is.
        mechanism: ``"none"``, ``"clip"``, ``"delta"`` or ``"clip_delta"``.
        eta: η of Clip, in trust gained per step.
        gamma: γ of Delta, which should be the learner's.

    >>> from coopgym import make_game, play
    >>> game, up_and_down = make_game("TrustDilemma-v1", max_steps=6), np.tile([1.0, 0.0], 3)
    >>> def paid(transform):
    ...     running = transform.running(game, ())
    ...     running.reset()
    ...     steps = play.unroll(game, lambda t, _: up_and_down[t] * game.endowments, draws=play.NOMINAL)
    ...     return np.array([running(step, 0.0 * step.actions)[0] for step in steps])
    >>> raw = paid(TrustGained("mean_trust"))
    >>> safe = paid(TrustGained("mean_trust", mechanism="delta", gamma=1.0))
    >>> raw.round(3), raw.sum().round(3)  # every time that trust is built up again
    (array([0.073, 0.   , 0.047, 0.   , 0.031, 0.   ]), np.float64(0.15))
    >>> safe.round(3), safe.sum().round(3)  # once
    (array([ 0.   ,  0.073, -0.047,  0.047, -0.031,  0.031]), np.float64(0.073))
    """

    kind = "trust_gained"
    mechanism: str = "none"
    eta: float = 0.01
    gamma: float = 0.99

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mechanism not in MECHANISMS:
            raise ValueError(f"unknown mechanism {self.mechanism!r}; known: {', '.join(MECHANISMS)}")
        if not math.isfinite(self.eta):
            raise ValueError(f"eta={self.eta!r}: expected a finite number")
        if not 0.0 < self.gamma <= 1.0:
            raise ValueError(f"gamma={self.gamma!r}: expected a number in (0, 1]")

    @classmethod
    def examples(cls) -> tuple[RewardTransform, ...]:
        return tuple(cls("trust", mechanism=mechanism) for mechanism in MECHANISMS)

    @property
    def clips(self) -> bool:
        """Whether Clip is applied."""
        return self.mechanism in ("clip", "clip_delta")

    @property
    def differs(self) -> bool:
        """Whether Delta is applied."""
        return self.mechanism in ("delta", "clip_delta")

    @property
    def bounded_sum(self) -> bool:
        """As `RewardTransform.bounded_sum`: Delta's sums are. Clip's have no lower bound, raw ones no upper one."""
        return self.differs

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> RunningTransform:
        return _DeltaTrust(self, game, batch) if self.differs else _Trust(self, game)


class _Trust(RunningTransform):
    """Trust gained in one game, as it is or clipped, paid at once."""

    def __init__(self, declared: TrustGained, game: AnyGame) -> None:
        self._declared, self._xp = declared, game.xp
        self._potential = POTENTIALS[declared.potential](game)

    def _score(self, step: Step | ObservedStep) -> Array:
        """The process reward p_t ``(..., N)``."""
        here, there = self._potential.around(step)
        gained = self._xp.maximum(there - here, 0.0 * here)
        return self._xp.minimum(gained - self._declared.eta, 0.0 * here) if self._declared.clips else gained

    def __call__(self, step: Step | ObservedStep, reward: Array) -> Array:
        return reward + self._declared.weight * self._score(step)


class _DeltaTrust(_Trust):
    """Differences of process rewards, each paid when the later one is known."""

    def __init__(self, declared: TrustGained, game: AnyGame, batch: tuple[int, ...]) -> None:
        super().__init__(declared, game)
        self._last = game.backend.array(np.zeros((*batch, game.n_agents)))
        self._begun = game.backend.array(np.zeros((*batch, 1)))
        """1 after the first step of an episode, which nothing is owed for before."""

    def reset(self, episodes: Array | None = None) -> None:
        starts = self._begun == self._begun if episodes is None else self._xp.asarray(episodes)[..., None]
        self._last = self._xp.where(starts, 0.0 * self._last, self._last)
        self._begun = self._xp.where(starts, 0.0 * self._begun, self._begun)

    def __call__(self, step: Step | ObservedStep, reward: Array) -> Array:
        score, goes_on = self._score(step), ~step.ended[..., None]
        paid = self._last / self._declared.gamma - score * goes_on * self._begun
        self._last, self._begun = score, 0.0 * self._begun + 1.0
        return reward + self._declared.weight * paid

    def state(self) -> dict[str, Array]:
        return {"last": self._last, "begun": self._begun}

    def restore(self, state: Mapping[str, Array]) -> None:
        self._last, self._begun = state["last"], state["begun"]
