"""Trees of turns under construction: nodes hold rollouts as they stand after a turn, and branch from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.conversation import Rollout, one_turn
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import Group, Tree, Turn

ROOT = 0


@dataclass
class Node:
    """A turn in a tree, with the rollout that ends in it."""

    rollout: Rollout
    parent: int
    depth: int
    children: list[int] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        """Whether the rollout's match is over, so that the node is a leaf for good."""
        return not self.rollout.waiting

    @property
    def turn(self) -> Turn | None:
        """The turn that led here; None at the root."""
        return self.rollout.turns[-1] if self.depth else None

    @property
    def tokens(self) -> int:
        """Tokens written in the turn."""
        return self.turn.length if self.turn else 0


@dataclass
class Growth:
    """The tree of one task."""

    task: Task
    number: int
    """The task's number in its step."""
    nodes: list[Node]
    tokens: int = 0
    """Tokens written for the tree, those of dropped branches included."""

    @classmethod
    def plant(cls, task: Task, number: int, services: Services, step: int) -> Growth:
        """Start with the root, where nothing has been written."""
        rollout = Rollout.of_task(task, services.model, services.stream("tree", step, number, ROOT))
        return cls(task, number, [Node(rollout, -1, 0)])

    @property
    def parents(self) -> list[int]:
        """The parent of every node, -1 for the root."""
        return [node.parent for node in self.nodes]

    def path(self, node: int) -> list[int]:
        """Return the nodes from the root to a node."""
        found = [node]
        while found[-1] != ROOT:
            found.append(self.nodes[found[-1]].parent)
        return found[::-1]

    def group(self, leaves: Sequence[int]) -> Group:
        """Return the rollouts that end in some leaves, with the tree that leads to them and nothing else.

        Leaves whose match is not over count as rollouts without an answer.
        """
        kept = sorted({node for leaf in leaves for node in self.path(leaf)})
        place = {node: position for position, node in enumerate(kept)}
        members = []
        rewards: list[float | None] = [None] * len(kept)
        for leaf in leaves:
            member = self.nodes[leaf].rollout.trajectory(self.task)
            member.path = tuple(place[node] for node in self.path(leaf))
            rewards[place[leaf]] = member.outcome
            members.append(member)
        parents = [-1 if node == ROOT else place[self.nodes[node].parent] for node in kept]
        tree = Tree(parents, [self.nodes[node].turn for node in kept], rewards)
        return Group(self.task, members, tree, generated=self.tokens)


@dataclass(frozen=True)
class Request:
    """A wish to branch."""

    growth: Growth
    node: int
    count: int = 1


def branch(requests: Sequence[Request], services: Services, step: int) -> list[list[int]]:
    """Add one turn after some nodes of some trees, all decoded together, and return the new nodes per request."""
    added, speaking = [], []
    for request in requests:
        growth, parent = request.growth, request.growth.nodes[request.node]
        new = list(range(len(growth.nodes), len(growth.nodes) + request.count))
        for number in new:
            rollout = parent.rollout.branch(services.stream("tree", step, growth.number, number))
            growth.nodes.append(Node(rollout, request.node, parent.depth + 1))
            speaking.append(rollout)
        parent.children.extend(new)
        added.append(new)
    one_turn(speaking, services.decoding)
    for request, new in zip(requests, added, strict=True):
        request.growth.tokens += sum(request.growth.nodes[node].tokens for node in new)
    return added


def complete(
    growths: Sequence[Growth], leaves: Sequence[Sequence[int]], services: Services, step: int
) -> list[list[int]]:
    """Play on from unfinished leaves to the end, one child per turn, and return where each ends."""
    ends = [list(each) for each in leaves]
    while True:
        open_ends = [
            (tree, position, Request(growth, node))
            for tree, (growth, own) in enumerate(zip(growths, ends, strict=True))
            for position, node in enumerate(own)
            if not growth.nodes[node].finished
        ]
        if not open_ends:
            return ends
        for (tree, position, _), (child,) in zip(
            open_ends, branch([request for _, _, request in open_ends], services, step), strict=True
        ):
            ends[tree][position] = child
