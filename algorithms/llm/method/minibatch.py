"""Padded tensors of some trajectories with their credit: what an objective sees."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from coopgym.algorithms.llm.play.trajectories import Credit, Trajectory
from coopgym.typing import BoolArray, FloatArray


@dataclass(frozen=True)
class Totals:
    """Counts over the whole minibatch of which a part is computed at a time."""

    sequences: int
    tokens: int
    """Tokens that carry loss."""
    weighted: dict[str, int]
    """Tokens that carry loss and whose weight is not zero, by channel."""


@dataclass(frozen=True)
class MiniBatch:
    """B trajectories padded on the right to L tokens; prompts are left out."""

    logp_old: Tensor
    """``(B, L)``."""
    logp_ref: Tensor | None
    mask: Tensor
    """``(B, L)`` bool: tokens that carry loss."""
    off_policy: Tensor
    """``(B, L)`` bool: tokens that somebody else wrote."""
    adv: dict[str, Tensor]
    """Channel to ``(B, L)``."""
    weight: dict[str, Tensor]
    returns: Tensor | None
    """``(B, L)`` what a critic regresses on."""
    totals: Totals
    values: Tensor | None = None
    """``(B, L)`` differentiable values of the critic, where there is one."""
    entropy: Tensor | None = None
    """``(B, L)`` differentiable entropy of the policy before each token."""
    logp_slow: Tensor | None = None
    """``(B, L)`` under a moving average of the policy."""

    def with_values(self, values: Tensor | None, entropy: Tensor) -> MiniBatch:
        """Return the minibatch with what the models say now."""
        return dataclasses.replace(self, values=values, entropy=entropy)


def totals(credit: Credit, members: Sequence[int]) -> Totals:
    """Count what normalises the losses of some trajectories."""
    return Totals(
        sequences=len(members),
        tokens=sum(int(credit.mask[i].sum()) for i in members),
        weighted={
            channel: sum(int((credit.mask[i] & (weight[i] != 0.0)).sum()) for i in members)
            for channel, weight in credit.weight.items()
        },
    )


def minibatch(
    trajectories: Sequence[Trajectory],
    credit: Credit,
    members: Sequence[int],
    counted: Totals,
    device: torch.device | str = "cpu",
) -> MiniBatch:
    """Pad some trajectories of a batch.

    Args:
        trajectories: all of the batch.
        credit: theirs.
        members: positions of those that are wanted.
        counted: totals of the minibatch that they belong to.
        device: where tensors live.
    """
    chosen = [trajectories[i] for i in members]
    width = max(len(member.ids) for member in chosen)

    def padded(rows: Sequence[FloatArray | BoolArray]) -> Tensor:
        table = np.zeros((len(rows), width), dtype=rows[0].dtype)
        for place, row in zip(table, rows, strict=True):
            place[: len(row)] = row
        tensor = torch.from_numpy(table)
        return (tensor if tensor.dtype == torch.bool else tensor.float()).to(device)

    def where_known(rows: Sequence[FloatArray | None]) -> Tensor | None:
        known = [row for row in rows if row is not None]
        return padded(known) if len(known) == len(rows) else None

    nobody = [np.zeros(len(member.ids), dtype=bool) for member in chosen]
    return MiniBatch(
        logp_old=padded([member.logp_old for member in chosen]),
        logp_ref=where_known([member.logp_ref for member in chosen]),
        logp_slow=where_known([member.logp_slow for member in chosen]),
        mask=padded([credit.mask[i] for i in members]),
        off_policy=padded(
            [
                none if member.off_policy is None else member.off_policy
                for member, none in zip(chosen, nobody, strict=True)
            ]
        ),
        adv={channel: padded([rows[i] for i in members]) for channel, rows in credit.adv.items()},
        weight={channel: padded([rows[i] for i in members]) for channel, rows in credit.weight.items()},
        returns=None if credit.returns is None else padded([credit.returns[i] for i in members]),
        totals=counted,
    )
