"""From Parquet to memory within a limit: run lengths and dictionaries pack gigabytes into kilobytes.

Texts are read as dictionaries, each word once, so that what they unpack to is known before they are unpacked.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from coopgym.corpus.limits import require_within
from coopgym.corpus.remote import Place

_WIDTHS = {"BOOLEAN": 1, "INT32": 4, "INT64": 8, "INT96": 12, "FLOAT": 4, "DOUBLE": 8, "BYTE_ARRAY": 4}
"""Bytes that a value takes once it is read, by physical type; of a text, its place in the dictionary."""
_OFFSET = 4
"""Bytes that say where a text begins."""


def text_columns(metadata: pq.FileMetaData) -> list[str]:
    """Return the columns of texts, in and outside of lists and maps, by the paths that Parquet gives them."""
    columns = [metadata.schema.column(index) for index in range(metadata.num_columns)]
    return [column.path for column in columns if column.physical_type == "BYTE_ARRAY"]


def require_decodable(
    path: Place, file: pq.ParquetFile, columns: Collection[str], row_groups: Sequence[int], limit: int
) -> None:
    """Make sure that columns of row groups may be read, by what the footer of their file tells.

    Raises:
        CorpusError: they take more memory than the limit, even with every text there once.
    """
    size = 0
    for group in row_groups:
        row_group = file.metadata.row_group(group)
        for index in range(row_group.num_columns):
            chunk = row_group.column(index)
            if chunk.path_in_schema.split(".")[0] in columns:
                size += chunk.num_values * _WIDTHS.get(chunk.physical_type, 8) + chunk.total_uncompressed_size
    require_within(path, "in memory it takes", size, limit)


def read_packed(
    path: Place, file: pq.ParquetFile, columns: Sequence[str], row_groups: Sequence[int], limit: int
) -> pa.Table:
    """Read columns of row groups of a file that was opened with `text_columns` as dictionaries; they stay dictionaries.

    Raises:
        CorpusError: unpacked they would take more memory than the limit.
    """
    groups: list[pa.Table] = []
    size = 0
    for group in row_groups:  # one by one: lists of dictionaries are not read across groups
        groups.append(file.read_row_group(group, columns=columns))
        size += sum(_unpacked_size(chunk) for column in groups[-1].columns for chunk in column.chunks)
        require_within(path, "in memory it takes at least", size, limit)
    return pa.concat_tables(groups) if groups else file.read(columns=columns)


def _unpacked_size(array: pa.Array) -> int:
    if pa.types.is_dictionary(array.type):
        lengths = pc.binary_length(array.dictionary).cast(pa.int64())
        return (pc.sum(lengths.take(array.indices)).as_py() or 0) + _OFFSET * len(array)
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        return _unpacked_size(array.flatten()) + _OFFSET * len(array)
    if pa.types.is_map(array.type):
        return _unpacked_size(array.keys) + _unpacked_size(array.items) + _OFFSET * len(array)
    return int(array.nbytes)
