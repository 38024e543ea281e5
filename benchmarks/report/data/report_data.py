"""What a report is made from: the tables of a corpus, and statistics that several sections need, computed once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from coopgym.benchmarks.drawing.series_style import SeriesStyle, styles
from coopgym.benchmarks.score import Algorithm, Leaderboard, Leaderboards, NoiseFloor, mode_order, noise_floors
from coopgym.corpus.reader import Corpus

ROW_COLUMNS = (
    *("run_id", "protocol", "algorithm", "algorithm_kind", "environment", "env_parameters", "mechanism_class"),
    *("n_agents", "horizon", "reward_mode", "mutuality", "seed", "status", "diverged_at_step", "error"),
    *(
        "welfare",
        "return_mode",
        "episode_length",
        "cooperation_rate",
        "mean_trust_final",
        "exploitability",
        "class_metrics",
    ),
    *("started_at", "wall_seconds_train", "wall_seconds_eval"),
)


@dataclass(frozen=True, eq=False)
class ReportData:
    """A corpus as sections see it."""

    corpus: Corpus

    @cached_property
    def runs(self) -> pa.Table:
        """The ``runs`` table."""
        return self.corpus.runs.arrow

    @cached_property
    def rows(self) -> list[dict[str, Any]]:
        """Some columns of the same, row by row."""
        return self.runs.select(ROW_COLUMNS).to_pylist()

    @cached_property
    def styles(self) -> Mapping[str, SeriesStyle]:
        """How algorithms are drawn, by name."""
        return styles({Algorithm(row["algorithm"], row["algorithm_kind"]) for row in self.rows})

    @cached_property
    def modes(self) -> tuple[str, ...]:
        """Reward modes, the named ones first."""
        return tuple(sorted({row["reward_mode"] for row in self.rows}, key=mode_order))

    @cached_property
    def scored(self) -> Leaderboards:
        """How good its agents are."""
        return Leaderboards(self.runs)

    @property
    def inconsistency(self) -> str:
        """Why runs cannot be compared; empty where they can."""
        return self.scored.inconsistency

    @property
    def leaderboards(self) -> Sequence[Leaderboard]:
        """Self-play by objective of the learners; none where there is none, or where runs contradict one another."""
        return self.scored.found

    @cached_property
    def noise(self) -> Mapping[tuple[str, str], Mapping[str, NoiseFloor]]:
        """Noise floors of welfare by game, for every learner that the study entered under two names."""
        return {
            pair: noise_floors(leaderboard.runs, *pair)
            for pair in duplicates(self.corpus.study or {})
            for leaderboard in self.leaderboards
            if set(leaderboard.runs.column("algorithm").unique().to_pylist()).issuperset(pair)
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
