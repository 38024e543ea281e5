"""Training of R replicas at once: environments, blocks of experience, and the agent learner that they teach."""

from __future__ import annotations

import dataclasses
from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from coopgym.algorithms import learners
from coopgym.algorithms.common.learner_contract import NO_MEMORY, Learner, Memory, ProgressCallback
from coopgym.algorithms.common.random_streams import Replica, Streams, cross
from coopgym.algorithms.common.settings import JOINED_LATER, hyperparameter
from coopgym.algorithms.common.torch_defaults import torch_defaults
from coopgym.algorithms.common.training_partners import check_training_partners
from coopgym.algorithms.marl.core.agent_learner import AgentLearner, Context, extracted, nested
from coopgym.algorithms.marl.core.environment import (
    Environment,
    EnvironmentFactory,
    environment_factory,
    observation_map,
    reward_scales,
)
from coopgym.algorithms.marl.core.partnered_environment import PartneredEnvironment, check_partnered
from coopgym.algorithms.marl.core.rollout_buffer import Collector, Rollout
from coopgym.algorithms.marl.core.trained_agents import TrainingResult
from coopgym.algorithms.marl.core.training_loop import Evaluator, train_blocks
from coopgym.games.game import Game
from coopgym.games.spec import View
from coopgym.rewards import RewardLayer


