"""Several corpora as one table of runs: which of them count, and why others do not.

A run that several corpora hold counts once. Where they hold different runs of one agent in one place, or different code
under one name, those of the corpus that was named first count.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa

from coopgym.benchmarks.score.first_table import FirstTable
from coopgym.benchmarks.score.leaderboards import Leaderboards
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.integrity import require_sound
from coopgym.corpus.inventory import Inventory
from coopgym.corpus.reader import Corpus, locate
from coopgym.corpus.schema import COLUMNS, REPEATABLE_COLUMNS, is_self_play

CELL = ("environment", "env_parameters", "algorithm", "reward_mode", "scenario")
"""Columns of ``runs`` that, with protocol and seed, are a run's place."""
SETTINGS = ("view", "objective", "episodes", "hyperparameters")
"""Columns that tell runs apart whose identity was not recorded yet."""
OUTCOMES = tuple(
    column.name
    for column in COLUMNS["runs"]
    if column.name in REPEATABLE_COLUMNS
    and pa.types.is_floating(getattr(column.type, "value_type", column.type))
    and "exploitability" not in column.name
)
"""Numbers in which all copies of a run agree; deviations may have been searched in one of them more thoroughly."""
AGREEMENT = 1e-9
"""Relative difference within which they do."""
READ = ("run_id", "identity", "protocol", "seed", "status", "exploitability", *CELL, *SETTINGS, *OUTCOMES)
OTHER_RUNS, OTHER_CODE = "other runs in their places", "other code under their name"
MOST_NAMES = 4

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Source:
    """A corpus of which runs may count."""

    name: str
    """As it was asked for."""
    digest: str
    """SHA-256 of what its runs are and came to, whatever files they lie in and whenever they were computed."""
    made: str
    """Day, or first and last day, on which its runs began."""
    versions: tuple[str, ...]
    """Of coopgym."""
    runs: int
    counted: int
    """Runs that count as this corpus's."""
    repeated: int
    """Runs that a corpus before it had too, with the same numbers."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Several corpora, read as one."""

    runs: pa.Table
    """The ``runs`` table."""
    sources: tuple[Source, ...]
    """In the order in which they count."""
    disagreements: tuple[str, ...]
    """Where corpora hold what cannot both count, and what counts, a sentence each."""

    @cached_property
    def leaderboards(self) -> Leaderboards:
        """How good its agents are."""
        return Leaderboards(self.runs)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Everything that does not count, and why, a sentence each."""
        strangers = self.leaderboards.first_table.strangers
        if strangers is None or not strangers.set_aside:
            return self.disagreements
        others = "met others than most runs of the same game did, or the same ones when they were valued otherwise"
        return (*self.disagreements, f"{_runs(strangers.set_aside)} among strangers not compared: they {others}")

    @property
    def table(self) -> FirstTable:
        """The table that stands first.

        Raises:
            CorpusError: runs of one corpus contradict one another, or nothing is there that scores stand between.
        """
        if self.leaderboards.inconsistency:
            raise CorpusError(f"no leaderboard: {self.leaderboards.inconsistency}")
        if not self.leaderboards.first_table.rows:
            raise CorpusError(
                f"no leaderboard of {', '.join(source.name for source in self.sources)}: scores stand between the play "
                "of oracles and constants in the same games; name a corpus that holds it too, such as runs/quick"
            )
        return self.leaderboards.first_table


def pool(corpora: Sequence[str]) -> Pool:
    """Read corpora as one, without writing anything.

    Args:
        corpora: released ones by name, folders, archives or addresses; what is named first counts first.

    Raises:
        CorpusError: one of them is no sound corpus.
        ImportError: what an address needs is not installed.

    >>> found = pool(["learners-v1", "worlds-v1"])
    >>> [(source.name, source.runs, source.counted) for source in found.sources]
    [('learners-v1', 1680, 1680), ('worlds-v1', 915, 915)]
    >>> [question.name for question in found.table.questions]
    ['with itself', 'in unknown worlds', 'regret']
    """
    opened = [_opened(source) for source in corpora]
    names = [_shown_name(source) for source in corpora]
    tables = [corpus.runs.arrow for corpus in opened]
    rows = [table.select(READ).to_pylist() for table in tables]
    selection = _Selection(names, {row["run_id"]: _specification(row, {}) for each in rows for row in each})
    for number, each in enumerate(rows):
        for row in each:
            selection.add(number, row)
    counted = selection.counted
    return Pool(
        pa.concat_tables(tables).take(pa.array(sorted(selection.chosen.values()), pa.int64())),
        tuple(
            _source(name, opened[number], counted[number], selection.repeated[number])
            for number, name in enumerate(names)
        ),
        tuple(selection.disagreements()),
    )


def _opened(source: str) -> Corpus:
    place = locate(source)
    require_sound(source, place, "stand in a leaderboard")
    return Corpus(place)


def _shown_name(source: str) -> str:
    """Return how a corpus is called; where it lies on this machine is nobody's business."""
    return Path(source).name if Path(source).is_absolute() else source


def _source(name: str, corpus: Corpus, counted: int, repeated: int) -> Source:
    rows = corpus.runs.select(list(REPEATABLE_COLUMNS)).sort_by("run_id").to_pylist()
    told = [{column: value for column, value in row.items() if value is not None} for row in rows]
    days = dict.fromkeys(f"{moment:%Y-%m-%d}" for moment in Inventory(corpus).started)
    return Source(
        name=name,
        digest=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
        made=" to ".join(days),
        versions=corpus.metadata["package_version"],
        runs=len(rows),
        counted=counted,
        repeated=repeated,
    )


