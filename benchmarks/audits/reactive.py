"""Deviations among partners that react: whether it still pays to hold another level, or to leave before the end."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from coopgym.benchmarks.audits.action_plan import ActionPlans, ResetDraws
from coopgym.benchmarks.audits.partners import partner
from coopgym.benchmarks.audits.records import Audited, AuditOptions, even_grid, relative, without_rounding
from coopgym.benchmarks.audits.rollout import outcome_among
from coopgym.benchmarks.audits.seats import seat_kinds
from coopgym.benchmarks.audits.tables import detail_table
from coopgym.benchmarks.audits.temporal import switch_steps
from coopgym.games.game import AnyGame
from coopgym.typing import FloatArray, IntArray

LATE_LEVELS = np.linspace(0.0, 1.0, 6)


def reactive(game: AnyGame, reward: str, seed: int, options: AuditOptions) -> Audited:
    """Put one seat of each kind among copies of each partner. The seed does not matter unless a partner draws.

    The seat is compared with a copy of the partner in its place: rows hold what it gains by holding each level
    instead, and the base level is what the others play while it does as they do. Summary numbers for each partner such
    as ``GrimTrigger``, gains being shares of the return of the copy: ``held_gain@GrimTrigger`` of the best level held
    throughout, ``late_gain@GrimTrigger`` of the best of six levels taken up later and ``late_from@GrimTrigger``,
    when that is, as a fraction of the horizon. Kinds of seats are those of the game: partners that answer one
    neighbour may tell seats of a kind apart.
    """
    tables: list[pa.Table] = []
    summary: dict[str, float] = {}
    for name in options.partners:
        table, numbers = _among(game, reward, name, seed, options)
        tables.append(table)
        summary |= {f"{key}@{name}": number for key, number in numbers.items()}
    return Audited({"class_metrics": summary}, {"audit_unilateral": pa.concat_tables(tables)})


def _among(
    game: AnyGame, reward: str, name: str, seed: int, options: AuditOptions
) -> tuple[pa.Table, dict[str, float]]:
    seats, levels = seat_kinds(game, reward), even_grid(options.grid_step)
    steps = switch_steps(game.spec.horizon, options)[1:]
    ways = _ways(game, seats, levels, steps)
    found, shares = outcome_among(
        game,
        reward,
        lambda: [partner(name) for _ in range(game.n_agents)],
        ways,
        ResetDraws.fixed(game, options.hidden_draws),
        seed=seed,
    )
    kinds, n_agents = len(seats), game.n_agents
    returns = found.returns.reshape(kinds, -1, n_agents)
    own = np.take_along_axis(returns, seats[:, None, None], axis=2)[..., 0]
    others = (returns.sum(axis=2) - own) / (n_agents - 1)
    gain = without_rounding(own - own[:, :1], own[:, :1])
    others_change = without_rounding(others - others[:, :1], others[:, :1])
    played = (shares.sum(axis=0) / found.lengths[:, None]).reshape(kinds, -1, n_agents)[:, 0]
    base = (played.sum(axis=1) - played[np.arange(kinds), seats]) / (n_agents - 1)
    held, late = slice(1, 1 + len(levels)), slice(1 + len(levels), None)
    table = {
        "seat": np.repeat(seats, len(levels)),
        "base_level": np.repeat(base, len(levels)),
        "level": np.tile(levels, kinds),
        "gain": gain[:, held].ravel(),
        "others_change": others_change[:, held].ravel(),
        "partner": np.full(kinds * len(levels), name),
    }
    worth = relative(gain, own[:, :1], game)
    numbers = {"held_gain": float(worth[:, held].max())}
    if len(steps):
        best = int(worth[:, late].max(axis=0).argmax())
        numbers["late_gain"] = float(worth[:, late].max())
        numbers["late_from"] = float(steps[best // len(LATE_LEVELS)] / game.spec.horizon)
    return detail_table("audit_unilateral", table), numbers


def _ways(game: AnyGame, seats: IntArray, levels: FloatArray, steps: IntArray) -> ActionPlans:
    """For every seat: a copy of the partner, every level held throughout, and every late level from every step on."""
    t = np.arange(game.spec.horizon)[:, None, None]
    late = np.where(t >= steps[:, None], LATE_LEVELS, np.nan).reshape(len(t), -1)
    shares = np.concatenate(
        [np.full((len(t), 1), np.nan), np.broadcast_to(levels, (len(t), len(levels))), late], axis=1
    )
    plans = shares[:, None] * game.spec.endowments[seats][:, None]
    return ActionPlans.deviating(np.full(game.n_agents, np.nan), seats, plans)
