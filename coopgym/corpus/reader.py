"""Read a corpus: Parquet shards in a folder or anywhere else, or the precise reason why they cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from coopgym.corpus.completeness import require_complete, require_distinct
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.query import query_tables
from coopgym.corpus.released import explain_absence, released_corpora
from coopgym.corpus.remote import Place, is_remote, open_remote
from coopgym.corpus.schema import (
    PACKAGE_VERSION_KEY,
    SCHEMA_VERSION_KEY,
    SCHEMAS,
    STUDY_HASH_KEY,
    TABLES,
    TableName,
)
from coopgym.corpus.shards import CROISSANT_FILE, first_line, open_shard, read_json, read_shards, shards
from coopgym.corpus.table import CorpusTable

STUDY_FILE = "study.json"
LABEL_SEPARATOR = ", "
"""Between the package versions, or study hashes, of shards that were put together."""
_METADATA_KEYS = (SCHEMA_VERSION_KEY, PACKAGE_VERSION_KEY, STUDY_HASH_KEY)


@dataclass(frozen=True)
class Corpus:
    """The tables of a corpus, read when first asked for."""

    path: Place
    max_bytes: int | None = None
    """What a table may take in memory; None is the usual limit for its place."""

    @cached_property
    def runs(self) -> CorpusTable:
        """One row per run."""
        return self.read("runs")

    @cached_property
    def curves(self) -> CorpusTable:
        """Learning curves in long form: run, step, metric, value."""
        return self.read("curves")

    @cached_property
    def steps(self) -> CorpusTable:
        """Step records of the runs that asked for them, one row per episode, step and seat."""
        return self.read("steps")

    @cached_property
    def turns(self) -> CorpusTable:
        """Transcripts of language models, one row per message."""
        return self.read("turns")

    @cached_property
    def audit_surface(self) -> CorpusTable:
        """What seats get when all play the same share, one row per level and seat."""
        return self.read("audit_surface")

    @cached_property
    def audit_unilateral(self) -> CorpusTable:
        """What a seat gains by playing another share than the rest, one row per pair of shares and seat."""
        return self.read("audit_unilateral")

    @cached_property
    def audit_temporal(self) -> CorpusTable:
        """What a seat gains by deviating for part of an episode, one row per deviation."""
        return self.read("audit_temporal")

    @cached_property
    def metadata(self) -> Mapping[str, tuple[str, ...]]:
        """What the shards say about themselves: schema versions, package versions and study hashes."""
        found: dict[bytes, set[str]] = {key: set() for key in _METADATA_KEYS}
        for shard in shards(self.path):
            labels = open_shard(shard, "runs").schema_arrow.metadata
            for key in _METADATA_KEYS:
                found[key].update(labels.get(key, b"unknown").decode(errors="replace").split(LABEL_SEPARATOR))
        return {key.decode().removeprefix("coopgym."): tuple(sorted(values)) for key, values in found.items()}

    @cached_property
    def study(self) -> Mapping[str, Any] | None:
        """The study that the runs belong to, as it was written; None for a corpus that no study made."""
        return read_json(self.path, STUDY_FILE)

    @cached_property
    def croissant(self) -> Mapping[str, Any] | None:
        """What the Croissant file of a released corpus says; None for others."""
        return read_json(self.path, CROISSANT_FILE)

    def read(self, name: TableName, columns: Sequence[str] | None = None) -> CorpusTable:
        """Read a table, or only some of its columns, which takes a fraction of the time.

        Raises:
            CorpusError: a shard is damaged, foreign or too new, or the table larger than the limit.
            ValueError: there is no such column.
        """
        names = SCHEMAS[name].names if columns is None else list(columns)
        unknown = [column for column in names if column not in SCHEMAS[name].names]
        if unknown:
            raise ValueError(f"{name}: no such columns: {', '.join(unknown)}; known: {', '.join(SCHEMAS[name].names)}")
        # A shard counts when its runs were written: curves and steps are written first and may be orphans of a kill.
        places = (self.path / name / shard.name for shard in shards(self.path))
        tables = read_shards((place for place in places if place.exists()), name, names, self.max_bytes)
        return CorpusTable(pa.concat_tables(tables) if tables else SCHEMAS[name].empty_table().select(names))

    def sizes(self) -> dict[TableName, int]:
        """Return the number of rows of every table, from the footers of its files."""
        names = [shard.name for shard in shards(self.path)]
        return {
            name: sum(open_shard(place, name).metadata.num_rows for place in places if place.exists())
            for name in TABLES
            for places in [[self.path / name / each for each in names]]
        }

    def sql(self, query: str) -> CorpusTable:
        """Answer a query of DuckDB's SQL, such as ``select algorithm, avg(welfare) from runs group by algorithm``.

        A query can read the tables of this corpus and nothing else: neither files nor variables of the program.

        Raises:
            ImportError: duckdb is not installed.
            ValueError: the query is not valid, or touches anything but the tables.

        >>> corpus = load_corpus("audit-v0")
        >>> corpus.sql("select count(distinct environment) as games, count(*) as runs from runs").to_pylist()
        [{'games': 20, 'runs': 1116}]
        """
        return CorpusTable(query_tables(query, lambda name: getattr(self, name).arrow))


def load_corpus(corpus: str | Path, *, max_bytes: int | None = None) -> Corpus:
    """Open a corpus; nothing in it is ever altered.

    Args:
        corpus: the name of a released corpus (``"audit-v0"``); a folder, such as the one ``coopgym run`` wrote; a zip
            archive; or an address that fsspec opens (``https://…``, ``s3://…``, ``gs://…``, ``memory://…``).
        max_bytes: what a remote or zipped corpus may unpack to, and what any table may take in memory. None is what
            ``COOPGYM_MAX_CORPUS_BYTES`` says, else 1 GiB from elsewhere and 8 GiB for a table of a folder.

    Raises:
        CorpusError: there is no such corpus; one of its files is missing, damaged, exchanged, foreign, too new, too
            large or not in its folder; or a run is there twice.
        ImportError: what the address needs is not installed.

    >>> corpus = load_corpus("audit-v0")
    >>> corpus.sizes()["runs"]
    1116
    >>> corpus.read("runs", ["environment", "algorithm", "welfare"])
    CorpusTable of 1,116 rows: environment, algorithm, welfare
    """
    place = locate(corpus, max_bytes)
    if not shards(place):
        raise CorpusError(f"{place}: not a corpus; expected Parquet files in {place / 'runs'}")
    found = Corpus(place, max_bytes)
    _ = found.metadata  # opens every footer, so that a damaged shard is reported here and not on first use
    require_complete(place)
    require_distinct(place, max_bytes)
    return found


def locate(corpus: str | Path, max_bytes: int | None = None) -> Place:
    """Find the place of a corpus, named as for `load_corpus`, without looking into it.

    Args:
        corpus: its name, folder or address.
        max_bytes: what it may unpack to, where it lies elsewhere or in an archive.

    Raises:
        CorpusError: there is nothing, it cannot be reached, or it unpacks to more than the limit.
        ImportError: what the address needs is not installed.
    """
    location = str(corpus)
    if location in (released := released_corpora()):
        return released[location]
    if is_remote(location):
        try:
            return open_remote(location, max_bytes)
        except CorpusError:
            raise
        except (OSError, ValueError) as error:
            raise CorpusError(f"{location}: cannot be opened: {first_line(error)}") from error
    folder = Path(location)
    if not folder.exists():
        written = f"expected one written by `coopgym run STUDY --out {folder}`"
        by_name = "" if folder.name != location else f", or the name of a released corpus: {explain_absence(location)}"
        raise CorpusError(f"{folder}: no such folder; {written}{by_name}")
    if not folder.is_dir():
        raise CorpusError(f"{folder}: a file; expected the folder that contains `runs/*.parquet`, or a zip archive")
    return folder
