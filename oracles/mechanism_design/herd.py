"""Steering the herd: how clear to make the signals of agents who also learn from what those before them did.

The state is good or bad. Agents arrive one by one, share a public belief b = P(good), get a private signal that is
right with the precision q that a planner picks, and take the action that is right in the good state (G) or the other
(B). An agent whom neither signal could sway herds, and nothing is learned from it. The model is that of "Steering the
Herd" (Arghal, He, Saeedi Bidokhti & Sarkar 2025, arXiv:2504.02648), here with losses that may differ by state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, eye_array
from scipy.sparse.linalg import spsolve

from coopgym.oracles.finite.linear_programme import SolverError
from coopgym.typing import BoolArray, FloatArray

Aim: TypeAlias = Literal["altruistic", "biased"]
"""Whether what agents lose counts, or how often they take action B."""
EVEN = 1e-12
"""Difference at which an agent is indifferent, and follows its signal."""
JUST_BELOW = 1e-6
"""How far below the least precision that agents follow the next one is."""
TIE = 1e-12
"""Values so near to each other count as equal: the smaller precision is taken."""


@dataclass(frozen=True)
class Herd:
    """What a planner and its agents care about.

    Attributes:
        planner: altruistic or biased.
        baseline: p, the precision that costs nothing.
        cost: k, of a unit of precision away from the baseline.
        losses: what the wrong action costs an agent in the good and in the bad state; agents weigh them, and so does an
            altruistic planner.
        stake: C, what action B costs a biased planner.
        discount: of agents to come.
        least_precision: no signal may be less clear; see `transparent`.

    >>> herd = Herd()
    >>> step = herd.step(0.5, 0.7)
    >>> float(step.follows), step.beliefs.round(2), step.chances.round(2), float(step.wrong.round(2))
    (1.0, array([0.7, 0.3]), array([0.5, 0.5]), 0.3)
    """

    planner: Aim = "altruistic"
    baseline: float = 0.6
    cost: float = 1.0
    losses: tuple[float, float] = (1.0, 1.0)
    stake: float = 1.0
    discount: float = 0.9
    least_precision: float = 0.5

    def __post_init__(self) -> None:
        if self.planner not in ("altruistic", "biased"):
            raise ValueError(f"planner={self.planner!r}: expected 'altruistic' or 'biased'")
        if not 0.5 <= self.baseline <= 1.0:
            raise ValueError(f"baseline={self.baseline!r}: expected a precision in [0.5, 1]")
        if not 0.5 <= self.least_precision <= self.baseline:
            raise ValueError(
                f"least_precision={self.least_precision!r}: expected a precision from 0.5 to the baseline, "
                f"{self.baseline:g}, which costs nothing and must be allowed"
            )
        for name, value in (("cost", self.cost), ("stake", self.stake)):
            if not 0.0 <= value < np.inf:
                raise ValueError(f"{name}={value!r}: expected a number of at least 0")
        if len(self.losses) != 2 or not all(0.0 < loss < np.inf for loss in self.losses):
            raise ValueError(f"losses={self.losses!r}: expected two positive numbers, in the good and in the bad state")
        if not 0.0 <= self.discount < 1.0:
            raise ValueError(f"discount={self.discount!r}: expected a number in [0, 1)")

    def transparent(self) -> Self:
        """Return the same with a planner who may not withhold: no signal is less clear than the free one.

        Stricter than what the publication calls transparent, which the model is throughout: the planner knows no more
        than the public, signals do not lie, and everybody knows their precision.
        """
        return replace(self, least_precision=self.baseline)

    def unsteered(self) -> Self:
        """Return the same with a planner to whom every change of precision is too dear."""
        return replace(self, cost=1e9)

    def least_following(self, beliefs: npt.ArrayLike) -> FloatArray:
        """Return the least precision at which agents follow their signals, max(w, 1 - w), ``(...)``.

        w is the belief weighed with the losses, and the belief itself where they are equal.
        """
        belief = np.asarray(beliefs, dtype=np.float64)
        good, bad = belief * self.losses[0], (1.0 - belief) * self.losses[1]
        weighed = good / (good + bad)
        return np.maximum(weighed, 1.0 - weighed)

    def step(self, beliefs: npt.ArrayLike, precisions: npt.ArrayLike) -> HerdStep:
        """Return what one agent does, and what is believed after, ``(...)`` for beliefs and precisions together."""
        belief, precision = np.broadcast_arrays(np.asarray(beliefs, np.float64), np.asarray(precisions, np.float64))
        against = 1.0 - belief
        right, misled = belief * precision, against * (1.0 - precision)
        doubted, warned = belief * (1.0 - precision), against * precision
        good, bad = self.losses
        # What a signal leaves open, weighed with the losses: after either, its action must not be the worse one.
        follows = (right * good >= misled * bad - EVEN) & (doubted * good <= warned * bad + EVEN)
        plays_good = ~follows & (doubted * good > warned * bad)
        chance_good = np.where(follows, right + misled, plays_good * 1.0)
        signalled = np.stack([right + misled, doubted + warned], -1)
        joint = np.stack([right, doubted], -1)
        posterior = np.divide(joint, signalled, out=np.repeat(belief[..., None], 2, -1), where=signalled > 0.0)
        updated = np.where(follows[..., None], posterior, belief[..., None])
        wrong = np.where(follows, misled + doubted, np.where(plays_good, against, belief))
        lost = np.where(follows, misled * bad + doubted * good, np.where(plays_good, against * bad, belief * good))
        return HerdStep(follows, np.stack([chance_good, 1.0 - chance_good], -1), updated, wrong, lost)

    def reward(self, step: HerdStep, precisions: npt.ArrayLike) -> FloatArray:
        """Return what a step brings the planner, at most 0."""
        own = step.lost if self.planner == "altruistic" else self.stake * step.chances[..., 1]
        return np.asarray(-self.cost * np.abs(np.asarray(precisions) - self.baseline) - own)


@dataclass(frozen=True, eq=False)
class HerdStep:
    """One agent's choice, ``(...)``."""

    follows: BoolArray
    """Whether it follows its signal."""
    chances: FloatArray
    """``(..., 2)`` of actions G and B."""
    beliefs: FloatArray
    """``(..., 2)`` after either."""
    wrong: FloatArray
    """Probability that its action is the wrong one."""
    lost: FloatArray
    """What it loses on average."""