@dataclass(frozen=True, kw_only=True)
class ReplicaLearner(Learner):
    """A learner that trains all replicas at once: the base of all algorithms here, which mix in settings they share.

    Attributes:
        num_envs: environment copies B.
        rollout_steps: steps T per block; None is one full episode.
        bootstrap_truncation: treat the horizon as an interruption instead of as the end of the game.
        history: observations n that a policy sees at once, oldest first; the first of an episode stands for those
            before it.
        memory: what a policy remembers of its episode beside these: ``"none"``, or ``"gru"``, gated recurrent units
            in the place of its last hidden layer.
        partners: names of agents, one of which fills all other seats of an episode while the learner has one; none is
            self-play. One name may stand alone.
    """

    version: ClassVar[int] = 2
    sources: ClassVar[str]
    """The papers that define the algorithm."""
    needs_state: ClassVar[bool] = False
    """Whether blocks carry the compact global state."""
    memories: ClassVar[tuple[Memory, ...]] = (NO_MEMORY,)
    """Memories that the algorithm knows how to train."""
    partnered: ClassVar[bool] = False
    """Whether the algorithm needs nothing of other seats, so that it can learn among agents that are given."""

    num_envs: int = hyperparameter(64, 1)
    rollout_steps: int | None = hyperparameter(None, 1)
    bootstrap_truncation: bool = False
    history: int = hyperparameter(1, 1, joined_later=True)
    memory: Memory = dataclasses.field(default=NO_MEMORY, metadata={JOINED_LATER: True})
    partners: str | tuple[str, ...] = dataclasses.field(default=(), metadata={JOINED_LATER: True})

    @property
    def step_cost(self) -> float:
        return super().step_cost * (1.0 if self.memory == NO_MEMORY else 2.0)

    def __post_init__(self) -> None:
        if isinstance(self.partners, str):
            object.__setattr__(self, "partners", (self.partners,))
        super().__post_init__()
        check_training_partners(self.partner_names)
        if self.memory not in self.memories:
            raise ValueError(
                f"memory={self.memory!r}: {type(self).__name__} cannot train it, expected "
                f"{' or '.join(map(repr, self.memories))}; history=n shows its policies their last n observations"
            )
        if self.partners and not self.partnered:
            able = [name for name, kind in learners().items() if getattr(kind, "partnered", False)]
            raise ValueError(
                f"partners={', '.join(self.partner_names)}: {type(self).__name__} learns from what other seats do or "
                f"learn, not among agents that are given; {', '.join(able)} can"
            )
        if self.partners and self.objective != "individual":
            raise ValueError(
                f"partners={', '.join(self.partner_names)}: expected objective='individual', since partners are no "
                "part of a team that learns; the reward 'cooperative' pays the learner for what everybody gets"
            )

    @property
    def partner_names(self) -> tuple[str, ...]:
        """Agents that fill the other seats; nobody in self-play."""
        return (self.partners,) if isinstance(self.partners, str) else self.partners

    def check(self, game: Game[Any]) -> None:
        """Make sure that the algorithm applies to a game, and that its partners can be met there.

        Raises:
            ValueError: it does not, or they cannot.
        """
        super().check(game)
        if self.partners:
            check_partnered(game, self.partner_names)

    def company(self, reward: str) -> tuple[str, ...]:
        return self.partner_names

    @abstractmethod
    def agent_learner(self, context: Context) -> AgentLearner:
        """Make what learns in some seats of a training."""

    @torch_defaults()
    def train(
        self,
        game: str | EnvironmentFactory,
        rewards: Iterable[str | RewardLayer] = ("integrated",),
        seeds: Iterable[int] = (0,),
        env_steps: int = 500_000,
        *,
        game_parameters: Mapping[str, Any] | None = None,
        view: View | None = None,
        device: str | torch.device = "cpu",
        evaluations: int = 50,
        progress: ProgressCallback | None = None,
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 10,
        checkpoint_seconds: float = 0.0,
    ) -> TrainingResult:
        """Train one replica per reward and seed, all at once.

        Args:
            game: a registered id, or a function that makes a torch environment as `coopgym.torch_env` does.
            rewards: reward modes or layers, crossed with ``seeds``.
            seeds: a replica's result depends on its own seed and configuration only.
            env_steps: joint steps per replica, rounded up to whole blocks of B·T.
            game_parameters: keywords of the game.
            view: what seats see; None is the game's default.
            device: where everything runs.
            evaluations: points of the curves ``eval_…`` of what the policies' best guesses earn (`Evaluator.results`),
                spread evenly over the budget, at most one per block. They change nothing else.
            progress: called after every block with the steps done and planned.
            checkpoint: folder to resume from, if it holds a checkpoint, and to write to.
            checkpoint_every: blocks between checkpoints.
            checkpoint_seconds: least time between checkpoints.

        Raises:
            TypeError: ``rewards`` or ``seeds`` of the wrong kind.
            ValueError: an unknown game or reward, a game that the algorithm does not apply to, nothing to train, a
                budget below 1, evaluations below 0, an unusable checkpoint.
        """
        make = environment_factory(game, game_parameters, view)
        kind = PartneredTrainer if self.partners else Trainer
        trainer = kind(self, make, cross(rewards, seeds), torch.device(device))
        run = trainer.identity() | {"env_steps": env_steps, "evaluations": evaluations}
        log = train_blocks(
            trainer,
            env_steps,
            run=run,
            evaluator=trainer.evaluator(),
            evaluations=evaluations,
            progress=progress,
            checkpoint=checkpoint,
            checkpoint_every=checkpoint_every,
            checkpoint_seconds=checkpoint_seconds,
        )
        entries = [
            {**entry, "diverged_at": diverged_at, "curves": curves}
            for entry, diverged_at, curves in zip(run["replicas"], log.diverged_at, log.curves, strict=True)
        ]
        counts = {"env_steps": log.env_steps, "gradient_updates": trainer.gradient_updates}
        return TrainingResult({**run, **counts, "replicas": entries}, trainer.policy_arrays())


