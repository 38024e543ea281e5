"""Tree sampling by breadth: every open branch proposes several continuations, alike ones are pruned (TreePS-RAG)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import treeps
from coopgym.algorithms.llm.method.samplers.growth import ROOT, Growth, Request, branch
from coopgym.algorithms.llm.method.slots import Sampler
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Group, Turn


@dataclass(frozen=True, kw_only=True)
class BreadthTree(Settings, Sampler):
    """Proposes, runs the tools, prunes and goes on, depth by depth, under a token budget.

    Of siblings whose tool results agree, one is kept; unfinished branches become leaves without an answer when the
    budget ends.

    Source: TreePS-RAG, arXiv 2601.06922; pruning and budget as decided in the methods' specification.

    Attributes:
        branches: continuations k that a branch proposes.
        tau: Jaccard similarity of tool results from which siblings count as alike.
        width: open branches kept per depth.
        tokens_per_rollout: a group of G may write G times as many; None is one longest message.
    """

    version: ClassVar[int] = 2
    branches: int = hyperparameter(2, 1)
    tau: float = hyperparameter(0.8, 0.0, 1.0)
    width: int = hyperparameter(4, 1)
    tokens_per_rollout: int | None = hyperparameter(None, 1)

    def sample(self, tasks: Sequence[Task], size: int, services: Services, step: int) -> list[Group]:
        growths = [Growth.plant(task, number, services, step) for number, task in enumerate(tasks)]
        budget = size * (self.tokens_per_rollout or services.decoding.max_tokens)
        leaves: list[list[int]] = [[] for _ in growths]
        frontiers = [[ROOT] for _ in growths]
        while growing := [number for number, frontier in enumerate(frontiers) if frontier]:
            requests = [
                Request(growths[number], node, self.branches) for number in growing for node in frontiers[number]
            ]
            branch(requests, services, step)
            for number in growing:
                found, frontiers[number] = self._pruned(growths[number], frontiers[number])
                leaves[number] += found
                if growths[number].tokens >= budget:
                    leaves[number] += frontiers[number]
                    frontiers[number] = []
        return [growth.group(own) for growth, own in zip(growths, leaves, strict=True)]

    def _pruned(self, growth: Growth, frontier: list[int]) -> tuple[list[int], list[int]]:
        """Return the new leaves and the new frontier, by number of node."""
        candidates = [child for node in frontier for child in growth.nodes[node].children]
        kept = treeps.prune(
            parent=[growth.nodes[node].parent for node in candidates],
            observations=[seen(growth.nodes[node].turn) for node in candidates],
            terminal=[growth.nodes[node].finished for node in candidates],
            tau=self.tau,
            width=self.width,
        )
        leaves = [candidates[i] for i in kept["leaves"]]
        return leaves, [candidates[i] for i in kept["frontier"]]


def seen(turn: Turn | None) -> list[str]:
    """Return what a turn found out, as texts that agree where tool and result agree."""
    if turn is None or turn.observation is None:
        return []
    return [f"{key}={turn.observation}" for key in (turn.key if isinstance(turn.key, tuple) else (turn.key,))]
