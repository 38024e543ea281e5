"""Tree sampling by value: branches go where a value head sees promise and the policy is unsure (V-STAR)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import vstar
from coopgym.algorithms.llm.method.samplers.growth import ROOT, Growth, Node, Request, branch, complete
from coopgym.algorithms.llm.method.slots import Sampler
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Group


@dataclass(frozen=True, kw_only=True)
class ValueGuidedTree(Settings, Sampler):
    """Descends by value, entropy and a bonus for rare visits; expands where the priority reaches its depth's mean.

    Source: V-STAR, arXiv 2602.10699. A new child has a priority of its own, not its parent's.

    Attributes:
        beam: turns that the root starts with.
        entropy_weight: λ of the priority G = V + λH.
        exploration: β of the bonus for rare visits.
        tokens_per_rollout: a group of G may write G times as many while it searches; None is one longest message.
    """

    beam: int = hyperparameter(4, 1)
    entropy_weight: float = hyperparameter(0.1, 0.0)
    exploration: float = hyperparameter(1.0, 0.0)
    tokens_per_rollout: int | None = hyperparameter(None, 1)

    def sample(self, tasks: Sequence[Task], size: int, services: Services, step: int) -> list[Group]:
        if services.values is None:
            raise ValueError("value-guided search needs a value head; set critic=True in the method")
        searches = [_Search(Growth.plant(task, number, services, step), services) for number, task in enumerate(tasks)]
        budget = size * (self.tokens_per_rollout or services.decoding.max_tokens)
        self._expand([(search, ROOT, self.beam) for search in searches], services, step)
        while open_searches := [search for search in searches if search.growth.tokens < budget and search.open]:
            self._expand(
                [
                    (search, leaf, 1)
                    for search in open_searches
                    if (leaf := search.select(self.entropy_weight, self.exploration)) is not None
                ],
                services,
                step,
            )
        best = [search.best(size) for search in searches]
        ends = complete([search.growth for search in searches], best, services, step)
        return [search.growth.group(own) for search, own in zip(searches, ends, strict=True)]

    def _expand(self, wishes: list[tuple[_Search, int, int]], services: Services, step: int) -> None:
        if not wishes:
            return
        added = branch([Request(search.growth, node, count) for search, node, count in wishes], services, step)
        nodes = [search.growth.nodes[node] for (search, _, _), new in zip(wishes, added, strict=True) for node in new]
        values, entropies = _looked_at(nodes, services)
        position = 0
        for (search, _, _), new in zip(wishes, added, strict=True):
            search.values += values[position : position + len(new)]
            search.entropies += entropies[position : position + len(new)]
            search.visits += [0] * len(new)
            position += len(new)


class _Search:
    """The search in one tree."""

    def __init__(self, growth: Growth, services: Services) -> None:
        self.growth = growth
        self.values, self.entropies, self.visits = [0.0], [0.0], [0]
        self.refusals = 0

    @property
    def open(self) -> bool:
        """Whether there is anywhere to go on, and the gate has not refused too often in a row."""
        unfinished = any(not node.finished and not node.children for node in self.growth.nodes)
        return unfinished and self.refusals <= len(self.growth.nodes)

    def select(self, entropy_weight: float, exploration: float) -> int | None:
        """Descend to a leaf and return it if it may be expanded."""
        found = vstar.select(
            parent=self.growth.parents,
            value=self.values,
            entropy=self.entropies,
            visits=self.visits,
            lam=entropy_weight,
            beta=exploration,
        )
        for node in found["path"]:
            self.visits[node] += 1
        leaf = int(found["path"][-1])
        expandable = bool(found["expand"]) and not self.growth.nodes[leaf].finished
        self.refusals = 0 if expandable else self.refusals + 1
        return leaf if expandable else None

    def best(self, count: int) -> list[int]:
        """Return the leaves with the greatest values."""
        leaves = [number for number, node in enumerate(self.growth.nodes) if number and not node.children]
        return sorted(leaves, key=lambda leaf: (-self.values[leaf], leaf))[:count]


def _looked_at(nodes: Sequence[Node], services: Services) -> tuple[list[float], list[float]]:
    """Return the value after each node's turn, and the policy's mean entropy while it wrote the turn."""
    assert services.values is not None
    contexts = [node.rollout.context for node in nodes]
    with torch.no_grad():
        scores = services.model.score(contexts, hidden=True)
        assert scores.hidden is not None
        values = services.values(scores.hidden)
    services.extra_tokens += sum(len(context) for context in contexts)
    found, entropies = [], []
    for row, (node, context) in enumerate(zip(nodes, contexts, strict=True)):
        assert node.turn is not None
        start = len(node.rollout.prompt_ids)
        found.append(float(values[row, len(context) - 1]))
        entropies.append(float(scores.entropy[row, start + node.turn.start : start + node.turn.end].mean()))
    return found, entropies
