"""From a study to the runs it consists of, and from runs to jobs that compute several of them together."""

from __future__ import annotations

import fnmatch
import hashlib
import inspect
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cache, cached_property, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.study import Block, Study
from coopgym.agents import Strategy, make_agent
from coopgym.corpus.schema import SCHEMA_VERSION, major
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.games.spec import GameSpec, View
from coopgym.rewards import MODES

ALIKE = ("constant", "heuristic", "oracle")
"""Kinds of agents that play the same in every seat of a run, up to what distinguishes the seats in the game."""
PLAYS_PER_JOB = 16
"""Small enough that a kill loses seconds of work, large enough that a shard is worth its file."""


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no blanks, finite numbers only."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def content_hash(value: Any) -> str:
    """Return the SHA-256 of a value's canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def seed_from(*names: str | int) -> int:
    """Derive a 32-bit seed from names, so that it depends neither on order nor on what else a study holds."""
    entropy = int(content_hash(names)[:32], 16)
    return int(np.random.SeedSequence(entropy).generate_state(1)[0])


@dataclass(frozen=True)
class Training:
    """How a learner trains."""

    learner: str
    env_steps: int
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)


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

    @cached_property
    def run_id(self) -> str:
        """Hash of the specification and of the major schema version."""
        facts = {"schema": major(SCHEMA_VERSION), **asdict(self)}
        if not self.exploitability:
            del facts["exploitability"]  # younger than other facts: runs without it keep the id they had
        return content_hash(facts)

    @property
    def parameters_json(self) -> str:
        """Overridden game parameters as canonical JSON."""
        return canonical_json(dict(self.parameters))

    @property
    def path(self) -> str:
        """Readable name, ``game/algorithm/reward/seed``."""
        return f"{self.game}/{self.algorithm}/{self.reward}/{self.seed}"

    @property
    def place(self) -> tuple[str, str, str, str, int]:
        """Where the run stands in a study; a folder of results holds one run per place."""
        return (self.game, self.parameters_json, self.algorithm, self.reward, self.seed)

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
        return canonical_json([self.game, self.parameters_json, self.view, learner])

    @property
    def play_key(self) -> tuple[Any, ...]:
        """Runs with the same key are one play read under several reward modes.

        Built-in strategies do not look at the reward they are told, so the three named modes share a trajectory.
        """
        blind = self.kind in ("constant", "heuristic") and self.reward in MODES and not self.record_steps
        return (self.algorithm, self.seed, self.episodes, self.record_steps, None if blind else self.reward)


@dataclass(frozen=True)
class Job:
    """Runs that one worker computes together: plays of one game, or stacked replicas of one learner on one game."""

    specs: tuple[RunSpec, ...]

    @cached_property
    def id(self) -> str:
        """Name of the job's shards, from its runs."""
        return content_hash(sorted(spec.run_id for spec in self.specs))[:20]

    @property
    def training(self) -> Training | None:
        """How the replicas train; None for plays."""
        return self.specs[0].training

    @property
    def title(self) -> str:
        """What the job does, for people."""
        head = self.specs[0]
        return f"{head.algorithm} trains on {head.game}" if self.training else f"plays of {head.game}"

    @cached_property
    def expected_seconds(self) -> float:
        """Rough duration on one core, for ordering and for estimates of the time left."""
        game = make_game(self.specs[0].game, **self.specs[0].parameters).spec
        searching = sum(search_seconds(game, spec.kind) for spec in self.specs if spec.exploitability)
        if self.training:
            steps = self.training.env_steps * len(self.specs)
            return 5.0 + steps * (4e-6 + 1e-6 * game.n_agents) + searching
        plays = len({run.play_key for run in self.specs})
        return 0.05 + plays * game.horizon * (2e-4 + 3e-5 * game.n_agents) + searching


def search_seconds(game: GameSpec, kind: str) -> float:
    """Rough duration of a quick search of deviations from a run of some kind; a full one takes about twice as long."""
    searches = 1 if kind in ALIKE else game.n_agents
    return 1e-6 * searches * game.n_agents * game.horizon * (600 + 15 * game.horizon)


def expand(study: Study, only: str | None = None) -> list[RunSpec]:
    """List the runs of a study, each once.

    Args:
        study: a validated study.
        only: keep runs whose path ``game/algorithm/reward/seed`` matches this pattern; without wildcards, contains it.
    """
    runs = {run.run_id: run for block in study.blocks for run in _block_runs(study, block)}
    if only is None:
        return list(runs.values())
    pattern = only if any(mark in only for mark in "*?[") else f"*{only}*"
    return [run for run in runs.values() if fnmatch.fnmatchcase(run.path, pattern)]


