"""From runs to tables: cells of game × reward mode × algorithm, and rankings. Seeds are the unit of replication."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from scipy.special import stdtrit

from benchmarks.metrics import normalised_score
from coopgym.corpus.schema import is_self_play
from coopgym.rewards import MODES

CONFIDENCE = 0.95
RANDOM = "Random"
SHOWN_CONSTANTS = ("Constant_00", "Constant_50", "Constant_100")
IDENTITY = (
    "protocol",
    "algorithm",
    "algorithm_kind",
    "environment",
    "env_parameters",
    "mechanism_class",
    "reward_mode",
    "seed",
    "status",
)
MEASURES = (
    "welfare",
    "return_private",
    "return_integrated",
    "return_cooperative",
    "return_mode",
    "cooperation_rate",
    "mean_trust_final",
    "mean_reputation_damage",
    "gini_payoff",
    "episode_length",
)
"""Columns of ``runs`` that are averaged over seeds."""


@dataclass(frozen=True)
class Interval:
    """A mean over n seeds; without an interval when there is a single one."""

    mean: float
    low: float | None
    high: float | None
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Interval:
        """Return mean and Student t interval of at least one value."""
        mean, n = float(np.mean(values)), len(values)
        if n == 1:
            return cls(mean, None, None, n)
        half = float(stdtrit(n - 1, 0.5 + CONFIDENCE / 2)) * float(np.std(values, ddof=1)) / math.sqrt(n)
        return cls(mean, mean - half, mean + half, n)

    @property
    def half_width(self) -> float | None:
        """Half the length of the interval."""
        return None if self.low is None else self.mean - self.low


@dataclass(frozen=True)
class Setting:
    """Where scores are comparable: one game with its parameters under one reward mode."""

    environment: str
    env_parameters: str
    reward_mode: str

    @property
    def game(self) -> str:
        """The game's id, with its overridden parameters if there are any."""
        return self.environment if self.env_parameters == "{}" else f"{self.environment} {self.env_parameters}"


@dataclass(frozen=True)
class Cell:
    """An algorithm in a setting, over its seeds."""

    setting: Setting
    mechanism_class: str
    algorithm: str
    kind: str
    scores: Mapping[int, float]
    """Normalised score per seed; empty where the study lacks the anchors. A diverged run scores 0, like Random."""
    measures: Mapping[str, Interval]
    diverged: int
    failed: int

    @property
    def score(self) -> Interval | None:
        """Normalised score over seeds."""
        return Interval.of(list(self.scores.values())) if self.scores else None


@dataclass(frozen=True)
class RankingRow:
    """An algorithm over several games: scores are averaged over games within a seed, then over seeds."""

    algorithm: str
    kind: str
    score: Interval
    by_mode: Mapping[str, Interval]
    cooperation: float | None


@dataclass(frozen=True)
class Ranking:
    """Algorithms that all played the same games, best first."""

    games: tuple[str, ...]
    rows: tuple[RankingRow, ...]


@dataclass(frozen=True)
class Summary:
    """All cells of a corpus."""

    cells: tuple[Cell, ...]

    @property
    def games(self) -> tuple[str, ...]:
        """Games in order of mechanism class and name."""
        return tuple(dict.fromkeys(cell.setting.game for cell in self.cells))

    @property
    def modes(self) -> tuple[str, ...]:
        """Reward modes: the named ones first."""
        return tuple(sorted({cell.setting.reward_mode for cell in self.cells}, key=mode_order))

    def rankings(self) -> list[Ranking]:
        """Rank algorithms on the games that all of them played.

        The first ranking covers every game, with the algorithms that played every game. If others played fewer, a
        second one covers the games that everybody played.
        """
        by_algorithm: dict[str, list[Cell]] = {}
        for cell in self.cells:
            if cell.scores:
                by_algorithm.setdefault(cell.algorithm, []).append(cell)
        coverage = {name: {cell.setting for cell in cells} for name, cells in by_algorithm.items()}
        if not coverage:
            return []
        everything = set().union(*coverage.values())
        common = set.intersection(*coverage.values())
        rankings = [_ranking(by_algorithm, everything)]
        if common and common != everything:
            rankings.append(_ranking(by_algorithm, common))
        return [ranking for ranking in rankings if ranking.rows]


def score_text(value: float) -> str:
    """Return two decimals with a proper minus sign, and none on a zero."""
    text = f"{value:.2f}"
    return "0.00" if text == "-0.00" else text.replace("-", "−")


def mode_order(mode: str) -> tuple[int, str]:
    """Return a sorting key that puts the named modes first, in their order."""
    named = list(MODES)
    return (named.index(mode) if mode in named else len(named), mode)


