"""Methods that compare turns with their siblings: branches of a tree, or equal actions after equal beginnings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.llm.kernels import core, treeps, vstar
from coopgym.algorithms.llm.kernels.validation import choice
from coopgym.algorithms.llm.method.credit.rewards import Rewarded
from coopgym.algorithms.llm.method.credit.tokens import by_turn, everywhere, per_group
from coopgym.algorithms.llm.play.trajectories import MAIN, Batch, Credit, Group
from coopgym.typing import BoolArray, FloatArray

SIBLING = "sibling"
Shared = Literal["once", "scaled"]


@dataclass(frozen=True, kw_only=True)
class TreePS(Rewarded):
    """A turn is worth the mean reward of the leaves below it, over its parent's and the root's (arXiv 2601.06922).

    Members are the tree's paths, which share beginnings.

    Attributes:
        local: weight of the gain over the parent.
        whole: weight of the gain over the root.
        shared: a turn that several members share carries loss in the first of them only (``"once"``), or in all, over
            the root of their number (``"scaled"``).
    """

    local: float = hyperparameter(1.0, 0.0)
    whole: float = hyperparameter(1.0, 0.0)
    shared: Shared = "once"

    def __post_init__(self) -> None:
        super().__post_init__()
        choice("shared", self.shared, get_args(Shared))

    def assign(self, batch: Batch) -> Credit:
        rows = [
            row
            for group, rewards in zip(batch.groups, per_group(batch, self.worth(batch)), strict=True)
            for row in self._advantages(group, rewards)
        ]
        credit = Credit.single(batch, by_turn(batch, rows))
        if self.shared == "once":
            credit.mask = [mask for group in batch.groups for mask in _first_occurrences(group)]
        return credit

    def _advantages(self, group: Group, rewards: FloatArray) -> list[FloatArray]:
        if group.tree is None:
            raise ValueError(f"group {group.uid} has no tree; TreePS needs a sampler that branches at turns")
        leaves = list(group.tree.leaf_reward)
        for member, reward in zip(group.members, rewards, strict=True):
            leaves[member.path[-1]] = float(reward)
        nodes = treeps.advantages(group.tree.parent, leaves, self.local, self.whole, self.shared == "scaled")
        return [nodes[list(member.path[1:])] for member in group.members]


@dataclass(frozen=True, kw_only=True)
class VStar(Rewarded):
    """Two channels: the group's z-score, and each turn's action against its alternatives (arXiv 2602.10699).

    Alternatives are different actions (`Turn.key`) after the same actions. Tokens without any weigh nothing in the
    sibling channel; an objective that averages that channel over its ``own`` tokens does not count them.

    The critic, whose values before each token are the signal ``values``, learns one step at a time: the target of a
    turn's tokens is the turn's dense reward plus the discounted value before the next turn.

    Attributes:
        sibling: weight of the sibling channel.
        gamma: discount of the critic's targets, per turn.
        dense: signal with the dense rewards ``(T,)`` of turns, which only the critic sees; None is the reward at the
            last turn.
        eps: added to the group's standard deviation.
        sibling_eps: added to that of siblings.
    """

    reads: ClassVar = frozenset({"values"})
    sibling: float = hyperparameter(1.0, 0.0)
    gamma: float = hyperparameter(0.99, 0.0, 1.0)
    dense: str | None = None
    eps: float = hyperparameter(1e-6, 0.0)
    sibling_eps: float = hyperparameter(1e-4, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dense is not None:
            object.__setattr__(self, "reads", self.reads | {self.dense})

    def assign(self, batch: Batch) -> Credit:
        worth = self.worth(batch)
        main = everywhere(batch, core.group_zscore(worth, batch.group, eps=self.eps))
        rows = [
            row
            for group, rewards in zip(batch.groups, per_group(batch, worth), strict=True)
            for row in vstar.sibling_advantages(
                [[turn.key for turn in member.turns] for member in group.members], rewards, self.sibling_eps
            )
        ]
        siblings = by_turn(batch, rows)
        return Credit(
            adv={MAIN: main, SIBLING: siblings},
            weight={
                MAIN: [np.ones(len(row)) for row in main],
                SIBLING: [np.where(row != 0.0, self.sibling, 0.0) for row in siblings],
            },
            mask=[member.mask for member in batch.trajectories],
            returns=by_turn(batch, self._targets(batch, worth)),
            metrics={"turns_with_siblings": _share_of_nonzero(rows)},
        )

    def _targets(self, batch: Batch, worth: FloatArray) -> list[FloatArray]:
        """Return what the critic's value before each turn should be, N rows ``(T,)``."""
        before = [
            np.asarray(values)[[turn.start for turn in member.turns]]
            for member, values in zip(batch.trajectories, batch.gather("values"), strict=True)
        ]
        if self.dense is None:
            rewards = [np.zeros(len(row)) for row in before]
            for row, reward in zip(rewards, worth, strict=True):
                row[-1:] = reward
        else:
            rewards = batch.gather(self.dense)
        return [
            vstar.td(row, reward, self.gamma)["targets"] if len(row) else row
            for row, reward in zip(before, rewards, strict=True)
        ]


def _share_of_nonzero(rows: list[FloatArray]) -> float:
    turns = np.concatenate(rows)
    return float(np.mean(turns != 0.0)) if turns.size else 0.0


def _first_occurrences(group: Group) -> list[BoolArray]:
    """Return masks in which every node's tokens occur once."""
    masks, seen = [], set[int]()
    for member in group.members:
        mask = member.mask.copy()
        for node, (start, end) in zip(member.path[1:], member.spans, strict=True):
            mask[start:end] = node not in seen
            seen.add(node)
        masks.append(mask)
    return masks