def finite_horizon(
    herd: Herd, beliefs: npt.ArrayLike, horizon: int, precisions: Sequence[float], *, least_following: bool = False
) -> tuple[FloatArray, FloatArray]:
    """Solve the planner's problem for a number of agents, exactly, over the beliefs that can be reached.

    Args:
        herd: the problem.
        beliefs: ``(N,)`` to begin with.
        horizon: agents to come.
        precisions: that the planner may choose; ties go to the smaller.
        least_following: whether it may also choose the least precision that agents follow, if no larger than these.

    Returns:
        values ``(N,)`` and first precisions ``(N,)``.

    Raises:
        ValueError: no agent, beliefs that are no probabilities, or precisions none of which is allowed.

    >>> values, first = finite_horizon(Herd(cost=2.5), [0.5, 0.9], horizon=4, precisions=[0.5, 0.6, 0.8, 1.0])
    >>> values.round(4), first  # one clear signal for the first agent, and all others herd on it
    (array([-1.    , -0.3439]), array([1. , 0.6]))
    """
    if not isinstance(horizon, int | np.integer) or horizon < 1:
        raise ValueError(f"horizon={horizon!r}: expected a whole number of at least 1")
    allowed = np.unique([each for each in precisions if each >= herd.least_precision])
    if not len(allowed) or allowed[0] < 0.5 or allowed[-1] > 1.0:
        raise ValueError(
            f"precisions={list(precisions)!r}: expected some in [0.5, 1], at least {herd.least_precision:g}"
        )
    return _recursion(herd, _checked_beliefs(beliefs), horizon, allowed, least_following)


def _checked_beliefs(beliefs: npt.ArrayLike) -> FloatArray:
    """Return beliefs as an array; refuse what are no probabilities."""
    believed = np.asarray(beliefs, dtype=np.float64)
    outside = ~((believed >= 0.0) & (believed <= 1.0))
    if outside.any():
        raise ValueError(f"beliefs: expected probabilities in [0, 1], got {believed[outside].flat[0]:g}")
    return believed


def _recursion(
    herd: Herd, beliefs: FloatArray, horizon: int, precisions: FloatArray, least_following: bool
) -> tuple[FloatArray, FloatArray]:
    controls = np.broadcast_to(precisions, (len(beliefs), len(precisions)))
    if least_following:
        least = herd.least_following(beliefs)
        fitting = np.where(least <= precisions[-1] + EVEN, np.maximum(least, herd.least_precision), precisions[-1])
        controls = np.sort(np.column_stack([controls, fitting]), axis=1)
    step = herd.step(beliefs[:, None], controls)
    values = herd.reward(step, controls)
    if horizon > 1:
        reached, where = np.unique(step.beliefs.round(14), return_inverse=True)
        after, _ = _recursion(herd, reached, horizon - 1, precisions, least_following)
        values = values + herd.discount * (step.chances * after[where].reshape(step.beliefs.shape)).sum(-1)
    best = first_best(values)
    rows = np.arange(len(beliefs))
    return values[rows, best], controls[rows, best]


def first_best(values: FloatArray) -> npt.NDArray[np.int64]:
    """Return the first of the columns that are best in each row, up to rounding."""
    return np.asarray((values >= values.max(-1, keepdims=True) - TIE).argmax(-1))