@dataclass
class _Claim:
    """What the first corpus to hold anything of a kind holds of it."""

    corpus: int
    held: set[str]


@dataclass(frozen=True)
class _Holding:
    """What a row holds of something that corpora must hold alike to be read together."""

    of: tuple[Any, ...]
    what: str
    otherwise: str
    """What to call it where it is not the same."""


class _Selection:
    """The runs that count, row by row and corpus after corpus."""

    def __init__(self, names: Sequence[str], specifications: Mapping[str, str]) -> None:
        self.names = names
        self._specifications = specifications
        """Of every run, by its id: policies are known by the run that trained them."""
        self.chosen: dict[str, int] = {}
        """Row of every run that counts, by its id."""
        self.repeated: Counter[int] = Counter()
        """Copies with the same numbers, by corpus."""
        self._rows: list[tuple[int, Row]] = []
        self._claims: dict[tuple[Any, ...], _Claim] = {}
        self._left_out: dict[tuple[int, int, str], list[str]] = defaultdict(list)
        self._unlike: Counter[tuple[int, int]] = Counter()

    def add(self, corpus: int, row: Row) -> None:
        """Let a run count unless an earlier corpus forbids it."""
        self._rows.append((corpus, row))
        if row["run_id"] in self.chosen:
            self._compare(corpus, row)
            return
        holdings = list(_holdings(row, self._specifications))
        for each in holdings:
            first = self._claims.get(each.of)
            if first is not None and first.corpus != corpus and each.what not in first.held:
                self._left_out[first.corpus, corpus, each.otherwise].append(row["algorithm"])
                return
        self.chosen[row["run_id"]] = len(self._rows) - 1
        for each in holdings:
            self._claims.setdefault(each.of, _Claim(corpus, set())).held.add(each.what)

    def _compare(self, corpus: int, row: Row) -> None:
        """Look at another copy of a run; one that was searched for deviations counts rather than one that was not."""
        first, copy = self._rows[self.chosen[row["run_id"]]]
        if not _agree(copy, row):
            self._unlike[first, corpus] += 1
            return
        self.repeated[corpus] += 1
        if copy["exploitability"] is None and row["exploitability"] is not None:
            self.chosen[row["run_id"]] = len(self._rows) - 1

    @property
    def counted(self) -> Counter[int]:
        """Runs that count, by corpus."""
        return Counter(self._rows[place][0] for place in self.chosen.values())

    def disagreements(self) -> Iterator[str]:
        """Say which runs do not count, and which copies differ."""
        for (first, corpus, reason), agents in self._left_out.items():
            yield (
                f"{self.names[corpus]}: {_runs(len(agents))} of {_different(agents)} left out, for "
                f"{self.names[first]}, named before, holds {reason}"
            )
        for (first, corpus), count in self._unlike.items():
            yield (
                f"{self.names[corpus]}: {_runs(count)} came to other numbers than the same runs in "
                f"{self.names[first]}, which count; one of the two was computed otherwise or altered"
            )


def _holdings(row: Row, specifications: Mapping[str, str]) -> Iterator[_Holding]:
    """Yield a user's code under its name, the run in its place, and its specification among other seeds."""
    protocol = "self_play" if is_self_play(row) else row["protocol"]
    cell = (protocol, *(row[name] for name in CELL))
    identity = _identity(row)
    if identity and identity["players"] and identity["players"][0].get("source"):
        code = {name: value for name, value in identity["players"][0].items() if name not in ("seats", "prompt")}
        yield _Holding((row["algorithm"],), _text(code), OTHER_CODE)
    yield _Holding((*cell, row["seed"]), row["run_id"], OTHER_RUNS)
    yield _Holding(cell, _specification(row, specifications), OTHER_RUNS)


def _identity(row: Row) -> Mapping[str, Any] | None:
    return json.loads(row["identity"]) if row["identity"] else None


def _specification(row: Row, trainings: Mapping[str, str]) -> str:
    """Return what determines a run but its seed, and that of the trainings that it stands on."""
    identity = _identity(row)
    if identity is None:
        return _text([row[name] for name in SETTINGS])
    seedless = {name: value for name, value in identity.items() if name not in ("seed", "evaluation_seed")}
    training = identity["training"] and {**identity["training"], "seed": None}
    players = [{**player, "trained_by": trainings.get(player.get("trained_by"))} for player in identity["players"]]
    return _text([seedless | {"training": training, "players": players}, row["hyperparameters"]])


def _agree(one: Row, other: Row) -> bool:
    known = [name for name in OUTCOMES if one[name] is not None and other[name] is not None]
    first, second = (np.hstack([[0.0], *(row[name] for name in known)]) for row in (one, other))
    return (
        one["status"] == other["status"]
        and first.shape == second.shape
        and np.allclose(first, second, rtol=AGREEMENT, atol=AGREEMENT, equal_nan=True)
    )


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count:,} runs"


def _different(names: Iterable[str]) -> str:
    """Return names once each, of many the first and how many more there are."""
    found = list(dict.fromkeys(names))
    more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
    return ", ".join(found[:MOST_NAMES]) + more
