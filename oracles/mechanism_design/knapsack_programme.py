"""What the best mix of arms earns within a budget: the linear programme of bandits with knapsacks, and its game."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Self

import numpy as np
import numpy.typing as npt

from coopgym.oracles.finite.linear_programme import least_cost, probabilities
from coopgym.oracles.finite.zero_sum import minimax
from coopgym.typing import FloatArray

VIOLATION = 1e-7
"""Use above the budget, per round, from which a mix does not pass its audit."""
_CORNER = 1e-9
"""Rounding that is forgiven at corners of the set of feasible mixes."""


@dataclass(frozen=True, eq=False)
class KnapsackInstance:
    """Arms that earn and use up resources; the last of K + 1 is the null arm, which does neither.

    >>> instance = KnapsackInstance.of([0.9, 0.5], [[0.8], [0.2]], horizon=100, budget=30.0)
    >>> instance.arms, instance.rate
    (2, 0.3)
    """

    rewards: FloatArray
    """``(K,)`` means in [0, 1]."""
    consumption: FloatArray
    """``(K, d)`` mean use of each resource in [0, 1]."""
    horizon: int
    """T."""
    budget: float
    """B, of each resource."""

    @classmethod
    def of(cls, rewards: npt.ArrayLike, consumption: npt.ArrayLike, *, horizon: int, budget: float) -> Self:
        """Check and take an instance.

        Args:
            rewards: ``(K,)``.
            consumption: ``(K, d)``.
            horizon: T.
            budget: B; resources with budgets of their own are scaled to one.

        Raises:
            ValueError: numbers outside [0, 1], shapes that do not fit, no round, or a budget that is not positive.
        """
        earned, used = np.asarray(rewards, dtype=np.float64), np.asarray(consumption, dtype=np.float64)
        if earned.ndim != 1 or not len(earned) or not ((earned >= 0.0) & (earned <= 1.0)).all():
            raise ValueError(f"rewards={rewards!r}: expected at least one mean reward, each in [0, 1]")
        if used.ndim != 2 or len(used) != len(earned) or not used.shape[1]:
            raise ValueError(
                f"consumption of shape {used.shape}: expected ({len(earned)}, d), a row per arm, a column per resource"
            )
        if not ((used >= 0.0) & (used <= 1.0)).all():
            raise ValueError(f"consumption: expected uses in [0, 1], got {used.min():g} to {used.max():g}; scale them")
        require_budget(horizon, budget)
        return cls(earned, used, int(horizon), float(budget))

    @property
    def arms(self) -> int:
        """K, without the null arm."""
        return len(self.rewards)

    @property
    def rate(self) -> float:
        """B / T: what may be used per round; above one nothing is ever short."""
        return self.budget / self.horizon


@dataclass(frozen=True, eq=False)
class BudgetedMix:
    """The best mix of arms within the budget."""

    mix: FloatArray
    """``(K + 1,)`` probabilities, the null arm last."""
    value: float
    """Reward per round: T times it is more than any policy earns on average."""


class KnapsackProgramme:
    """The best fixed mix of arms within a budget (Badanidiyuru, Kleinberg & Slivkins 2018); fits the `Planner` slot.

    >>> instance = KnapsackInstance.of([0.9, 0.5], [[0.8], [0.2]], horizon=100, budget=30.0)
    >>> plan = KnapsackProgramme().solve(instance)  # better than either arm alone, 0.3375 and 0.5
    >>> plan.mix.round(3), round(plan.value, 3), KnapsackProgramme().audit(instance, plan)
    (array([0.167, 0.833, 0.   ]), 0.567, [])
    """

    def solve(self, instance: KnapsackInstance) -> BudgetedMix:
        """Return the best mix.

        Raises:
            SolverError: HiGHS found no optimum.
        """
        earned, used = with_null(instance.rewards, instance.consumption)
        what = f"best mix of {instance.arms} arms within {instance.budget:g} for {instance.horizon} rounds"
        answer = least_cost(what, -earned, (used - instance.rate).T, np.ones(len(earned)), [(0.0, None)])
        mix = probabilities(answer)
        return BudgetedMix(mix, float(mix @ earned))

    def audit(self, instance: KnapsackInstance, plan: BudgetedMix) -> list[str]:
        """Return what is wrong with a plan: use above the budget, or less than what corners of the feasible set earn.

        Corners are listed one by one for up to five arms.
        """
        earned, used = with_null(instance.rewards, instance.consumption)
        excess = plan.mix @ used - instance.rate
        wrong = [
            f"resource {resource}: uses {over:.3g} above the budget per round"
            for resource, over in enumerate(excess.tolist())
            if over > VIOLATION
        ]
        if instance.arms <= 5:
            best = max(float(corner @ earned) for corner in feasible_corners(used, instance.rate))
            if best > plan.value + VIOLATION:
                wrong.append(f"value: a mix within the budget earns {best:.9g} per round, this one {plan.value:.9g}")
        return wrong


def feasible_corners(consumption: FloatArray, rate: float) -> FloatArray:
    """Return the corners ``(V, A)`` of the set of mixes of A arms whose use ``(A, d)`` keeps to a rate.

    A corner mixes at most d + 1 arms, so that all of them are found by trying; for a handful of arms.

    >>> feasible_corners(np.array([[0.8], [0.2], [0.0]]), rate=0.3).round(3)
    array([[0.375, 0.   , 0.625],
           [0.167, 0.833, 0.   ],
           [0.   , 1.   , 0.   ],
           [0.   , 0.   , 1.   ]])
    """
    arms = len(consumption)
    over = consumption - rate
    # Of the probabilities that could be zero and the resources that could be used up, as many as leave one mix.
    tight = np.concatenate([np.eye(arms), over.T])
    chosen = np.array(list(combinations(range(len(tight)), arms - 1)), dtype=np.int64).reshape(-1, arms - 1)
    systems = np.concatenate([np.ones((len(chosen), 1, arms)), tight[chosen]], axis=1)
    systems = systems[np.abs(np.linalg.det(systems)) > _CORNER]
    corners = np.linalg.solve(systems, np.eye(arms)[:1].T[None])[..., 0]
    within = (corners >= -_CORNER).all(-1) & (corners @ over <= _CORNER).all(-1)
    found: FloatArray = np.unique(np.maximum(corners[within], 0.0).round(12), axis=0)
    return found[::-1]


def lagrange_matrix(instance: KnapsackInstance) -> FloatArray:
    """Return L(a, i) = r_a + 1 - (T / B) c_ai, ``(K + 1, d + 1)``: arms with the null arm, resources and then time.

    Its value as a zero-sum game is that of the linear programme (Immorlica, Sankararaman, Schapire & Slivkins 2022).
    """
    earned, used = with_null(instance.rewards, instance.consumption)
    with_time = np.column_stack([used, np.full(len(used), instance.rate)])
    return earned[:, None] + 1.0 - with_time / instance.rate


def lagrange_value(instance: KnapsackInstance) -> float:
    """Return the value of the Lagrange game.

    >>> round(lagrange_value(KnapsackInstance.of([0.9, 0.5], [[0.8], [0.2]], horizon=100, budget=30.0)), 6)
    0.566667
    """
    return minimax(lagrange_matrix(instance)).value


def best_fixed_arm(instance: KnapsackInstance) -> float:
    """Return what the best single arm earns per round if it is pulled until a resource runs out."""
    most = instance.consumption.max(-1)
    lasting = np.minimum(1.0, instance.rate / np.maximum(most, np.finfo(np.float64).tiny))
    return float((instance.rewards * lasting).max())


def best_mixes(rewards: FloatArray, consumption: FloatArray, rate: float) -> FloatArray:
    """Return the best mix within a rate in many replicas at once, ``(R, A)``.

    With one resource a best mix has at most two arms, and all pairs are tried side by side; with more, each replica is
    a linear programme of its own.

    Args:
        rewards: ``(R, A)``, with an arm that uses nothing among them.
        consumption: ``(R, A, d)``.
        rate: of every resource.

    Raises:
        SolverError: HiGHS found no optimum.

    >>> best_mixes(np.array([[0.9, 0.5, 0.0]]), np.array([[[0.8], [0.2], [0.0]]]), rate=0.3).round(3)
    array([[0.167, 0.833, 0.   ]])
    """
    replicas, arms, resources = consumption.shape
    if resources > 1:
        sums = np.ones(arms)
        programmes = (
            least_cost("best mix within a budget", -earned, (used - rate).T, sums, [(0.0, None)])
            for earned, used in zip(rewards, consumption, strict=True)
        )
        return np.array([probabilities(answer) for answer in programmes]).reshape(replicas, arms)
    used = consumption[..., 0]
    frugal, lavish = used[:, :, None], used[:, None, :]
    # The share of the lavish arm with which the pair uses just the rate; an arm that fits is played alone.
    apart = np.where(lavish > rate, lavish - frugal, 1.0)
    share = np.where(lavish > rate, (rate - frugal) / np.where(apart > 0.0, apart, 1.0), 0.0)
    worth = rewards[:, :, None] + share * (rewards[:, None, :] - rewards[:, :, None])
    best = np.where(frugal <= rate, worth, -np.inf).reshape(replicas, -1).argmax(-1)
    rows, (first, second) = np.arange(replicas), np.unravel_index(best, (arms, arms))
    mixes = np.zeros((replicas, arms))
    mixes[rows, first] = 1.0 - share[rows, first, second]
    mixes[rows, second] += share[rows, first, second]
    return mixes


def with_null(rewards: FloatArray, consumption: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return rewards ``(K + 1,)`` and use ``(K + 1, d)`` with the null arm's zeros at their end."""
    return np.append(rewards, 0.0), np.concatenate([consumption, np.zeros((1, consumption.shape[1]))])


def require_budget(horizon: int, budget: float) -> None:
    """Refuse a budget or a horizon that cannot be.

    Raises:
        ValueError: no round, or a budget that is not a positive number.
    """
    if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or horizon < 1:
        raise ValueError(f"horizon={horizon!r}: expected a whole number of at least 1")
    if not 0.0 < budget < np.inf:
        raise ValueError(
            f"budget={budget!r}: expected a positive number; with none nothing but the null arm can be played"
        )
