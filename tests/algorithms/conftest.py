"""A tiny torch environment with a known answer, for learners to be tested on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from coopgym.rewards import reward_layer


@dataclass(frozen=True)
class Standing:
    """The state of `Quadratic`."""

    t: torch.Tensor
    last_action: torch.Tensor
    trust: torch.Tensor
    damage: torch.Tensor


class Quadratic:
    """Each seat earns ``scale·(1 - (c - 0.37)²)``; cooperative rewards are the mean of the seats.

    Two seats with endowments 10 and 20. Observations: own last share, the seat's number, time.
    """

    view = "own"
    observation_size = 3

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
    ) -> None:
        self.batch = (num_envs,) if isinstance(num_envs, int) else tuple(num_envs)
        layers = [reward] if isinstance(reward, str) or not isinstance(reward, Sequence) else reward
        shared = [reward_layer(layer).name == "cooperative" for layer in layers]
        self.shared = torch.tensor(shared).view(-1, *(1,) * len(self.batch))
        self.scale, self.dtype, self.poison = scale, dtype, poison
        self.endowments = torch.tensor([10.0, 20.0], dtype=dtype)
        self.steps = 0
        spec = SimpleNamespace(
            id="Quadratic-v0",
            n_agents=2,
            horizon=horizon,
            endowments=np.array([10.0, 20.0]),
            baselines=np.array([4.0, 8.0]),
            shares=np.array([0.5, 0.5]),
            default_view="own",
        )
        self.game = SimpleNamespace(
            id=spec.id,
            spec=spec,
            action_scale=np.ones(2),
            observation_bounds=lambda view: (np.zeros((2, 3)), np.ones((2, 3))),
            reset_uniforms=0,
            reset_normals=0,
            step_normals=0,
            parameter_dict=lambda: {"horizon": horizon, "scale": scale},
        )
        self.state = self.start()

    def start(self) -> Standing:
        time = torch.zeros(self.batch, dtype=self.dtype)
        trust = torch.eye(2, dtype=self.dtype).expand(*self.batch, 2, 2)
        return Standing(time, torch.full((*self.batch, 2), 0.5, dtype=self.dtype), trust, torch.zeros_like(trust))

    def observe(self) -> torch.Tensor:
        seat = torch.arange(2.0, dtype=self.dtype).expand(*self.batch, 2)
        time = (self.state.t / self.game.spec.horizon)[..., None].expand(*self.batch, 2)
        return torch.stack([self.state.last_action, seat, time], dim=-1)

    def reset(self, seed: Any = None) -> torch.Tensor:
        self.state = self.start()
        return self.observe()

    def step(self, actions: torch.Tensor) -> tuple[Any, ...]:
        shares = actions / self.endowments
        self.state = replace(self.state, t=self.state.t + 1, last_action=shares)
        self.steps += 1
        payoffs = self.scale * (1.0 - (shares - 0.37).square())
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


@pytest.fixture
def quadratic() -> type[Quadratic]:
    """The environment's maker, as learners take it."""
    return Quadratic


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tests run side by side; torch threads that wait for each other on busy cores are slower than one."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
