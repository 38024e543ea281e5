"""A table as a file that other programs read."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
"""How texts begin that spreadsheets take for formulas."""
_NUMBERS = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?( [-+]?\d+(\.\d+)?(e[-+]?\d+)?)*")


def encode(table: pa.Table, form: str) -> bytes:
    """Return the content of a file.

    Args:
        table: any table of a corpus, or the answer of a query.
        form: ``csv``: lists and measures by name as JSON in one cell, nulls as empty cells; ``jsonl``: one object per
            row; ``parquet``.

    Texts in CSV that a spreadsheet would compute as formulas get an apostrophe in front (`inert`).

    Raises:
        ValueError: an unknown form.
    """
    if form not in FORMS:
        raise ValueError(f"format {form!r}; expected one of {', '.join(FORMS)}")
    return FORMS[form](table)


def inert(text: str) -> str:
    """Return a text as a cell of CSV that no spreadsheet computes: one that would be a formula gets an apostrophe.

    Numbers, alone or with blanks between them, keep their signs.
    """
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBERS.fullmatch(text) else text


def _csv(table: pa.Table) -> bytes:
    for place, field in enumerate(table.schema):
        if pa.types.is_nested(field.type):
            cells = [None if value is None else _json(value) for value in _values(table, field)]
            table = table.set_column(place, field.name, pa.array(cells, pa.string()))
        elif pa.types.is_string(field.type):
            cells = [value and inert(value) for value in table.column(place).to_pylist()]
            table = table.set_column(place, field.name, pa.array(cells, field.type))
    sink = io.BytesIO()
    pyarrow.csv.write_csv(table, sink)
    return sink.getvalue()


def _jsonl(table: pa.Table) -> bytes:
    columns = [_values(table, field) for field in table.schema]
    names = table.schema.names
    return "".join(f"{_json(dict(zip(names, row, strict=True)))}\n" for row in zip(*columns, strict=True)).encode()


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, compression="zstd")
    return sink.getvalue()


def _values(table: pa.Table, field: pa.Field) -> list[Any]:
    values = table.column(field.name).to_pylist()
    return [value and dict(value) for value in values] if pa.types.is_map(field.type) else values


def _json(value: Any) -> str:
    return json.dumps(value, default=_moment, ensure_ascii=False, separators=(",", ":"))


def _moment(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} has no form in JSON")


FORMS: Mapping[str, Callable[[pa.Table], bytes]] = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}
"""Forms of a file by name, which is also the ending of its name."""