@dataclass(frozen=True)
class HerdPlanner:
    """Solves the planner's problem for agents without end by value iteration; fits the `Planner` slot.

    Controls at every belief are an even grid of precisions, the baseline, the least one that agents follow, and one
    just below it: without the last two both interesting phases are hidden.

    Attributes:
        beliefs: points of the grid of beliefs; values between them are interpolated.
        precisions: points of the grid of precisions.
        residual: of the Bellman equation at which iteration ends.
        bare: without the last two controls, to see what that hides.

    >>> plan = HerdPlanner(beliefs=201).solve(Herd(planner="biased", baseline=0.7, cost=0.3))
    >>> [(phase.name, round(phase.low, 2), round(phase.high, 2)) for phase in plan.phases() if phase.name != "baseline"]
    [('above baseline', 0.01, 0.3), ('below baseline', 0.31, 0.7)]
    >>> HerdPlanner(beliefs=201).audit(plan.herd, plan)
    []
    """

    beliefs: int = 1001
    precisions: int = 101
    residual: float = 1e-10
    bare: bool = False

    def __post_init__(self) -> None:
        if self.beliefs < 3 or self.precisions < 2:
            raise ValueError(
                f"beliefs={self.beliefs!r}, precisions={self.precisions!r}: expected at least 3 and 2 points"
            )
        if not self.residual > 0.0:
            raise ValueError(f"residual={self.residual!r}: expected a positive number")

    def controls(self, herd: Herd, beliefs: FloatArray) -> FloatArray:
        """Return the precisions to choose from at each belief, ``(N, Q)`` in ascending order."""
        even = np.append(np.linspace(herd.least_precision, 1.0, self.precisions), herd.baseline)
        chosen = np.broadcast_to(even, (len(beliefs), len(even)))
        if not self.bare:
            least = herd.least_following(beliefs)
            near = np.clip(np.column_stack([least, least - JUST_BELOW]), herd.least_precision, 1.0)
            chosen = np.column_stack([chosen, near])
        return np.sort(chosen, axis=1)

    def solve(self, herd: Herd) -> HerdPlan:
        """Return the planner's policy and values.

        Raises:
            SolverError: iteration has not converged, or its answer does not pass the audit.
        """
        beliefs = np.linspace(0.0, 1.0, self.beliefs)
        controls = self.controls(herd, beliefs)
        backup = _Backup(herd, beliefs, controls, self.beliefs)
        values = np.zeros(self.beliefs)
        for _ in range(_sweeps(herd.discount, self.residual)):
            before, values = values, backup(values).max(-1)
            if np.abs(values - before).max() <= max(self.residual * (1.0 - herd.discount), _rounding(values)):
                break
        rows = np.arange(self.beliefs)
        # Iteration leaves the residual, so that what is within it is a tie.
        choices = backup(values)
        best = (choices >= choices.max(-1, keepdims=True) - max(self.residual, _rounding(values))).argmax(-1)
        plan = HerdPlan(herd, beliefs, controls[rows, best], values, self)
        if faults := self.audit(herd, plan):
            raise SolverError(f"herd: value iteration has not converged; {faults[0]}")
        return plan

    def audit(self, herd: Herd, plan: HerdPlan) -> list[str]:
        """Return where values are not those of the best control, or the policy's is worse, by the Bellman equation."""
        controls = self.controls(herd, plan.beliefs)
        best = _Backup(herd, plan.beliefs, controls, len(plan.beliefs))(plan.values).max(-1)
        own = _Backup(herd, plan.beliefs, plan.precisions[:, None], len(plan.beliefs))(plan.values)[:, 0]
        faults, forgiven = [], 2.0 * max(self.residual, _rounding(plan.values))
        for what, found in (("the best control", best), ("the policy", own)):
            worst = int(np.abs(found - plan.values).argmax())
            if (gap := abs(float(found[worst] - plan.values[worst]))) > forgiven:
                faults.append(f"belief {plan.beliefs[worst]:.4f}: the value is {gap:.3g} off that of {what}")
        return faults


def _rounding(values: FloatArray) -> float:
    """Return what sums of numbers of this size are surely off by."""
    return float(64.0 * np.finfo(np.float64).eps * np.abs(values).max())


