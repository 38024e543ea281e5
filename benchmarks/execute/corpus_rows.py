"""What happened in a play, as rows of the tables ``steps`` and ``turns``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from coopgym.agents.base import Agent
from coopgym.benchmarks.study import Player, RunSpec
from coopgym.corpus.schema import SCHEMAS
from coopgym.corpus.writer import table_from_rows
from coopgym.play.episodes import Trajectory
from coopgym.typing import FloatArray


class Recorded(NamedTuple):
    """Episodes that were recorded, and who played them."""

    trajectory: Trajectory
    behaviours: Sequence[str]
    """Who chose the actions, one per seat (`behaviour`)."""
    first_episode: int = 0
    """Number of the first of them in the run."""


DRAWN = ":drawn"
"""Ends the id of a trained policy as behaviour where its actions were drawn instead of its best guesses."""


def behaviour(spec: RunSpec, *, drawn: bool = False) -> str:
    """Name who plays in all seats of a run: an agent, or for a learner the run that trained it."""
    if spec.training is None:
        return spec.algorithm
    return spec.run_id + (DRAWN if drawn else "")


def behaviour_of(player: Player) -> str:
    """Name somebody who sits among others, likewise."""
    return behaviour(player.trained_by) if player.trained_by else player.name


def step_table(run_id: str, recorded: Recorded) -> pa.Table:
    """Return the steps taken while their episode ran, ordered by episode, time and seat."""
    trajectory, behaviours, first_episode = recorded
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

    last = (trajectory.terminated + trajectory.truncated > 0.0).T[episode, t]
    final = vectors(np.broadcast_to(trajectory.final_observations, trajectory.observations.shape))
    columns = {
        "run_id": pa.repeat(run_id, len(seat)),
        "episode": first_episode + episode,
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
        "share": numbers(trajectory.shares),
        "behaviour": pa.array(behaviours).take(pa.array(seat)),
        "action_logprob": pa.array(numbers(trajectory.logprobs), from_pandas=True),
        "final_observation": pc.if_else(pa.array(last), final, None),
    }
    return pa.table(columns).cast(SCHEMAS["steps"])


def turns_of(agents: Sequence[Agent], lengths: FloatArray, first_episode: int = 0) -> list[dict[str, Any]]:
    """Return what agents that converse have said and heard; others add nothing.

    Such agents have a ``transcript``: rows of the table ``turns`` but for the run. What they said in episodes that had
    ended while others went on is left out.

    Args:
        agents: who has played.
        lengths: ``(E,)`` steps of the episodes that they played.
        first_episode: number of the first of them in the run.
    """
    rows = (row for agent in agents for row in getattr(agent, "transcript", ()))
    kept = (row for row in rows if row["t"] < lengths[row["episode"]])
    return [{**row, "episode": first_episode + row["episode"], "phase": "evaluation"} for row in kept]


def turn_table(run_id: str, turns: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Return the turns of a run as a table."""
    return table_from_rows("turns", [{"run_id": run_id, **turn} for turn in turns])
