"""The specification of a run: everything that determines its numbers, and the names that follow from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from typing import Any

from benchmarks.plan.hashing import canonical_json, content_hash, seed_from
from coopgym.corpus.schema import SCHEMA_VERSION, major
from coopgym.games.spec import View
from coopgym.rewards import MODES

ALIKE = ("constant", "heuristic", "oracle")
"""Kinds of agents that play the same in every seat of a run, up to what distinguishes the seats in the game."""


@dataclass(frozen=True)
class Training:
    """How a learner trains."""

    learner: str
    env_steps: int
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Player:
    """Somebody who sits among others."""

    name: str
    source: str = ""
    """Hash of the source file of a user's agent."""
    trained_by: RunSpec | None = None
    """The run that trains it; None for those who need no training."""

    @property
    def facts(self) -> tuple[str, str, str]:
        """What determines how it plays."""
        return (self.name, self.source, self.trained_by.run_id if self.trained_by else "")


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
class Auditing:
    """An audit in a run: actions fixed in advance."""

    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class RunSpec:
    """Everything that determines the numbers of one run."""

    game: str
    parameters: Mapping[str, Any]
    algorithm: str
    kind: str
    reward: str
    view: View
    seed: int
    episodes: int
    record_steps: bool = False
    exploitability: bool = False
    training: Training | None = None
    source: str = ""
    """Hash of the source file of a user's agent: a changed agent is another run."""
    protocol: str = "self_play"
    """One of `coopgym.corpus.schema.PROTOCOLS`."""
    stochastic_episodes: int = 0
    """Episodes in which a learner's actions are drawn from its policies, besides those that play their means."""
    meeting: Meeting | None = None
    audit: Auditing | None = None

    @cached_property
    def run_id(self) -> str:
        """Hash of the specification and of the major schema version.

        Facts that hold the default of a field younger than the first release of the schema are left out, so that runs
        keep their ids when the specification learns something new.
        """
        facts = {each.name: getattr(self, each.name) for each in fields(self)}
        facts["training"] = asdict(self.training) if self.training else None
        facts["audit"] = asdict(self.audit) if self.audit else None
        facts["meeting"] = self.meeting.facts if self.meeting else None
        for name, default in _YOUNGER.items():
            if facts[name] == default:
                del facts[name]
        return content_hash({"schema": major(SCHEMA_VERSION), **facts})

    @property
    def parameters_json(self) -> str:
        """Overridden game parameters as canonical JSON."""
        return canonical_json(dict(self.parameters))

    @property
    def scenario(self) -> str | None:
        """Name of the scenario, for runs among others."""
        return self.meeting.name if self.meeting else None

    @property
    def path(self) -> str:
        """Readable name: ``game/algorithm/reward/seed``, then the scenario or audit if there is one."""
        parts = [self.game, self.algorithm, self.reward, str(self.seed)]
        if self.protocol != "self_play":
            parts.append(self.scenario or self.protocol)
        return "/".join(parts)

    @property
    def place(self) -> tuple[Any, ...]:
        """Where the run stands in a study; a folder of results holds one run per place."""
        where = (self.game, self.parameters_json, self.algorithm, self.reward, self.seed)
        return (*where, self.protocol, self.scenario)

    @property
    def evaluation_seed(self) -> int:
        """Seed of evaluation episodes, the same for all algorithms: they meet the same chance."""
        return seed_from("evaluation", self.game, self.parameters_json, self.seed)

    @property
    def training_seed(self) -> int:
        """Seed of a learner's replica, the same under every reward, so that reward modes compare as pairs."""
        return seed_from("training", self.game, self.parameters_json, self.algorithm, self.seed)

    @property
    def job_key(self) -> str:
        """Runs with the same key can be computed together."""
        learner = {"label": self.algorithm, **asdict(self.training)} if self.training else None
        return canonical_json([self.game, self.parameters_json, self.view, learner, self.protocol])

    @property
    def play_key(self) -> tuple[Any, ...]:
        """Runs with the same key are one computation read in several ways.

        Built-in strategies do not look at the reward they are told, so the three named modes share a trajectory. The
        label of an audit takes no part in it.
        """
        if self.audit:
            return (canonical_json(self.audit.options), self.reward, self.seed, self.episodes)
        if self.meeting:
            return (canonical_json(self.meeting.facts), self.reward, self.seed, self.episodes)
        blind = self.kind in ("constant", "heuristic") and self.reward in MODES and not self.record_steps
        return (self.algorithm, self.seed, self.episodes, self.record_steps, None if blind else self.reward)

    @property
    def teachers(self) -> Iterator[RunSpec]:
        """The runs whose policies this one needs."""
        for player in self.meeting.players if self.meeting else ():
            if player.trained_by:
                yield player.trained_by


_YOUNGER: Mapping[str, Any] = {
    "exploitability": False,
    "protocol": "self_play",
    "stochastic_episodes": 0,
    "meeting": None,
    "audit": None,
}
