"""What the audits of a corpus say together: who can be exploited where, and when defection begins to pay."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from coopgym.benchmarks.audits.reference_temporal import vulnerability_class
from coopgym.corpus.reader import Corpus

CrosscheckRow = Mapping[str, Any]


@dataclass(frozen=True)
class Protocols:
    """Which audits to read: names from `coopgym.corpus.schema.PROTOCOLS`."""

    surface: str
    unilateral: str
    temporal: str


REFERENCE = Protocols("reference_surface", "reference_surface", "reference_temporal")
DIRECT = Protocols("surface", "unilateral", "temporal")


@dataclass(frozen=True)
class Exploitation:
    """Deviation tests of a game or class."""

    tests: int
    exploitative: int
    """Tests in which the deviating seat gained and the others lost."""
    labels_agree: bool
    """Whether all labels came to the same results with the same seed."""

    @property
    def share(self) -> float:
        """Exploitative part of the tests."""
        return self.exploitative / self.tests


@dataclass(frozen=True)
class Range:
    """Mean, least and greatest of some gains."""

    mean: float
    least: float
    greatest: float


@dataclass(frozen=True)
class GradualExploit:
    """A ramp by which a seat gains while the others lose."""

    environment: str
    seed: int
    seat: int
    gain: float
    share: float
    """The gain as a share of the baseline's mean return."""


@dataclass(frozen=True)
class CrossCheck:
    """Numbers of the cross-audit report for one reward mode."""

    records: Mapping[str, int]
    """Completed audits by protocol."""
    records_per_label: Mapping[str, int]
    """Completed surface audits by label."""
    exploitation: Mapping[str, Exploitation]
    """Unilateral tests by game."""
    exploitation_by_class: Mapping[str, Exploitation]
    optimal_level: Mapping[str, float]
    """Median over records of the common level with the highest mean return, by game."""
    vulnerability: Mapping[tuple[str, int], str]
    """Class by game and seed; see `coopgym.benchmarks.audits.reference_temporal.VULNERABILITIES`."""
    switch_tests: int
    """Late defections tested."""
    last_switch_gain: Mapping[str, Range]
    """Gain of the latest defection, by mechanism class."""
    gradual_exploits: tuple[GradualExploit, ...]


def crosscheck(corpus: Corpus, protocols: Protocols = REFERENCE, reward: str = "integrated") -> CrossCheck:
    """Read the audits of a corpus together.

    Args:
        corpus: may hold other runs too.
        protocols: which audits.
        reward: the reward mode to look at.
    """
    wanted = (protocols.surface, protocols.unilateral, protocols.temporal)
    columns = ["run_id", "algorithm", "environment", "mechanism_class", "seed", "protocol", "reward_mode", "status"]
    runs = {
        run["run_id"]: run
        for run in corpus.runs.select(columns).to_pylist()
        if run["protocol"] in wanted and run["reward_mode"] == reward and run["status"] == "completed"
    }
    surfaces = [run for run in runs.values() if run["protocol"] == protocols.surface]
    tests = _unilateral_tests(corpus.audit_unilateral, runs, protocols.unilateral)
    times = list(_rows(corpus.audit_temporal, runs, protocols.temporal, _TEMPORAL))
    late = [row for row in times if row["strategy"] == "late"]
    return CrossCheck(
        records=Counter(run["protocol"] for run in runs.values()),
        records_per_label=Counter(run["algorithm"] for run in surfaces),
        exploitation=_exploitation(tests, "environment"),
        exploitation_by_class=_exploitation(tests, "mechanism_class"),
        optimal_level=_optimal_levels(corpus.audit_surface, runs, protocols.surface),
        vulnerability=_vulnerability(late),
        switch_tests=len(late),
        last_switch_gain=_last_gains(late),
        gradual_exploits=tuple(_gradual_exploits(times)),
    )


_TEMPORAL = ("strategy", "seat", "first_step", "fraction", "base_level", "mean_return", "gain", "exploitative")


def _of_runs(table: pa.Table, runs: Mapping[str, CrosscheckRow], protocol: str) -> pa.Table:
    chosen = [id for id, run in runs.items() if run["protocol"] == protocol]
    return table.filter(pc.is_in(table["run_id"], pa.array(chosen, pa.string())))


