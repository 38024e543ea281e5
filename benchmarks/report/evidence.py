"""What a report is made from: the tables of a corpus, and statistics that several sections need, computed once."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc

from benchmarks.analysis import (
    Bootstrap,
    Distribution,
    Entrant,
    NoiseFloor,
    ScoreTable,
    distributions,
    noise_floors,
    run_grid,
    score_table,
    self_play,
)
from benchmarks.analysis.scores import Diverged, Yardstick
from benchmarks.report.looks import Look, looks
from benchmarks.summary import mode_order
from coopgym.corpus.reader import Corpus

ROW_COLUMNS = (
    *("run_id", "protocol", "algorithm", "algorithm_kind", "environment", "env_parameters", "mechanism_class"),
    *("n_agents", "horizon", "reward_mode", "mutuality", "seed", "status", "diverged_at_step", "error"),
    *("welfare", "return_mode", "episode_length", "cooperation_rate", "exploitability", "class_metrics"),
    *("started_at", "wall_seconds_train", "wall_seconds_eval"),
)
LEARNERS = ("learner", "plugin")
"""Kinds whose play is what a study is about."""


@dataclass(frozen=True, eq=False)
class Contest:
    """Self-play that may be compared: agents without an objective, and the learners of one."""

    objective: str | None
    """Whose reward learners maximise; None where the corpus has no two kinds of them."""
    runs: pa.Table
    first_objective: str | None = None
    """The first of the corpus's objectives."""
    memo: dict[Hashable, object] = field(default_factory=dict, repr=False)
    """What was computed from it already."""

    def table(self, yardstick: Yardstick = "return_mode", diverged: Diverged = "worst") -> ScoreTable:
        """Return scores, computed when first asked for."""
        key = ("table", yardstick, diverged)
        if key not in self.memo:
            self.memo[key] = score_table(self.runs, yardstick, diverged)
        return cast(ScoreTable, self.memo[key])

    @cached_property
    def distributions(self) -> tuple[Distribution, ...]:
        """What every algorithm brings on every task, and to whom."""
        return distributions(self.runs)

    @property
    def suffix(self) -> str:
        """Part of the names of files about it."""
        return "" if self.objective is None else f"-{self.objective}"

    @property
    def title(self) -> str:
        """Part of headings about it."""
        return "" if self.objective is None else f"{self.objective} objective"


@dataclass(frozen=True, eq=False)
class Evidence:
    """A corpus as sections see it."""

    corpus: Corpus
    settings: Bootstrap = Bootstrap()

    @cached_property
    def runs(self) -> pa.Table:
        """The ``runs`` table."""
        return self.corpus.runs.arrow

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Some columns of the same, row by row."""
        return self.runs.select(ROW_COLUMNS).to_pylist()

    @cached_property
    def looks(self) -> Mapping[str, Look]:
        """How algorithms are drawn, by name."""
        return looks({Entrant(row["algorithm"], row["algorithm_kind"]) for row in self.rows})

    @cached_property
    def modes(self) -> tuple[str, ...]:
        """Reward modes, the named ones first."""
        return tuple(sorted({row["reward_mode"] for row in self.rows}, key=mode_order))

    @cached_property
    def conflict(self) -> str:
        """Why runs cannot be compared; empty where they can."""
        try:
            for contest in self._contests:
                run_grid(contest.runs)
        except ValueError as error:
            return str(error)
        return ""

    @property
    def contests(self) -> Sequence[Contest]:
        """Self-play by objective of the learners; none where there is none, or where runs contradict one another."""
        return () if self.conflict else self._contests

    @cached_property
    def _contests(self) -> tuple[Contest, ...]:
        played = self_play(self.runs)
        objectives = sorted(set(played.column("objective").drop_null().to_pylist()))
        if len(objectives) < 2:
            return (Contest(None, played),) if len(played) else ()
        given = played.column("objective")
        return tuple(
            Contest(each, played.filter(pc.or_kleene(pc.is_null(given), pc.equal(given, each))), objectives[0])
            for each in objectives
        )

    @cached_property
    def noise(self) -> Mapping[tuple[str, str], Mapping[str, NoiseFloor]]:
        """Noise floors of welfare by game, for every learner that the study entered under two names."""
        return {
            pair: noise_floors(contest.runs, *pair)
            for pair in duplicates(self.corpus.study or {})
            for contest in self.contests
            if set(contest.runs.column("algorithm").unique().to_pylist()).issuperset(pair)
        }


def duplicates(study: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return pairs of names under which a study enters the same learner with the same settings."""
    names: dict[str, dict[str, None]] = {}
    for block in study.get("blocks", ()):
        for entry in block.get("learners", ()):
            settings = {name: value for name, value in entry.items() if name != "label"}
            title = entry.get("label") or (
                f"{entry['name']}-team" if entry.get("objective") == "team" else entry["name"]
            )
            names.setdefault(repr(sorted(settings.items(), key=lambda item: item[0])), {})[title] = None
    return [(original, copy) for titles in names.values() for original, *copies in [list(titles)] for copy in copies]
