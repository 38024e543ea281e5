"""A one-step matrix game for learners of discrete levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from coopgym.algorithms.marl import TrainingResult

PAYOFFS = torch.tensor([[3.0, 3.0], [0.0, 4.0]])
"""What a seat earns by its own level (rows: hare, stag) and the other's."""


def stag_hunt(quadratic: type) -> type:
    """Return the game, two levels per seat, as a variant of the quadratic one.

    Both hunting stags is best for the team; against a partner who picks at random, the hare pays a seat more.
    """

    class StagHunt(quadratic):
        def step(self, actions: torch.Tensor) -> tuple[Any, ...]:
            level = torch.round(actions / self.endowments).to(torch.int64)
            seen, _, terminated, truncated, info = super().step(actions)
            payoffs = PAYOFFS[level, level.flip(-1)].to(self.dtype)
            return seen, payoffs, terminated, truncated, {**info, "payoffs": payoffs}

    return StagHunt


def shares(result: TrainingResult, observation: tuple[float, float] = (0.5, 0.0)) -> list[list[float]]:
    """Return what each seat's policy plays, per replica, having seen its last share and the time."""
    last, time = observation
    return [
        [float(agent.act(np.array([[last, seat, time]]))[0]) for seat, agent in enumerate(result.agents(replica))]
        for replica in result.replicas
    ]
