"""The search behind `best_deviation`: constants, then plans, then feedback, each built on the best found before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from coopgym.oracles.dynamic.plan_search import Values, climb, cross_entropy, sweep
from coopgym.oracles.dynamic.unilateral_play import Responses, UnilateralPlay
from coopgym.typing import FloatArray

DeviationKind = Literal["none", "constant", "plan", "feedback"]
EffortName = Literal["quick", "full"]

SEARCH_VERSION = 1
"""Raise it when the same seed may find other deviations: it is part of the identity of runs that were searched."""

CONSTANTS = np.linspace(0.0, 1.0, 101)
KNOTS = 8
"""Times between which rough plans run in straight lines."""
KNOT_SPREAD = 0.3
GAIN_SPREAD = 0.1
"""Standard deviation with which a search of feedback begins: shares per standard deviation of a feature."""
WORTHWHILE = 0.001
"""Share of the gain so far that a round of sweep and ascent must add for another one to follow."""
STILL = 1e-9
"""Standard deviation below which a feature of the observation says nothing."""


@dataclass(frozen=True)
class Effort:
    """How thoroughly to search."""

    population: int
    generations: int
    climbing: int
    """Iterations of a local ascent."""
    sweeps: int
    """Most rounds of sweep and ascent; they end when a round brings little."""
    levels: tuple[float, ...]
    lengths: tuple[int, ...]
    """Stretches that a sweep sets to each level: of so many steps, and to the end."""
    episodes: int
    """Episodes per candidate where anything is random; one is played otherwise."""


# In ascending order of thoroughness.
EFFORTS: dict[EffortName, Effort] = {
    "quick": Effort(24, 8, climbing=8, sweeps=1, levels=(0.0, 1.0), lengths=(1,), episodes=8),
    "full": Effort(48, 16, climbing=12, sweeps=3, levels=(0.0, 0.25, 0.5, 0.75, 1.0), lengths=(1, 4), episodes=16),
}


class DeviationSearch:
    """Keeps the best response of every kind while it looks for better ones."""

    def __init__(self, play: UnilateralPlay, effort: Effort, rng: np.random.Generator) -> None:
        """Start from the seat's own agent.

        Args:
            play: what candidates are tried in.
            effort: how thoroughly.
            rng: source of candidates.
        """
        self.play, self.effort, self.rng = play, effort, rng
        own = play.own_play()
        self.found: dict[DeviationKind, Responses] = {"none": own}
        played = play.record(own)
        self._own_value = float(played.returns.mean())
        recorded = played.shares[:, 0].mean(axis=1)
        self._own_plan = np.pad(recorded, (0, play.horizon - len(recorded)), mode="edge")
        times = np.linspace(0.0, KNOTS - 1.0, play.horizon)
        self._interpolation = np.maximum(0.0, 1.0 - np.abs(times - np.arange(KNOTS)[:, None]))
        """``(K, T)`` from knots to the lines between them."""

    def constants(self) -> None:
        """Hold one share for the whole episode."""
        best = int(self._worth(CONSTANTS[:, None]).argmax())
        self.found["constant"] = self.play.plans(CONSTANTS[best : best + 1, None])

    def plans(self, exact: bool) -> None:
        """Fix the shares of all steps in advance.

        Args:
            exact: the same plan always earns the same, so that small differences between plans mean something.
        """
        rough, _ = self._best_of(self._own_plan, self.found["constant"].plan[0])
        knots = np.interp(np.linspace(0.0, self.play.horizon - 1.0, KNOTS), np.arange(self.play.horizon), rough)
        drafts = self._sampled(
            lambda candidates: self._worth(self._line(candidates)), knots, np.full(KNOTS, KNOT_SPREAD)
        )
        centre, best = self._line(drafts)
        # Of noisy members the best is the luckiest, so the centre of the last generation stands for them.
        plan = self._refined(self._best_of(rough, centre, best)[0]) if exact else centre
        self.found["plan"] = self.play.plans(plan[None])

    def feedback(self) -> None:
        """Correct the own agent, or the best plan, by lines over time and by what the seat sees."""
        corrected = [self._corrected(base) for base in (self.found["none"], self.found["plan"])]
        worth = [float(self.play.values(response)[0]) for response in corrected]
        self.found["feedback"] = corrected[int(np.argmax(worth))]

    def _refined(self, plan: FloatArray) -> FloatArray:
        effort, lengths = self.effort, (*self.effort.lengths, self.play.horizon)
        plan, value = self._climbed(plan)
        for _ in range(effort.sweeps):
            before = value
            plan, value = self._climbed(sweep(self._worth, plan, effort.levels, lengths))
            if value - before <= WORTHWHILE * (value - self._own_value):
                break
        return plan

    def _climbed(self, plan: FloatArray) -> tuple[FloatArray, float]:
        return self._best_of(plan, climb(self._worth, plan, self.effort.climbing))

    def _corrected(self, base: Responses) -> Responses:
        features = self.play.record(base).features
        centre, deviation = features.mean(axis=(0, 1, 2)), features.std(axis=(0, 1, 2))
        moving = deviation > STILL
        per_unit = np.where(moving, 1.0 / np.where(moving, deviation, 1.0), 0.0)

        def responses(candidates: FloatArray) -> Responses:
            gains = candidates[:, KNOTS:] * per_unit
            plan = base.plan + candidates[:, :KNOTS] @ self._interpolation - (gains @ centre)[:, None]
            return Responses(plan, np.broadcast_to(base.follow, len(candidates)), gains)

        spread = np.repeat([KNOT_SPREAD, GAIN_SPREAD], [KNOTS, len(centre)])
        drafts = self._sampled(
            lambda candidates: self.play.values(responses(candidates)), np.zeros(len(spread)), spread
        )
        return responses(drafts[:1])

    def _sampled(self, values: Values, mean: FloatArray, spread: FloatArray) -> FloatArray:
        size, generations = self.effort.population, self.effort.generations
        return cross_entropy(values, mean, spread, population=size, generations=generations, rng=self.rng)

    def _line(self, knots: FloatArray) -> FloatArray:
        return np.clip(knots @ self._interpolation, 0.0, 1.0)

    def _worth(self, plans: FloatArray) -> FloatArray:
        return self.play.values(self.play.plans(plans))

    def _best_of(self, *plans: FloatArray) -> tuple[FloatArray, float]:
        worth = self._worth(np.stack(plans))
        return plans[int(worth.argmax())], float(worth.max())
