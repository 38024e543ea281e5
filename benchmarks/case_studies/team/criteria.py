"""What the rubric of the Apache project measures."""

from __future__ import annotations

import numpy as np

from coopgym.benchmarks.case_studies.measures import by_name
from coopgym.benchmarks.case_studies.team.engine import TeamOutcome
from coopgym.typing import FloatArray


def mean_effort(outcome: TeamOutcome, phase: int) -> FloatArray:
    """Mean effort, units."""
    return outcome.means[..., phase]


def finite_effort(outcome: TeamOutcome, phase: int) -> FloatArray:
    """Whether mean effort is finite."""
    return np.isfinite(outcome.means[..., phase]).astype(np.float64)


def rank_distance(outcome: TeamOutcome, phase: int) -> FloatArray:
    """Places between the rank of a phase by effort, equal ones in the order of time, and its rank in time."""
    efforts, own = outcome.means, outcome.means[..., phase, None]
    ahead = (efforts > own).sum(-1) + (efforts[..., :phase] == own).sum(-1)
    return np.abs(ahead - phase).astype(np.float64)


def part_of_cap(outcome: TeamOutcome, phase: int) -> FloatArray:
    """Mean effort over the cap."""
    return outcome.means[..., phase] / outcome.cap


def part_of_maximum(outcome: TeamOutcome, phase: int) -> FloatArray:
    """Mean effort over that of the busiest phase."""
    return outcome.means[..., phase] / outcome.means.max(-1)


def ratio_to_previous(outcome: TeamOutcome, phase: int) -> FloatArray:
    """Mean effort over that of the phase before."""
    return outcome.means[..., phase] / outcome.means[..., phase - 1]


def response_distance(outcome: TeamOutcome, phase: int) -> FloatArray:
    """Largest distance of a member from its best response, units."""
    return outcome.distance[..., phase]


def interior_part(outcome: TeamOutcome, phase: int) -> FloatArray:
    """Part of the members who are neither at the floor nor at the cap."""
    return outcome.interior[..., phase]


def effort_distance(outcome: TeamOutcome, phase: int) -> FloatArray:
    """Relative distance of mean effort from the coded one."""
    return np.abs(outcome.means[..., phase] / outcome.coded[phase] - 1.0)


def ratio_distance(outcome: TeamOutcome, phase: int) -> FloatArray:
    """Distance of effort over that of the first phase from the coded ratio."""
    coded = outcome.coded[phase] / outcome.coded[0]
    return np.abs(outcome.means[..., phase] / outcome.means[..., 0] - coded)


def decline(outcome: TeamOutcome, phase: int) -> FloatArray:
    """2 for a decline within half and twice the coded ratio, 1 for another decline, 0 for none."""
    ratio, coded = ratio_to_previous(outcome, phase), outcome.coded[phase] / outcome.coded[phase - 1]
    falls = ratio < 1.0
    return 1.0 * falls + (falls & (ratio >= 0.5 * coded) & (ratio <= 2.0 * coded))


MEASURES = by_name(
    mean_effort,
    finite_effort,
    rank_distance,
    part_of_cap,
    part_of_maximum,
    ratio_to_previous,
    response_distance,
    interior_part,
    effort_distance,
    ratio_distance,
    decline,
)
