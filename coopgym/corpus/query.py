"""SQL on the tables of a corpus."""

from __future__ import annotations

import re
from collections.abc import Callable

import pyarrow as pa

from coopgym.corpus.schema import TABLES, TableName
from coopgym.extras import missing_extra

_CONFINEMENT = (
    "SET enable_external_access = false",
    "SET python_enable_replacements = false",
    "SET lock_configuration = true",
)
"""A query sees the tables and nothing else: no files, no network, no variables of the program, and no way to ask."""


def query_tables(query: str, read: Callable[[TableName], pa.Table]) -> pa.Table:
    """Run a query of DuckDB's SQL on tables, of which only those are read whose name occurs in it.

    Raises:
        ImportError: duckdb is not installed.
        ValueError: the query is not valid, touches anything but the tables, or gives no table.
    """
    try:
        import duckdb
    except ImportError as error:
        raise missing_extra("sql()", "duckdb") from error
    with duckdb.connect(":memory:") as connection:
        for name in TABLES:
            if re.search(rf"\b{name}\b", query, re.IGNORECASE):
                connection.register(name, read(name))
        try:
            for statement in _CONFINEMENT:
                connection.execute(statement)
            result = connection.sql(query)
            if result is None:
                raise ValueError("the query gives no table; expected a SELECT")
            return result.to_arrow_table()
        except duckdb.Error as error:
            raise ValueError(f"{error}\nThe tables of a corpus are {', '.join(TABLES)}; they are read-only") from error
