"""Reward transforms that compare finished trajectories with recent ones: what all of them remember.

Shapes: R replicas, B copies, Q trajectories kept, N seats, F features.
"""

from __future__ import annotations

import difflib
import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from coopgym.algorithms.preferences.comparators import COMPARATORS, FEATURES
from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.step import Step
from coopgym.mechanisms.trust import mean_over_pairs
from coopgym.rewards import LearnedTransform, RewardTransform


@dataclass(frozen=True)
class ComparingTransform(RewardTransform):
    """Settings of transforms that ask for preferences between trajectories.

    Attributes:
        comparator: who is asked, a name of `coopgym.algorithms.preferences.comparators.COMPARATORS`.
        queue: recent trajectories Q that a finished one is compared with.
        error: share of comparisons that come out the wrong way round.
        seed: of these errors.
    """

    learned = True
    comparator: str = "criteria"
    queue: int = 32
    error: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        if self.comparator not in COMPARATORS:
            near = difflib.get_close_matches(self.comparator, COMPARATORS, n=1)
            hint = f"did you mean {near[0]!r}? " if near else ""
            raise ValueError(f"unknown comparator {self.comparator!r}; {hint}known: {', '.join(COMPARATORS)}")
        if self.queue < 1:
            raise ValueError(f"queue={self.queue}: expected at least 1")
        if not 0.0 <= self.error < 0.5:
            raise ValueError(f"error={self.error!r}: expected a share of at least 0 and below 0.5")

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"state"})


