"""What determines a run: everything that can change one of its numbers, resolved, typed and versioned.

Nothing here is what a study happens to say: a default that is written out, or 8 for 8.0, is the same key, and a default
that changes is another one. What no value can tell, the code of a game, a reward, an agent, a learner or an audit,
stands here as its ``version``, which its author raises when numbers may change, and the code of a user's agent as the
hash of its files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from coopgym.agents import Agent, Strategy
from coopgym.benchmarks.audits import AUDIT_VERSIONS, AuditOptions, audit_partners
from coopgym.benchmarks.study.agent_info import fresh, is_ours
from coopgym.benchmarks.study.hashing import JOINED_LATER, canonical_json, plain
from coopgym.benchmarks.study.local_source import source_hash
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.interrupts import is_interrupt
from coopgym.oracles.dynamic.deviation_search import SEARCH_VERSION
from coopgym.rewards import reward_layer
from coopgym.strangers import anchors_hash, population
from coopgym.user_code import in_words, place_of

if TYPE_CHECKING:
    from coopgym.benchmarks.study.run_spec import Auditing, Meeting, Player, RunSpec, Training

Settings = Mapping[str, Any]
"""JSON values by name."""


@dataclass(frozen=True)
class GameKey:
    """The game that is played."""

    id: str
    version: int
    parameters: Settings
    """All of them, not only those that were asked for."""


@dataclass(frozen=True)
class RewardKey:
    """A reward mode, or a transform of it; the name holds its numbers, as ``svo=45`` does."""

    name: str
    version: int


@dataclass(frozen=True)
class PlayerKey:
    """Somebody who plays, or whose play is learned from."""

    name: str
    version: int | None
    """None for a user's agent that has none: its source speaks for it."""
    settings: Settings
    source: str | None = None
    """Hash of a user's agent's package, or of its module and the local modules that this imports."""
    prompt: str | None = None
    """Hash of what a language model reads: rules, tools, forms of messages."""
    trained_by: str | None = None
    """Id of the run whose policies play."""
    seats: tuple[int, ...] | None = None
    """Where it sits; None for every seat that is left, or every kind of seat in turn."""


@dataclass(frozen=True)
class TrainingKey:
    """How policies are made."""

    learner: str
    version: int
    settings: Settings
    """All hyper-parameters, the objective among them."""
    env_steps: int
    seed: int
    company: tuple[PlayerKey, ...]
    """Agents that the learner meets or is judged by on its way."""
    prompt: str | None
    """As in `PlayerKey`."""
    data: str | None
    """Hash of what is learned from besides play: a corpus, the weights of a model."""
    transforms: tuple[RewardKey, ...] = field(default=(), metadata=JOINED_LATER)
    """What the reward of the run goes through before the learner is paid."""


@dataclass(frozen=True)
class AuditKey:
    """How actions are fixed in advance."""

    name: str
    version: int
    options: Settings
    partners: tuple[PlayerKey, ...]


