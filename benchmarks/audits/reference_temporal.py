"""The reference's temporal audit: everybody holds half of the first seat's endowment, and that seat stops or starts.

The limits are known: defection means zero, which hurts the defector in the stage game already, and partners never
react.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from coopgym.benchmarks.audits.action_plan import ActionPlans, ResetDraws
from coopgym.benchmarks.audits.deviation_schedule import (
    DeviationSchedule,
    action_plans,
    gains,
    ramp,
    temporal_table,
    window,
)
from coopgym.benchmarks.audits.records import Audited, AuditOptions, with_summary
from coopgym.benchmarks.audits.rollout import evaluation, outcome
from coopgym.games.game import AnyGame

COOPERATION = 0.5
EPISODES = 10
SWITCHES = (0.50, 0.60, 0.70, 0.80, 0.90, 0.95)
LAST_STEPS = (5, 3, 1)
EARLY = (0.1, 0.2, 0.3)
RAMP = 0.8

VULNERABILITIES = ("immune", "terminal_only", "late_vulnerable", "partially_vulnerable", "broadly_vulnerable")
"""Classes by when defection begins to pay. Early and gradual defection do not enter."""


def reference_temporal(game: AnyGame, reward: str, seed: int, options: AuditOptions) -> Audited:
    """Let the first seat defect from the beginning, up to a step, from a step on, and gradually.

    Episode k is reset with ``1000·seed + k``; the length of an episode is measured with ``seed``. Evaluation columns
    describe the baseline. Summary numbers: ``endowment``, ``coop_action``, ``episode_length``,
    ``n_exploitative_switchpoints``, ``total_switchpoints_tested``, ``vulnerability`` (place in `VULNERABILITIES`) and,
    unless immune, ``exploitation_onset_fraction``.
    """
    endowments, seats = game.spec.endowments, np.zeros(1, dtype=np.int64)
    held = np.minimum(COOPERATION * endowments[0], endowments)
    measured = outcome(game, reward, ActionPlans.levels(held[None]), ResetDraws.seeded(game, np.array([[seed]])))
    length = int(measured.lengths[0])
    schedule = strategies(length)
    draws = ResetDraws.seeded(game, 1000 * seed + np.arange(EPISODES)[None]).distinct()
    found = outcome(game, reward, action_plans(schedule, seats, held, endowments[:1]), draws)
    own, others = gains(found, seats, found.returns[0])
    late = schedule.strategy == "late"
    fractions = schedule.fraction[0, late]
    exploitative = ((own > 0) & (others < 0))[0, late]
    vulnerability, onset = vulnerability_class(fractions, exploitative), onset_fraction(fractions, exploitative)
    summary = {
        "endowment": float(endowments[0]),
        "coop_action": COOPERATION * float(endowments[0]),
        "episode_length": float(length),
        "n_exploitative_switchpoints": float(exploitative.sum()),
        "total_switchpoints_tested": float(late.sum()),
        "vulnerability": float(VULNERABILITIES.index(vulnerability)),
        **({} if onset is None else {"exploitation_onset_fraction": onset}),
    }
    columns = evaluation(game, reward, held, draws)
    table = temporal_table(schedule, seats, COOPERATION, found, own, others, tie=0.0)
    return Audited(with_summary(columns, summary), {"audit_temporal": table})


def strategies(length: int) -> DeviationSchedule:
    """Return what the first seat plays in an episode of some length; the baseline comes first."""
    switches, durations = switch_steps(length), [max(1, int(share * length)) for share in EARLY]
    start = max(1, int(RAMP * length))
    zero, end = np.zeros((1, 1)), np.full((1, 1), COOPERATION / max(1, length - start))
    schedule = (
        window("baseline", length, COOPERATION, zero + COOPERATION, np.nan, np.nan)
        + window("full", length, COOPERATION, zero, 0, length - 1)
        + window("late", length, COOPERATION, np.zeros((1, len(switches))), switches, length - 1)
        + window("early", length, COOPERATION, np.zeros((1, len(durations))), 0, np.array(durations) - 1)
        + ramp(length, COOPERATION, end, start)
    )
    return replace(schedule, fraction=np.round(schedule.fraction, 3))


def switch_steps(length: int) -> list[int]:
    """Return the steps from which on the first seat defects."""
    steps = {max(1, int(share * length)) for share in SWITCHES}
    return sorted(steps | {length - steps_left for steps_left in LAST_STEPS if length > steps_left})


def onset_fraction(fractions: Iterable[float], exploitative: Iterable[bool]) -> float | None:
    """Return the earliest exploitative switch as a fraction of the episode, or None where no switch is."""
    return min((float(f) for f, exploits in zip(fractions, exploitative, strict=True) if exploits), default=None)


def vulnerability_class(fractions: Sequence[float], exploitative: Sequence[bool]) -> str:
    """Classify a game by which switches to defection ``(S,)`` exploit the others."""
    onset = onset_fraction(fractions, exploitative)
    if onset is None:
        return "immune"
    if onset >= 0.9:
        return "terminal_only"
    if onset >= 0.7:
        return "late_vulnerable"
    return "broadly_vulnerable" if 2 * sum(exploitative) >= len(exploitative) else "partially_vulnerable"