class ComparedTrajectories(LearnedTransform):
    """What trajectories came to, and the latest ones of each replica to compare them with.

    Trajectories join those that are compared with in `fit`, so that what one is paid does not depend on who is played
    beside it.
    """

    def __init__(self, declared: ComparingTransform, game: AnyGame, batch: tuple[int, ...]) -> None:
        self._game, self._compare, self._declared = game, COMPARATORS[declared.comparator], declared
        self._device = torch.device(game.backend.device or "cpu")
        replicas = batch[0] if len(batch) > 1 else 1
        self._rows = replicas, math.prod(batch) // replicas
        seats, features = game.n_agents, len(FEATURES)
        self._half = game.spec.horizon / 2.0
        self._endowments = self._tensor(game.spec.endowments)
        self._payoffs = self._zeros(*self._rows, seats)
        self._shares = self._zeros(*self._rows, 2)
        """Sums of mean shares in the first half and in the second."""
        self._trust = self._zeros(*self._rows)
        self._elapsed = self._zeros(*self._rows)
        self._going_on = torch.ones(self._rows, dtype=torch.bool, device=self._device)
        self._finished = self._zeros(*self._rows, seats, features)
        self._fresh = torch.zeros(self._rows, dtype=torch.bool, device=self._device)
        self._kept = self._zeros(replicas, declared.queue, seats, features)
        self._pushed = torch.zeros(replicas, dtype=torch.int64, device=self._device)
        self._asked = torch.zeros(replicas, dtype=torch.int64, device=self._device)
        self._steps = torch.zeros((), dtype=torch.int64)

    def _zeros(self, *shape: int) -> Tensor:
        return torch.zeros(*shape, dtype=torch.float64, device=self._device)

    @property
    def known(self) -> Tensor:
        """``(R, Q)`` which places hold a trajectory."""
        return torch.arange(self._kept.shape[1], device=self._device) < self._pushed.unsqueeze(1)

    def reset(self, episodes: Array | None = None) -> None:
        anew = torch.ones_like(self._going_on) if episodes is None else self._mask(episodes)
        self._payoffs.masked_fill_(anew.unsqueeze(-1), 0.0)
        self._shares.masked_fill_(anew.unsqueeze(-1), 0.0)
        self._elapsed.masked_fill_(anew, 0.0)
        self._going_on |= anew

    @torch.no_grad()
    def record(self, step: Step) -> tuple[Tensor, Tensor, Tensor]:
        """Add a step and return shares played and payoffs ``(R, B, N)`` and mean trust after it ``(R, B)``."""
        payoffs = self._tensor(step.transition.payoffs).view(*self._rows, -1)
        shares = self._tensor(step.actions).view(*self._rows, -1) / self._endowments
        trust = self._tensor(mean_over_pairs(step.transition.state.trust)).view(self._rows)
        later = (self._elapsed >= self._half).to(torch.int64).unsqueeze(-1)
        self._payoffs += payoffs
        self._shares.scatter_add_(2, later, shares.mean(-1, keepdim=True))
        self._trust.copy_(trust)
        self._elapsed += 1.0
        self._steps += 1
        return shares, payoffs, trust

    def over(self, alive: Array) -> Tensor:
        """Return which trajectories ``(R, B)`` have just ended, and keep what they came to for `fit`."""
        going_on = self._going_on & self._mask(alive)
        over = self._going_on & ~going_on
        self._going_on.copy_(going_on)
        self._finished.copy_(torch.where(over[..., None, None], self._summaries(), self._finished))
        self._fresh |= over
        return over

    @torch.no_grad()
    def compared(self, over: Tensor) -> Tensor:
        """Return how probably the finished trajectories are preferred to each that is kept, ``(R, B, Q, N)``."""
        answers = self._compare(self._finished.unsqueeze(2), self._kept.unsqueeze(1))
        if self._declared.error > 0.0:
            drawing = torch.Generator().manual_seed(1_000_003 * self._declared.seed + int(self._steps))
            wrong = torch.rand(answers.shape[1:3], generator=drawing).to(self._device) < self._declared.error
            answers = torch.where(wrong.unsqueeze(-1), 1.0 - answers, answers)
        self._asked += over.sum(1) * self.known.sum(1)
        return answers

    def fit(self) -> None:
        """Let the trajectories that have ended join those that are compared with, in the place of the oldest."""
        replica, copy, place = self._places(self._pushed, self._kept.shape[1])
        self._kept[replica, place] = self._finished[replica, copy]
        self._pushed += self._fresh.sum(1)
        self._fresh.zero_()

    def _places(self, pushed: Tensor, capacity: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return replicas and copies of the trajectories that join, at most as many as fit, and the place of each."""
        order, count = self._fresh.cumsum(1) - 1, self._fresh.sum(1, keepdim=True)
        replica, copy = (self._fresh & (order >= count - capacity)).nonzero(as_tuple=True)
        return replica, copy, (pushed.unsqueeze(1) + order)[replica, copy] % capacity

    def _summaries(self) -> Tensor:
        """Features of the trajectories so far, ``(R, B, N, F)``."""
        welfare, equal = self._payoffs.sum(-1), self._payoffs.mean(-1, keepdim=True)
        size = equal.abs().clamp(min=1e-9)
        equality = -((self._payoffs - equal).abs() / size).mean(-1)
        half = self._elapsed.clamp(max=self._half).ceil()
        later = (self._elapsed - half).clamp(min=1.0)
        cooperation = self._shares.sum(-1) / self._elapsed.clamp(min=1.0)
        rise = self._shares[..., 1] / later - self._shares[..., 0] / half.clamp(min=1.0)
        alike = torch.stack([welfare, equality, self._trust, cooperation, rise], dim=-1)
        seats = self._payoffs.shape[-1]
        return torch.cat([self._payoffs.unsqueeze(-1), alike.unsqueeze(2).expand(-1, -1, seats, -1)], dim=-1)

    def _mask(self, episodes: Array) -> Tensor:
        mask = episodes if isinstance(episodes, Tensor) else torch.from_numpy(np.array(episodes))
        return mask.to(self._device).view(self._rows)

    def _tensor(self, array: Array) -> Tensor:
        if isinstance(array, Tensor):
            return array.detach().to(torch.float64)
        return torch.from_numpy(np.array(array, dtype=np.float64)).to(self._device)

    def state(self) -> dict[str, Array]:
        return {name: getattr(self, f"_{name}") for name in _REMEMBERED}

    def restore(self, state: Mapping[str, Array]) -> None:
        for name in _REMEMBERED:
            getattr(self, f"_{name}").copy_(state[name])

    @abstractmethod
    def __call__(self, step: Step, reward: Array) -> Array: ...


_REMEMBERED = (
    "payoffs", "shares", "trust", "elapsed", "going_on", "finished", "fresh", "kept", "pushed", "asked", "steps",
)  # fmt: skip