def summarise(runs: pa.Table) -> Summary:
    """Summarise the self-play in the ``runs`` table of a corpus."""
    rows = filter(is_self_play, runs.select([*IDENTITY, *MEASURES]).to_pylist())
    settings: dict[Setting, dict[str, list[Mapping[str, Any]]]] = {}
    order = ("mechanism_class", "environment", "env_parameters", "algorithm", "seed")
    for row in sorted(rows, key=lambda row: (mode_order(row["reward_mode"]), *(row[name] for name in order))):
        setting = Setting(row["environment"], row["env_parameters"], row["reward_mode"])
        settings.setdefault(setting, {}).setdefault(row["algorithm"], []).append(row)
    return Summary(tuple(cell for setting, found in settings.items() for cell in _cells(setting, found)))


def to_csv(summary: Summary) -> str:
    """Return one line per cell: identity, numbers of runs, score and every measure with its interval."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["environment", "env_parameters", "reward_mode", "mechanism_class", "algorithm", "algorithm_kind"]
    numbers = ["score", *MEASURES]
    writer.writerow(
        [*head, "seeds", "diverged", "failed", *(f"{name}{part}" for name in numbers for part in ("", "_low", "_high"))]
    )
    for cell in summary.cells:
        setting = cell.setting
        intervals = [cell.score, *(cell.measures.get(name) for name in MEASURES)]
        writer.writerow(
            [
                *(setting.environment, setting.env_parameters, setting.reward_mode, cell.mechanism_class),
                *(cell.algorithm, cell.kind),
                *(max((interval.n for interval in intervals if interval), default=0), cell.diverged, cell.failed),
                *(number for interval in intervals for number in _three(interval)),
            ]
        )
    return text.getvalue()


def _three(interval: Interval | None) -> tuple[float | None, float | None, float | None]:
    return (interval.mean, interval.low, interval.high) if interval else (None, None, None)


def _cells(setting: Setting, found: Mapping[str, list[Mapping[str, Any]]]) -> Iterable[Cell]:
    returns = {
        name: [row["return_mode"] for row in rows if row["return_mode"] is not None] for name, rows in found.items()
    }
    random = returns.get(RANDOM)
    constants = [returns[name] for name, rows in found.items() if rows[0]["algorithm_kind"] == "constant"]
    best_constant = max((float(np.mean(values)) for values in constants if values), default=None)
    for name, rows in found.items():
        scores: dict[int, float] = {}
        if random and best_constant is not None:
            for row in rows:
                score = _score(row, float(np.mean(random)), best_constant)
                if score is not None:
                    scores[row["seed"]] = score
        measured = {measure: [row[measure] for row in rows if row[measure] is not None] for measure in MEASURES}
        yield Cell(
            setting=setting,
            mechanism_class=rows[0]["mechanism_class"],
            algorithm=name,
            kind=rows[0]["algorithm_kind"],
            scores=scores,
            measures={measure: Interval.of(values) for measure, values in measured.items() if values},
            diverged=sum(row["status"] == "diverged" for row in rows),
            failed=sum(row["status"] == "failed" for row in rows),
        )


def _score(row: Mapping[str, Any], random: float, best_constant: float) -> float | None:
    if row["status"] == "diverged":
        return 0.0
    return None if row["return_mode"] is None else normalised_score(row["return_mode"], random, best_constant)


def _ranking(by_algorithm: Mapping[str, list[Cell]], settings: set[Setting]) -> Ranking:
    rows = []
    for name, all_cells in by_algorithm.items():
        cells = [cell for cell in all_cells if cell.setting in settings]
        if len(cells) == len(settings):
            rows.append(_ranking_row(name, cells))
    rows.sort(key=lambda row: (-row.score.mean, row.algorithm))
    constants = [row.algorithm for row in rows if row.kind == "constant"]
    shown = {*SHOWN_CONSTANTS, *constants[:1]}
    games = sorted({setting.game for setting in settings})
    return Ranking(tuple(games), tuple(row for row in rows if row.kind != "constant" or row.algorithm in shown))


def _ranking_row(name: str, cells: list[Cell]) -> RankingRow:
    modes = sorted({cell.setting.reward_mode for cell in cells}, key=mode_order)
    cooperation = [cell.measures["cooperation_rate"].mean for cell in cells if "cooperation_rate" in cell.measures]
    return RankingRow(
        algorithm=name,
        kind=cells[0].kind,
        score=_over_games(cells),
        by_mode={mode: _over_games([cell for cell in cells if cell.setting.reward_mode == mode]) for mode in modes},
        cooperation=float(np.mean(cooperation)) if cooperation else None,
    )


def _over_games(cells: list[Cell]) -> Interval:
    # Only seeds that every cell has: a mean over games must not change its games from seed to seed.
    seeds = set.intersection(*(set(cell.scores) for cell in cells))
    if not seeds:
        return Interval(float(np.mean([score for cell in cells for score in cell.scores.values()])), None, None, 1)
    return Interval.of([float(np.mean([cell.scores[seed] for cell in cells])) for seed in sorted(seeds)])
