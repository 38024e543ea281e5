"""The Apache project: whether loyalty explains the score, or any efforts that decline."""

from __future__ import annotations

import numpy as np

from coopgym.benchmarks.case_studies.case_file import CaseFile, Rubric
from coopgym.benchmarks.case_studies.team.engine import (
    Fork,
    TeamOutcome,
    TeamParameters,
    everybody_plays,
    required_productivity,
    solve,
)
from coopgym.benchmarks.case_studies.variant import SEED, Comparison, Variant
from coopgym.typing import FloatArray

DRAWS = 5_000
CONSTANT = 10.0
"""Effort of the constant null, units."""


def variants(case: CaseFile, rubric: Rubric) -> tuple[Variant[TeamOutcome], ...]:
    """Return both forks: loyal members take the mean of their team-mates' payoffs to heart, or the sum."""
    parameters = TeamParameters(**case.parameters)
    expected = np.array([phase.effort for phase in case.phases])
    return (
        _variant("mean", "loyal members care for the mean of the others' payoffs, as released", parameters, expected),
        _variant("sum", "loyal members care for the sum of the others' payoffs, as first", parameters, expected),
    )


def _variant(fork: Fork, about: str, parameters: TeamParameters, expected: FloatArray) -> Variant[TeamOutcome]:
    published, coded = solve(parameters, fork), np.array(parameters.efforts)

    def alike(efforts: FloatArray) -> TeamOutcome:
        return everybody_plays(parameters, fork, efforts)

    return Variant(
        fork,
        about,
        published,
        (
            Comparison("ablation", "no loyalty", "nobody is loyal", lambda: solve(parameters, fork, loyalty=0.0)),
            Comparison("probe", "coded efforts", "what a perfect model would predict", lambda: alike(coded)),
            Comparison("probe", "game's efforts", "expected efforts of the registered game", lambda: alike(expected)),
            Comparison("null", "constant", f"{CONSTANT:g} in every phase", lambda: alike(np.full(4, CONSTANT))),
            Comparison("null", "random", "four efforts from U[0, 50]", lambda: alike(_random(parameters))),
            Comparison(
                "null",
                "random, declining",
                "the same, sorted downwards",
                lambda: alike(-np.sort(-_random(parameters))),
            ),
        ),
        {
            **{f"effort in phase {k}": float(effort) for k, effort in enumerate(published.means, start=1)},
            "correlation with the coded efforts": float(np.corrcoef(published.means, coded)[0, 1]),
            "root mean square error": float(np.sqrt(((published.means - coded) ** 2).mean())),
            "mean relative error": float(np.abs(published.means / coded - 1.0).mean()),
            **{
                f"productivity that the coded effort of phase {phase + 1} needs": required_productivity(
                    parameters, fork, phase
                )
                for phase in range(len(parameters.members))
            },
        },
    )


def _random(parameters: TeamParameters) -> FloatArray:
    return np.random.default_rng(SEED).uniform(0.0, parameters.cap, (DRAWS, len(parameters.members)))
