"""From runs to jobs: what one worker computes together."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coopgym.benchmarks.study.agent_info import agent_info
from coopgym.benchmarks.study.hashing import content_hash
from coopgym.benchmarks.study.run_spec import ALIKE, RunSpec, StrangersMeeting, Training
from coopgym.games.registry import make_game
from coopgym.games.spec import GameSpec
from coopgym.strangers import population, scenarios
from coopgym.worlds import FIXED, SHIFT, WORLDS

if TYPE_CHECKING:
    from coopgym.algorithms.common.learner_contract import PolicyAgent

    Supply = Mapping[str, Sequence[PolicyAgent] | str]

PLAYS_PER_JOB = 16
"""Small enough that a kill loses seconds of work, large enough that a shard is worth its file."""
AUDITS_PER_JOB = 64
AUDIT_SECONDS = 1.0


@dataclass(frozen=True)
class Job:
    """Runs that one worker computes together: plays of one game, or stacked replicas of one learner on one game."""

    specs: tuple[RunSpec, ...]
    policies: Supply = field(default_factory=dict, compare=False)
    """By the run that trained them: the agents of every seat, or why they cannot be had."""
    checkpoint: Path | None = field(default=None, compare=False)
    """Folder from which an interrupted training goes on, and where it leaves checkpoints; None for neither."""

    @cached_property
    def id(self) -> str:
        """Name of the job's shards, from its runs."""
        return content_hash(sorted(spec.run_id for spec in self.specs))[:20]

    @property
    def training(self) -> Training | None:
        """How the replicas train; None for plays."""
        return self.specs[0].training

    @property
    def dependencies(self) -> dict[str, RunSpec]:
        """The runs whose policies the job needs, by id."""
        return {run.run_id: run for spec in self.specs for run in spec.dependencies}

    def supplied(self, policies: Supply, checkpoint: Path | None = None) -> Job:
        """Return the job with the policies that it needs, and a folder for checkpoints."""
        return dataclasses.replace(self, policies=policies, checkpoint=checkpoint)

    @property
    def title(self) -> str:
        """What the job does, for people."""
        head = self.specs[0]
        where = head.game if head.world == FIXED else f"{head.game}, world {head.world}"
        if self.training:
            return f"{head.algorithm} trains on {where}"
        return f"audit of {where}" if head.audit else f"plays of {where}"

    @cached_property
    def expected_seconds(self) -> float:
        """Rough duration on one core, for ordering and for estimates of the time left."""
        game = make_game(self.specs[0].game, **self.specs[0].parameters).spec
        searching = sum(search_seconds(game, spec.kind) for spec in self.specs if spec.exploitability)
        if self.training:
            steps = self.training.env_steps * len(self.specs) * self.training.made.step_cost
            return 5.0 + steps * (1e-5 * game.n_agents + 1.7e-6 * game.n_agents**2) + searching
        plays = {run.play_key: run for run in self.specs}
        if self.specs[0].strangers:
            return sum(meeting_seconds(game, run.strangers) for run in plays.values() if run.strangers)
        if self.specs[0].audit:
            return len(plays) * AUDIT_SECONDS
        solving = sum(solving_seconds(game, run) for run in plays.values() if run.kind == "oracle")
        return 0.05 + len(plays) * game.horizon * (2e-4 + 3e-5 * game.n_agents) + searching + solving


def search_seconds(game: GameSpec, kind: str) -> float:
    """Rough duration of a quick search of deviations from a run of some kind; a full one takes about twice as long."""
    searches = 1 if kind in ALIKE else game.n_agents
    return 1e-6 * searches * game.n_agents * game.horizon * (600 + 15 * game.horizon)


def solving_seconds(game: GameSpec, run: RunSpec) -> float:
    """Rough duration of what an oracle computes for its episodes in a world, on average over oracles and plays."""
    if run.world == FIXED:
        return 0.0
    draws = run.episodes * (1.0 + SHIFT * game.horizon * WORLDS[run.world].shifts)
    return 1.5e-4 * draws * game.horizon * (1.0 + game.n_agents**2 / 60)


def meeting_seconds(game: GameSpec, meeting: StrangersMeeting) -> float:
    """Rough duration of meeting all partners of a population."""
    cost = 1.0 if meeting.focal.trained_by else agent_info(meeting.focal.name).step_cost
    met = scenarios(population(game.id, meeting.population))
    return cost * len(met) * game.horizon * (2e-4 + 3e-5 * game.n_agents)


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
    size = AUDITS_PER_JOB if specs[0].audit else PLAYS_PER_JOB
    for start in range(0, len(plays), size):
        yield [run for play in plays[start : start + size] for run in play]


def _full_crosses(specs: list[RunSpec]) -> Iterator[list[RunSpec]]:
    """Split replicas of one learner so that each part is every reward of the part with every seed of the part."""
    by_reward: dict[str, list[RunSpec]] = {}
    for spec in specs:
        by_reward.setdefault(spec.reward, []).append(spec)
    parts: dict[frozenset[int], list[RunSpec]] = {}
    for runs in by_reward.values():
        parts.setdefault(frozenset(run.seed for run in runs), []).extend(runs)
    yield from parts.values()
