"""A tiny torch environment that only memory solves: what the first step reveals pays in the last."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch

from tests.algorithms.quadratic_game import Quadratic, Standing

HORIZON = 3


@dataclass(frozen=True)
class Armed(Standing):
    """The state of `TwoArmed`, which critics see as they see the factors of a world."""

    payoff: torch.Tensor
    """``(...)`` what the last step paid."""

    @property
    def arm(self) -> torch.Tensor:
        """``(...)`` the level that the last step pays for, 0 or 1, drawn at reset."""
        assert self.synergy_factor is not None
        return (self.synergy_factor > 1.0).to(self.payoff.dtype)


class TwoArmed(Quadratic):
    """The first step pays the arm whatever is played, the second 0.5, the third ``1 - (c - arm)²``.

    Observations: the payoff of the last step, 0.5 at reset; the seat's number; time. So the arm is seen before the
    second step only: who sees one observation at a time earns at most 0.75 in the third.
    """

    def __init__(self, num_envs: int | tuple[int, ...], **keywords: Any) -> None:
        self.generator = torch.Generator().manual_seed(0)
        super().__init__(num_envs, horizon=HORIZON, **keywords)
        self.game.stochastic = True

    def start(self) -> Armed:
        drawn = torch.randint(2, self.batch, generator=self.generator).to(self.dtype)
        common = vars(super().start())
        factors = {
            "cost_factor": torch.ones_like(common["last_action"]),
            "synergy_factor": torch.exp2(2.0 * drawn - 1.0),
        }
        return Armed(**common | factors, payoff=torch.full_like(drawn, 0.5))

    def observe(self) -> torch.Tensor:
        seen = super().observe()
        seen[..., 0] = self.state.payoff[..., None]
        return seen

    def reset(self, seed: Any = None) -> torch.Tensor:
        self.generator.manual_seed(sum(seed) if isinstance(seed, list) else seed)
        return super().reset()

    def step(self, actions: torch.Tensor) -> tuple[Any, ...]:
        state, shares = self.state, actions / self.endowments
        told = torch.where(state.t == 0, state.arm, 0.5)
        last = (state.t == HORIZON - 1)[..., None]
        payoffs = torch.where(last, 1.0 - (shares - state.arm[..., None]).square(), told[..., None])
        self.state = replace(state, t=state.t + 1, last_action=shares, payoff=told)
        truncated = self.state.t >= HORIZON
        info = {"payoffs": payoffs, "final_observation": self.observe(), "final_state": self.state}
        start = self.start()
        kept = {name: (array, getattr(self.state, name)) for name, array in vars(start).items()}
        self.state = Armed(**{name: _where(truncated, *arrays) for name, arrays in kept.items()})
        return self.observe(), payoffs, torch.zeros_like(truncated), truncated, info


def _where(rows: torch.Tensor, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    return torch.where(rows.view(*rows.shape, *(1,) * (one.dim() - rows.dim())), one, other)
