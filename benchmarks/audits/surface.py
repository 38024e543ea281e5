"""Response surface: what every seat gets when all play the same share of what they own."""

from __future__ import annotations

import numpy as np

from coopgym.benchmarks.audits.action_plan import ActionPlans, ResetDraws
from coopgym.benchmarks.audits.records import Audited, AuditOptions, even_grid, with_summary
from coopgym.benchmarks.audits.rollout import AuditOutcome, evaluation, outcome
from coopgym.benchmarks.audits.tables import surface_table
from coopgym.games.game import AnyGame
from coopgym.typing import FloatArray


def surface(game: AnyGame, reward: str, seed: int, options: AuditOptions) -> Audited:
    """Play every common level. There is no chance in it, so the seed does not matter.

    Evaluation columns describe the level with the highest total return. Summary numbers: ``optimal_level``,
    ``optimal_mean_return``, ``welfare_level``, ``optimal_welfare`` and ``lasting_share``, the part of the levels at
    which the relation lasts until the horizon.
    """
    levels, draws = even_grid(options.surface_step), ResetDraws.fixed(game, options.hidden_draws)
    actions, found = common_levels(game, reward, levels, draws)
    best, welfare = int(found.means.argmax()), found.payoffs.sum(axis=1)
    summary = {
        "optimal_level": float(levels[best]),
        "optimal_mean_return": float(found.means[best]),
        "welfare_level": float(levels[welfare.argmax()]),
        "optimal_welfare": float(welfare.max()),
        "lasting_share": float(np.mean(found.lengths == game.spec.horizon)),
    }
    columns = evaluation(game, reward, actions[best], draws)
    return Audited(with_summary(columns, summary), {"audit_surface": surface_table(levels, actions, found)})


def common_levels(game: AnyGame, reward: str, levels: FloatArray, draws: ResetDraws) -> tuple[FloatArray, AuditOutcome]:
    """Let all seats hold each level ``(L,)``; return actions ``(L, N)`` and the outcome."""
    actions = levels[:, None] * game.spec.endowments
    return actions, outcome(game, reward, ActionPlans.levels(actions), draws)
