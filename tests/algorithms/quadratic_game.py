"""A tiny torch environment with a known answer, for learners to be tested on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from coopgym.rewards import reward_layer


@dataclass(frozen=True)
class Standing:
    """The state of `Quadratic`."""

    t: torch.Tensor
    last_action: torch.Tensor
    trust: torch.Tensor
    damage: torch.Tensor
    cost_factor: torch.Tensor | None = field(default=None, kw_only=True)
    synergy_factor: torch.Tensor | None = field(default=None, kw_only=True)


class Quadratic:
    """Each seat earns ``scale·(1 - (c - 0.37)²)``; cooperative rewards are the mean of the seats.

    Seats have endowments 10, 20 and so on. Observations: own last share, the seat's number, time; with more than two
    seats also the partners' last shares.

    Args:
        num_envs: shape of the batch, ``(R, B)`` for learners.
        reward: a mode or one per replica.
        device: ignored, as all devices but the CPU are.
        dtype: floating type.
        validate: ignored.
        horizon: steps of an episode.
        scale: factor of all payoffs.
        poison: the step, counted from the start, that pays the first replica not a number.
        agents: seats N.
        deaf: pay by time and copy alone, and show no actions.
    """

    view = "own"

    def __init__(
        self,
        num_envs: int | tuple[int, ...],
        *,
        reward: Any = "private",
        device: Any = "cpu",
        dtype: torch.dtype = torch.float32,
        validate: bool = True,
        horizon: int = 1,
        scale: float = 1.0,
        poison: int | None = None,
        agents: int = 2,
        deaf: bool = False,
    ) -> None:
        self.batch = (num_envs,) if isinstance(num_envs, int) else tuple(num_envs)
        layers = [reward] if isinstance(reward, str) or not isinstance(reward, Sequence) else reward
        shared = [reward_layer(layer).name == "cooperative" for layer in layers]
        self.shared = torch.tensor(shared).view(-1, *(1,) * len(self.batch))
        self.scale, self.dtype, self.poison, self.agents, self.deaf = scale, dtype, poison, agents, deaf
        endowments = 10.0 * np.arange(1.0, agents + 1.0)
        self.endowments = torch.tensor(endowments, dtype=dtype)
        others = torch.arange(agents).expand(agents, agents)[~torch.eye(agents, dtype=torch.bool)]
        self.others = others.view(agents, agents - 1) if agents > 2 else torch.zeros(agents, 0, dtype=torch.int64)
        self.observation_size = 3 + self.others.shape[1]
        self.steps = 0
        shape = agents, self.observation_size
        spec = SimpleNamespace(
            id="Quadratic-v0",
            n_agents=agents,
            horizon=horizon,
            endowments=endowments,
            baselines=0.4 * endowments,
            shares=np.full(agents, 1.0 / agents),
            default_view="own",
        )
        self.game = SimpleNamespace(
            id=spec.id,
            spec=spec,
            n_agents=agents,
            action_scale=np.ones(agents),
            observation_bounds=lambda view: (np.zeros(shape), np.ones(shape)),
            observation_columns=lambda view, seat: {
                "own_action": [0],
                "time": [2],
                "partner_actions": [*range(3, agents + 2)],
            },
            stochastic=False,
            parameter_dict=lambda: {"horizon": horizon, "scale": scale},
        )
        self.state = self.start()

    def start(self) -> Standing:
        time = torch.zeros(self.batch, dtype=self.dtype)
        trust = torch.eye(self.agents, dtype=self.dtype).expand(*self.batch, self.agents, self.agents)
        last = torch.full((*self.batch, self.agents), 0.5, dtype=self.dtype)
        return Standing(time, last, trust, torch.zeros_like(trust))

    def observe(self) -> torch.Tensor:
        last = self.state.last_action
        seat = torch.arange(float(self.agents), dtype=self.dtype).expand_as(last)
        time = (self.state.t / self.game.spec.horizon)[..., None].expand_as(last)
        return torch.cat([torch.stack([last, seat, time], dim=-1), last[..., self.others]], dim=-1)

    def reset(self, seed: Any = None) -> torch.Tensor:
        self.state = self.start()
        return self.observe()

    def step(self, actions: torch.Tensor) -> tuple[Any, ...]:
        shares = actions / self.endowments
        seen = torch.full_like(shares, 0.5) if self.deaf else shares
        self.state = replace(self.state, t=self.state.t + 1, last_action=seen)
        self.steps += 1
        payoffs = self.scale * (1.0 - (shares - 0.37).square())
        if self.deaf:
            copies = torch.arange(payoffs[..., 0].numel(), dtype=self.dtype).view(self.batch)
            payoffs = self.scale * torch.sin(7.0 * copies + self.steps)[..., None].expand_as(payoffs)
        rewards = torch.where(self.shared, payoffs.mean(-1, keepdim=True), payoffs)
        if self.poison == self.steps and len(self.batch) == 2:
            rewards[0] = float("nan")
        truncated = self.state.t >= self.game.spec.horizon
        info = {"payoffs": payoffs, "final_observation": self.observe(), "final_state": self.state}
        start = self.start()
        self.state = replace(
            start,
            t=torch.where(truncated, start.t, self.state.t),
            last_action=torch.where(truncated[..., None], start.last_action, self.state.last_action),
        )
        return self.observe(), rewards, torch.zeros_like(truncated), truncated, info
