"""Write corpus tables: checked against the schema, and on disk completely or not at all."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from coopgym.corpus.schema import (
    COLUMNS,
    KINDS,
    PACKAGE_VERSION_KEY,
    PHASES,
    PROTOCOLS,
    SCHEMA_VERSION,
    SCHEMA_VERSION_KEY,
    SCHEMAS,
    STATUSES,
    STUDY_HASH_KEY,
    TABLE_KEY,
    WORLD_NAMES,
    TableName,
)
from coopgym.corpus.table import CorpusTable

_VOCABULARY: Mapping[TableName, Mapping[str, tuple[str, ...]]] = {
    "runs": {"status": STATUSES, "algorithm_kind": KINDS, "protocol": PROTOCOLS, "world": WORLD_NAMES},
    "turns": {"phase": PHASES},
}
ROW_GROUP_ROWS = 50_000
TEMPORARY_SUFFIX = ".partial"


def table_from_rows(name: TableName, rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    r"""Build a table from one mapping per row.

    Columns a row leaves out become null, and so do numbers that are not finite. Halves of characters in texts, which no
    file can hold, become signs like ``\ud800``.

    Raises:
        ValueError: a key is not a column of the table, or a value does not fit its column.

    >>> table = table_from_rows("curves", [{"run_id": "a", "step": 0, "metric": "loss", "value": float("nan")}])
    >>> table.to_pylist()
    [{'run_id': 'a', 'step': 0, 'metric': 'loss', 'value': None}]
    """
    schema, rows = SCHEMAS[name], list(rows)
    unknown = {key for row in rows for key in row} - set(schema.names)
    if unknown:
        raise ValueError(f"{name}: no such columns: {', '.join(sorted(unknown))}; known: {', '.join(schema.names)}")
    arrays = []
    for field in schema:
        values = [_storable(row.get(field.name)) for row in rows]
        try:
            arrays.append(pa.array(values, field.type))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise ValueError(f"{name}.{field.name}: {error}; expected {field.type}") from error
    return pa.Table.from_arrays(arrays, schema=schema)


def validate(name: TableName, table: pa.Table | CorpusTable) -> None:
    """Check a table against the corpus standard.

    Raises:
        ValueError: columns, types, nullability, finiteness, vocabulary or unique run ids are broken; the message
            names the column and what was expected.

    >>> validate("curves", table_from_rows("curves", [{"step": 0, "metric": "loss", "value": 1.0}]))
    Traceback (most recent call last):
        ...
    ValueError: curves.run_id: 1 nulls in a column that must not have any
    """
    for violation in violations(name, table):
        raise ValueError(violation)


def violations(name: TableName, table: pa.Table | CorpusTable, *, vocabulary: bool = True) -> Iterator[str]:
    """Yield what breaks the corpus standard in a table, in words.

    Args:
        name: the table.
        table: its rows.
        vocabulary: whether words that are unknown here are wrong; newer versions of the schema may bring some.
    """
    schema = SCHEMAS[name]
    if table.schema.names != schema.names:
        missing = [column for column in schema.names if column not in table.schema.names]
        extra = [column for column in table.schema.names if column not in schema.names]
        yield f"{name}: expected the columns of the schema in its order; missing {missing}, extra {extra}"
        return
    for field in schema:
        column = table.column(field.name)
        if column.type != field.type:
            yield f"{name}.{field.name}: type {column.type}, expected {field.type}"
            continue
        if column.null_count and not field.nullable:
            yield f"{name}.{field.name}: {column.null_count} nulls in a column that must not have any"
        if not _is_finite(column):
            yield f"{name}.{field.name}: holds NaN or infinity; store null and say why in `status`"
    for column, words in _VOCABULARY.get(name, {}).items() if vocabulary else ():
        for stranger in sorted(set(table.column(column).drop_null().unique().to_pylist()) - set(words)):
            yield f"{name}.{column}: {stranger!r} is not one of {', '.join(words)}"
    if name == "runs" and len(table.column("run_id").unique()) != len(table):
        yield "runs.run_id: the same run appears more than once"


def write_table(name: TableName, table: pa.Table, path: Path, *, study_hash: str, package_version: str) -> None:
    """Write a table to a Parquet file that appears whole or not at all, even if the process or machine dies.

    Args:
        name: of the table.
        table: its rows.
        path: of the file; folders above it are made.
        study_hash: of the study that the rows belong to; this and the version are kept in the file's metadata.
        package_version: of the package that made the rows.

    Raises:
        ValueError: the table breaks the standard (`validate`).
        OSError: the file cannot be written.

    >>> import pyarrow.parquet as pq
    >>> table = table_from_rows("curves", [{"run_id": "a", "step": 0, "metric": "loss", "value": 0.5}])
    >>> write_table("curves", table, Path("curves.parquet"), study_hash="none", package_version="1.0")
    >>> pq.read_table("curves.parquet").num_rows
    1
    """
    write_atomically(path, encode_table(name, table, study_hash=study_hash, package_version=package_version))


def encode_table(name: TableName, table: pa.Table | CorpusTable, *, study_hash: str, package_version: str) -> pa.Buffer:
    """Return the content of a table's Parquet file.

    Raises:
        ValueError: the table breaks the standard (`validate`).
    """
    validate(name, table)
    labels = {
        TABLE_KEY: name.encode(),
        SCHEMA_VERSION_KEY: SCHEMA_VERSION.encode(),
        PACKAGE_VERSION_KEY: package_version.encode(),
        STUDY_HASH_KEY: study_hash.encode(),
    }
    labelled = table.cast(SCHEMAS[name]).replace_schema_metadata(labels)
    sink = pa.BufferOutputStream()
    pq.write_table(
        labelled,
        sink,
        compression="zstd",
        row_group_size=ROW_GROUP_ROWS,
        write_page_checksum=True,
        use_dictionary=[column.name for column in COLUMNS[name] if column.type == pa.string()],
    )
    return sink.getvalue()


def write_atomically(path: Path, content: bytes | pa.Buffer) -> None:
    """Write a file under a temporary name beside its place, sync it, and rename it into place.

    Several may write one file at the same time: the name is the writer's own, and the last one's content stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{uuid4().hex[:8]}{TEMPORARY_SUFFIX}")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    sync_folder(path.parent)  # the rename itself lives in the directory, which has to reach the disk too


