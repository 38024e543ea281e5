"""What learns in some seats of a game, in all replicas at once, and what it is told about the training it is part of.

Shapes: R replicas, N seats of the game, n seats of one learner, T steps and B environment copies of a block, O
observation entries, G entries of the compact global state, F static features of a seat.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol, TypeVar

import torch
from torch import Tensor

from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.random_streams import Replica, Streams
from coopgym.algorithms.marl.core.environment import EnvironmentFactory
from coopgym.algorithms.marl.core.global_state import seat_features, state_size
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.games.game import Game
from coopgym.games.spec import View


@dataclass(frozen=True, eq=False)
class Context:
    """The training that an agent learner is part of."""

    game: Game[Any]
    view: View
    make: EnvironmentFactory
    """Makes further environments of the same game."""
    replicas: tuple[Replica, ...]
    seats: tuple[int, ...]
    """The seats that the learner answers for, ascending; n of them."""
    steps: int
    """Steps T of a block."""
    copies: int
    """Environment copies B."""
    inputs: int
    """Observation entries O."""
    scale: Tensor
    """``(R,)`` what training signals were divided by."""
    streams: Streams
    """Random numbers, one stream per replica."""
    alive: Tensor
    """``(R,)`` False where a replica is frozen; every optimiser of the training shares it."""
    device: torch.device
    needs_state: bool
    """Whether blocks carry the compact global state for the learner."""
    bootstrap_truncation: bool
    """Whether the horizon is an interruption instead of the end of the game."""

    @property
    def agents(self) -> int:
        """Number of seats N of the game."""
        return len(self.game.spec.endowments)

    @property
    def horizon(self) -> int:
        """Steps of an episode."""
        return self.game.spec.horizon

    @property
    def state_size(self) -> int:
        """Number of entries G of the compact global state."""
        return state_size(self.agents)

    @property
    def lead(self) -> tuple[int, int]:
        """``(R, n)``, the leading dimensions of whatever every seat has one of."""
        return len(self.replicas), len(self.seats)

    @cached_property
    def features(self) -> Tensor:
        """What tells the seats apart and never changes, ``(n, F)``."""
        return seat_features(self.game, self.seats, self.device)


class Part(Protocol):
    """Something that a resumed run has to find as it was: parameters, an optimiser, statistics, a buffer."""

    def state(self) -> dict[str, Tensor]:
        """Return every tensor that a resumed run continues from."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""


PartT = TypeVar("PartT", bound=Part)


class AgentLearner(ABC):
    """Learns for its seats in all replicas. Subclasses `keep` whatever a resumed run must find as it was.

    Args:
        context: the training it is part of.
    """

    policy_kind: ClassVar[str]
    """How `coopgym.algorithms.common.policies` plays the policies."""
    activation: str
    """Of the policies' hidden layers."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._parts: dict[str, Part] = {}

    def keep(self, name: str, part: PartT) -> PartT:
        """Register a part of the training state under a name and return it."""
        self._parts[name] = part
        return part

    def begin(self, progress: float) -> None:
        """Prepare for the next block, for instance by drawing its noise; ``progress`` in [0, 1) is the budget spent."""

    @abstractmethod
    def act(self, t: int, observation: Tensor) -> Tensor:
        """Choose shares of endowment ``(R, n, B)`` in (0, 1) at step t of the block.

        Args:
            t: step of the block, in [0, T).
            observation: ``(R, n, B, O)`` in [-1, 1].
        """

    @abstractmethod
    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        """Learn from a finished block and return metrics ``(R,)``.

        Args:
            block: as its seats see it.
            progress: share of the budget spent when the block began, in [0, 1).
        """

    @abstractmethod
    def policy_tensors(self) -> dict[str, Tensor]:
        """Return the policies as they stand, ``(R, n, ...)`` by the names that their kind expects."""

    def policy_facts(self) -> list[dict[str, Any]]:
        """Return what playing the policies takes besides tensors, one entry of JSON values per form of policy."""
        seats = list(self.context.seats)
        return [{"seats": seats, "kind": self.policy_kind, "activation": self.activation, "prefix": ""}]

    @property
    def gradient_updates(self) -> int:
        """Updates taken by the network that took most."""
        return max((part.steps for part in self._parts.values() if isinstance(part, StackedAdam)), default=0)

    def state(self) -> dict[str, Tensor]:
        """Return every tensor that a resumed run continues from."""
        return nested({name: part.state() for name, part in self._parts.items()})

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        for name, part in self._parts.items():
            part.restore(extracted(state, name))


def nested(states: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Join states of parts into one, names joined by a dot."""
    return {f"{part}.{name}": tensor for part, state in states.items() for name, tensor in state.items()}


def extracted(state: Mapping[str, Tensor], part: str) -> dict[str, Tensor]:
    """Return the state of one part out of what `nested` joined."""
    prefix = f"{part}."
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