@dataclass(frozen=True)
class Phase:
    """A stretch of beliefs in which the planner does the same."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class HerdPlan:
    """A policy over beliefs, and what it is worth."""

    herd: Herd
    beliefs: FloatArray
    """``(N,)`` from 0 to 1."""
    precisions: FloatArray
    """``(N,)`` that the planner picks."""
    values: FloatArray
    """``(N,)`` discounted, to the planner."""
    planner: HerdPlanner

    def labels(self) -> list[str]:
        """Return what the planner does at each belief.

        Baseline, below baseline or above baseline; an altruistic planner's precision above it may also be the maximum,
        or the least at which agents follow (least following).
        """
        least = self.herd.least_following(self.beliefs)
        return [_label(self.herd, q, f) for q, f in zip(self.precisions.tolist(), least.tolist(), strict=True)]

    def phases(self) -> list[Phase]:
        """Return the stretches of beliefs in which the planner does the same, in order of belief."""
        found: list[Phase] = []
        for belief, name in zip(self.beliefs.tolist(), self.labels(), strict=True):
            if found and found[-1].name == name:
                found[-1] = Phase(name, found[-1].low, belief)
            else:
                found.append(Phase(name, belief, belief))
        return found

    def choose(self, beliefs: npt.ArrayLike) -> FloatArray:
        """Return the best precisions at any beliefs ``(...)``, on the grid or between its points.

        What is least for agents to follow differs from belief to belief, so that the policy is not interpolated: it is
        found anew by what each precision leads to.

        Raises:
            ValueError: beliefs that are no probabilities.
        """
        asked = _checked_beliefs(beliefs)
        flat, where = np.unique(asked, return_inverse=True)  # herds stay at few beliefs
        controls = self.planner.controls(self.herd, flat)
        worth = _Backup(self.herd, flat, controls, len(self.beliefs))(self.values)
        even = max(self.planner.residual, _rounding(self.values))
        best = (worth >= worth.max(-1, keepdims=True) - even).argmax(-1)
        return np.asarray(controls[np.arange(len(flat)), best][where].reshape(asked.shape))

    def agents_lose(self) -> FloatArray:
        """Return what agents lose under the policy by belief, ``(N,)``: discounted means, per agent."""
        step = self.herd.step(self.beliefs, self.precisions)
        return (1.0 - self.herd.discount) * self._discounted(step.lost)

    def action_b(self) -> FloatArray:
        """Return how often agents take action B under the policy by belief, ``(N,)``: discounted means."""
        step = self.herd.step(self.beliefs, self.precisions)
        return (1.0 - self.herd.discount) * self._discounted(step.chances[..., 1])

    def welfare_moved(self) -> FloatArray:
        """Return how much less agents lose than with signals at the baseline by belief, ``(N,)``; discounted means."""
        left_alone = replace(self, precisions=np.full_like(self.precisions, self.herd.baseline))
        return left_alone.agents_lose() - self.agents_lose()

    def _discounted(self, rewards: FloatArray) -> FloatArray:
        """Return the discounted sum of what the policy brings, by belief."""
        moves = _Backup(self.herd, self.beliefs, self.precisions[:, None], len(self.beliefs)).transition
        staying = eye_array(len(self.beliefs), format="csr") - self.herd.discount * moves
        return np.asarray(spsolve(staying.tocsc(), rewards))


def _label(herd: Herd, precision: float, least: float) -> str:
    if abs(precision - herd.baseline) < JUST_BELOW / 10.0:
        return "baseline"
    if precision < herd.baseline:
        return "below baseline"
    if herd.planner == "biased":
        return "above baseline"
    if precision >= 1.0:
        return "maximum"
    return "least following" if abs(precision - least) < JUST_BELOW / 10.0 else "above baseline"


class _Backup:
    """One step of value iteration on a grid of beliefs with linear interpolation."""

    def __init__(self, herd: Herd, beliefs: FloatArray, controls: FloatArray, count: int) -> None:
        step = herd.step(beliefs[:, None], controls)
        self.discount, self.rewards = herd.discount, herd.reward(step, controls)
        place = step.beliefs.reshape(-1, 2) * (count - 1)
        below = np.minimum(place.astype(np.int64), count - 2)
        above, chances = place - below, step.chances.reshape(-1, 2)
        weights = np.concatenate([chances * (1.0 - above), chances * above], axis=1)
        reached = np.concatenate([below, below + 1], axis=1)
        rows = np.repeat(np.arange(len(place)), 4)
        self.transition = csr_array((weights.ravel(), (rows, reached.ravel())), shape=(len(place), count))
        """``(N Q, N)`` probabilities of beliefs after, by belief and control."""

    def __call__(self, values: FloatArray) -> FloatArray:
        """Return what each control is worth at each belief, ``(N, Q)``, with these values after."""
        after = np.asarray(self.transition @ values).reshape(self.rewards.shape)
        return np.asarray(self.rewards + self.discount * after)


def _sweeps(discount: float, residual: float) -> int:
    """Sweeps after which rewards of about 1 are discounted below the residual, with some to spare."""
    if discount == 0.0:
        return 2
    return int(np.ceil(np.log(residual * (1.0 - discount) ** 2 / 100.0) / np.log(discount))) + 1
