"""Detail tables of audits, from arrays."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from coopgym.benchmarks.audits.rollout import AuditOutcome
from coopgym.corpus.schema import SCHEMAS, TableName
from coopgym.typing import FloatArray


def detail_table(name: TableName, columns: Mapping[str, npt.ArrayLike]) -> pa.Table:
    """Return a detail table without run ids from one array per column.

    An array of two dimensions makes a column of lists. Columns left out are null, and so are numbers that are NaN.
    """
    fields = [field for field in SCHEMAS[name] if field.name != "run_id"]
    unknown = set(columns) - {field.name for field in fields}
    if unknown:
        raise ValueError(f"{name}: no such columns: {', '.join(sorted(unknown))}")
    rows = len(np.asarray(next(iter(columns.values()))))
    arrays = [_column(columns.get(field.name), field.type, rows) for field in fields]
    return pa.Table.from_arrays(arrays, schema=pa.schema(fields))


def surface_table(levels: FloatArray, actions: FloatArray, found: AuditOutcome) -> pa.Table:
    """Return rows of ``audit_surface`` for common levels ``(L,)`` and the actions ``(L, N)`` they mean."""
    count, n_agents = actions.shape
    return detail_table(
        "audit_surface",
        {
            "level": np.repeat(levels, n_agents),
            "seat": np.tile(np.arange(n_agents), count),
            "action": actions.ravel(),
            "episode_return": found.returns.ravel(),
            "return_std": found.spread.ravel(),
            "payoff": found.payoffs.ravel(),
            "mean_trust_final": np.repeat(found.trust, n_agents),
            "episode_length": np.repeat(found.lengths, n_agents),
        },
    )


def _column(values: npt.ArrayLike | None, type: pa.DataType, rows: int) -> pa.Array:
    if values is None:
        return pa.nulls(rows, type)
    array = np.asarray(values)
    if array.ndim == 2:
        offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(array.shape[1])
        return pa.ListArray.from_arrays(offsets, array.astype(np.float64).ravel(), type=type)
    return pa.array(array, from_pandas=True).cast(type)
