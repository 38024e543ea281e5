"""Where each recorded episode of a corpus lies, and its rows: keys are read once, all else row group by row group."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from coopgym.corpus.errors import CorpusError
from coopgym.corpus.reader import Corpus
from coopgym.corpus.remote import Place
from coopgym.corpus.shards import memory_limit, open_shard, read_shard, read_shards, shards
from coopgym.typing import FloatArray, IntArray

_RUN = ("run_id", "environment", "env_parameters", "n_agents", "reward_mode", "view", "identity")
_KEYS = ("run_id", "episode", "t", "seat", "reward", "terminated", "truncated", "behaviour")


@dataclass(frozen=True, eq=False)
class StepIndex:
    """Where K recorded episodes lie, in the order of the corpus."""

    runs: pa.Table
    """All runs of the corpus."""
    places: Sequence[Place]
    """Files that hold steps."""
    shard: IntArray
    """``(K,)`` file of each episode."""
    first: IntArray
    """``(K,)`` its first row there."""
    rows: IntArray
    """``(K,)`` how many rows it has: steps times seats."""
    run: IntArray
    """``(K,)`` row of its run."""
    episode: IntArray
    """``(K,)`` its number in the run."""
    returns: FloatArray
    """``(K,)`` its rewards, summed over steps and seats."""
    behaviours: Sequence[str]
    """Ids of everybody who chose an action."""
    seats: IntArray
    """``(K + 1,)`` where the seats of each episode begin in `seated`."""
    seated: IntArray
    """Who sits in every seat of every episode: positions in `behaviours`."""

    @classmethod
    def of(cls, corpus: Corpus) -> StepIndex:
        """Read the keys of a corpus's steps.

        Raises:
            CorpusError: a file is damaged or too large, or an episode is incomplete, there twice, or of no run.
            ValueError: there are no steps.
        """
        places = [corpus.path / "steps" / shard.name for shard in shards(corpus.path)]
        places = [place for place in places if place.exists()]
        tables = read_shards(places, "steps", _KEYS, corpus.max_bytes)
        if not sum(map(len, tables)):
            raise ValueError(f"{corpus.path}: no recorded episodes; run the study with record_steps = true")
        keys, runs = pa.concat_tables(tables).combine_chunks(), corpus.runs.arrow
        shard = np.repeat(np.arange(len(tables)), [len(table) for table in tables])
        run = _whole(pc.fill_null(pc.index_in(keys["run_id"], runs["run_id"].combine_chunks()), -1))
        episode, t, seat = (_whole(keys[name]) for name in ("episode", "t", "seat"))

        first = np.flatnonzero(np.any([np.diff(each, prepend=-2) != 0 for each in (shard, run, episode)], axis=0))
        rows = np.diff(first, append=len(keys))
        position = np.arange(len(keys)) - np.repeat(first, rows)
        n_agents = _whole(runs["n_agents"])[run]
        ended = pc.or_(keys["terminated"], keys["truncated"]).to_numpy()[first + rows - 1]
        sound = (run >= 0) & (t == position // n_agents) & (seat == position % n_agents)
        whole = np.logical_and.reduceat(sound, first) & ended & (rows % n_agents[first] == 0)
        if not whole.all():
            where = first[np.argmin(whole)]
            named = f"episode {episode[where]} of run {keys['run_id'][where]}"
            raise CorpusError(
                f"{places[shard[where]]}: {named} is incomplete, not in order, or of a run that is not there; restore "
                "the file, or run its study again"
            )
        if np.unique([run[first], episode[first]], axis=1).shape[1] < len(first):
            raise CorpusError(f"{corpus.path}: an episode is there twice; restore its files")

        # Until schema 1.5, which brought the column, only self-play was recorded.
        learned = pc.equal(runs["algorithm_kind"], "learner")
        usual = pc.if_else(learned, runs["run_id"], runs["algorithm"]).combine_chunks().take(pa.array(run))
        behaviour = pc.coalesce(keys["behaviour"].combine_chunks(), usual).filter(pa.array(t == 0)).dictionary_encode()
        return cls(
            runs=runs,
            places=places,
            shard=shard[first],
            first=first - np.searchsorted(shard, shard[first]),
            rows=rows,
            run=run[first],
            episode=episode[first],
            returns=np.add.reduceat(keys["reward"].to_numpy(), first),
            behaviours=behaviour.dictionary.to_pylist(),
            seats=np.concatenate([[0], np.cumsum(n_agents[first])]),
            seated=_whole(behaviour.indices),
        )

    def run_of(self, number: int) -> dict[str, Any]:
        """Return what is needed of the run of an episode."""
        run: dict[str, Any] = self._needed.slice(self.run[number], 1).to_pylist()[0]
        return run

    @cached_property
    def _needed(self) -> pa.Table:
        return self.runs.select(_RUN)

    def seated_in(self, number: int) -> tuple[str, ...]:
        """Return who sits in the seats of an episode."""
        return tuple(self.behaviours[code] for code in self.seated[self.seats[number] : self.seats[number + 1]])

    def with_any_of(self, behaviours: Collection[str]) -> npt.NDArray[np.bool_]:
        """Return in which episodes somebody of these has a seat, ``(K,)``."""
        codes = [code for code, name in enumerate(self.behaviours) if name in behaviours]
        return np.logical_or.reduceat(np.isin(self.seated, codes), self.seats[:-1])


def _whole(column: pa.Array | pa.ChunkedArray) -> IntArray:
    numbers: IntArray = column.to_numpy(zero_copy_only=False).astype(np.int64)
    return numbers


@dataclass(eq=False)
class StepReader:
    """Reads rows of steps, holding the row groups of the rows asked for last."""

    places: Sequence[Place]
    columns: Sequence[str]
    max_bytes: int | None
    _held: dict[tuple[int, int], pa.Table] = field(default_factory=dict, init=False, repr=False)

    def read(self, shard: int, first: int, rows: int) -> pa.Table:
        """Return rows of a file.

        Raises:
            CorpusError: the file is damaged or too large.
        """
        bounds = self._bounds[shard]
        groups = range(
            int(np.searchsorted(bounds, first, "right")) - 1, int(np.searchsorted(bounds, first + rows, "left"))
        )
        keys = [(shard, group) for group in groups]
        self._held = {key: self._held[key] if key in self._held else self._group(*key) for key in keys}
        return pa.concat_tables(self._held.values()).slice(first - bounds[groups[0]], rows)

    @cached_property
    def _bounds(self) -> list[IntArray]:
        """Of each file, the first row of every row group, and one past the last."""
        footers = [open_shard(place, "steps").metadata for place in self.places]
        sizes = [[footer.row_group(group).num_rows for group in range(footer.num_row_groups)] for footer in footers]
        return [np.concatenate([[0], np.cumsum(each, dtype=np.int64)]) for each in sizes]

    def _group(self, shard: int, group: int) -> pa.Table:
        place = self.places[shard]
        return read_shard(place, "steps", self.columns, memory_limit(place, self.max_bytes), [group])
