"""Unilateral deviations: what one seat gains by holding another level than everybody else."""

from __future__ import annotations

import numpy as np

from coopgym.benchmarks.audits.action_plan import ActionPlans, ResetDraws
from coopgym.benchmarks.audits.records import (
    MATERIAL,
    Audited,
    AuditOptions,
    even_grid,
    relative,
    with_summary,
    without_rounding,
)
from coopgym.benchmarks.audits.rollout import evaluation, outcome
from coopgym.benchmarks.audits.seats import seat_kinds
from coopgym.benchmarks.audits.tables import detail_table
from coopgym.games.game import AnyGame
from coopgym.typing import BoolArray, FloatArray


def unilateral(game: AnyGame, reward: str, seed: int, options: AuditOptions) -> Audited:
    """Play every base level against every deviation of one seat of each kind. The seed does not matter.

    Summary numbers of a seat k, gains being shares of its return at the base level: ``best_gain_seat<k>`` over all base
    levels; ``calm_level_seat<k>``, the base level it gains least by leaving, and ``calm_gain_seat<k>``, 0 where that is
    its own best response; ``exploitable_share_seat<k>``, the part of base levels at which some deviation gains at least
    a thousandth while the others lose, and ``exploitable_from_seat<k>`` and ``exploitable_to_seat<k>``, the first and
    last of them. ``stable_level`` and ``stable_gain`` are the calm level and gain of all seats at once, which
    the evaluation columns describe.
    """
    levels, seats = even_grid(options.grid_step), seat_kinds(game, reward)
    draws = ResetDraws.fixed(game, options.hidden_draws)
    count, kinds = len(levels), len(seats)
    held = np.repeat(levels, count)[:, None] * game.spec.endowments  # (B·D, N)
    ways = ActionPlans(
        held=np.tile(held, (kinds, 1)),
        seat=np.repeat(seats, count * count),
        plan=np.outer(game.spec.endowments[seats], np.tile(levels, count)).reshape(1, -1),
    )
    returns = outcome(game, reward, ways, draws).returns.reshape(kinds, count, count, game.n_agents)
    own = np.take_along_axis(returns, seats[:, None, None, None], axis=3)[..., 0]
    others = (returns.sum(axis=3) - own) / (game.n_agents - 1)
    base, others_base = (np.diagonal(values, axis1=1, axis2=2)[:, :, None] for values in (own, others))
    gain = without_rounding(own - base, base)
    others_change = without_rounding(others - others_base, others_base)
    shares = relative(gain, base, game)
    calm = shares.max(axis=2)  # (K, B), at least 0 because staying is one of the deviations
    exploitable = np.asarray(((shares >= MATERIAL) & (others_change < 0)).any(axis=2))
    stable = int(calm.max(axis=0).argmin())
    summary = {"stable_level": float(levels[stable]), "stable_gain": float(calm[:, stable].max())}
    for seat, gains, exploits in zip(seats, calm, exploitable, strict=True):
        summary |= _seat_summary(seat, levels, gains, exploits)
    columns = evaluation(game, reward, levels[stable] * game.spec.endowments, draws)
    table = {
        "seat": np.repeat(seats, count * count),
        "base_level": np.tile(np.repeat(levels, count), kinds),
        "level": np.tile(levels, kinds * count),
        "gain": gain.ravel(),
        "others_change": others_change.ravel(),
    }
    return Audited(with_summary(columns, summary), {"audit_unilateral": detail_table("audit_unilateral", table)})


def _seat_summary(seat: int, levels: FloatArray, gains: FloatArray, exploitable: BoolArray) -> dict[str, float]:
    calm = int(gains.argmin())
    summary = {
        "best_gain": float(gains.max()),
        "calm_level": float(levels[calm]),
        "calm_gain": float(gains[calm]),
        "exploitable_share": float(exploitable.mean()),
    }
    if exploitable.any():
        summary |= {
            "exploitable_from": float(levels[exploitable][0]),
            "exploitable_to": float(levels[exploitable][-1]),
        }
    return {f"{name}_seat{seat}": value for name, value in summary.items()}