@dataclass(frozen=True)
class RunKey:
    """Everything that determines one run. Its digest is the run's id.

    >>> from coopgym.benchmarks.study import Study, expand
    >>> block = {"games": ["TrustDilemma-v1"], "agents": ["TitForTat"]}
    >>> (run,) = expand(Study(name="mine", rewards=["private"], seeds=[1], blocks=[block]))
    >>> RunKey.of(run).players[0].settings  # defaults too: whoever changes one makes another run
    {'opening_level': 0.5, 'mode': 'mean'}
    """

    game: GameKey
    reward: RewardKey
    view: str
    protocol: str
    algorithm: str
    """Name under which results are compared."""
    scenario: str | None
    players: tuple[PlayerKey, ...]
    """Who plays; nobody where the policies of `training` fill all seats, or an audit moves them."""
    training: TrainingKey | None
    audit: AuditKey | None
    seed: int
    """Replicate number from the study."""
    evaluation_seed: int
    episodes: int
    stochastic_episodes: int
    record_steps: bool
    exploitability: int | None
    """Version of the search of deviations; None where there is none."""
    anchors: str | None = field(default=None, metadata=JOINED_LATER)
    """Hash of what scenarios with strangers are worth, which tells who these are."""

    @classmethod
    def of(cls, spec: RunSpec) -> RunKey:
        """Resolve a run's specification."""
        game, key = _made(spec.game, spec.parameters_json)
        mode, table = reward_layer(spec.reward).mode, _Table(game, spec)
        return cls(
            game=key,
            reward=RewardKey(mode.name, mode.version),
            view=spec.view,
            protocol=spec.protocol,
            algorithm=_algorithm(spec),
            scenario=spec.scenario,
            players=tuple(table.players()),
            training=None if spec.training is None else table.training(spec.training),
            audit=None if spec.audit is None else table.audit(spec.audit),
            seed=spec.seed,
            evaluation_seed=spec.evaluation_seed,
            episodes=spec.episodes,
            stochastic_episodes=spec.stochastic_episodes,
            record_steps=spec.record_steps,
            exploitability=SEARCH_VERSION if spec.exploitability else None,
            anchors=anchors_hash(population(spec.game, spec.strangers.population)) if spec.strangers else None,
        )

    @property
    def text(self) -> str:
        """The key as canonical JSON, as the corpus keeps it."""
        return canonical_json(self)

    def digest(self) -> str:
        """Return the SHA-256 of the key: the run's id."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def _algorithm(spec: RunSpec) -> str:
    """The algorithm by what it was trained on, and not by where files lie that say so."""
    if spec.training is None or not spec.training.transforms:
        return spec.algorithm
    return spec.algorithm.removesuffix(spec.training.suffix) + spec.training.key_suffix


@lru_cache(maxsize=1024)
def _made(id: str, parameters: str) -> tuple[AnyGame, GameKey]:
    """Return a game and its key; most runs of a study share it."""
    game = make_game(id, **json.loads(parameters))
    return game, GameKey(id, game.version, plain(game.parameter_dict()))


@dataclass(frozen=True)
class _Table:
    """Where a run takes place: what players are asked about."""

    game: AnyGame
    spec: RunSpec

    def players(self) -> Iterator[PlayerKey]:
        """Everybody who is seated by name."""
        if self.spec.strangers:
            yield self._player(self.spec.strangers.focal)
        elif self.spec.meeting:
            yield from self._met(self.spec.meeting)
        elif not (self.spec.training or self.spec.audit):
            yield self.named(self.spec.algorithm)

    def _met(self, meeting: Meeting) -> Iterator[PlayerKey]:
        for player in meeting.players:
            seats = meeting.focal_seats or None if player is meeting.focal else None
            yield replace(self._player(player), seats=seats)

    def _player(self, player: Player) -> PlayerKey:
        if player.trained_by:
            return PlayerKey(player.name, None, {}, trained_by=player.trained_by.run_id)
        return self.named(player.name)

    def named(self, name: str) -> PlayerKey:
        """An agent by name."""
        return self.agent(name, fresh(name))

    def agent(self, name: str, agent: Agent) -> PlayerKey:
        """An agent as it was made.

        Any agent may have a whole number ``version``, ``identity()``, its settings as JSON values, and
        ``prompt_hash(game, view, reward)``. Of a user's agent the settings are taken only where its class says them
        itself: nobody knows what else it keeps.

        Raises:
            ValueError: a user's code raises something when it is asked; the message names file and line.
        """
        try:
            return self._told(name, agent)
        except BaseException as error:
            if is_interrupt(error) or place_of(error) is None:
                raise
            raise ValueError(f"agent {name!r} cannot say what it is: {in_words(error)}") from error

    def _told(self, name: str, agent: Agent) -> PlayerKey:
        ours, version, told = is_ours(agent), getattr(agent, "version", None), getattr(type(agent), "identity", None)
        says = callable(told) and (ours or told is not Strategy.identity)
        return PlayerKey(
            name=name,
            version=version if isinstance(version, int) else None,
            settings=plain(agent.identity()) if says else {},  # type: ignore[attr-defined]  # it was looked at above
            source=None if ours else source_hash(name, agent),
            prompt=self._prompt(agent),
        )

    def training(self, training: Training) -> TrainingKey:
        """A learner with all its settings."""
        learner, spec = training.made, self.spec
        return TrainingKey(
            learner=training.learner,
            version=learner.version,
            settings=training.identity,
            env_steps=training.env_steps,
            seed=spec.training_seed,
            company=tuple(self.named(name) for name in learner.company(spec.reward)),
            prompt=self._prompt(learner),
            data=learner.data_hash(),
            transforms=tuple(
                RewardKey(transform.key, transform.version) for transform in reward_layer(spec.replica[0]).transforms
            ),
        )

    def audit(self, audit: Auditing) -> AuditKey:
        """An audit with all its options."""
        options = AuditOptions(**audit.options)
        partners = audit_partners(self.spec.protocol, options)
        return AuditKey(
            name=self.spec.protocol,
            version=AUDIT_VERSIONS[self.spec.protocol],
            options=options.model_dump(mode="json"),
            partners=tuple(self.agent(name, agent) for name, agent in partners.items()),
        )

    def _prompt(self, reader: object) -> str | None:
        read = getattr(reader, "prompt_hash", None)
        return read(self.game, self.spec.view, self.spec.reward) if callable(read) else None
