"""What a corpus holds: counted from its rows, so that no text about it can disagree with it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from coopgym.corpus.reader import Corpus
from coopgym.corpus.schema import KINDS, STATUSES, TableName, worlds_of

_FACTORS = ("algorithm_kind", "algorithm", "environment", "env_parameters", "reward_mode", "protocol", "scenario")
_VERSIONS = ("package_version", "git_revision", "python", "numpy", "torch", "device")


@dataclass(frozen=True)
class AlgorithmGroup:
    """The runs of all algorithms of one kind, as a factorial of algorithms, games and reward modes."""

    kind: str
    algorithms: tuple[str, ...]
    environments: tuple[str, ...]
    reward_modes: tuple[str, ...]
    runs: int
    cells: int
    """Combinations of algorithm, game and mode that have a run."""
    fewest_seeds: int
    most_seeds: int
    holes: Mapping[str, tuple[str, ...]]
    """Algorithm to the games in which some mode is missing, for those that have any."""

    @property
    def all_cells(self) -> int:
        """Combinations that a complete factorial would have."""
        return len(self.algorithms) * len(self.environments) * len(self.reward_modes)

    def describe_holes(self) -> list[str]:
        """Say which games are missing for which algorithms; algorithms that miss the same share a line."""
        alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for algorithm, games in self.holes.items():
            alike[games].append(algorithm)
        return [
            f"{_listed(algorithms)}: not, or not in all modes, in {_listed(games)}"
            for games, algorithms in alike.items()
        ]


@dataclass(frozen=True)
class Inventory:
    """The facts of a corpus."""

    corpus: Corpus

    @cached_property
    def rows(self) -> Mapping[TableName, int]:
        """Rows of each table that has any."""
        return {name: size for name, size in self.corpus.sizes().items() if size}

    @cached_property
    def counts(self) -> Counter[tuple[str, str, str, str]]:
        """Runs by algorithm kind, game, reward mode and status."""
        columns = ("algorithm_kind", "environment", "reward_mode", "status")
        return Counter(zip(*(self._column(name) for name in columns), strict=True))

    @cached_property
    def statuses(self) -> Mapping[str, int]:
        """Runs by status, those that occur."""
        found = Counter(self._column("status"))
        return {status: found[status] for status in STATUSES if found[status]}

    @cached_property
    def groups(self) -> list[AlgorithmGroup]:
        """Self-play, scenarios and audits by kind of algorithm."""
        return [self._group(kind) for kind in KINDS if kind in set(self._column("algorithm_kind"))]

    @cached_property
    def versions(self) -> Mapping[str, tuple[str, ...]]:
        """Versions, revisions and devices that made the runs."""
        return {name: found for name in _VERSIONS if (found := self.values(name))}

    @cached_property
    def started(self) -> tuple[datetime, datetime]:
        """When the first and the last job began."""
        moments = self._column("started_at")
        return min(moments), max(moments)

    @cached_property
    def computing_seconds(self) -> float:
        """Time of training and evaluation, added up."""
        return sum(sum(filter(None, self._column(name))) for name in ("wall_seconds_train", "wall_seconds_eval"))

    def values(self, column: str) -> tuple[str, ...]:
        """Different values of a column of ``runs``, sorted, without null."""
        return tuple(sorted({str(value) for value in self._column(column) if value is not None}))

    @cached_property
    def worlds(self) -> Mapping[str, int]:
        """Runs by world."""
        return dict(sorted(Counter(worlds_of(self.corpus.runs.arrow).to_pylist()).items()))

    def _column(self, name: str) -> list[Any]:
        return self.corpus.runs.column(name).to_pylist()

    def _group(self, kind: str) -> AlgorithmGroup:
        seeds: Counter[tuple[Any, ...]] = Counter(
            row for row in zip(*(self._column(name) for name in _FACTORS), strict=True) if row[0] == kind
        )
        cells = {(row[1], row[2], row[4]) for row in seeds}
        algorithms, games, modes = (tuple(sorted({cell[place] for cell in cells})) for place in range(3))
        holes = {
            algorithm: missing
            for algorithm in algorithms
            if (missing := tuple(g for g in games if any((algorithm, g, mode) not in cells for mode in modes)))
        }
        return AlgorithmGroup(
            kind=kind,
            algorithms=algorithms,
            environments=games,
            reward_modes=modes,
            runs=sum(seeds.values()),
            cells=len(cells),
            fewest_seeds=min(seeds.values()),
            most_seeds=max(seeds.values()),
            holes=holes,
        )


def _listed(names: tuple[str, ...] | list[str], shown: int = 6) -> str:
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
