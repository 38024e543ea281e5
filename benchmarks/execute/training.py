"""Train one learner on one game: read what a user asked for, train, and judge what came out."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from coopgym.agents import make_agent
from coopgym.agents.base import Agent
from coopgym.benchmarks.execute.executors.in_process import one_thread
from coopgym.benchmarks.execute.job_runner import CHECKPOINT_SECONDS
from coopgym.benchmarks.progress import Progress
from coopgym.benchmarks.study.schema import unknown
from coopgym.benchmarks.study.settings import parse_settings
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.play.episodes import Episodes, play
from coopgym.rewards import reward_layer

if TYPE_CHECKING:
    from coopgym.algorithms.common.learner_contract import Learner
    from coopgym.algorithms.common.learner_contract import Trained as Training

GAME_PREFIX = "game."
"""What names of game parameters begin with; other names are hyper-parameters."""
CHECKPOINT = "checkpoint"
BEST_CONSTANT = "Oracle_BestConstant"
STOCHASTIC_EPISODES = 32
"""Episodes that are judged where the game draws random numbers."""


@dataclass(frozen=True)
class TrainRequest:
    """What a user asks for.

    Attributes:
        game: id of the game.
        agent: a learner's name in any case.
        rewards: reward modes.
        seeds: number of seeds, from 0.
        env_steps: joint steps of each replica; None is what the learner usually takes.
        objective: whose reward a seat learns from; None leaves it to the learner.
        settings: ``name=value`` texts: hyper-parameters, and game parameters with ``game.`` before their names.
        out: folder for policies, and for a checkpoint until they are there.
        device: where everything runs.
    """

    game: str
    agent: str
    rewards: tuple[str, ...]
    seeds: int
    env_steps: int | None
    objective: str | None = None
    settings: tuple[str, ...] = ()
    out: Path | None = None
    device: str = "cpu"

    id: ClassVar[str] = "training"
    expected_seconds: ClassVar[float] = 1.0
    """Progress is measured against it; there is no other work to compare with."""

    @property
    def specs(self) -> list[tuple[str, int]]:
        """The replicas: reward modes by their full names with every seed, modes slowest."""
        return [(reward_layer(reward).name, seed) for reward in self.rewards for seed in range(self.seeds)]

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """Parameters of the game."""
        return parse_settings(text.removeprefix(GAME_PREFIX) for text in self.settings if text.startswith(GAME_PREFIX))

    @cached_property
    def learner(self) -> Learner:
        """The learner with its hyper-parameters.

        Raises:
            ValueError, TypeError: an unknown learner or hyper-parameter, or a value out of range.
        """
        values = parse_settings(text for text in self.settings if not text.startswith(GAME_PREFIX))
        kind = learner_named(self.agent)
        fields = [field.name for field in dataclasses.fields(kind)]
        for name in kind.current(values):
            if name not in fields:
                raise ValueError(unknown(f"hyper-parameter of {kind.__name__}", name, fields))
        return kind(**values if self.objective is None else values | {"objective": self.objective})

    def played_game(self) -> AnyGame:
        """Make the game."""
        return make_game(self.game, **self.parameters)


@dataclass(frozen=True)
class EvaluatedTraining:
    """What came out.

    Attributes:
        request: what was asked for.
        result: the policies and curves.
        constants: by reward mode, episodes of the best constant profile.
    """

    request: TrainRequest
    result: Training
    constants: Mapping[str, Episodes] = field(default_factory=dict)

    @property
    def failures(self) -> int:
        """Number of replicas that diverged."""
        return sum(self.result.status(replica) == "diverged" for replica in self.result.replicas)


def learner_named(name: str) -> type[Learner]:
    """Return a learner by its name in any case, with or without hyphens and underscores.

    Raises:
        ValueError: there is none of this name; says which is nearest.
    """
    from coopgym.algorithms import learners

    known = learners()
    found = {_key(title): title for title in known}
    if _key(name) not in found:
        raise ValueError(unknown("learner", name, known))
    return known[found[_key(name)]]


def _key(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def train(request: TrainRequest, progress: Progress) -> EvaluatedTraining:
    """Train, save the policies if there is a folder for them, and find the best constants to compare with.

    A training that was stopped goes on where its folder's last checkpoint left it.

    Raises:
        FileExistsError: the folder holds a training already.
        ValueError, TypeError: something that was asked for is unknown, out of range or does not apply to the game.
    """
    from coopgym.algorithms.common.training_record import RECORD_FILE

    out, game = request.out, request.played_game()
    if out is not None and (out / RECORD_FILE).exists():
        raise FileExistsError(f"{out} holds a training already; choose another folder, or delete it")
    checkpoint = None if out is None else out / CHECKPOINT
    learner = request.learner
    learner.check(game)
    progress.begin([request])
    try:
        with one_thread():
            result = learner.train(
                request.game,
                request.rewards,
                range(request.seeds),
                request.env_steps or learner.usual_steps,
                game_parameters=request.parameters,
                device=request.device,
                progress=lambda done, planned: progress.advance(request, min(done / planned, 1.0)),
                checkpoint=checkpoint,
                checkpoint_every=1,
                checkpoint_seconds=CHECKPOINT_SECONDS,
            )
        if out is not None:
            result.save(out)
            shutil.rmtree(out / CHECKPOINT, ignore_errors=True)
        constants = {
            reward: evaluated(game, [make_agent(BEST_CONSTANT) for _ in range(game.n_agents)], reward)
            for reward, _ in request.specs
        }
        trained = EvaluatedTraining(request, result, constants)
        progress.finish(request, trained)
    finally:
        progress.end()
    return trained


def evaluated(game: AnyGame, agents: Iterable[Agent], reward: str) -> Episodes:
    """Play the episodes that agents are judged by: one, or several where the game draws random numbers."""
    return play(game, list(agents), reward=reward, episodes=STOCHASTIC_EPISODES if game.stochastic else 1)
