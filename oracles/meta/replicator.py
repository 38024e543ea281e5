"""Replicator dynamics: many starts at once, in continuous time or by generations, each with how far it got."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.integrate import solve_ivp

from coopgym.oracles.finite.linear_programme import SolverError
from coopgym.oracles.meta.populations import Populations
from coopgym.typing import FloatArray

Clock = Literal["continuous", "generations"]

HORIZON = 10_000.0
"""Time after which a run ends in any case: a strategy 1 % of the range better has gained a factor of e^100 by then."""
AT_REST = 1e-9
"""Speed, in shares per unit of time, below which a state counts as a rest point."""
SAMPLES = 512
"""Moments at which a path is kept."""
_RELATIVE_ERROR = 1e-8
_ABSOLUTE_ERROR = 1e-200
"""As good as none: rare strategies keep their relative accuracy, on which their comebacks depend."""


@dataclass(frozen=True, eq=False)
class Orbits:
    """B runs of a dynamic. One unit of time is one over the range of payoffs, or one generation."""

    populations: Populations
    mutation: float
    times: FloatArray
    """``(T,)``."""
    path: FloatArray
    """``(T, B, K)`` states, populations one after the other."""
    residuals: FloatArray
    """``(B,)`` greatest speed of any share at the end."""
    regrets: FloatArray
    """``(B,)`` what the best strategy earns more than the average at the end, in units of the range of payoffs; a rest
    point without mutation is a Nash equilibrium where this is zero, and lacks a better strategy elsewhere."""
    converged: npt.NDArray[np.bool_]
    """``(B,)`` whether the residual is within the tolerance; others cycle, or are slow."""

    @property
    def ends(self) -> FloatArray:
        """States ``(B, K)`` at the end."""
        return self.path[-1]

    @property
    def averages(self) -> FloatArray:
        """States ``(B, K)`` averaged over the second half of the time.

        For orbits that cycle inside the simplex that is nearly a Nash equilibrium, for slow ones near their ends.
        """
        late = self.times >= self.times[-1] / 2.0
        if late.sum() == 1:
            return self.path[-1]
        times, path = self.times[late], self.path[late]
        return np.trapezoid(path, times, axis=0) / (times[-1] - times[0])


@dataclass(frozen=True, eq=False)
class Basin:
    """A rest point and the starts that led to it."""

    state: FloatArray
    """``(K,)``."""
    share: float
    """Part of all starts."""
    regret: float


def replicate(
    populations: Populations,
    starts: npt.ArrayLike | None = None,
    *,
    mutation: float = 0.0,
    clock: Clock = "continuous",
    horizon: float = HORIZON,
    tolerance: float = AT_REST,
) -> Orbits:
    """Let selection act on populations until every start has come to rest, or the horizon.

    Args:
        populations: who meets whom.
        starts: states ``(B, K)`` or one state; None starts where all strategies are equally frequent.
        mutation: rate μ at which any strategy turns into a random one, per unit of time.
        clock: the differential equation, solved by DOP853, or Maynard Smith's map from generation to generation.
        horizon: time, or number of generations, after which a run ends at rest or not.
        tolerance: speed below which a state counts as a rest point.

    Raises:
        ValueError: states that are no shares, a mutation rate outside [0, 1], or no positive horizon or tolerance.
        SolverError: the differential equation could not be solved to its accuracy.

    >>> from coopgym.oracles.meta.populations import OnePopulation
    >>> hawks_and_doves = OnePopulation(np.array([[-1.0, 4.0], [0.0, 2.0]]))  # a prize of 4, fights cost 6
    >>> replicate(hawks_and_doves, [[0.1, 0.9], [0.9, 0.1]]).ends.round(3)  # 4/6 are hawks
    array([[0.667, 0.333],
           [0.667, 0.333]])
    """
    states = populations.checked_states(populations.centre if starts is None else starts)
    if not 0.0 <= mutation <= 1.0:
        raise ValueError(f"mutation={mutation!r}: expected a rate in [0, 1]")
    if not (0.0 < horizon < np.inf and 0.0 < tolerance < np.inf):
        raise ValueError(f"horizon={horizon!r}, tolerance={tolerance!r}: expected positive numbers")
    runs = {"continuous": _continuous, "generations": _generations}
    if clock not in runs:
        raise ValueError(f"clock={clock!r}: expected 'continuous' or 'generations'")
    times, path = runs[clock](populations, states, mutation, horizon, tolerance)
    residuals = _speeds(populations, path[-1], mutation, clock)
    return Orbits(populations, mutation, times, path, residuals, populations.regrets(path[-1]), residuals <= tolerance)


def random_states(populations: Populations, count: int, seed: int = 0) -> FloatArray:
    """Draw states ``(count, K)`` evenly from all possible ones."""
    rng = np.random.default_rng(seed)
    return np.concatenate([rng.dirichlet(np.ones(size), count) for size in populations.sizes], axis=1)


def basins(orbits: Orbits, apart: float = 1e-4) -> tuple[Basin, ...]:
    """Return where converged runs ended, most frequent first; shares sum to the part of runs that converged.

    Where rest points are not isolated, every start has one of its own.

    Args:
        orbits: the runs.
        apart: ends are one rest point when no share differs by more than this from the first of them.
    """
    found: list[tuple[FloatArray, int, float]] = []
    left = np.flatnonzero(orbits.converged)
    while len(left):
        near = np.abs(orbits.ends[left] - orbits.ends[left[0]]).max(-1) <= apart
        found.append((orbits.ends[left[0]], int(near.sum()), float(orbits.regrets[left[near]].max())))
        left = left[~near]
    ranked = sorted(found, key=lambda each: -each[1])
    return tuple(Basin(state, count / len(orbits.converged), regret) for state, count, regret in ranked)


def _continuous(
    populations: Populations, states: FloatArray, mutation: float, horizon: float, tolerance: float
) -> tuple[FloatArray, FloatArray]:
    def velocity(_: float, flat: FloatArray) -> FloatArray:
        return populations.velocity(flat.reshape(states.shape), mutation).ravel()

    def still_moving(_: float, flat: FloatArray) -> float:
        # Half of it, because the moment is found only to some accuracy.
        return float(np.abs(velocity(0.0, flat)).max()) - tolerance / 2.0

    still_moving.terminal = True  # type: ignore[attr-defined]  # how scipy is told
    if still_moving(0.0, states.ravel()) <= 0.0:
        return np.zeros(1), states[None]
    answer = solve_ivp(
        velocity,
        (0.0, horizon),
        states.ravel(),
        method="DOP853",
        t_eval=np.linspace(0.0, horizon, SAMPLES),
        events=still_moving,
        rtol=_RELATIVE_ERROR,
        atol=_ABSOLUTE_ERROR,
    )
    if answer.status < 0:
        raise SolverError(f"replicator dynamics: {answer.message}")
    times, flat = answer.t, answer.y.T
    if answer.status == 1:
        times = np.append(times, answer.t_events[0][-1])
        flat = np.concatenate([flat, answer.y_events[0][-1:]])
    return times, _onto_simplex(populations, flat.reshape(-1, *states.shape))


def _generations(
    populations: Populations, states: FloatArray, mutation: float, horizon: float, tolerance: float
) -> tuple[FloatArray, FloatArray]:
    generations = int(horizon)
    every = max(1, generations // SAMPLES)
    times, path = [0], [states]
    for generation in range(1, generations + 1):
        following = _onto_simplex(populations, populations.next_generation(states, mutation))
        at_rest = np.abs(following - states).max() <= tolerance
        states = following
        if at_rest or generation % every == 0 or generation == generations:
            times.append(generation)
            path.append(states)
        if at_rest:
            break
    return np.array(times, dtype=np.float64), np.stack(path)


def _speeds(populations: Populations, states: FloatArray, mutation: float, clock: Clock) -> FloatArray:
    if clock == "continuous":
        return np.abs(populations.velocity(states, mutation)).max(-1)
    return np.abs(populations.next_generation(states, mutation) - states).max(-1)


def _onto_simplex(populations: Populations, states: FloatArray) -> FloatArray:
    """Remove rounding errors: shares of at least 0 that sum to 1."""
    shares = [np.maximum(x, 0.0) for x in populations.split(states)]
    return np.concatenate([x / x.sum(-1, keepdims=True) for x in shares], axis=-1)
