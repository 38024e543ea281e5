"""Rough and global moves in the space of joint plans, where slopes are flat or thresholds jump; all on NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.oracles.dynamic.plan_search import cross_entropy, sweep
from coopgym.oracles.dynamic.planning import PlanningProblem
from coopgym.oracles.games.symmetry import block_of_seats
from coopgym.play import state_after
from coopgym.typing import FloatArray

KNOTS = (0.0, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1.0)
"""Times, as parts of the episode, at which a rough plan is free; building up and harvesting need the finer ends."""
SPREAD = 0.25
LEVELS = tuple(step / 10 for step in range(11))
FINE_LEVELS = tuple(step / 40 for step in range(41))
STRETCHES = (5, 20)
"""Lengths, in steps, of the stretches that a sweep moves to another level."""
TAIL = 12
"""Last steps in which stretches of every length down to one step are tried on a finer grid."""
LEAST_SHIFT, LARGEST_SHIFT = 1e-3, 0.3
"""Sizes, in shares, of random shifts."""
COMBINED = 32
"""Random shifts that pay and are then tried together, the best first."""
KEEP = -1.0
"""Marks steps of a stretch that stay as planned."""


def interpolation(steps: int) -> FloatArray:
    """Return the matrix ``(steps, K)`` that turns levels at the knots into a piecewise linear plan."""
    times = np.linspace(0.0, 1.0, steps)
    return np.stack([np.interp(times, KNOTS, unit) for unit in np.eye(len(KNOTS))], axis=1)


def rough_plans(
    problem: PlanningProblem,
    objective: int,
    around: FloatArray,
    blocks: tuple[tuple[int, ...], ...],
    population: int,
    generations: int,
    rng: np.random.Generator,
) -> list[FloatArray]:
    """Search for piecewise linear plans by cross-entropy around a constant profile.

    Args:
        problem: what is planned.
        objective: which of its rewards counts.
        around: ``(N,)`` shares at the centre of the first generation.
        blocks: sets of seats that play the same.
        population: plans per generation.
        generations: how many.
        rng: source of the samples.

    Returns:
        Plans ``(steps, N)``: the final mean and the best one met.
    """
    basis = interpolation(problem.steps)
    block_of = block_of_seats(blocks)

    def plans(levels: FloatArray) -> FloatArray:
        shaped = levels.reshape(-1, len(KNOTS), len(blocks))
        return np.clip(np.einsum("tk,rkb->trb", basis, shaped), 0.0, 1.0)[..., block_of]

    centre = np.tile([around[list(block)].mean() for block in blocks], (len(KNOTS), 1)).reshape(-1)
    found = cross_entropy(
        lambda levels: problem.values(plans(levels))[objective],
        centre,
        np.full(centre.shape, SPREAD),
        population=population,
        generations=generations,
        rng=rng,
    )
    return list(plans(found).swapaxes(0, 1))


def ramps(problem: PlanningProblem, level: FloatArray) -> list[FloatArray]:
    """Return plans around a constant profile ``(N,)`` that build first, harvest at the end, or grow and decline."""
    time = np.linspace(0.0, 1.0, problem.steps)[:, None]
    build, harvest = time < 0.1, time > 0.95
    return [
        np.where(build, 1.0, level) + 0.0 * time,
        np.where(harvest, 0.5 * level, level),
        np.where(harvest, 0.0, np.where(build, 1.0, level)),
        level * (1.0 - 0.5 * time),
        level + (1.0 - level) * (1.0 - time),
        level * (0.5 + 0.5 * time),
    ]


def swept(problem: PlanningProblem, objective: int, plan: FloatArray) -> FloatArray:
    """Move stretches of a plan ``(steps, N)`` to other levels wherever that pays; the result is never worse.

    Every seat that differs from the others is tried alone, and all seats together; the last steps most finely.
    """
    improved = _swept(problem, objective, plan, LEVELS, STRETCHES)
    first = max(0, problem.steps - TAIL)
    tail = _after(problem, improved[:first])
    ended = _swept(tail, objective, improved[first:], FINE_LEVELS, (1, 3))
    joined = np.concatenate([improved[:first], ended])
    candidates = np.stack([plan, improved, joined], axis=1)
    best: FloatArray = candidates[:, problem.values(candidates)[objective].argmax()]
    return best


def _swept(
    problem: PlanningProblem, objective: int, plan: FloatArray, levels: Sequence[float], lengths: Sequence[int]
) -> FloatArray:
    for seats in _situations(problem, plan):
        overrides = _Overrides(problem, objective, plan, seats)
        untouched = np.full(problem.steps, KEEP)
        plan = overrides.plans(sweep(overrides.values, untouched, levels, lengths)[None])[:, 0]
    return plan


@dataclass(frozen=True, eq=False)
class _Overrides:
    """Rows of levels ``(rows, steps)`` that some seats play instead of their part of a plan, where not `KEEP`."""

    problem: PlanningProblem
    objective: int
    plan: FloatArray
    seats: tuple[int, ...]

    def plans(self, rows: FloatArray) -> FloatArray:
        changed = np.repeat(self.plan[:, None], len(rows), axis=1)
        levels = rows.T[..., None]
        changed[..., self.seats] = np.where(levels == KEEP, changed[..., self.seats], levels)
        return changed

    def values(self, rows: FloatArray) -> FloatArray:
        return self.problem.values(self.plans(rows))[self.objective]


def jostled(
    problem: PlanningProblem, objective: int, plan: FloatArray, rounds: int, rows: int, rng: np.random.Generator
) -> FloatArray:
    """Climb from a plan ``(steps, N)`` by shifting random stretches of it, where kinks and jumps stop gradients.

    In every round the shifts that pay are also added up, the best first; the result is never worse.

    Args:
        problem: what is planned.
        objective: which of its rewards counts.
        plan: where to start.
        rounds: batches of shifts.
        rows: shifts per batch.
        rng: source of the shifts.
    """
    value = problem.values(plan[:, None])[objective, 0]
    movers = _situations(problem, plan)
    moves = np.zeros((len(movers), problem.n_agents))
    for row, seats in enumerate(movers):
        moves[row, seats] = 1.0
    for _ in range(rounds):
        shifts = _random_stretches(problem.steps, rows, rng)[..., None] * moves[rng.integers(len(movers), size=rows)]
        values = problem.values(np.clip(plan[:, None] + shifts, 0.0, 1.0))[objective]
        order = np.argsort(-values, kind="stable")[:COMBINED]
        paying = order[values[order] > value]
        if len(paying):
            together = np.clip(plan[:, None] + shifts[:, paying].cumsum(1), 0.0, 1.0)
            values = problem.values(together)[objective]
            plan, value = together[:, values.argmax()], values.max()
    return plan


def _random_stretches(steps: int, rows: int, rng: np.random.Generator) -> FloatArray:
    """Shifts ``(steps, rows)`` of random sign, size and length, log-uniform, that may overlap either end."""
    length = np.exp(rng.uniform(0.0, np.log(steps + 1.0), rows)).astype(np.int64)
    first = rng.integers(1 - length, steps)
    time = np.arange(steps)[:, None]
    size = np.exp(rng.uniform(np.log(LEAST_SHIFT), np.log(LARGEST_SHIFT), rows)) * rng.choice([-1.0, 1.0], rows)
    shifts: FloatArray = size * ((time >= first) & (time < first + length))
    return shifts


def _situations(problem: PlanningProblem, plan: FloatArray) -> list[tuple[int, ...]]:
    """All seats together, and one mover of every set of movers that play the same."""
    group_of = {seat: number for number, group in enumerate(problem.groups) for seat in group}
    distinct = {(group_of[seats[0]], plan[:, seats].tobytes()): seats for seats in reversed(problem.movers)}
    everybody = tuple(range(problem.n_agents))
    return list(dict.fromkeys([everybody, *distinct.values()]))


def _after(problem: PlanningProblem, plan: FloatArray) -> PlanningProblem:
    """The problem that remains once a plan has been played."""
    state = state_after(problem.game, plan, problem.start)
    return PlanningProblem(problem.game, problem.layers, state, problem.seat_weights)
