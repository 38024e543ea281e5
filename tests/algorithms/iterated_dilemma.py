"""Iterated prisoner's dilemmas as torch environments: played step by step, and as a choice of strategies."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from tests.algorithms.quadratic_game import Quadratic, Standing


class Donations(Quadratic):
    """Each of two seats gives away a share: it costs 1 and brings the partner 3, on top of a payoff of 1.

    Observations: own last share, the partner's, and whether this is the first step.
    """

    def observe(self) -> torch.Tensor:
        last = self.state.last_action
        first = (self.state.t == 0).to(self.dtype)[..., None].expand_as(last)
        return torch.stack([last, last.flip(-1), first], dim=-1)

    def step(self, actions: torch.Tensor) -> tuple[Any, ...]:
        shares = actions / self.endowments
        observation, _, *ends, info = super().step(actions)
        payoffs = 1.0 + 3.0 * shares.flip(-1) - shares
        return observation, payoffs, *ends, {**info, "payoffs": payoffs}


SITUATIONS = 5
"""The start, then the last outcome from the own point of view: CC, CD, DC, DD."""


@dataclass(frozen=True)
class Strategies(Standing):
    """The probabilities of cooperation that seats have named so far, ``(..., 2, 5)``."""

    named: torch.Tensor


class MemoryOne(Quadratic):
    """The exact iterated dilemma of Foerster et al. 2018, §4.1: the expected payoff per round of memory-1 strategies.

    An episode asks for the probability of cooperation in one situation after the other, and pays at the end. Payoffs
    are 3 and 1 for mutual cooperation and defection, 5 and 0 for defection against cooperation.
    """

    discount = 0.96

    def __init__(self, num_envs: int | tuple[int, ...], **keywords: Any) -> None:
        super().__init__(num_envs, **{**keywords, "horizon": SITUATIONS})
        shape = 2, SITUATIONS
        self.observation_size = SITUATIONS
        self.game.observation_bounds = lambda view: (np.zeros(shape), np.ones(shape))

    state: Strategies

    def start(self) -> Strategies:
        plain = super().start()
        return Strategies(**vars(plain), named=torch.zeros(*self.batch, 2, SITUATIONS, dtype=self.dtype))

    def observe(self) -> torch.Tensor:
        asked = torch.eye(SITUATIONS, dtype=self.dtype)[self.state.t.long() % SITUATIONS]
        return asked.unsqueeze(-2).expand(*self.batch, 2, SITUATIONS)

    def step(self, actions: torch.Tensor) -> tuple[Any, ...]:
        shares = actions / self.endowments
        named = self.state.named + shares.unsqueeze(-1) * self.observe()
        state = replace(self.state, t=self.state.t + 1, last_action=shares, named=named)
        ended = state.t >= SITUATIONS
        payoffs = torch.where(ended[..., None], self.worth(named), torch.zeros_like(shares))
        self.state = self.start() if ended.all() else state
        info = {"payoffs": payoffs, "final_observation": self.observe(), "final_state": state}
        return self.observe(), payoffs, torch.zeros_like(ended), ended, info

    def worth(self, named: torch.Tensor) -> torch.Tensor:
        """Return expected discounted payoffs per round ``(..., 2)`` of strategies ``(..., 2, 5)``."""
        one, two = named[..., 0, :], named[..., 1, [0, 1, 3, 2, 4]]
        outcome = torch.stack([one * two, one * (1 - two), (1 - one) * two, (1 - one) * (1 - two)], dim=-1)
        stay = torch.eye(4, dtype=self.dtype) - self.discount * outcome[..., 1:, :].mT
        visits = (1.0 - self.discount) * torch.linalg.solve(stay, outcome[..., 0, :, None]).squeeze(-1)
        return visits @ torch.tensor([[3.0, 3.0], [0.0, 5.0], [5.0, 0.0], [1.0, 1.0]], dtype=self.dtype)
