"""The shards of a corpus as one file per table, rows in a fixed order."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from coopgym.corpus.reader import LABEL_SEPARATOR, Corpus
from coopgym.corpus.schema import TABLES, TableName
from coopgym.corpus.shards import require_rewritable
from coopgym.corpus.writer import write_table

COMPACT_FILE = "all.parquet"
RUN_ORDER = (
    "environment",
    "env_parameters",
    "algorithm",
    "reward_mode",
    "protocol",
    "scenario",
    "study",
    "seed",
    "run_id",
)
_DETAIL_ORDER = (
    "phase",
    "episode",
    "strategy",
    "base_level",
    "level",
    "metric",
    "step",
    "turn",
    "t",
    "first_step",
    "last_step",
    "seat",
)
"""Columns by which the details of a run are ordered, where a table has them."""


def compact(corpus: Corpus, folder: Path) -> None:
    """Write every table that holds rows into one file below ``folder``.

    Runs are sorted by environment, algorithm, reward mode and seed, details in the order of their runs: what belongs
    together is read together, and the same runs make the same files whatever shards they came in.

    Raises:
        CorpusError: a shard is damaged, or of a newer schema.
    """
    require_rewritable(corpus.path, corpus.metadata["schema_version"])
    labels = {name: LABEL_SEPARATOR.join(corpus.metadata[name]) for name in ("study_hash", "package_version")}
    runs = corpus.runs.arrow.sort_by([(name, "ascending") for name in RUN_ORDER])
    for name in TABLES:
        table = runs if name == "runs" else _sorted_details(corpus.read(name).arrow, runs)
        if len(table):
            write_table(name, table, folder / name / COMPACT_FILE, **labels)


def _sorted_details(table: pa.Table, runs: pa.Table) -> pa.Table:
    position = pc.index_in(table.column("run_id"), runs.column("run_id").combine_chunks())
    keys = [name for name in _DETAIL_ORDER if name in table.schema.names]
    ordered = table.select(keys).append_column("position", position)
    return table.take(pc.sort_indices(ordered, [(name, "ascending") for name in ("position", *keys)]))


def table_files(folder: Path) -> dict[TableName, Path]:
    """Return the file of each table that a compacted corpus has."""
    files = {name: folder / name / COMPACT_FILE for name in TABLES}
    return {name: file for name, file in files.items() if file.exists()}
