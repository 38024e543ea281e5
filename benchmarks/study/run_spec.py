"""The specification of a run, as a study asks for it, and the names that follow from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

from coopgym.benchmarks.study.hashing import canonical_json, plain, seed_from
from coopgym.benchmarks.study.run_key import RunKey
from coopgym.games.spec import View
from coopgym.rewards import MODES
from coopgym.rewards.transforms import parse_transform
from coopgym.strangers import SEED as STRANGERS_SEED
from coopgym.strangers.partners import SCHEME
from coopgym.worlds import FIXED, scored_draws

if TYPE_CHECKING:
    from coopgym.algorithms.common.learner_contract import Learner

ALIKE = ("constant", "heuristic", "oracle")
"""Kinds of agents that play the same in every seat of a run, up to what distinguishes the seats in the game."""


@dataclass(frozen=True)
class Training:
    """How a learner trains."""

    learner: str
    env_steps: int
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    """Those that the study gives, as it gives them."""
    transforms: tuple[str, ...] = ()
    """What the reward of the run goes through before the learner is paid; it is evaluated without."""

    @property
    def suffix(self) -> str:
        """What the transforms add to the name of a reward and, as it then is another algorithm, of the learner."""
        return "".join(f" + {transform}" for transform in self.transforms)

    @property
    def key_suffix(self) -> str:
        """The same as runs are known by it, wherever files that it names may lie."""
        return "".join(f" + {parse_transform(transform).key}" for transform in self.transforms)

    @property
    def made(self) -> Learner:
        """The learner."""
        return self._resolved[0]

    @property
    def identity(self) -> dict[str, Any]:
        """What the learner is, all hyper-parameters and more, as JSON values."""
        return self._resolved[1]

    @property
    def settings(self) -> dict[str, Any]:
        """All hyper-parameters, as JSON values."""
        settings: dict[str, Any] = plain(self.made.values())
        return settings

    @property
    def _resolved(self) -> tuple[Learner, dict[str, Any]]:
        return _resolved(self.learner, canonical_json(plain(self.hyperparameters)))


@lru_cache(maxsize=1024)
def _resolved(name: str, hyperparameters: str) -> tuple[Learner, dict[str, Any]]:
    """Make a learner once; many runs share it."""
    from coopgym.algorithms import learners

    learner = learners()[name](**json.loads(hyperparameters))
    return learner, plain(learner.identity())


@dataclass(frozen=True)
class Player:
    """Somebody who sits among others."""

    name: str
    trained_by: RunSpec | None = None
    """The run that trains it; None for those who need no training."""

    @property
    def facts(self) -> tuple[str, str]:
        """Who plays."""
        return (self.name, self.trained_by.run_id if self.trained_by else "")


@dataclass(frozen=True)
class Meeting:
    """A scenario in a run: a focal agent among others."""

    name: str
    focal: Player
    background: tuple[Player, ...]
    """Players of the other seats in ascending order; one stands for all of them."""
    focal_seats: tuple[int, ...] = ()
    """Seats that the focal agent takes together; none asks for every kind of seat in turn."""

    @property
    def players(self) -> tuple[Player, ...]:
        """Everybody who takes part."""
        return (self.focal, *self.background)

    @property
    def facts(self) -> list[Any]:
        """What determines the play; the name does not."""
        return [self.focal.facts, [player.facts for player in self.background], self.focal_seats]


@dataclass(frozen=True)
class StrangersMeeting:
    """All scenarios with the partners of a population, in a run."""

    population: str
    focal: Player


@dataclass(frozen=True)
class Auditing:
    """An audit in a run: actions fixed in advance."""

    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunSpec:
    """One run as a study asks for it. What it comes to here and now, defaults and versions included, is its key."""

    game: str
    parameters: Mapping[str, Any]
    """As `coopgym.games.game.Game.overridden` has them; those of runs made before schema 1.3 as they were asked for."""
    algorithm: str
    kind: str
    reward: str
    """The mode on which everybody is evaluated."""
    view: View
    seed: int
    episodes: int
    record_steps: bool = False
    exploitability: bool = False
    training: Training | None = None
    protocol: str = "self_play"
    """One of `coopgym.corpus.schema.PROTOCOLS`."""
    stochastic_episodes: int = 0
    """Episodes in which a learner's actions are drawn from its policies, besides those that play their means."""
    meeting: Meeting | None = None
    strangers: StrangersMeeting | None = None
    audit: Auditing | None = None

    @cached_property
    def key(self) -> RunKey:
        """Everything that determines the run."""
        return RunKey.of(self)

    @cached_property
    def run_id(self) -> str:
        """Hash of everything that determines the run."""
        return self.key.digest()

    @cached_property
    def parameters_json(self) -> str:
        """Overridden game parameters as canonical JSON."""
        return canonical_json(dict(self.parameters))

    @property
    def world(self) -> str:
        """The world that is played."""
        return str(self.parameters.get("world", FIXED))

    @property
    def transforms(self) -> tuple[str, ...]:
        """What rewards went through on their way to the learner, of this run or of the focal agent's training."""
        meeting = self.strangers or self.meeting
        trained = meeting.focal.trained_by if meeting else self
        return trained.training.transforms if trained and trained.training else ()

    @property
    def scenario(self) -> str | None:
        """Name of the scenario, or of the population, for runs among others."""
        if self.strangers:
            return self.strangers.population
        return self.meeting.name if self.meeting else None

    @property
    def path(self) -> str:
        """Readable name: ``game/algorithm/reward/seed``, then the scenario, population or audit if there is one.

        A game in a world is ``game@world``.
        """
        game = self.game if self.world == FIXED else f"{self.game}@{self.world}"
        parts = [game, self.algorithm, self.reward, str(self.seed)]
        if self.strangers:
            parts.append(f"{SCHEME}:{self.strangers.population}")
        elif self.protocol != "self_play":
            parts.append(self.scenario or self.protocol)
        return "/".join(parts)

    @property
    def place(self) -> tuple[Any, ...]:
        """Where the run stands in a study; a folder of results holds one run per place."""
        where = (self.game, self.parameters_json, self.algorithm, self.reward, self.seed)
        return (*where, self.protocol, self.scenario)

    @property
    def evaluation_seed(self) -> int:
        """Seed of evaluation episodes, the same for all algorithms: they meet the same chance, in worlds test draws."""
        if self.strangers:
            return STRANGERS_SEED
        if self.world != FIXED:
            return scored_draws(self.seed, self.episodes)[0]
        return seed_from("evaluation", self.game, self.parameters_json, self.seed)

    @property
    def training_seed(self) -> int:
        """Seed of a learner's replica, the same under every reward, so that modes and transforms compare as pairs."""
        learner = self.algorithm.removesuffix(self.training.suffix) if self.training else self.algorithm
        return seed_from("training", self.game, self.parameters_json, learner, self.seed)

    @property
    def replica(self) -> tuple[str, int]:
        """What a learner is paid, transforms included, and its seed."""
        return self.reward + (self.training.suffix if self.training else ""), self.training_seed

    @property
    def job_key(self) -> str:
        """Runs with the same key can be computed together."""
        training = self.training
        learner = training and [self.algorithm, training.learner, training.env_steps, training.identity]
        return canonical_json([self.game, self.parameters_json, self.view, learner, self.protocol])

    @property
    def play_key(self) -> tuple[Any, ...]:
        """Runs with the same key are one computation read in several ways.

        Built-in strategies do not look at the reward they are told, so the three named modes share a trajectory. The
        label of an audit takes no part in it.
        """
        if self.audit:
            return (canonical_json(self.audit.options), self.reward, self.seed, self.episodes)
        if self.strangers:
            return (self.strangers.focal.facts, self.strangers.population, self.episodes)
        if self.meeting:
            return (canonical_json(self.meeting.facts), self.reward, self.seed, self.episodes, self.record_steps)
        blind = self.kind in ("constant", "heuristic") and self.reward in MODES and not self.record_steps
        return (self.algorithm, self.seed, self.episodes, self.record_steps, None if blind else self.reward)

    @property
    def dependencies(self) -> Iterator[RunSpec]:
        """The runs whose policies this one needs."""
        players = self.meeting.players if self.meeting else (self.strangers.focal,) if self.strangers else ()
        yield from (player.trained_by for player in players if player.trained_by)
