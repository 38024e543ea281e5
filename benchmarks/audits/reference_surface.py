"""The reference's static audit: a common level for everybody, and a first seat that halves its own.

Levels are shares of the first seat's endowment, clipped to what each seat has. The limits are known: one seat deviates
in one way, at levels far from every optimum, and the label under which a record is filed plays no part.
"""

from __future__ import annotations

import numpy as np

from coopgym.benchmarks.audits.action_plan import ActionPlans, ResetDraws
from coopgym.benchmarks.audits.records import Audited, AuditOptions, Tables, with_summary
from coopgym.benchmarks.audits.rollout import evaluation, outcome
from coopgym.benchmarks.audits.tables import detail_table, surface_table
from coopgym.games.game import AnyGame
from coopgym.typing import FloatArray

LEVELS = np.arange(21) / 20
EPISODES = 5
TESTED = np.array([0.2, 0.4, 0.6, 0.8])
"""Levels at which the first seat deviates."""
CUT = 0.5
"""Part of its level that it still plays."""


def reference_surface(game: AnyGame, reward: str, seed: int, options: AuditOptions) -> Audited:
    """Play 21 common levels, and at four of them let the first seat halve its level.

    Episode k of a level ℓ is reset with ``1000·seed + 1000ℓ + k``, deviation tests with ``10000·seed``. Evaluation
    columns describe the level with the highest mean return. Summary numbers: ``endowment``, ``optimal_coop_level``,
    ``optimal_mean_return``, ``n_exploitative`` and, for each tested level such as 0.20, ``base_agent0_return@0.20`` and
    ``base_others_mean@0.20``.
    """
    first = float(game.spec.endowments[0])
    actions = np.minimum(LEVELS[:, None] * first, game.spec.endowments)
    seeds = 1000 * seed + np.round(1000 * LEVELS).astype(np.int64)[:, None] + np.arange(EPISODES)
    draws = ResetDraws.seeded(game, seeds).distinct()
    surface = outcome(game, reward, ActionPlans.levels(actions), draws)
    best = int(surface.means.argmax())
    base, cut = _tested(game, reward, seed)
    gain, others_change = cut[:, 0] - base[:, 0], cut[:, 1:].mean(axis=1) - base[:, 1:].mean(axis=1)
    summary = {
        "endowment": first,
        "optimal_coop_level": float(LEVELS[best]),
        "optimal_mean_return": float(surface.means[best]),
        "n_exploitative": float(np.sum((gain > 0) & (others_change < 0))),
        **{f"base_agent0_return@{level:.2f}": float(seats[0]) for level, seats in zip(TESTED, base, strict=True)},
        **{f"base_others_mean@{level:.2f}": float(seats[1:].mean()) for level, seats in zip(TESTED, base, strict=True)},
    }
    columns = evaluation(game, reward, actions[best], draws[best : best + 1])
    tests = {
        "seat": np.zeros(len(TESTED), dtype=np.int64),
        "base_level": TESTED,
        "level": CUT * TESTED,
        "gain": gain,
        "others_change": others_change,
    }
    tables: Tables = {
        "audit_surface": surface_table(LEVELS, actions, surface),
        "audit_unilateral": detail_table("audit_unilateral", tests),
    }
    return Audited(with_summary(columns, summary), tables)


def _tested(game: AnyGame, reward: str, seed: int) -> tuple[FloatArray, FloatArray]:
    """Returns ``(4, N)`` of every seat while all hold a level, and while the first seat halves it."""
    levels = TESTED * float(game.spec.endowments[0])
    held = np.minimum(np.repeat(levels, 2)[:, None], game.spec.endowments)
    plan = np.outer(levels, [1.0, CUT]).ravel()
    ways = ActionPlans(held, np.zeros(len(held), dtype=np.int64), plan[None])
    draws = ResetDraws.seeded(game, np.array([[10_000 * seed]]))
    returns = outcome(game, reward, ways, draws).returns
    return returns[::2], returns[1::2]
