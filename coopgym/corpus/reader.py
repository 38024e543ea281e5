"""Read a corpus: Parquet shards in a folder or anywhere else, or the precise reason why they cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from coopgym.corpus.query import query_tables
from coopgym.corpus.released import explain_absence, released_corpora
from coopgym.corpus.remote import Place, RemotePath, is_remote, open_remote
from coopgym.corpus.schema import (
    COLUMNS,
    PACKAGE_VERSION_KEY,
    SCHEMA_VERSION,
    SCHEMA_VERSION_KEY,
    SCHEMAS,
    STUDY_HASH_KEY,
    TABLE_KEY,
    TABLES,
    TableName,
    is_newer,
    major,
    minor,
)
from coopgym.corpus.table import CorpusTable

STUDY_FILE = "study.json"
CROISSANT_FILE = "croissant.json"
LABEL_SEPARATOR = ", "
"""Between the package versions, or study hashes, of shards that were put together."""
_MAGIC = b"PAR1"
_METADATA_KEYS = (SCHEMA_VERSION_KEY, PACKAGE_VERSION_KEY, STUDY_HASH_KEY)


class CorpusError(ValueError):
    """A corpus or one of its files cannot be read; the message names the file, the fault and the remedy."""


@dataclass(frozen=True)
class Corpus:
    """The tables of a corpus, read when first asked for."""

    path: Place

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
                found[key].update(labels.get(key, b"unknown").decode().split(LABEL_SEPARATOR))
        return {key.decode().removeprefix("coopgym."): tuple(sorted(values)) for key, values in found.items()}

    @cached_property
    def study(self) -> Mapping[str, Any] | None:
        """The study that the runs belong to, as it was written; None for a corpus that no study made."""
        return _read_json(self.path / STUDY_FILE)

    @cached_property
    def croissant(self) -> Mapping[str, Any] | None:
        """What the Croissant file of a released corpus says; None for others."""
        return _read_json(self.path / CROISSANT_FILE)

    def read(self, name: TableName, columns: Sequence[str] | None = None) -> CorpusTable:
        """Read a table, or only some of its columns, which takes a fraction of the time.

        Raises:
            CorpusError: a shard is damaged, foreign or too new.
            ValueError: there is no such column.
        """
        names = SCHEMAS[name].names if columns is None else list(columns)
        unknown = [column for column in names if column not in SCHEMAS[name].names]
        if unknown:
            raise ValueError(f"{name}: no such columns: {', '.join(unknown)}; known: {', '.join(SCHEMAS[name].names)}")
        # A shard counts when its runs were written: curves and steps are written first and may be orphans of a kill.
        places = (self.path / name / shard.name for shard in shards(self.path))
        tables = [read_shard(place, name, names) for place in places if place.exists()]
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
        """
        return CorpusTable(query_tables(query, lambda name: getattr(self, name).arrow))


def load_corpus(corpus: str | Path) -> Corpus:
    """Open a corpus; nothing in it is ever altered.

    Args:
        corpus: the name of a released corpus (``"audit-v0"``); a folder, such as the one ``coopgym run`` wrote; a zip
            archive; or an address that fsspec opens (``https://…``, ``s3://…``, ``gs://…``, ``memory://…``).

    Raises:
        CorpusError: there is no such corpus, or one of its files is damaged, foreign or too new.
        ImportError: what the address needs is not installed.
    """
    place = locate(corpus)
    if not shards(place):
        raise CorpusError(f"{place}: not a corpus; expected Parquet files in {place / 'runs'}")
    found = Corpus(place)
    _ = found.metadata  # opens every footer, so that a damaged shard is reported here and not on first use
    return found


def locate(corpus: str | Path) -> Place:
    """Find the place of a corpus, named as for `load_corpus`, without looking into it.

    Raises:
        CorpusError: there is nothing, or it cannot be reached.
        ImportError: what the address needs is not installed.
    """
    location = str(corpus)
    if location in (released := released_corpora()):
        return released[location]
    if is_remote(location):
        try:
            return open_remote(location)
        except (OSError, ValueError) as error:
            raise CorpusError(f"{location}: cannot be opened: {_first_line(error)}") from error
    folder = Path(location)
    if not folder.exists():
        written = f"expected one written by `coopgym run STUDY --out {folder}`"
        by_name = "" if folder.name != location else f", or the name of a released corpus: {explain_absence(location)}"
        raise CorpusError(f"{folder}: no such folder; {written}{by_name}")
    if not folder.is_dir():
        raise CorpusError(f"{folder}: a file; expected the folder that contains `runs/*.parquet`, or a zip archive")
    return folder


def run_shards(folder: Path) -> list[Path]:
    """Return the complete shards of a corpus folder, by name; hidden and temporary files are not shards."""
    return sorted(shard for shard in (folder / "runs").glob("*.parquet") if not shard.name.startswith("."))


def shards(place: Place, name: TableName = "runs") -> list[Place]:
    """Return the files of a table anywhere, by name.

    Of a remote corpus the Croissant file is asked first: web servers need not list what they hold.
    """
    if isinstance(place, RemotePath) and (listed := listed_files(place)):
        return [place / file for file in sorted(listed) if file.startswith(f"{name}/") and file.endswith(".parquet")]
    return sorted(
        (shard for shard in (place / name).glob("*.parquet") if not shard.name.startswith(".")),
        key=lambda shard: shard.name,
    )


