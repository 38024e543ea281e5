"""Nash averaging: rate agents against the most even mixture that none of them beats (Balduzzi et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import null_space
from scipy.special import entr

from coopgym.oracles.finite.linear_programme import SolverError, least_cost
from coopgym.oracles.finite.zero_sum import AUDIT
from coopgym.oracles.meta.payoffs import SAME, payoff_range, square_payoffs
from coopgym.typing import FloatArray

_PRESENT = 1e-7
"""Probability above which an agent plays, and loss above which it is beaten."""
_BARRIERS = 0.1 ** np.arange(1, 14)
"""Weights of the barrier that keeps away from constraints, descending; the last is what is lost in entropy."""
_NEWTON_STEPS = 50
_HALVINGS = 50
_ROUNDING = 1e-13
"""Rise of the cost that a last step towards the optimum may seem to cause."""
_EXACT = 1e-24
"""Squared Newton decrement at which a step changes nothing any more."""


@dataclass(frozen=True, eq=False)
class NashAverage:
    """Agents rated by a game in which two players each choose one of them."""

    distribution: FloatArray
    """``(K,)`` the mixture."""
    skill: FloatArray
    """``(K,)`` how each agent fares against the mixture: zero in its support, at most zero elsewhere."""
    mean: FloatArray
    """``(K,)`` how each agent fares against all agents alike, itself included."""
    gap: float
    """What the best agent gains against the mixture; zero up to rounding."""
    unique: bool
    """Whether no other mixture is an equilibrium."""


def antisymmetric_part(payoffs: npt.ArrayLike) -> FloatArray:
    """Return the antisymmetric part (P - Pᵀ) / 2 of a table of payoffs ``(K, K)``: who takes more from whom.

    Raises:
        ValueError: not a square matrix of finite numbers.
    """
    table = square_payoffs(payoffs)
    return (table - table.T) / 2.0


def nash_averaging(evaluation: npt.ArrayLike) -> NashAverage:
    """Rate agents by the equilibrium of greatest entropy.

    Agents with equal rows are one agent under several names: they share its probability, so that copies change
    nothing.

    Args:
        evaluation: ``(K, K)`` antisymmetric, what row gains over column.

    Raises:
        ValueError: not antisymmetric.
        SolverError: HiGHS found no equilibrium, or the answer does not pass the audit.

    >>> beats = [[0, 1, -1, 3], [-1, 0, 1, 3], [1, -1, 0, 3], [-3, -3, -3, 0]]  # rock, paper, scissors and who loses
    >>> nash_averaging(beats).distribution.round(3)
    array([0.333, 0.333, 0.333, 0.   ])
    """
    table = square_payoffs(evaluation)
    scale = payoff_range(table)
    if np.abs(table + table.T).max() > SAME * scale:
        raise ValueError("evaluation: expected an antisymmetric matrix; `advantages` makes one of any payoffs")
    distinct, copy_of, copies = np.unique(table, axis=0, return_inverse=True, return_counts=True)
    first = np.array([int(np.flatnonzero(copy_of == each)[0]) for each in range(len(distinct))])
    mixture, alone = _most_even_equilibrium(table[np.ix_(first, first)] / scale)
    unique = alone and not (copies[mixture > _PRESENT] > 1).any()
    distribution = (mixture / copies)[copy_of]
    skill = table @ distribution
    gap = float(skill.max())
    if gap > AUDIT * scale:
        raise SolverError(f"Nash averaging of {len(table)} agents: the answer leaves a gain of {gap:.2g}")
    return NashAverage(distribution, skill, table.mean(1), gap, unique)


def _most_even_equilibrium(table: FloatArray) -> tuple[FloatArray, bool]:
    """Maximise the entropy of p over the equilibria, {p : (M p)_j ≤ 0 for every j}; say too if there is just one.

    An agent either plays in some equilibrium, and then gains exactly nothing against any of them, or is beaten by some
    equilibrium, and then never plays (Goldman & Tucker 1956). So the first are bound by equations, and the average of
    equilibria that show either for every agent is strictly inside of all other constraints.
    """
    shown = np.stack([_extreme(table, agent) for agent in range(len(table))])
    plays = np.diag(shown) > _PRESENT
    centre, inside = shown.mean(0)[plays], table[:, plays]
    equations = np.concatenate([inside[plays], np.ones((1, int(plays.sum())))])
    sums = np.append(np.zeros(len(equations) - 1), 1.0)
    centre = centre + np.linalg.lstsq(equations, sums - equations @ centre, rcond=SAME)[0]
    directions = null_space(equations, rcond=SAME)
    mixture = np.zeros(len(table))
    mixture[plays] = _most_even(centre, directions, inside[~plays]) if directions.size else centre
    return mixture, not directions.size


def _extreme(table: FloatArray, agent: int) -> FloatArray:
    """Return the equilibrium in which an agent plays most, or if it never plays, that which beats it most."""

    def equilibrium(costs: FloatArray) -> FloatArray:
        name = f"Nash averaging of {len(table)} agents"
        return least_cost(name, costs, table, np.ones(len(table)), [(0.0, None)])

    most = equilibrium(-np.eye(len(table))[agent])
    return most if most[agent] > _PRESENT else equilibrium(table[agent])


def _most_even(start: FloatArray, directions: FloatArray, gains: FloatArray) -> FloatArray:
    """Maximise entropy along some directions by Newton steps behind a logarithmic barrier.

    Args:
        start: ``(S,)`` a positive mixture against which nobody outside gains.
        directions: ``(S, D)`` an orthonormal basis of those that stay among equilibria.
        gains: ``(J, S)`` what those outside earn against each of the support.
    """
    losing = gains[-gains @ start > _PRESENT / 10.0 / len(start)]

    def cost(mixture: FloatArray, barrier: float) -> float:
        slacks = -losing @ mixture
        if mixture.min() <= 0.0 or slacks.min(initial=1.0) <= 0.0:
            return np.inf
        return float(-entr(mixture).sum() - barrier * np.log(slacks).sum())

    mixture = start
    for barrier in _BARRIERS:
        for _ in range(_NEWTON_STEPS):
            pressed = losing / (losing @ mixture)[:, None]
            slope = directions.T @ (np.log(mixture) - barrier * pressed.sum(0))
            bend = directions.T @ (np.diag(1.0 / mixture) + barrier * pressed.T @ pressed) @ directions
            step = -np.linalg.solve(bend, slope)
            if -slope @ step <= _EXACT:
                break
            now = cost(mixture, barrier) + _ROUNDING
            lengths = (0.5**halvings for halvings in range(_HALVINGS))
            moved = (mixture + length * (directions @ step) for length in lengths)
            better = next((each for each in moved if cost(each, barrier) <= now), None)
            if better is None:
                break
            mixture = better
    return mixture