def group(specs: Iterable[RunSpec]) -> list[Job]:
    """Group runs into jobs, longest first."""
    plays: dict[Any, list[RunSpec]] = {}
    replicas: dict[Any, list[RunSpec]] = {}
    for spec in specs:
        (replicas if spec.training else plays).setdefault(spec.job_key, []).append(spec)
    jobs = [
        *(Job(tuple(runs)) for together in plays.values() for runs in _few_plays(together)),
        *(Job(tuple(runs)) for together in replicas.values() for runs in _full_crosses(together)),
    ]
    return sorted(jobs, key=lambda job: -job.expected_seconds)


def _few_plays(specs: list[RunSpec]) -> Iterator[list[RunSpec]]:
    """Split plays of one game, keeping together the runs that share a play."""
    by_play: dict[Any, list[RunSpec]] = {}
    for spec in specs:
        by_play.setdefault(spec.play_key, []).append(spec)
    plays = list(by_play.values())
    for start in range(0, len(plays), PLAYS_PER_JOB):
        yield [run for play in plays[start : start + PLAYS_PER_JOB] for run in play]


def _full_crosses(specs: list[RunSpec]) -> Iterator[list[RunSpec]]:
    """Split replicas of one learner so that each part is every reward of the part with every seed of the part."""
    by_reward: dict[str, list[RunSpec]] = {}
    for spec in specs:
        by_reward.setdefault(spec.reward, []).append(spec)
    parts: dict[frozenset[int], list[RunSpec]] = {}
    for runs in by_reward.values():
        parts.setdefault(frozenset(run.seed for run in runs), []).extend(runs)
    yield from parts.values()


def _block_runs(study: Study, block: Block) -> Iterator[RunSpec]:
    rewards, seeds = block.rewards or study.rewards, block.seeds or study.seeds
    episodes = block.episodes or study.episodes
    scan = block.constants.agents if block.constants else ()
    for game_id in block.games:
        game = make_game(game_id, **block.parameters)
        run = partial(
            RunSpec,
            game=game_id,
            parameters=block.parameters,
            view=block.view or study.view or game.spec.default_view,
            record_steps=study.record_steps if block.record_steps is None else block.record_steps,
            exploitability=study.exploitability if block.exploitability is None else block.exploitability,
        )
        for name in (*block.agents, *scan):
            nature = _nature(name)
            # Without chance all seeds and episodes are copies: one counts, and pretends to no precision.
            own_seeds = seeds[:1] if nature.certain else seeds
            own_episodes = 1 if nature.certain and _is_deterministic(game) else episodes
            agent_run = partial(run, algorithm=name, kind=nature.kind, source=nature.source, episodes=own_episodes)
            for reward, seed in product(rewards, own_seeds):
                yield agent_run(reward=reward, seed=seed)
        for entry in block.learners:
            training = Training(entry.name, entry.env_steps, entry.hyperparameters)
            learner_run = partial(run, algorithm=entry.title, kind="learner", training=training, episodes=episodes)
            for reward, seed in product(rewards, seeds):
                yield learner_run(reward=reward, seed=seed)


def _is_deterministic(game: AnyGame) -> bool:
    return not (game.reset_uniforms or game.reset_normals or game.step_normals)


@dataclass(frozen=True)
class _Nature:
    """What the plan needs to know about an agent."""

    kind: str
    certain: bool
    """Surely plays without chance; of a user's agent nobody knows."""
    source: str = ""


@cache
def _nature(name: str) -> _Nature:
    agent = make_agent(name)
    home = type(agent).__module__.partition(".")[0]
    if not (isinstance(agent, Strategy) and home in ("coopgym", "oracles")):
        return _Nature("plugin", certain=False, source=_source_hash(type(agent)))
    kind = "oracle" if home == "oracles" else "constant" if name.startswith("Constant_") else "heuristic"
    return _Nature(kind, certain=not agent.classifier.stochastic)


def _source_hash(kind: type) -> str:
    """Hash of the file that defines a class; empty where there is none, as at an interactive prompt."""
    try:
        file = inspect.getsourcefile(kind)
    except TypeError:
        file = None
    return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else ""
