"""Read a corpus: a folder of Parquet shards, or the precise reason why it cannot be read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from coopgym.corpus.schema import (
    COLUMNS,
    PACKAGE_VERSION_KEY,
    SCHEMA_VERSION,
    SCHEMA_VERSION_KEY,
    SCHEMAS,
    STUDY_HASH_KEY,
    TABLE_KEY,
    TableName,
    major,
    minor,
)

_MAGIC = b"PAR1"
_METADATA_KEYS = (SCHEMA_VERSION_KEY, PACKAGE_VERSION_KEY, STUDY_HASH_KEY)


class CorpusError(ValueError):
    """A corpus or one of its files cannot be read; the message names the file, the fault and the remedy."""


@dataclass(frozen=True)
class Corpus:
    """The tables of a corpus, read when first asked for."""

    path: Path

    @cached_property
    def runs(self) -> pa.Table:
        """One row per run."""
        return self._read("runs")

    @cached_property
    def curves(self) -> pa.Table:
        """Learning curves in long form: run, step, metric, value."""
        return self._read("curves")

    @cached_property
    def steps(self) -> pa.Table:
        """Step records of the runs that asked for them, one row per episode, step and seat."""
        return self._read("steps")

    @cached_property
    def turns(self) -> pa.Table:
        """Transcripts of language models, one row per message."""
        return self._read("turns")

    @cached_property
    def audit_surface(self) -> pa.Table:
        """What seats get when all play the same share, one row per level and seat."""
        return self._read("audit_surface")

    @cached_property
    def audit_unilateral(self) -> pa.Table:
        """What a seat gains by playing another share than the rest, one row per pair of shares and seat."""
        return self._read("audit_unilateral")

    @cached_property
    def audit_temporal(self) -> pa.Table:
        """What a seat gains by deviating for part of an episode, one row per deviation."""
        return self._read("audit_temporal")

    @cached_property
    def metadata(self) -> Mapping[str, tuple[str, ...]]:
        """What the shards say about themselves: schema versions, package versions and study hashes."""
        found: dict[bytes, set[str]] = {key: set() for key in _METADATA_KEYS}
        for shard in run_shards(self.path):
            labels = open_shard(shard, "runs").schema_arrow.metadata
            for key in _METADATA_KEYS:
                found[key].add(labels.get(key, b"unknown").decode())
        return {key.decode().removeprefix("coopgym."): tuple(sorted(values)) for key, values in found.items()}

    def _read(self, name: TableName) -> pa.Table:
        # A shard counts when its runs were written: curves and steps are written first and may be orphans of a kill.
        shards = [self.path / name / shard.name for shard in run_shards(self.path)]
        tables = [read_shard(shard, name) for shard in shards if shard.exists()]
        return pa.concat_tables(tables) if tables else SCHEMAS[name].empty_table()


def load_corpus(path: str | Path) -> Corpus:
    """Open a corpus, such as the folder that ``coopgym run`` wrote.

    Raises:
        CorpusError: there is no corpus at ``path``, or one of its files is damaged, foreign or too new.
    """
    folder = Path(path)
    if not folder.exists():
        raise CorpusError(f"{folder}: no such folder; expected one written by `coopgym run STUDY --out {folder}`")
    if not folder.is_dir():
        raise CorpusError(f"{folder}: a file; expected the folder that contains `runs/*.parquet`")
    if not run_shards(folder):
        raise CorpusError(f"{folder}: not a corpus; expected Parquet files in {folder / 'runs'}")
    corpus = Corpus(folder)
    _ = corpus.metadata  # opens every footer, so that a damaged shard is reported here and not on first use
    return corpus


def run_shards(folder: Path) -> list[Path]:
    """Return the complete shards of a corpus folder, by name; hidden and temporary files are not shards."""
    return sorted(shard for shard in (folder / "runs").glob("*.parquet") if not shard.name.startswith("."))


def open_shard(path: Path, name: TableName) -> pq.ParquetFile:
    """Open one shard and check that it is ours, readable and of a version we know.

    Raises:
        CorpusError: it is none of that.
    """
    _require_complete(path)
    try:
        file = pq.ParquetFile(path, page_checksum_verification=True)
    except (pa.ArrowException, OSError) as error:
        raise CorpusError(_damaged(path, f"its footer cannot be read ({_first_line(error)})")) from error
    labels = file.schema_arrow.metadata or {}
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
    missing = [column for column in promised if column not in file.schema_arrow.names]
    if missing:
        raise CorpusError(_damaged(path, f"columns are missing: {', '.join(missing)}"))
    return file


def read_shard(path: Path, name: TableName) -> pa.Table:
    """Read one shard in the columns, types and order of the current schema; columns younger than it are null.

    Raises:
        CorpusError: the file is damaged, foreign or too new.
    """
    file = open_shard(path, name)
    try:
        table = file.read(columns=[column for column in SCHEMAS[name].names if column in file.schema_arrow.names])
        for field in SCHEMAS[name]:
            if field.name not in table.schema.names:
                table = table.append_column(field, pa.nulls(len(table), field.type))
        return table.select(SCHEMAS[name].names).cast(SCHEMAS[name])
    except (pa.ArrowException, OSError, ValueError) as error:
        raise CorpusError(_damaged(path, f"its data cannot be read ({_first_line(error)})")) from error


def _require_complete(path: Path) -> None:
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


def _damaged(path: Path, fault: str) -> str:
    runs = path.parent.parent / "runs" / path.name
    together = "it" if path.parent.name == "runs" else f"it and {runs}"
    return (
        f"{path}: damaged: {fault}; expected a complete shard. "
        f"Restore it from a backup, or delete {together} and run the study again: only its runs are computed anew"
    )


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