def listed_files(place: Place) -> dict[str, Mapping[str, Any]]:
    """Return the files that the Croissant file of a corpus describes, by their path; nothing without such a file.

    Raises:
        CorpusError: the file cannot be read as such.
    """
    described = _read_json(place / CROISSANT_FILE)
    try:
        entries = described["distribution"] if described else ()
        files = {entry["contentUrl"]: entry for entry in entries if entry["@type"] == "cr:FileObject"}
    except (KeyError, TypeError) as error:
        raise CorpusError(
            f"{place / CROISSANT_FILE}: not a Croissant file: {error!r} is missing; restore it"
        ) from error
    if strange := [path for path in files if not isinstance(path, str)]:
        raise CorpusError(
            f"{place / CROISSANT_FILE}: contentUrl {strange[0]!r}: expected the path of a file as text; restore it"
        )
    return files


def _read_json(file: Place) -> Mapping[str, Any] | None:
    if not file.exists():
        return None
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CorpusError(
            f"{file}: damaged: {_first_line(error)}; restore it, or remove it: the tables can be read without it"
        ) from error
    if not isinstance(content, dict):
        raise CorpusError(f"{file}: damaged: a JSON {type(content).__name__}; expected an object. Restore or remove it")
    return content


def open_shard(path: Place, name: TableName) -> pq.ParquetFile:
    """Open one shard and check that it is ours, readable and of a version we know.

    Raises:
        CorpusError: it is none of that.
    """
    _require_complete(path)
    try:
        source = path if isinstance(path, Path) else path.open()
        file = pq.ParquetFile(source, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(_damaged(path, f"its footer cannot be read ({_first_line(error)})")) from error
    schema = file.schema_arrow  # built anew on every access
    labels = schema.metadata or {}
    if TABLE_KEY not in labels:
        raise CorpusError(
            f"{path}: a Parquet file, but not of a coopgym corpus (no {TABLE_KEY.decode()!r} in its metadata); "
            "move it out of the corpus folder"
        )
    version = labels.get(SCHEMA_VERSION_KEY, b"").decode()
    try:
        known = major(version) == major(SCHEMA_VERSION)
    except ValueError as error:
        raise CorpusError(_damaged(path, str(error))) from error
    if not known:
        raise CorpusError(
            f"{path}: schema version {version}, but this coopgym reads versions {major(SCHEMA_VERSION)}.x; "
            "install a coopgym release that knows it"
        )
    if labels[TABLE_KEY].decode() != name:
        raise CorpusError(f"{path}: holds table {labels[TABLE_KEY].decode()!r}, expected {name!r}; restore its folder")
    promised = [column.name for column in COLUMNS[name] if column.since <= minor(version)]
    present = set(schema.names)
    missing = [column for column in promised if column not in present]
    if missing:
        raise CorpusError(_damaged(path, f"columns are missing: {', '.join(missing)}"))
    return file


def shard_version(path: Place, name: TableName) -> str:
    """Return the version of the schema that a shard was written in.

    Raises:
        CorpusError: as `open_shard`.
    """
    version: bytes = open_shard(path, name).schema_arrow.metadata[SCHEMA_VERSION_KEY]
    return version.decode()


def require_rewritable(place: Place, versions: Iterable[str]) -> None:
    """Make sure that nothing gets lost when what lies at a place is written anew.

    Args:
        place: named in the message.
        versions: versions of the schema that occur there.

    Raises:
        CorpusError: one of them is newer than this coopgym.
    """
    if newer := [version for version in versions if is_newer(version)]:
        raise CorpusError(
            f"{place}: schema version {newer[-1]}, but this coopgym writes {SCHEMA_VERSION}: what it does not know "
            "would be lost; install a coopgym release that knows it"
        )


def read_shard(path: Place, name: TableName, columns: Sequence[str] | None = None) -> pa.Table:
    """Read one shard in the columns, types and order of the current schema; columns younger than it are null.

    Args:
        path: the file.
        name: the table it belongs to.
        columns: only these, in this order; None for all.

    Raises:
        CorpusError: the file is damaged, foreign or too new.
    """
    file = open_shard(path, name)
    schema = SCHEMAS[name] if columns is None else pa.schema([SCHEMAS[name].field(column) for column in columns])
    try:
        present = set(file.schema_arrow.names)
        table = file.read(columns=[column for column in schema.names if column in present])
        for field in schema:
            if field.name not in present:
                table = table.append_column(field, pa.nulls(len(table), field.type))
        return table.select(schema.names).cast(schema)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CorpusError(_damaged(path, f"its data cannot be read ({_first_line(error)})")) from error


def _require_complete(path: Place) -> None:
    with path.open("rb") as file:
        head = file.read(len(_MAGIC))
        size = file.seek(0, 2)
        file.seek(max(0, size - len(_MAGIC)))
        tail = file.read()
    if not size:
        raise CorpusError(_damaged(path, "the file is empty"))
    if head != _MAGIC:
        raise CorpusError(f"{path}: not a Parquet file (it starts with {head!r}, expected {_MAGIC!r}); move it away")
    if tail != _MAGIC or size < 3 * len(_MAGIC):
        raise CorpusError(_damaged(path, f"truncated after {size} bytes: the footer is missing"))


def _damaged(path: Place, fault: str) -> str:
    runs = path.parent.parent / "runs" / path.name
    together = "it" if path.parent.name == "runs" else f"it and {runs}"
    return (
        f"{path}: damaged: {fault}; expected a complete shard. "
        f"Restore it from a backup, or delete {together} and run the study again: only its runs are computed anew"
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
