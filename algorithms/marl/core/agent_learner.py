"""What learns in some seats of a game, in all replicas at once: the training it is part of, its parts, its networks.

Shapes: R replicas, N seats of the game, n seats of one learner, T steps and B environment copies of a block, S samples,
E members of an ensemble, O entries of what a seat sees, G entries of the compact global state, F static features of a
seat.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Protocol, TypeVar

import numpy.typing as npt
import torch
from torch import Tensor

from coopgym.algorithms.common.learner_contract import NO_MEMORY, Memory
from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.random_streams import Replica, Streams
from coopgym.algorithms.common.stacked_networks import ACTIVATIONS, ParameterStack, initialise_mlp, mlp, mlp_shapes
from coopgym.algorithms.marl.core.environment import EnvironmentFactory, seat_features
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
    """Entries O of what a seat sees: of all observations of its history."""
    history: int
    """Observations that a seat sees at once, oldest first."""
    memory: Memory
    """What policies remember beside these."""
    state_size: int
    """Entries G of the compact global state."""
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

    def forget(self, ended: Tensor) -> None:
        """Forget what is remembered of episodes that ended with the last step, ``(R, B)``."""

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
        facts = {"seats": list(self.context.seats), "kind": self.policy_kind, "activation": self.activation}
        seen_at_once = {"history": self.context.history} if self.context.history > 1 else {}
        remembered = {"memory": self.context.memory} if self.context.memory != NO_MEMORY else {}
        return [{**facts, "prefix": "", **seen_at_once, **remembered}]

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


class SeatNetworks(ABC):
    """Networks of the seats of all replicas: one per seat, or one that all seats share and that is told the seat.

    Stacked with lead ``(R, n)``, or ``(R, 1)`` where the seats share. A shared network takes the features of the seat
    beside its input. They never change, so they only move the biases of the first layer: `per_seat` returns the
    networks that the seats would own.

    Args:
        context: the seats.
        inputs: entries of an input.
        hidden: sizes of hidden layers.
        outputs: entries of an output.
        activation: ``"tanh"`` or ``"relu"``.
        ensemble: number of networks per seat that see the same input, such as twin critics; the lead becomes
            ``(R, E, n)`` and outputs ``(R, E, n, S, out)``. None leaves that dimension out.
        sharing: whether one network serves all seats.
        extra: shapes of further parameters of each network.
    """

    @staticmethod
    @abstractmethod
    def shapes(inputs: int, hidden: Sequence[int], outputs: int) -> dict[str, tuple[int, ...]]:
        """Return parameter shapes of one network."""

    def __init__(
        self,
        context: Context,
        inputs: int,
        hidden: tuple[int, ...],
        outputs: int,
        activation: str,
        *,
        ensemble: int | None = None,
        sharing: bool = False,
        extra: Mapping[str, tuple[int, ...]] | None = None,
    ) -> None:
        replicas, seats = context.lead
        self.sharing, self.features = sharing, context.features
        self.ensemble = ensemble
        self.layers = len(hidden) + 1
        self.activation = ACTIVATIONS[activation]
        members = () if ensemble is None else (ensemble,)
        entries = inputs + (context.features.shape[1] if sharing else 0)
        shapes = {**self.shapes(entries, hidden, outputs), **(extra or {})}
        self.parameters = ParameterStack((replicas, *members, 1 if sharing else seats), shapes, context.device)

    def per_seat(self, parameters: Mapping[str, Tensor] | None = None) -> dict[str, Tensor]:
        """Return the parameters that every seat would own, ``(R, [E,] n, ...)``."""
        found = dict(self.parameters.values() if parameters is None else parameters)
        return for_every_seat(found, self.features) if self.sharing else found

    def last_layer(self) -> tuple[Tensor, Tensor]:
        """Return the last layer's weights ``(R, [E,] n, in, out)`` and biases ``(R, [E,] n, 1, out)``."""
        last = self.layers - 1
        return self.parameters[f"weight_{last}"], self.parameters[f"bias_{last}"]


class AgentNetworks(SeatNetworks):
    """Perceptrons of the seats; the arguments are those of `SeatNetworks`."""

    shapes = staticmethod(mlp_shapes)

    def initialise(self, context: Context, output_gain: npt.ArrayLike) -> None:
        """Draw orthogonal weights with zero biases, each replica from its own stream."""
        initialise_mlp(self.parameters, self.layers, context.streams.initial, output_gain)

    def __call__(self, inputs: Tensor, parameters: Mapping[str, Tensor] | None = None) -> Tensor:
        """Return outputs ``(R, n, S, out)``, or ``(R, E, n, S, out)`` of an ensemble.

        Args:
            inputs: ``(R, n, S, in)``, the same for all members; or ``(R, E, n, S, in)``. Where the seats share, one
                entry of the seat dimension stands for all that see the same.
            parameters: those to compute with instead of the own, such as one member's `ParameterStack.part`.
        """
        if parameters is None and self.ensemble is not None and inputs.dim() == 4:
            inputs = inputs.unsqueeze(1).expand(-1, self.ensemble, *inputs.shape[1:])
        chosen = self.parameters if parameters is None else parameters
        if not self.sharing:
            return mlp(chosen, self.layers, inputs, self.activation)
        seats, samples = inputs.shape[-3:-1]
        weight, bias = self._first_layer(chosen)
        values = torch.matmul(inputs.flatten(-3, -2), weight.squeeze(-3)).unflatten(-2, (seats, samples)) + bias
        if self.layers > 1:
            together = self.activation(values).flatten(-3, -2).unsqueeze(-3)
            values = mlp(chosen, self.layers, together, self.activation, first=1)
            values = values.squeeze(-3).unflatten(-2, (-1, samples))
        return values

    def _first_layer(self, parameters: Mapping[str, Tensor] | ParameterStack) -> tuple[Tensor, Tensor]:
        return _seat_biases(parameters, self.features)


def for_every_seat(parameters: Mapping[str, Tensor], features: Tensor) -> dict[str, Tensor]:
    """Return the parameters ``(R, [E,] n, ...)`` that every seat would own instead of a shared network.

    Args:
        parameters: of a network that takes the features of the seat after its input, ``(R, [E,] 1, ...)``.
        features: ``(n, F)``.
    """
    weight, bias = _seat_biases(parameters, features)
    found = {**parameters, "weight_0": weight, "bias_0": bias}
    seat = weight.dim() - 3
    return {
        name: tensor.expand(*tensor.shape[:seat], len(features), *tensor.shape[seat + 1 :])
        for name, tensor in found.items()
    }


def _seat_biases(parameters: Mapping[str, Tensor] | ParameterStack, features: Tensor) -> tuple[Tensor, Tensor]:
    """Return the first layer's weights ``(R, [E,] 1, in, out)`` on inputs and biases ``(R, [E,] n, 1, out)``."""
    weight, bias = parameters["weight_0"], parameters["bias_0"]
    inputs = weight.shape[-2] - features.shape[1]
    seat_bias = torch.matmul(features, weight[..., inputs:, :]).transpose(-3, -2)
    return weight[..., :inputs, :], bias + seat_bias