def _rows(
    table: pa.Table, runs: Mapping[str, CrosscheckRow], protocol: str, columns: Iterable[str]
) -> Iterator[CrosscheckRow]:
    """Detail rows together with what is known of their run."""
    for row in _of_runs(table, runs, protocol).select(["run_id", *columns]).to_pylist():
        yield {**runs[row["run_id"]], **row}


def _unilateral_tests(
    table: pa.Table, runs: Mapping[str, CrosscheckRow], protocol: str
) -> list[tuple[CrosscheckRow, tuple[bool, ...]]]:
    """Every run with whether each of its tests is exploitative."""
    chosen = _of_runs(table, runs, protocol)
    exploitative = pc.and_(pc.greater(chosen["gain"], 0.0), pc.less(chosen["others_change"], 0.0))
    by_run: dict[str, list[bool]] = defaultdict(list)
    for id, exploits in zip(chosen["run_id"].to_pylist(), exploitative.to_pylist(), strict=True):
        by_run[id].append(exploits)
    return [(runs[id], tuple(flags)) for id, flags in by_run.items()]


def _exploitation(tests: list[tuple[CrosscheckRow, tuple[bool, ...]]], key: str) -> dict[str, Exploitation]:
    flags: dict[str, list[bool]] = defaultdict(list)
    results: dict[tuple[str, str, int], set[tuple[bool, ...]]] = defaultdict(set)
    for run, exploits in tests:
        flags[run[key]] += exploits
        results[run[key], run["environment"], run["seed"]].add(exploits)
    disagreeing = {group for (group, _, _), found in results.items() if len(found) > 1}
    return {
        group: Exploitation(len(found), sum(found), group not in disagreeing) for group, found in sorted(flags.items())
    }


def _optimal_levels(table: pa.Table, runs: Mapping[str, CrosscheckRow], protocol: str) -> dict[str, float]:
    chosen = _of_runs(table, runs, protocol)
    means = chosen.group_by(["run_id", "level"], use_threads=False).aggregate([("episode_return", "mean")])
    best: dict[str, tuple[float, float]] = {}
    for row in means.sort_by([("run_id", "ascending"), ("level", "ascending")]).to_pylist():
        found = (row["episode_return_mean"], row["level"])
        if row["run_id"] not in best or found[0] > best[row["run_id"]][0]:
            best[row["run_id"]] = found
    levels: dict[str, list[float]] = defaultdict(list)
    for id, (_, level) in best.items():
        levels[runs[id]["environment"]].append(level)
    # Levels are stored in single precision.
    return {game: round(float(np.median(found)), 6) for game, found in sorted(levels.items())}


def _vulnerability(late: Iterable[CrosscheckRow]) -> dict[tuple[str, int], str]:
    switches: dict[tuple[str, int], list[CrosscheckRow]] = defaultdict(list)
    for row in late:
        switches[row["environment"], row["seed"]].append(row)
    return {
        place: vulnerability_class([row["fraction"] for row in rows], [row["exploitative"] for row in rows])
        for place, rows in sorted(switches.items())
    }


def _last_gains(late: Iterable[CrosscheckRow]) -> dict[str, Range]:
    by_run: dict[str, list[CrosscheckRow]] = defaultdict(list)
    for row in late:
        by_run[row["run_id"]].append(row)
    gains: dict[str, list[float]] = defaultdict(list)
    for rows in by_run.values():
        last = max(row["first_step"] for row in rows)
        gains[rows[0]["mechanism_class"]] += [row["gain"] for row in rows if row["first_step"] == last]
    return {group: Range(float(np.mean(found)), min(found), max(found)) for group, found in sorted(gains.items())}


def _gradual_exploits(times: Sequence[CrosscheckRow]) -> Iterator[GradualExploit]:
    baseline = {_place(row): row["mean_return"] for row in times if row["strategy"] == "baseline"}
    for row in times:
        if row["strategy"] == "ramp" and row["exploitative"]:
            before = abs(baseline[_place(row)])
            share = row["gain"] / before if before else math.inf
            yield GradualExploit(row["environment"], row["seed"], row["seat"], row["gain"], share)


def _place(row: CrosscheckRow) -> tuple[str, int, float]:
    return (row["run_id"], row["seat"], row["base_level"])