def sync_folder(folder: Path) -> None:
    """Make sure that the names in a folder reached the disk, on systems that let a folder be opened."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders, and writes their names without being asked
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give a folder to fill, which takes the place of ``target`` once it is full, and vanishes if that fails."""
    building = target.with_name(f".{target.name}{TEMPORARY_SUFFIX}")
    shutil.rmtree(building, ignore_errors=True)  # left by a process that was killed
    try:
        yield building
        building.replace(target)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise


def remove_leftovers(folder: Path) -> int:
    """Delete temporary files that a killed writer left in ``folder`` and below; return how many."""
    leftovers = list(folder.rglob(f".*{TEMPORARY_SUFFIX}"))
    for leftover in leftovers:
        leftover.unlink()
    return len(leftovers)


def _storable(value: Any) -> Any:
    """A value as a column can hold it."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode(errors="backslashreplace").decode()
    if isinstance(value, list | tuple) and any(isinstance(item, str) for item in value):
        return [_storable(item) for item in value]
    return value


def _is_finite(column: pa.ChunkedArray) -> bool:
    values = column
    if pa.types.is_list(column.type):
        values = pc.list_flatten(column)
    elif pa.types.is_map(column.type):
        values = pa.chunked_array([chunk.items for chunk in column.chunks], column.type.item_type)
    return not (pa.types.is_floating(values.type) and pc.any(pc.invert(pc.is_finite(values))).as_py())
