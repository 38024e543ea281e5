"""Step records: from the arrays of a play to rows of the ``steps`` table."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from coopgym.agents.play import Trajectory
from coopgym.corpus.schema import SCHEMAS

FloatArray = npt.NDArray[np.float64]


def step_table(run_id: str, trajectory: Trajectory) -> pa.Table:
    """Return the steps taken while their episode ran, ordered by episode, time and seat."""
    n_agents = trajectory.actions.shape[-1]
    taken = np.repeat(trajectory.alive.T.astype(bool)[..., None], n_agents, axis=-1)  # (E, T, N)
    episode, t, seat = np.nonzero(taken)

    def numbers(array: FloatArray) -> FloatArray:
        """(T, E, N) to one number per row."""
        return array.swapaxes(0, 1)[taken]

    def vectors(array: FloatArray) -> pa.ListArray:
        """(T, E, N, K) to one list of K numbers per row."""
        rows = array.swapaxes(0, 1)[taken]
        offsets = np.arange(len(rows) + 1, dtype=np.int32) * np.int32(rows.shape[1])
        item = SCHEMAS["steps"].field("observation").type
        return pa.ListArray.from_arrays(offsets, rows.astype(np.float32).ravel(), type=item)

    columns = {
        "run_id": pa.repeat(run_id, len(seat)),
        "episode": episode,
        "t": t,
        "seat": seat,
        "observation": vectors(trajectory.observations),
        "action": numbers(trajectory.actions),
        "payoff": numbers(trajectory.payoffs),
        "reward": numbers(trajectory.rewards),
        "trust": vectors(trajectory.trust),
        "damage": vectors(trajectory.damage),
        "terminated": trajectory.terminated.T[episode, t].astype(bool),
        "truncated": trajectory.truncated.T[episode, t].astype(bool),
    }
    return pa.table(columns).cast(SCHEMAS["steps"])
