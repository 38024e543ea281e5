"""Recommendations drawn agent by agent, to tell what correlation between them is worth."""

from __future__ import annotations

from itertools import product

import numpy as np

from coopgym.oracles.finite.linear_programme import SolverError
from coopgym.oracles.mechanism_design.hiring import Contract, HiringPlanner, HiringProblem


def best_independent(problem: HiringProblem, *, levels: int = 11, refinements: int = 3) -> Contract:
    """Return the best contract that draws each agent's effort by itself, found on ever finer grids.

    Payments of every mix on the grid are the best ones, by a linear programme. Mixes are no convex set, so that the
    answer is a lower bound that the grid makes good: after each look the grid shrinks to a fifth around the best mix.

    Args:
        problem: of agents with two efforts each.
        levels: probabilities of the second effort that are tried at once, per agent.
        refinements: grids after the first.

    Raises:
        ValueError: agents with more or fewer than two efforts, or fewer than two levels.
        SolverError: no mix on the first grid can be made worthwhile.
    """
    if any(count != 2 for count in problem.efforts) or levels < 2:
        raise ValueError(
            f"efforts {problem.efforts}, levels={levels!r}: expected two efforts per agent, to shirk or to work, and "
            "at least two levels"
        )
    best, centre, width = None, np.full(problem.agents, 0.5), 0.5
    for _ in range(refinements + 1):
        lines = [np.unique(np.clip(np.linspace(c - width, c + width, levels), 0.0, 1.0)) for c in centre]
        for chances in product(*lines):
            mixes = tuple((1.0 - chance, float(chance)) for chance in chances)
            try:
                found = HiringPlanner(independent=mixes).solve(problem)
            except SolverError:
                continue  # nothing makes these efforts worthwhile
            if best is None or found.value > best.value + 1e-12:
                best, centre = found, np.array(chances)
        if best is None:
            raise SolverError("no independent recommendations can be made worthwhile on the grid")
        width /= 5.0
    assert best is not None
    return best


def crowded_survey(cost: float = 0.005, pay_cap: float = 0.02, safe: float = 0.75) -> HiringProblem:
    """Return a problem in which correlated recommendations beat independent ones.

    Two surveyors get in each other's way. One alone is right with probability 0.8. Of two at work, both are right with
    probability 0.4, and otherwise one of them: they are never both wrong, so that together they tell more, but each
    one's signal says less about its own work, and the cap leaves too little to pay both. Told to work without knowing
    whether the other works too, each works if it is often enough alone; and that somebody should always work is what
    independent draws cannot do.

    Args:
        cost: of work.
        pay_cap: of a payment.
        safe: what the decision yields that does not depend on the state; the others yield 1 if right.
    """
    right = np.array([[0.5, 0.5], [0.5, 0.5]])
    alone = np.array([[0.8, 0.2], [0.2, 0.8]])
    information = np.zeros((2, 2, 2, 2, 2))
    for state in range(2):
        first, second = np.meshgrid(range(2), range(2), indexing="ij")
        idle, works = right[state], alone[state]
        information[0, 0, ..., state] = 0.5 * np.multiply.outer(idle, idle)
        information[1, 0, ..., state] = 0.5 * np.multiply.outer(works, idle)
        information[0, 1, ..., state] = 0.5 * np.multiply.outer(idle, works)
        agreed = (first == state).astype(int) + (second == state).astype(int)
        information[1, 1, ..., state] = 0.5 * np.array([0.0, 0.3, 0.4])[agreed]
    utility = np.array([[1.0, 0.0], [0.0, 1.0], [safe, safe]])
    costs = (np.array([0.0, cost]), np.array([0.0, cost]))
    return HiringProblem(costs, information, utility, pay_cap)
