"""The corpus standard in words: the columns of every table, written from the schema."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from coopgym.corpus.schema import COLUMNS, SCHEMA_VERSION, TABLE_SINCE, TABLES, Column, TableName, major

TABLE_MEANINGS: Mapping[TableName, str] = {
    "runs": "One row per run: what was run, with which versions, how it ended, what came out.",
    "curves": "Learning curves in long form.",
    "steps": "Trajectories: one row per episode, step and seat, for runs that recorded them.",
    "turns": "Transcripts of language models: one row per message.",
    "audit_surface": "Audit: what every seat gets when all play the same share of endowment.",
    "audit_unilateral": "Audit: what a seat gains by playing another share than the rest.",
    "audit_temporal": "Audit: what a seat gains by deviating for part of an episode.",
}


def describe_columns() -> str:
    """Return the columns of all tables as Markdown."""
    return "\n\n".join(_describe_table(name) for name in TABLES)


def type_name(kind: pa.DataType) -> str:
    """Return the name of a column's type in words of Parquet and Arrow."""
    if pa.types.is_list(kind):
        return f"list of {kind.value_type}"
    if pa.types.is_map(kind):
        return f"map of {kind.key_type} to {kind.item_type}"
    if pa.types.is_timestamp(kind):
        return f"timestamp ({kind.unit}, {kind.tz})"
    return str(kind)


def _describe_table(name: TableName) -> str:
    rows = [_describe_column(column, TABLE_SINCE.get(name, 0)) for column in COLUMNS[name]]
    head = "| column | type | unit | null | since | meaning |\n| --- | --- | --- | --- | --- | --- |"
    return "\n".join([f"### `{name}`", "", TABLE_MEANINGS[name], "", head, *rows])


def _describe_column(column: Column, table_since: int) -> str:
    null = "may be" if column.nullable else "never"
    since = f"{major(SCHEMA_VERSION)}.{max(column.since, table_since)}"
    return f"| `{column.name}` | {type_name(column.type)} | {column.unit} | {null} | {since} | {column.meaning} |"
