"""Search for the best joint plan: rough plans first, gradients through the simulator next, kinks and jumps last."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.oracles.dynamic.ascent import Gradient, ascend, polish, projected_gradient, torch_gradient
from coopgym.oracles.dynamic.joint_search import jostled, ramps, rough_plans, swept
from coopgym.oracles.dynamic.planning import PlanningProblem
from coopgym.oracles.games.symmetry import block_of_seats
from coopgym.typing import FloatArray

CONVERGED = 1e-4
"""Largest entry of the projected gradient at a converged plan, payoff units per share of endowment."""
LARGEST_GRAPH = 1_500_000
"""Pairs of agents, over rows and steps, that one gradient may hold: it bounds memory and time in large teams."""
NOISE = 0.1
"""Standard deviation, in shares, by which starts are perturbed."""


@dataclass(frozen=True)
class Budget:
    """How much the planner may compute."""

    restarts: int = 10
    """Starts of gradient ascent per objective; fewer in large teams."""
    iterations: int = 80
    """Gradients of the whole batch, in each of two rounds of ascent."""
    polish: int = 60
    """Iterations of the quasi-Newton method on plans that have not converged."""
    population: int = 100
    """Plans per batch of the cross-entropy search and of random shifts."""
    generations: int = 12
    """Batches of the cross-entropy search."""
    shifts: int = 100
    """Batches of random shifts, tried on plans that rest on kinks or thresholds."""

    def __post_init__(self) -> None:
        least = {"restarts": 1, "iterations": 0, "polish": 1, "population": 2, "generations": 1, "shifts": 0}
        for name, bound in least.items():
            if getattr(self, name) < bound:
                raise ValueError(f"{name}={getattr(self, name)!r}: expected a whole number of at least {bound}")


QUICK = Budget(restarts=4, iterations=20, polish=10, population=40, generations=5, shifts=20)
"""Seconds instead of tens of seconds, for a first look."""


class PlanSearch:
    """All plans met so far, with their values under every objective, and the moves that add better ones."""

    def __init__(self, problem: PlanningProblem, budget: Budget, rng: np.random.Generator, device: Any) -> None:
        self.problem, self.budget, self.rng = problem, budget, rng
        self.names: list[str] = []
        self.plans = np.empty((problem.steps, 0, problem.n_agents))
        self.values = np.empty((len(problem.layers), 0))
        self.same: list[int] = []
        """For each objective the first that agrees with it on all plans; only that one is searched."""
        self.ascended: dict[int, FloatArray] = {}
        """Values that the first round of gradient ascent reached, for every objective searched."""
        self._blocks = problem.movers
        self._block_of = block_of_seats(problem.movers)
        self._objective = problem.differentiable(device)
        self._device = device

    def meet(self, named: Mapping[str, FloatArray]) -> None:
        """Add plans to those met."""
        if not named:
            return
        fresh = np.stack(list(named.values()), axis=1)
        self.names += list(named)
        self.plans = np.concatenate([self.plans, fresh], axis=1)
        self.values = np.concatenate([self.values, self.problem.values(fresh)], axis=1)

    def best(self, objective: int) -> int:
        """Which plan is the best met."""
        return int(self.values[objective].argmax())

    def run(self) -> None:
        """Search under every objective, from the plans met so far; the baseline plans must be among them."""
        self.same = [
            next(k for k in range(m + 1) if np.allclose(self.values[k], self.values[m], rtol=1e-12, atol=1e-9))
            for m in range(len(self.values))
        ]
        distinct = sorted(set(self.same))
        for m in distinct:
            self._look_around(m)
        self.ascended = self._ascend(distinct)
        for m in distinct:
            self._sweep(m)
        unfinished = [m for m in distinct if not self._converged(m)]
        if unfinished:
            self._ascend(unfinished)
        for m in unfinished:
            if not self._converged(m):
                self._polish(m)

    def residual(self, objective: int) -> float:
        """Largest entry of the projected gradient at the best plan met, every seat by itself."""
        point = self.plans[:, self.best(objective)].reshape(1, -1)
        mixture, shape = np.eye(len(self.problem.layers))[[objective]], self.plans[:, 0].shape
        _, slopes = torch_gradient(lambda plans: self._objective(plans, mixture), shape, self._device)(point)
        return float(np.abs(projected_gradient(point, slopes)).max())

    def _look_around(self, objective: int) -> None:
        problem, layer = self.problem, self.problem.layers[objective].name
        constant = self.plans[0, self.names.index(f"BestConstant[{layer}]")]
        self.meet({f"ramp {k} [{layer}]": plan for k, plan in enumerate(ramps(problem, constant))})
        size = (self.budget.population, self.budget.generations)
        for blocks in dict.fromkeys((problem.groups, self._blocks)):
            rough = rough_plans(problem, objective, constant, blocks, *size, self.rng)
            self.meet({f"cross-entropy {len(blocks)}.{k} [{layer}]": plan for k, plan in enumerate(rough)})

    def _ascend(self, objectives: list[int]) -> dict[int, FloatArray]:
        """Climb from several starts under every objective, all in one batch; return the values reached under each."""
        problem = self.problem
        graph = problem.steps * problem.n_agents**2 * len(objectives)
        count = max(2, min(self.budget.restarts, LARGEST_GRAPH // graph))
        names, starts = zip(*[start for m in objectives for start in self._starts(m, count)], strict=True)
        rows = np.repeat(objectives, count)
        climbed = ascend(self._gradient(rows), np.stack(starts), self.budget.iterations)
        plans = self._unfolded(climbed.points)
        before = len(self.names)
        self.meet({f"{name} [{k}], climbed": plan for k, (name, plan) in enumerate(zip(names, plans, strict=True))})
        return {m: self.values[m, before:][rows == m] for m in objectives}

    def _starts(self, objective: int, count: int) -> list[tuple[str, FloatArray]]:
        """The best plans met, no two alike, half of them as they are and half perturbed, as flat points."""
        chosen: list[int] = []
        for row in np.argsort(-self.values[objective], kind="stable"):
            apart = [np.abs(self.plans[:, row] - self.plans[:, other]).mean() > 0.5 * NOISE for other in chosen]
            if all(apart):
                chosen.append(int(row))
            if len(chosen) == (count + 1) // 2:
                break
        starts = [(self.names[row], self._folded(self.plans[:, row])) for row in chosen]
        while len(starts) < count:
            name, point = starts[len(starts) % len(chosen)]
            lasting = self.rng.standard_normal((1, len(self._blocks)))
            passing = self.rng.standard_normal((self.problem.steps, len(self._blocks)))
            noise = NOISE * (lasting + passing).reshape(-1)
            starts.append((f"{name}, perturbed", np.clip(point + noise, 0.0, 1.0)))
        return starts

    def _sweep(self, objective: int) -> None:
        row = self.best(objective)
        self.meet({f"{self.names[row]}, swept": swept(self.problem, objective, self.plans[:, row])})

    def _polish(self, objective: int) -> None:
        """Finish a plan that gradient ascent left unfinished: curvature, then jumps."""
        row, budget = self.best(objective), self.budget
        gradient = self._gradient(np.array([objective]))
        point = polish(gradient, self._folded(self.plans[:, row]), budget.polish).points
        self.meet({f"{self.names[row]}, polished": self._unfolded(point)[0]})
        if self._converged(objective):
            return
        row = self.best(objective)
        shifted = jostled(self.problem, objective, self.plans[:, row], budget.shifts, budget.population, self.rng)
        self.meet({f"{self.names[row]}, shifted": shifted})

    def _converged(self, objective: int) -> bool:
        return self.residual(objective) <= CONVERGED

    def _gradient(self, rows: npt.NDArray[np.int64]) -> Gradient:
        """Values and gradients of points whose blocks of seats play alike; row b counts reward ``rows[b]``."""
        mixtures = np.eye(len(self.problem.layers))[rows]
        shape = (self.problem.steps, len(self._blocks))
        return torch_gradient(
            lambda folded: self._objective(folded[..., self._block_of], mixtures), shape, self._device
        )

    def _folded(self, plan: FloatArray) -> FloatArray:
        """Flat point ``(steps · blocks,)`` of a plan ``(steps, N)``, seats of a block at their mean."""
        return np.stack([plan[:, block].mean(1) for block in self._blocks], axis=1).reshape(-1)

    def _unfolded(self, points: FloatArray) -> FloatArray:
        """Plans ``(B, steps, N)`` of flat points."""
        return points.reshape(len(points), self.problem.steps, -1)[..., self._block_of]
