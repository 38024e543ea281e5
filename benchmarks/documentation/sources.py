"""What numbers are written from: runs of released corpora, kept speeds, kept certificates."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from coopgym.benchmarks.documentation.kept import RESULTS
from coopgym.corpus.reader import load_corpus
from coopgym.games.registry import make_game

LEARNERS = "learners-v1"
TEAMS = "team-v0"
LANGUAGE = "llm-quick-v1"
WORLDS = "worlds-v1"
STRANGERS = "strangers-baselines-v1.1"
REWARDS = "rewards-v1"
"""Corpora that the pages speak of; another release is another name here, and the command."""


@dataclass(frozen=True)
class Run:
    """The columns of a run that the pages speak of; their meaning stands in the corpus standard."""

    environment: str
    algorithm: str
    algorithm_kind: str
    reward_mode: str
    objective: str | None
    seed: int
    status: str
    env_steps: int | None
    wall_seconds_train: float | None
    wall_seconds_eval: float | None
    welfare: float
    cooperation_rate: float
    horizon: int
    n_agents: int
    return_integrated: float
    return_mode: float
    sto_return_mode: float | None

    @property
    def team(self) -> bool:
        """Whether a learner trained on the sum of all rewards."""
        return self.objective == "team"


@cache
def runs(corpus: str) -> tuple[Run, ...]:
    """Return the runs of a corpus in order of algorithms and seeds.

    Raises:
        ValueError: some were not completed, of which the pages would have to speak.
    """
    columns = [field.name for field in fields(Run)]
    found = tuple(Run(**row) for row in load_corpus(corpus).read("runs", columns).arrow.to_pylist())
    faulty = sorted({f"{run.algorithm} in {run.environment}" for run in found if run.status != "completed"})
    if faulty:
        raise ValueError(f"{corpus}: the documentation expects completed runs only, not those of {', '.join(faulty)}")
    return tuple(sorted(found, key=lambda run: (run.algorithm, run.seed)))


def chosen(found: Iterable[Run], **facts: Any) -> list[Run]:
    """Return the runs of which all these facts hold."""
    return [run for run in found if all(getattr(run, name) == value for name, value in facts.items())]


def on_common_draws(game: str, *groups: Sequence[Run]) -> list[list[Run]]:
    """Return runs of one game that may be compared.

    Where the game draws, those are the runs with seeds that all groups have; elsewhere all of them, since there what
    leaves nothing to chance runs once for all seeds.
    """
    if not make_game(game).stochastic:
        return [list(group) for group in groups]
    common = set.intersection(*({run.seed for run in group} for group in groups))
    return [[run for run in group if run.seed in common] for group in groups]


def hours(found: Iterable[Run]) -> str:
    """Return how long training and evaluation took by the corpus's own clocks."""
    seconds = sum((run.wall_seconds_train or 0.0) + (run.wall_seconds_eval or 0.0) for run in found)
    return f"{seconds / 3600:.1f} hours" if seconds >= 7200 else f"{seconds / 60:.0f} minutes"


@dataclass(frozen=True)
class Speed:
    """A kept ratio of two things that were timed in one run."""

    numerator: float
    denominator: float
    ratio: float
    spread: float
    date: str


def speed(id: str) -> Speed:
    """Return the latest kept measurement of a ratio of `coopgym bench`.

    Raises:
        KeyError: none is kept.
    """
    return kept_speeds(RESULTS)[id]


@cache
def kept_speeds(folder: Path) -> dict[str, Speed]:
    """Return the latest measurement of every ratio that is kept in a folder; of those of a day the last by name."""
    kept = [json.loads(place.read_text(encoding="utf-8")) for place in sorted(folder.glob("perf-*.json"))]
    return {
        each["id"]: Speed(each["numerator"], each["denominator"], each["ratio"], each["spread"], record["date"])
        for record in sorted(kept, key=lambda record: str(record["date"]))
        for each in record["ratios"]
    }
