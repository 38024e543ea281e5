"""Shards of a corpus: found, opened with suspicion, and read in the columns of the current schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from coopgym.contained_files import UncontainedFileError, inner_path
from coopgym.corpus.decoding import read_packed, require_decodable, text_columns
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.limits import AT_HAND, JSON_LIMIT, require_within, size_limit
from coopgym.corpus.remote import Place, RemotePath, member, size_of
from coopgym.corpus.schema import (
    COLUMNS,
    SCHEMA_VERSION,
    SCHEMA_VERSION_KEY,
    SCHEMAS,
    TABLE_KEY,
    TableName,
    is_newer,
    major,
    minor,
)
from coopgym.strict_json import parse_json

CROISSANT_FILE = "croissant.json"
_MAGIC = b"PAR1"


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
        CorpusError: the file cannot be read as such, or a path leads out of the corpus.
    """
    index = place / CROISSANT_FILE
    described = read_json(place, CROISSANT_FILE)
    try:
        entries = described["distribution"] if described else ()
        files = [(entry["contentUrl"], entry) for entry in entries if entry["@type"] == "cr:FileObject"]
    except (KeyError, TypeError) as error:
        raise CorpusError(f"{index}: not a Croissant file: {error!r} is missing; restore it") from error
    for path, _ in files:
        try:
            inner_path(path)
        except UncontainedFileError as error:
            raise CorpusError(f"{index}: contentUrl {error}; restore it") from error
    return dict(files)


def read_json(place: Place, name: str) -> dict[str, Any] | None:
    """Read a JSON object of a corpus; None where there is no such file.

    Raises:
        CorpusError: it is damaged, or no file of this corpus.
    """
    file = member(place, name)
    if not file.exists():
        return None
    require_within(file, "as a text of some pages it has", size_of(file), JSON_LIMIT)
    try:
        content = parse_json(file.read_bytes())
    except (OSError, ValueError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(
            f"{file}: damaged: {first_line(error)}; restore it, or remove it: the tables can be read without it"
        ) from error
    if not isinstance(content, dict):
        raise CorpusError(f"{file}: damaged: a JSON {type(content).__name__}; expected an object. Restore or remove it")
    return content


def open_shard(path: Place, name: TableName) -> pq.ParquetFile:
    """Open one shard and check that it is ours, readable and of a version we know.

    Raises:
        CorpusError: it is none of that, or no regular file of its corpus.
    """
    member(path.parent.parent, f"{path.parent.name}/{path.name}")
    _require_complete(path)
    try:
        source = path if isinstance(path, Path) else path.open()
        file = pq.ParquetFile(source, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(_damaged(path, f"its footer cannot be read ({first_line(error)})")) from error
    schema = file.schema_arrow  # built anew on every access
    labels = schema.metadata or {}
    if TABLE_KEY not in labels:
        raise CorpusError(
            f"{path}: a Parquet file, but not of a coopgym corpus (no {TABLE_KEY.decode()!r} in its metadata); "
            "move it out of the corpus folder"
        )
    version = labels.get(SCHEMA_VERSION_KEY, b"").decode(errors="replace")
    try:
        known = major(version) == major(SCHEMA_VERSION)
    except ValueError as error:
        raise CorpusError(_damaged(path, str(error))) from error
    if not known:
        raise CorpusError(
            f"{path}: schema version {version}, but this coopgym reads versions {major(SCHEMA_VERSION)}.x; "
            "install a coopgym release that knows it"
        )
    if (held := labels[TABLE_KEY].decode(errors="replace")) != name:
        raise CorpusError(f"{path}: holds table {held!r}, expected {name!r}; restore its folder")
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


def memory_limit(place: Place, asked: int | None = None) -> int:
    """Return the bytes that a table of a corpus may take in memory; None asks for the usual limit.

    Raises:
        TypeError: what is asked for is no whole number.
        ValueError: it is below 1.
        CorpusError: the environment names no limit.
    """
    return place.allowance.limit if isinstance(place, RemotePath) else size_limit(AT_HAND, asked)


def read_shard(
    path: Place,
    name: TableName,
    columns: Sequence[str] | None = None,
    max_bytes: int | None = None,
    row_groups: Sequence[int] | None = None,
) -> pa.Table:
    """Read one shard in the columns, types and order of the current schema; columns younger than it are null.

    Args:
        path: the file.
        name: the table it belongs to.
        columns: only these, in this order; None for all.
        max_bytes: what it may take in memory; None is the usual limit.
        row_groups: only these; None for all.

    Raises:
        CorpusError: the file is damaged, foreign, too new or too large.
    """
    file = open_shard(path, name)
    groups = range(file.metadata.num_row_groups) if row_groups is None else row_groups
    limit = memory_limit(path) if max_bytes is None else max_bytes
    schema = SCHEMAS[name] if columns is None else pa.schema([SCHEMAS[name].field(column) for column in columns])
    try:
        present = set(file.schema_arrow.names)
        names = [column for column in schema.names if column in present]
        require_decodable(path, file, names, groups, limit)
        table = read_packed(path, _packed(path, file.metadata), names, groups, limit)
        for field in schema:
            if field.name not in present:
                table = table.append_column(field, pa.nulls(len(table), field.type))
        return table.select(schema.names).cast(schema)
    except CorpusError:
        raise
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CorpusError(_damaged(path, f"its data cannot be read ({first_line(error)})")) from error


def read_shards(
    places: Iterable[Place], name: TableName, columns: Sequence[str] | None = None, max_bytes: int | None = None
) -> list[pa.Table]:
    """Read shards of one corpus, each as `read_shard` does.

    Raises:
        CorpusError: a file is damaged, foreign or too new, or they are too large together.
    """
    tables: list[pa.Table] = []
    size = 0
    for place in places:
        limit = memory_limit(place, max_bytes)
        tables.append(read_shard(place, name, columns, limit))
        size += tables[-1].nbytes
        require_within(place, f"with the shards before it, {name} takes", size, limit)
    return tables


def _packed(path: Place, metadata: pq.FileMetaData) -> pq.ParquetFile:
    """Open a shard, whose footer has been read, so that texts are read as dictionaries."""
    source, texts = path if isinstance(path, Path) else path.open(), text_columns(metadata)
    return pq.ParquetFile(source, metadata=metadata, page_checksum_verification=True, read_dictionary=texts)


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


def first_line(error: Exception) -> str:
    """Return what an error says, without the lines that libraries add."""
    return str(error).partition("\n")[0]
