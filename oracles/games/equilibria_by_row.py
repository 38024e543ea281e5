"""Equilibria of many normal-form games at once, one in each row of a batch: the draws of a world, say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.oracles.games.best_response import deviation_utilities
from coopgym.oracles.games.normal_form import NormalFormByRow
from coopgym.oracles.games.symmetry import block_of_seats
from coopgym.typing import FloatArray

STARTS = (0.0, 0.3, 0.6, 1.0)
"""Shares that all seats start from."""
GRIDS = ((20, 20), (100, 5), (1000, 10))
"""Cells that [0, 1] is cut into, and how many of them a seat may move to either side: anywhere on the first grid."""
ROUNDS = 24
"""Moves towards the best responses on one grid at most."""
AUDIT = np.linspace(0.0, 1.0, 51)
"""Shares that tell how much leaving an equilibrium gains."""
SETTLED = 1e-3
"""Gain in payoff units above which a profile is no equilibrium if another start led to one."""
CHUNK = 4_000_000
"""Pairs of agents that are played at once: it bounds memory."""


@dataclass(frozen=True, eq=False)
class RowEquilibria:
    """One equilibrium in each of B games."""

    profiles: FloatArray
    """``(B, N)`` shares of endowment."""
    utilities: FloatArray
    """``(B, N)`` what the seats get."""
    regret: FloatArray
    """``(B,)`` most that a seat gains by leaving alone, in utility units."""
    settled: npt.NDArray[np.bool_]
    """``(B,)`` whether that is next to nothing; where not, no start led to an equilibrium, and this is the calmest."""


def row_equilibria(form: NormalFormByRow, blocks: Sequence[Sequence[int]], worst: bool = False) -> RowEquilibria:
    """Find in each game of a batch the Nash equilibrium with the highest sum of utilities among those that are met.

    From several starts all seats move towards their best responses at once, on ever finer grids.

    Args:
        form: the games.
        blocks: seats that move together, such as exchangeable ones in the same situation.
        worst: return the equilibrium with the lowest sum instead.

    >>> from coopgym.oracles.dynamic.informed import drawn_states
    >>> from coopgym.oracles.games.normal_form import StageGameByRow
    >>> game = coopgym.make_game("TrustDilemma-v1", world="common")
    >>> found = row_equilibria(StageGameByRow(game, "private", drawn_states(game, [1, 2])), [[0, 1]])
    >>> found.profiles.round(2).tolist(), found.settled
    ([[0.47, 0.47], [0.17, 0.17]], array([ True,  True]))
    """
    count, n = len(form.state.t), form.n_agents
    copies = form.rows(np.tile(np.arange(count), len(STARTS)))
    profiles = np.repeat(np.repeat(STARTS, count)[:, None], n, axis=1)
    for cells, reach in GRIDS:
        profiles = _settled(copies, profiles, blocks, cells, reach)
    utilities = copies.utilities(profiles)
    heads = [block[0] for block in blocks]
    deviations = _deviations(copies, profiles, heads, np.broadcast_to(AUDIT, (len(profiles), len(heads), len(AUDIT))))
    regret = np.maximum(deviations.max(-1) - utilities[:, heads], 0.0).max(-1)
    by_start = (len(STARTS), count)
    holds = (regret <= SETTLED * form.scale).reshape(by_start)
    merit = (-1.0 if worst else 1.0) * utilities.sum(-1).reshape(by_start)
    calmest = regret.reshape(by_start).argmin(0)
    chosen = np.where(holds.any(0), np.where(holds, merit, -np.inf).argmax(0), calmest) * count + np.arange(count)
    return RowEquilibria(profiles[chosen], utilities[chosen], regret[chosen], holds.any(0))


def _settled(
    form: NormalFormByRow, profiles: FloatArray, blocks: Sequence[Sequence[int]], cells: int, reach: int
) -> FloatArray:
    """Move blocks towards their best responses on a grid until none wants to go farther than to the next point.

    They go half the way, and half as far again after every turn back: who answers all at once overshoots.
    """
    heads, block_of = [block[0] for block in blocks], block_of_seats(blocks)
    places, last = np.round(profiles * cells), np.zeros((len(profiles), len(blocks)))
    pace, moving = np.full(last.shape, 0.5), np.arange(len(profiles))
    offsets = np.arange(-reach, reach + 1)
    for _ in range(ROUNDS):
        here = places[moving][:, heads, None]
        near = np.clip(here + offsets, 0, cells) if reach < cells else np.arange(cells + 1) + 0.0 * here
        best = _deviations(form.rows(moving), places[moving] / cells, heads, near / cells).argmax(-1)
        wish = (np.take_along_axis(near, best[..., None], axis=-1) - here)[..., 0]
        pace[moving] *= np.where(wish * last[moving] < 0.0, 0.5, 1.0)
        last[moving] = wish
        places[moving] += (np.sign(wish) * np.ceil(np.abs(wish) * pace[moving]))[:, block_of]
        moving = moving[np.abs(wish).max(1) > 1.0]
        if not len(moving):
            break
    return places / cells


def _deviations(form: NormalFormByRow, profiles: FloatArray, heads: list[int], tried: FloatArray) -> FloatArray:
    """What seats get ``(B, M, K)`` that leave profiles ``(B, N)`` alone for shares ``(B, M, K)``."""
    size = max(1, CHUNK // (tried[0].size * form.n_agents**2))
    parts = [np.arange(first, min(first + size, len(profiles))) for first in range(0, len(profiles), size)]
    return np.concatenate(
        [deviation_utilities(form.rows(part), profiles[part], np.array(heads), tried[part]) for part in parts]
    )
