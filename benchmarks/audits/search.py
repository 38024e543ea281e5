"""The best open-loop deviation that a search finds: the reference for deviations that were thought of in advance."""

from __future__ import annotations

import numpy as np

from coopgym.benchmarks.audits.action_plan import ActionPlans, ResetDraws
from coopgym.benchmarks.audits.rollout import outcome
from coopgym.games.game import AnyGame
from coopgym.oracles.dynamic.deviation_search import EFFORTS, Effort, EffortName
from coopgym.oracles.dynamic.plan_search import Values, climb, sweep
from coopgym.typing import FloatArray, IntArray


def best_plans(
    game: AnyGame, reward: str, seats: IntArray, base: float, starts: FloatArray, draws: ResetDraws, effort: EffortName
) -> FloatArray:
    """Improve plans of seats that deviate one at a time while everybody else holds a common level.

    Args:
        game: on the NumPy backend.
        reward: what the seats want.
        seats: ``(K,)`` who deviates.
        base: share of endowment of everybody else.
        starts: ``(L, K)`` shares to begin with.
        draws: of the resets.
        effort: ``"quick"`` or ``"full"``, as in `coopgym.oracles.dynamic.deviation.best_deviation`.

    Returns:
        Plans for the whole horizon, ``(T, K)``, that earn at least what the given ones do.
    """
    held, horizon = base * game.spec.endowments, game.spec.horizon
    starts = np.pad(starts, ((0, horizon - len(starts)), (0, 0)), mode="edge")

    def values_for(seat: int) -> Values:
        def values(plans: FloatArray) -> FloatArray:
            actions = plans.T[:, None] * game.spec.endowments[seat]
            ways = ActionPlans.deviating(held, np.array([seat]), actions)
            return outcome(game, reward, ways, draws).returns[:, seat]

        return values

    pairs = zip(seats.tolist(), starts.T, strict=True)
    found = [_improved(values_for(seat), start, EFFORTS[effort]) for seat, start in pairs]
    return np.stack(found, axis=1)


def _improved(values: Values, plan: FloatArray, effort: Effort) -> FloatArray:
    """Climb, then set stretches to fixed levels and climb again, for as many rounds as the effort says."""
    plan = climb(values, plan, effort.climbing)
    for _ in range(effort.sweeps):
        plan = climb(values, sweep(values, plan, effort.levels, (*effort.lengths, len(plan))), effort.climbing)
    return plan
