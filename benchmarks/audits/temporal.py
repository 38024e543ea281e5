"""Deviations in time: leaving a common level from a step on, for a while, up to a step, or gradually."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from coopgym.benchmarks.audits.action_plan import Chance, Conduct
from coopgym.benchmarks.audits.deviation_schedule import (
    Timetable,
    conduct,
    gains,
    planned,
    ramp,
    temporal_table,
    window,
)
from coopgym.benchmarks.audits.records import ROUNDING, Audited, AuditOptions, even_grid, relative, with_summary
from coopgym.benchmarks.audits.rollout import evaluation, outcome
from coopgym.benchmarks.audits.search import best_plans
from coopgym.benchmarks.audits.seats import seat_kinds
from coopgym.benchmarks.audits.surface import common_levels
from coopgym.games.game import AnyGame
from coopgym.games.state import map_arrays
from coopgym.oracles.games.best_response import responses
from coopgym.oracles.games.normal_form import StageGameByRow
from coopgym.oracles.games.rollout import initial_state, repeated
from coopgym.play import NOMINAL, unroll
from coopgym.rewards import objective
from coopgym.typing import FloatArray, IntArray


def temporal(game: AnyGame, reward: str, seed: int, options: AuditOptions) -> Audited:
    """Let one seat of each kind deviate in time from each base level. The seed does not matter.

    Seats deviate to the best response of the stage game they find when they begin, to nothing, and to just below the
    norm. The best plan that a search finds is played too, as strategy ``best``. Evaluation columns describe the first
    base. Summary numbers for each base such as ``best``, gains being shares of the seat's return: ``base_level@best``;
    ``tested_gain@best`` of the most profitable deviation tested; ``found_gain@best`` of the best one known after the
    search, and ``others_change@best``, what it does to the others' mean return as a share of the base return;
    ``exploitative_share@best`` of the deviations tested; and, where some late deviation is exploitative,
    ``onset@best``, the earliest of them as a fraction of the episode.
    """
    seats, chance = seat_kinds(game, reward), Chance.fixed(game, options.hidden_draws)
    levels = [base_level(game, reward, base, options, chance) for base in options.bases]
    tables: list[pa.Table] = []
    summary: dict[str, float] = {}
    for base, level in zip(options.bases, levels, strict=True):
        base_tables, numbers = _audited(game, reward, seats, level, chance, options)
        tables += base_tables
        name = base if isinstance(base, str) else f"{base:g}"
        summary |= {f"{key}@{name}": number for key, number in numbers.items()}
    columns = evaluation(game, reward, levels[0] * game.spec.endowments, chance)
    return Audited(with_summary(columns, summary), {"audit_temporal": pa.concat_tables(tables)})


def base_level(game: AnyGame, reward: str, base: str | float, options: AuditOptions, chance: Chance) -> float:
    """Return the share of endowment that a base stands for."""
    if base == "best":
        levels = even_grid(options.surface_step)
        return float(levels[common_levels(game, reward, levels, chance)[1].means.argmax()])
    return common_norm(game) if base == "norm" else float(base)


def common_norm(game: AnyGame) -> float:
    """Return the share of endowment that partners expect, as a mean over seats."""
    return float((game.spec.baselines / game.spec.endowments).mean())


def stage_answers(game: AnyGame, reward: str, held: FloatArray, seats: IntArray, steps: IntArray) -> FloatArray:
    """Return what seats ``(K,)`` do best in the stage games of some steps ``(S,)``, as shares ``(K, S)``.

    The steps are met while all seats hold actions ``(N,)``; what a reset hides is at its median.
    """
    start, length = repeated(game, initial_state(game), (1,)), int(steps.max()) + 1
    path = unroll(game, lambda *_: held[None], start=start, draws=NOMINAL, horizon=length, past_end=True)
    met = [step.before for step in path if step.t in steps]
    states = map_arrays(lambda *arrays: np.concatenate(arrays), *met)
    profiles = np.broadcast_to(held / game.spec.endowments, (len(steps), game.n_agents))
    shares, _ = responses(StageGameByRow(game, objective(reward), states), profiles, tuple(map(int, seats)))
    return shares.T


def deviations(length: int, base: float, steps: IntArray, levels: FloatArray, pulses: tuple[int, ...]) -> Timetable:
    """Return all combinations of when to begin or end and how far to go; the baseline comes first.

    Args:
        length: steps L of the episode.
        base: share of endowment that the seat plays otherwise.
        steps: ``(S,)`` switching times in ascending order, the first of them 0.
        levels: ``(K, G, S)`` shares that each seat deviates to if it begins at that time.
        pulses: steps that passing deviations last.
    """
    kinds, goals, _ = levels.shape

    def from_steps(chosen: IntArray) -> tuple[FloatArray, IntArray]:
        """Levels ``(K, G·C)`` and first steps ``(G·C,)`` of deviations that begin at some switching times."""
        return levels[:, :, chosen].reshape(kinds, -1), np.tile(steps[chosen], goals)

    opening_levels, later = levels[:, :, 0], np.arange(1, len(steps))
    late, late_steps = from_steps(later)
    gradual, gradual_steps = from_steps(np.flatnonzero(steps < length - 1))
    timetable = (
        window("baseline", length, base, np.full((kinds, 1), base), np.nan, np.nan)
        + window("full", length, base, opening_levels, 0, length - 1)
        + window("late", length, base, late, late_steps, length - 1)
        + window("early", length, base, np.repeat(opening_levels, len(later), 1), 0, np.tile(steps[later], goals) - 1)
        + ramp(length, base, gradual, gradual_steps)
    )
    for duration in pulses:
        passing, first = from_steps(np.flatnonzero(steps + duration <= length))
        timetable += window("pulse", length, base, passing, first, first + duration - 1)
    return timetable


def _audited(
    game: AnyGame, reward: str, seats: IntArray, base: float, chance: Chance, options: AuditOptions
) -> tuple[list[pa.Table], dict[str, float]]:
    endowments = game.spec.endowments
    held, unit = base * endowments, endowments[seats]
    undisturbed = outcome(game, reward, Conduct.levels(held[None]), chance)
    baseline, length = undisturbed.returns[0], int(undisturbed.lengths.min())
    tie = ROUNDING * max(1.0, float(np.abs(baseline).max()))
    steps = switch_steps(length, options)
    answers = stage_answers(game, reward, held, seats, steps)
    below_norm = np.full_like(answers, max(0.0, common_norm(game) - options.margin))
    levels = np.stack([answers, np.zeros_like(answers), below_norm], axis=1)
    tested = deviations(length, base, steps, levels, options.pulses)
    played = outcome(game, reward, conduct(tested, seats, held, unit), chance)
    own, others = gains(played, seats, baseline)
    tables = [temporal_table(tested, seats, base, played, own, others, tie)]
    late, exploitative = tested.strategy == "late", (own > tie) & (others < -tie)
    base_returns = baseline[seats, None]
    summary = {
        "base_level": base,
        "tested_gain": float(relative(own, base_returns, game).max()),
        "exploitative_share": float(exploitative[:, 1:].mean()),
    }
    if exploitative[:, late].any():
        summary["onset"] = float(tested.fraction[:, late][exploitative[:, late]].min())
    if options.search:
        starts = tested.plans[:, np.arange(len(seats)), own.argmax(axis=1)]
        found = planned("best", base, best_plans(game, reward, seats, base, starts, chance, options.search))
        played = outcome(game, reward, conduct(found, seats, held, unit), chance)
        best_own, best_others = gains(played, seats, baseline)
        tables.append(temporal_table(found, seats, base, played, best_own, best_others, tie))
        best = relative(best_own, base_returns, game)
        summary["found_gain"] = float(best.max())
        summary["others_change"] = float(relative(best_others, base_returns, game)[best.argmax()].item())
    return tables, summary


def switch_steps(length: int, options: AuditOptions) -> IntArray:
    """Return switching times in ascending order, the first of them 0."""
    spread = np.round(even_grid(options.switch_step)[:-1] * length).astype(np.int64)
    last = [length - left for left in options.last_steps if left < length]
    return np.unique([*spread, *last])
