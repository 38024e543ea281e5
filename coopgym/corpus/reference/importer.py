"""Import the records of the published study: one JSON object per run, in files of their own or as JSON lines.

Training records, audits of response surfaces and audits of temporal deviation are told apart by their content. Three
things the records do not hold are taken from elsewhere: the reward mode from the folder's name, as it was released, and
seats and horizons from the released edition of the game. What nobody recorded is null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa

from coopgym.contained_files import UncontainedFileError, contained
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.reference.audit import (
    audit_row,
    is_surface,
    is_temporal,
    surface_rows,
    temporal_rows,
    unilateral_rows,
)
from coopgym.corpus.reference.run import CorpusRows, RecordError, ReferenceRecord, Source, curve_rows, training_row
from coopgym.corpus.schema import TABLES, TableName
from coopgym.corpus.writer import table_from_rows
from coopgym.rewards import MODES
from coopgym.strict_json import parse_json

FOLDER_MODES = {"case_study": "integrated"}
"""Released folders whose name does not end in their reward mode: these are runs of the integrated baseline again."""
LARGEST_RECORD = 2**26
"""Bytes of a record; the longest of the study have some hundred thousand."""
BATCH = 256
"""Files with a single record that are put together into one shard."""
SHOWN_FAULTS = 20
_SUFFIXES = (".json", ".jsonl", ".ndjson")

CorpusTables = dict[TableName, pa.Table]


def import_reference(path: str | Path, reward_mode: str | None = None) -> CorpusTables:
    """Read the records of a file, or of a folder and all below, into tables of a corpus.

    Args:
        path: a JSON or JSON-lines file, or a folder of them.
        reward_mode: for records whose folder does not tell.

    Returns:
        The tables that hold rows, by name.

    Raises:
        CorpusError: some records cannot be read or are there twice; the message lists each with file and line.
    """
    parts = list(import_shards(Path(path), reward_mode))
    return {name: pa.concat_tables(tables) for name in TABLES if (tables := [p[name] for p in parts if name in p])}


def import_shards(path: Path, reward_mode: str | None = None) -> Iterator[CorpusTables]:
    """Like `import_reference`, some files at a time, so that a large release fits into memory.

    Raises:
        CorpusError: after the last part, with all faults: what came before must not be kept.
    """
    if not path.exists():
        raise CorpusError(f"{path}: no such file or folder; expected records in {', '.join(_SUFFIXES)} files")
    root = path if path.is_dir() else path.parent
    files = sorted(file for file in path.rglob("*") if file.suffix in _SUFFIXES) if path.is_dir() else [path]
    faults: list[str] = []
    seen: dict[str, str] = {}
    found = False
    for batch in _batches(files):
        shard: dict[TableName, CorpusRows] = {}
        for file in batch:
            try:
                contained(root, file.relative_to(root).as_posix())
            except UncontainedFileError as error:
                faults.append(str(error))
                continue
            for line, text in _records(file):
                place = f"{file}:{line}"
                try:
                    rows = _tables(_parse(text), Source(root, file, line, _folder_mode(root, file, reward_mode)))
                except RecordError as error:
                    faults.append(f"{place}: {error}")
                    continue
                run_id = rows["runs"][0]["run_id"]
                if first := seen.get(run_id):
                    faults.append(f"{place}: the same run as in {first}; expected every run once")
                    continue
                seen[run_id] = place
                for name, some in rows.items():
                    shard.setdefault(name, []).extend(some)
        if shard and not faults:
            found = True
            yield {name: table_from_rows(name, rows) for name, rows in shard.items() if rows}
    if faults:
        more = f"\n… and {len(faults) - SHOWN_FAULTS} more" if len(faults) > SHOWN_FAULTS else ""
        raise CorpusError(
            "\n".join(faults[:SHOWN_FAULTS]) + f"{more}\nnothing was imported; repair these records or move them away"
        )
    if not found:
        raise CorpusError(f"{path}: no records; expected training or audit records in {', '.join(_SUFFIXES)} files")


def _batches(files: list[Path]) -> Iterator[list[Path]]:
    """Group files: single records of one folder together, files with many records each on its own."""
    batch: list[Path] = []
    for file in files:
        together = file.suffix == ".json" and len(batch) < BATCH
        if batch and not (together and batch[-1].suffix == ".json" and batch[-1].parent == file.parent):
            yield batch
            batch = []
        batch.append(file)
    if batch:
        yield batch


def _records(file: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the texts of records with the line they begin at."""
    with file.open("rb") as content:
        if file.suffix == ".json":
            yield 1, content.read(LARGEST_RECORD + 1)
            return
        for number in count(1):
            line = content.readline(LARGEST_RECORD + 1)
            if line.strip():
                yield number, line
            if not line or len(line) > LARGEST_RECORD:
                return


def _parse(text: bytes) -> ReferenceRecord:
    if len(text) > LARGEST_RECORD:
        raise RecordError(f"has more than {LARGEST_RECORD:,} bytes; expected a single record")
    try:
        record = parse_json(text, nonfinite=True)
    except ValueError as error:
        raise RecordError(str(error)) from error
    if not isinstance(record, dict):
        raise RecordError(f"a JSON {type(record).__name__}; expected an object")
    return record


def _folder_mode(root: Path, file: Path, default: str | None) -> str | None:
    """Return the reward mode that the name of a folder tells, the innermost first."""
    folders = [root.name, *file.parent.relative_to(root).parts]
    for folder in reversed(folders):
        last = folder.rpartition("_")[2]
        if last in MODES:
            return last
        if folder in FOLDER_MODES:
            return FOLDER_MODES[folder]
    return default


def _tables(record: ReferenceRecord, source: Source) -> dict[TableName, CorpusRows]:
    for kind in _KINDS:
        if kind.fits(record):
            try:
                run = kind.run(record, source)
                return {"runs": [run], **{name: list(rows(record, run)) for name, rows in kind.details.items()}}
            except RecordError:
                raise
            except ValueError as error:
                raise RecordError(f"{kind.name}: a field does not fit: {error}") from error
    raise RecordError(f"neither a training nor an audit record; its fields: {', '.join(map(str, record)) or 'none'}")


@dataclass(frozen=True)
class _Kind:
    """A kind of record: how to tell it, and what becomes of it."""

    name: str
    fits: Callable[[ReferenceRecord], bool]
    run: Callable[[ReferenceRecord, Source], dict[str, Any]]
    details: Mapping[TableName, Callable[[ReferenceRecord, Mapping[str, Any]], Iterator[dict[str, Any]]]]


_KINDS = (
    _Kind("training record", lambda record: "training_seed" in record, training_row, {"curves": curve_rows}),
    _Kind(
        "surface audit",
        is_surface,
        lambda record, source: audit_row(record, source, "reference_surface"),
        {"audit_surface": surface_rows, "audit_unilateral": unilateral_rows},
    ),
    _Kind(
        "temporal audit",
        is_temporal,
        lambda record, source: audit_row(record, source, "reference_temporal"),
        {"audit_temporal": temporal_rows},
    ),
)