class Trainer:
    """Plays blocks with an agent learner in all seats and lets it learn from them.

    Args:
        learner: the algorithm.
        make: makes the environments.
        replicas: what to train, side by side.
        device: where everything lives.
        seat: the only one that learns, among the learner's partners; None for all.

    Raises:
        ValueError: the algorithm does not apply to the game.
    """

    def __init__(
        self,
        learner: ReplicaLearner,
        make: EnvironmentFactory,
        replicas: Sequence[Replica],
        device: torch.device,
        seat: int | None = None,
    ) -> None:
        self.learner, self.make = learner, make
        self.replicas = tuple(replicas)
        self.partnered: PartneredEnvironment | None = None
        """The environment, where one seat learns among partners."""
        environment = make(
            (len(replicas), learner.num_envs),
            device=device,
            reward=[replica.reward for replica in replicas],
            validate=False,
        )
        game = environment.game
        learner.check(game)
        name = f"{type(learner).__name__} {game.spec.id}"
        seats = tuple(range(len(game.spec.endowments)))
        if seat is not None:
            environment = self.partnered = PartneredEnvironment(environment, seat, learner.partner_names)
            seats, name = (seat,), f"{name} seat {seat}"
        self.streams = Streams([replica.seed for replica in replicas], name, device)
        self.stochastic = environment.game.stochastic
        self.scale = reward_scales(make, replicas, learner.objective)
        self.collector = Collector(
            environment,
            self.scale,
            steps=learner.rollout_steps,
            objective=learner.objective,
            bootstrap_truncation=learner.bootstrap_truncation,
            device=device,
            seeds=self.streams.seeds(learner.num_envs),
            needs_state=learner.needs_state,
            history=learner.history,
            seats=seats,
        )
        *_, steps, copies = self.collector.shape
        self.steps_per_block = steps * copies
        self.alive = torch.ones(len(replicas), dtype=torch.bool, device=device)
        """``(R,)`` False where a replica diverged and is frozen."""
        self.seats = learner.agent_learner(
            Context(
                game=game,
                view=environment.view,
                make=make,
                replicas=self.replicas,
                seats=seats,
                steps=steps,
                copies=copies,
                inputs=self.collector.inputs,
                history=learner.history,
                memory=learner.memory,
                state_size=self.collector.state_size,
                scale=self.scale.to(device, torch.float32),
                streams=self.streams,
                alive=self.alive,
                device=device,
                needs_state=learner.needs_state,
                bootstrap_truncation=learner.bootstrap_truncation,
            )
        )

    def learn(self, progress: float) -> dict[str, Tensor]:
        """Collect one block with the current policies and learn from it."""
        rollout = self.collect(progress)
        return {
            "reward": rollout.reward.flatten(1).mean(-1),
            "payoff": rollout.payoff.flatten(1).mean(-1),
            "cooperation": rollout.share.flatten(1).mean(-1),
            **self.seats.update(rollout, progress),
        }

    def collect(self, progress: float = 0.0) -> Rollout:
        """Play one block."""
        if self.stochastic:
            self.collector.reseed(self.streams.seeds(self.learner.num_envs))
        self.seats.begin(progress)
        return self.collector.collect(self.seats.act, self.seats.forget)

    def identity(self) -> dict[str, Any]:
        """Return what identifies this training and how to play its policies, as JSON values."""
        environment = self.collector.environment
        return {
            "algorithm": type(self.learner).__name__,
            "hyperparameters": self.learner.values(),
            "game": environment.game.spec.id,
            "game_parameters": environment.game.parameter_dict(),
            "view": environment.view,
            "endowments": environment.game.spec.endowments.tolist(),
            "policies": self.seats.policy_facts(),
            "replicas": [
                {"reward": replica.reward.name, "seed": replica.seed, "reward_scale": scale}
                for replica, scale in zip(self.replicas, self.scale.tolist(), strict=True)
            ],
        }

    def evaluator(self) -> Evaluator:
        """Make what plays the policies on their way."""
        facts, history = self.seats.policy_facts(), self.learner.history
        return Evaluator(self.make, self.collector.environment, self.replicas, facts, self.streams.device, history)

    def policies(self) -> dict[str, Tensor]:
        """Return the policies as they stand, ``(R, n, ...)`` by name."""
        return self.seats.policy_tensors()

    @property
    def gradient_updates(self) -> int:
        """Updates taken by the network that took most."""
        return self.seats.gradient_updates

    @property
    def resumable(self) -> bool:
        """Whether a resumed run goes on from `state` to the same numbers: partners remember their episodes."""
        return self.partnered is None or self.partnered.between_episodes

    def policy_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return policies ``policy.<name>`` ``(R, n, ...)`` and the observation map, as NumPy arrays."""
        return _arrays(self.policies(), self.collector.environment)

    def state(self) -> dict[str, Tensor]:
        """Return every tensor that a resumed run continues from."""
        parts = nested({"seats": self.seats.state(), "collector": self.collector.state()})
        met = {} if self.partnered is None else {"episodes": torch.tensor(self.partnered.episodes)}
        return {"alive": self.alive, "streams": self.streams.state(), **met, **parts}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self.alive.copy_(state["alive"])
        self.streams.restore(state["streams"])
        self.seats.restore(extracted(state, "seats"))
        self.collector.restore(extracted(state, "collector"))
        if self.partnered is not None:
            self.partnered.episodes = int(state["episodes"])


class PartneredTrainer:
    """Trains a policy for each group of exchangeable seats, in the group's first seat and among the learner's partners.

    Groups learn apart, each with environments and random streams of its own; a joint step is one of every group.

    The arguments and errors are those of `Trainer`.
    """

    def __init__(
        self, learner: ReplicaLearner, make: EnvironmentFactory, replicas: Sequence[Replica], device: torch.device
    ) -> None:
        self.learner, self.make, self.replicas, self.device = learner, make, tuple(replicas), device
        self.environment = make(1, device=device, reward=replicas[0].reward, validate=False)
        learner.check(self.environment.game)
        groups = self.environment.game.traits().exchangeable
        self.trainers = [Trainer(learner, make, replicas, device, seat=first) for first, *_ in groups]
        self.steps_per_block = self.trainers[0].steps_per_block
        group_of = {seat: position for position, group in enumerate(groups) for seat in group}
        self.group_of = torch.tensor([group_of[seat] for seat in sorted(group_of)], device=device)
        """``(N,)`` whose policy plays a seat."""

    @property
    def alive(self) -> Tensor:
        """``(R,)`` False where a policy of a replica diverged and is frozen."""
        return torch.stack([trainer.alive for trainer in self.trainers]).all(0)

    @property
    def gradient_updates(self) -> int:
        """Updates taken by the network that took most."""
        return max(trainer.gradient_updates for trainer in self.trainers)

    @property
    def resumable(self) -> bool:
        """Whether a resumed run goes on from `state` to the same numbers."""
        return all(trainer.resumable for trainer in self.trainers)

    def learn(self, progress: float) -> dict[str, Tensor]:
        """Collect a block of every group and learn from it; metrics are means over groups."""
        metrics = [trainer.learn(progress) for trainer in self.trainers]
        return {name: torch.stack([each[name] for each in metrics]).mean(0) for name in metrics[0]}

    def identity(self) -> dict[str, Any]:
        """Return what identifies this training and how to play its policies, as JSON values."""
        return {**self.trainers[0].identity(), "policies": self._policy_facts()}

    def _policy_facts(self) -> list[dict[str, Any]]:
        seats = list(range(len(self.group_of)))
        return [{**facts, "seats": seats} for facts in self.trainers[0].seats.policy_facts()]

    def evaluator(self) -> Evaluator:
        """Make what plays the policies with each other on their way."""
        history = self.learner.history
        return Evaluator(self.make, self.environment, self.replicas, self._policy_facts(), self.device, history)

    def policies(self) -> dict[str, Tensor]:
        """Return the policies as they stand, ``(R, N, ...)`` by name."""
        found = [trainer.policies() for trainer in self.trainers]
        return {name: torch.cat([each[name] for each in found], dim=1)[:, self.group_of] for name in found[0]}

    def policy_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return policies ``policy.<name>`` ``(R, N, ...)`` and the observation map, as NumPy arrays."""
        return _arrays(self.policies(), self.environment)

    def state(self) -> dict[str, Tensor]:
        """Return every tensor that a resumed run continues from."""
        return nested({str(position): trainer.state() for position, trainer in enumerate(self.trainers)})

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        for position, trainer in enumerate(self.trainers):
            trainer.restore(extracted(state, str(position)))


def _arrays(policies: Mapping[str, Tensor], environment: Environment) -> dict[str, npt.NDArray[Any]]:
    """Return policies ``policy.<name>`` ``(R, n, ...)`` and the observation map, as NumPy arrays."""
    gain, offset = observation_map(environment)
    named = {f"policy.{name}": np.array(tensor.cpu().numpy()) for name, tensor in policies.items()}
    return named | {"observation.gain": gain, "observation.offset": offset}
