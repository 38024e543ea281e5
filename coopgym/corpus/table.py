"""A table of a corpus: Arrow inside, with one step to whatever a reader prefers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from coopgym.extras import missing_extra

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl


@dataclass(frozen=True)
class CorpusTable:
    """An Arrow table that converts itself.

    Rows and columns are chosen as with ``pyarrow.Table``; everything else such a table offers is passed on to it.
    Whatever reads Arrow through its stream interface takes this table as it is: ``polars.DataFrame(table)``,
    ``pyarrow.table(table)``.

    >>> table = CorpusTable(pa.table({"game": ["a", "b", "a"], "welfare": [1.0, 2.0, 3.0]}))
    >>> table.filter([True, False, True]).select(["welfare"]).to_pylist()
    [{'welfare': 1.0}, {'welfare': 3.0}]
    """

    arrow: pa.Table

    def __len__(self) -> int:
        return int(self.arrow.num_rows)

    def __getitem__(self, column: str) -> pa.ChunkedArray:
        return self.arrow.column(column)

    def __getattr__(self, name: str) -> Any:
        if name == "arrow" or name.startswith("_"):  # not yet there while a copy is being made
            raise AttributeError(name)
        return getattr(self.arrow, name)

    def __dir__(self) -> list[str]:
        return sorted({*object.__dir__(self), *dir(self.arrow)})

    def __repr__(self) -> str:
        return f"CorpusTable of {len(self):,} rows: {', '.join(self.arrow.column_names)}"

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Hand the table to another library without copying it (Arrow PyCapsule interface)."""
        return self.arrow.__arrow_c_stream__(requested_schema)

    @property
    def schema(self) -> pa.Schema:
        """Columns with types; meaning and unit are in the metadata of each field."""
        return self.arrow.schema

    def column(self, name: str) -> pa.ChunkedArray:
        """Return one column."""
        return self.arrow.column(name)

    def select(self, names: Sequence[str]) -> CorpusTable:
        """Keep these columns, in this order."""
        return CorpusTable(self.arrow.select(list(names)))

    def drop_columns(self, names: str | Sequence[str]) -> CorpusTable:
        """Leave out columns."""
        return CorpusTable(self.arrow.drop_columns(names))

    def filter(self, mask: Any) -> CorpusTable:
        """Keep rows: ``mask`` is an expression of ``pyarrow.compute``, or one truth value per row."""
        return CorpusTable(self.arrow.filter(mask))

    def sort_by(self, sorting: str | list[tuple[str, str]]) -> CorpusTable:
        """Sort rows by a column, or by pairs of column and ``ascending`` or ``descending``."""
        return CorpusTable(self.arrow.sort_by(sorting))

    def equals(self, other: CorpusTable | pa.Table) -> bool:
        """Whether columns and rows are the same, in the same order."""
        return bool(self.arrow.equals(other.arrow if isinstance(other, CorpusTable) else other))

    def to_pylist(self) -> list[dict[str, Any]]:
        """Return one dictionary per row."""
        return self.arrow.to_pylist()

    def to_polars(self) -> pl.DataFrame:
        """Return a frame of polars.

        Raises:
            ImportError: polars is not installed.
        """
        try:
            import polars as pl
        except ImportError as error:
            raise missing_extra("to_polars()", "polars") from error
        return pl.DataFrame(self.arrow)

    def to_pandas(self) -> pd.DataFrame:
        """Return a frame of pandas; measures by name (maps) become dictionaries.

        Raises:
            ImportError: pandas is not installed.
        """
        try:
            return self.arrow.to_pandas(maps_as_pydicts="strict")
        except ImportError as error:
            raise ImportError("to_pandas() needs pandas; install it with: pip install pandas") from error
