"""Monte Carlo tree search over turns: what process models are taught from (ProRAG)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import prorag
from coopgym.algorithms.llm.method.samplers.growth import ROOT, Growth, Request, branch, complete
from coopgym.algorithms.llm.method.slots import Sampler
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Group


@dataclass(frozen=True, kw_only=True)
class MonteCarloTree(Settings, Sampler):
    """Selects by PUCT, expands, plays one child to the end, and backs the outcome up; G times per task.

    Source: ProRAG, arXiv 2601.21912. Priors are the children's probabilities per token, normalised over siblings.

    Attributes:
        branches: children of an expanded node.
        exploration: c of PUCT.
        discount: γ per level of the backup.
    """

    branches: int = hyperparameter(2, 1)
    exploration: float = hyperparameter(2.5, 0.0)
    discount: float = hyperparameter(0.99, 0.0, 1.0)

    def sample(self, tasks: Sequence[Task], size: int, services: Services, step: int) -> list[Group]:
        searches = [_Search(Growth.plant(task, number, services, step)) for number, task in enumerate(tasks)]
        for _ in range(size):
            chosen = [search.select(self.exploration) for search in searches]
            wishes = [
                Request(search.growth, node, self.branches)
                for search, node in zip(searches, chosen, strict=True)
                if not search.growth.nodes[node].finished
            ]
            branch(wishes, services, step)
            starts = [
                [search.growth.nodes[node].children[0]] if search.growth.nodes[node].children else [node]
                for search, node in zip(searches, chosen, strict=True)
            ]
            ends = complete([search.growth for search in searches], starts, services, step)
            for search, (end,) in zip(searches, ends, strict=True):
                search.back_up(end, self.discount)
        return [search.growth.group(sorted(search.outcomes)) for search in searches]


@dataclass
class _Search:
    """The search in one tree."""

    growth: Growth
    total: dict[int, float] = field(default_factory=dict)
    visits: dict[int, int] = field(default_factory=dict)
    outcomes: dict[int, float] = field(default_factory=dict)
    """By leaf."""

    def select(self, exploration: float) -> int:
        """Descend to a node without children."""
        node = ROOT
        while children := self.growth.nodes[node].children:
            choice = prorag.puct(
                value_sum=[self.total.get(child, 0.0) for child in children],
                visits=[self.visits.get(child, 0) for child in children],
                prior=self._priors(children),
                parent_visits=self.visits.get(node, 0),
                c_puct=exploration,
            )["choice"]
            node = children[int(choice)]
        return node

    def back_up(self, leaf: int, discount: float) -> None:
        """Add a leaf's outcome to every node above it."""
        outcome = self.growth.nodes[leaf].rollout.trajectory(self.growth.task).outcome
        self.outcomes[leaf] = outcome
        path = self.growth.path(leaf)
        for node, value in zip(path, prorag.backup(len(path) - 1, outcome, discount), strict=True):
            self.total[node] = self.total.get(node, 0.0) + float(value)
            self.visits[node] = self.visits.get(node, 0) + 1

    def _priors(self, children: Sequence[int]) -> list[float]:
        likely = []
        for child in children:
            rollout, turn = self.growth.nodes[child].rollout, self.growth.nodes[child].turn
            assert turn is not None
            likely.append(float(np.exp(np.mean(rollout.logp[turn.start : turn.end]))))
        return [each / sum(likely) for each in likely]
