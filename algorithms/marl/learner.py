"""The base of every learner: the hyper-parameters that all have, and training."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch

from coopgym.algorithms.common.learner_contract import Trainable
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.common.torch_defaults import torch_defaults
from coopgym.algorithms.marl.environment import EnvironmentFactory, environment_factory
from coopgym.algorithms.marl.result import TrainingResult
from coopgym.algorithms.marl.seats import Context, SeatLearner
from coopgym.algorithms.marl.trainer import Trainer
from coopgym.algorithms.marl.training import ProgressCallback, train_blocks
from coopgym.games.spec import View
from coopgym.rewards import RewardLayer


@dataclass(frozen=True, kw_only=True)
class Stacked(Trainable):
    """What trains all replicas at once: the settings that do not depend on the algorithm.

    Attributes:
        num_envs: environment copies B.
        rollout_steps: steps T per block; None is one full episode.
        bootstrap_truncation: treat the horizon as an interruption instead of as the end of the game.
    """

    needs_state: ClassVar[bool] = False
    """Whether blocks carry the compact global state."""

    num_envs: int = hyperparameter(64, 1)
    rollout_steps: int | None = hyperparameter(None, 1)
    bootstrap_truncation: bool = False

    @abstractmethod
    def seats_learner(self, context: Context) -> SeatLearner:
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
        trainer = Trainer(self, make, cross(rewards, seeds), torch.device(device))
        run = trainer.identity() | {"env_steps": env_steps, "evaluations": evaluations}
        ledger = train_blocks(
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
            for entry, diverged_at, curves in zip(run["replicas"], ledger.diverged_at, ledger.curves, strict=True)
        ]
        counts = {"env_steps": ledger.env_steps, "gradient_updates": trainer.seats.gradient_updates}
        return TrainingResult({**run, **counts, "replicas": entries}, trainer.policy_arrays())


@dataclass(frozen=True, kw_only=True)
class Learner(Stacked):
    """A learning algorithm with its hyper-parameters.

    Attributes:
        hidden: hidden layer sizes of every network.
        activation: ``"tanh"`` or ``"relu"``, between layers.
        gamma: discount factor γ.
        learning_rate: Adam's step size.
    """

    version: ClassVar[int] = 2
    sources: ClassVar[str]
    """The papers that define the algorithm."""

    hidden: tuple[int, ...] = hyperparameter((64, 64), 1)
    activation: Literal["tanh", "relu"] = "tanh"
    gamma: float = hyperparameter(0.99, 0.0, 1.0)
    learning_rate: float = hyperparameter(1e-3, 0.0, above_low=True)
