"""Corpora to and from other programs."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa

from coopgym.benchmarks.provenance import package_version
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.export import FORMS, encode
from coopgym.corpus.reader import Corpus
from coopgym.corpus.reference import import_shards
from coopgym.corpus.schema import TABLES, TableName
from coopgym.corpus.shard_writer import add_shard
from coopgym.corpus.writer import whole_folder, write_atomically

IMPORTED = "imported"
"""Study hash of runs that no study of ours made."""


def export(corpus: Corpus, table: str, form: str | None, out: Path) -> int:
    """Write a table to a file that appears whole or not at all.

    Args:
        corpus: where from.
        table: name of the table.
        form: a form of `coopgym.corpus.export`; None to go by the ending of the file's name.
        out: the file.

    Returns:
        The number of rows.

    Raises:
        ValueError: there is no such table or form.
    """
    if table not in TABLES:
        raise ValueError(f"table {table!r}; expected one of {', '.join(TABLES)}")
    chosen = form or out.suffix.removeprefix(".")
    if chosen not in FORMS:
        raise ValueError(f"format {chosen!r}; expected --format {' or '.join(FORMS)}, or a file name that ends so")
    rows: pa.Table = corpus.read(_table_name(table)).arrow
    write_atomically(out, encode(rows, chosen))
    return len(rows)


def _table_name(text: str) -> TableName:
    return next(name for name in TABLES if name == text)


def import_records(source: Path, out: Path, reward_mode: str | None) -> dict[TableName, int]:
    """Import the published study's records into a new folder, all or nothing.

    Returns:
        Rows by table.

    Raises:
        CorpusError: records cannot be read, or the folder exists.
    """
    if out.exists():
        raise CorpusError(f"{out}: exists already; choose another folder")
    sizes: Counter[TableName] = Counter()
    with whole_folder(out) as building:
        for number, tables in enumerate(import_shards(source, reward_mode)):
            add_shard(building, f"{number:05d}", tables, study_hash=IMPORTED, package_version=package_version())
            sizes.update({name: len(table) for name, table in tables.items()})
    return {name: sizes[name] for name in TABLES if sizes[name]}
