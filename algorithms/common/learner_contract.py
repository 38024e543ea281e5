"""What every learner has in common, and what every training leaves, whatever is trained."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol, Self, TypeAlias

from coopgym.agents.base import Agent
from coopgym.algorithms.common.settings import Settings
from coopgym.games.game import Game
from coopgym.games.spec import View
from coopgym.rewards import RewardLayer

Objective = Literal["individual", "team"]
OBJECTIVES: tuple[Objective, ...] = ("individual", "team")

Memory = Literal["none", "gru"]
NO_MEMORY: Memory = "none"
MEMORIES: tuple[Memory, ...] = (NO_MEMORY, "gru")

ReplicaName: TypeAlias = int | tuple[str, int]
"""A replica by position, or as ``(reward, seed)``."""
CurvePoint: TypeAlias = tuple[int, str, float]
"""``(env_steps, metric, value)``."""
ProgressCallback: TypeAlias = Callable[[int, int], None]
"""Told now and then what is done and what is planned."""


class PolicyAgent(Agent, Protocol):
    """An agent that plays what was trained."""

    def fresh(self) -> Self:
        """Return another agent with the same policy, which remembers nothing."""


class Trained(Protocol):
    """What a training leaves: R replicas with policies, curves and facts."""

    @property
    def replicas(self) -> list[tuple[str, int]]:
        """``(reward, seed)`` of every replica."""

    @property
    def hyperparameters(self) -> dict[str, Any]:
        """The learner's hyper-parameters as JSON values, as `Settings.values` names them."""

    @property
    def env_steps(self) -> int:
        """Joint steps taken by each replica."""

    @property
    def gradient_updates(self) -> int:
        """Gradient updates taken by each replica."""

    def agents(self, replica: ReplicaName = 0, *, stochastic: bool = False) -> Sequence[PolicyAgent]:
        """Return one agent per seat.

        Raises:
            ValueError: no such replica, or it left no policy.
        """

    def curves(self, replica: ReplicaName = 0) -> list[CurvePoint]:
        """Return learning curves in the order of training."""

    def transcript(self, replica: ReplicaName = 0) -> Sequence[Mapping[str, Any]]:
        """Return what was said in training and is to be kept, as rows of the table ``turns`` but for the run."""

    def status(self, replica: ReplicaName = 0) -> str:
        """Return ``"trained"`` or ``"diverged"``."""

    def diverged_at(self, replica: ReplicaName = 0) -> int | None:
        """Return the step at which a replica was found to have diverged, or None."""

    def save(self, path: str | Path) -> None:
        """Write policies and record to a folder."""


@dataclass(frozen=True, kw_only=True)
class Learner(Settings):
    """A learner with its hyper-parameters.

    Attributes:
        objective: ``"individual"``, each seat's own reward, or ``"team"``, the sum over seats for all.
    """

    version: ClassVar[int] = 1
    """Raise it when the same hyper-parameters may give other numbers than before, by a mended update or another order
    of draws, say: it is part of the identity of every run."""
    objectives: ClassVar[tuple[Objective, ...]] = OBJECTIVES
    """Objectives that the algorithm is defined for."""
    min_agents: ClassVar[int] = 1
    max_agents: ClassVar[int | None] = None
    searchable: ClassVar[bool] = True
    """Whether policies are cheap enough to be searched for deviations whenever they are evaluated."""
    usual_steps: ClassVar[int] = 200_000
    """Joint steps of a training for which nobody has named a number."""

    objective: Objective = "individual"

    @property
    def step_cost(self) -> float:
        """Rough duration of a joint step of a replica in those of PPO, from which studies estimate their time."""
        return 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.objective not in self.objectives:
            raise ValueError(f"objective={self.objective!r}: expected one of {', '.join(self.objectives)}")

    @property
    def title(self) -> str:
        """Name in tables, unless another is given."""
        usual = {field.name: field.default for field in dataclasses.fields(self)}["objective"]
        return type(self).__name__ + ("" if self.objective == usual else f"-{self.objective}")

    def check(self, game: Game[Any]) -> None:
        """Make sure that the algorithm applies to a game.

        Raises:
            ValueError: too few or too many seats.
        """
        name, seats = type(self).__name__, len(game.spec.endowments)
        if seats < self.min_agents:
            raise ValueError(f"{name} needs at least {self.min_agents} seats, but {game.spec.id} has {seats}")
        if self.max_agents is not None and seats > self.max_agents:
            raise ValueError(f"{name} plays at most {self.max_agents} seats, but {game.spec.id} has {seats}")

    def identity(self) -> dict[str, Any]:
        """Return what, beside class and version, determines what a game teaches: all hyper-parameters, and more."""
        return self.values()

    def company(self, reward: str) -> tuple[str, ...]:
        """Name the agents that a training meets or is judged by."""
        return ()

    def prompt_hash(self, game: Game[Any], view: View, reward: str) -> str | None:
        """Return the hash of what a language model reads; None where none is trained."""
        return None

    def data_hash(self) -> str | None:
        """Return the hash of what is learned from besides play, such as a corpus; None for nothing."""
        return None

    @abstractmethod
    def train(
        self,
        game: str,
        rewards: Iterable[str | RewardLayer] = ("integrated",),
        seeds: Iterable[int] = (0,),
        env_steps: int = 500_000,
        *,
        game_parameters: Mapping[str, Any] | None = None,
        view: View | None = None,
        device: str = "cpu",
        progress: ProgressCallback | None = None,
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 10,
        checkpoint_seconds: float = 0.0,
    ) -> Trained:
        """Train one replica per reward and seed.

        Args:
            game: a registered id.
            rewards: reward modes or layers, crossed with ``seeds``.
            seeds: a replica's result depends on its own seed and configuration only.
            env_steps: joint steps per replica.
            game_parameters: keywords of the game.
            view: what seats see; None is the game's default.
            device: where everything runs.
            progress: called now and then with the steps done and planned.
            checkpoint: folder to resume from, if it holds a checkpoint, and to write to.
            checkpoint_every: blocks between checkpoints.
            checkpoint_seconds: least time between checkpoints.

        Raises:
            TypeError: ``rewards`` or ``seeds`` of the wrong kind.
            ValueError: something that was asked for is unknown, out of range or does not apply to the game.
        """
