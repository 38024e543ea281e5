"""S-LCD: whether dependence, or the form of value creation, explains the score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coopgym.benchmarks.case_studies.case_file import CaseFile, Rubric
from coopgym.benchmarks.case_studies.interdependence.criteria import cooperation_gain, value_gain
from coopgym.benchmarks.case_studies.interdependence.engine import (
    Dyad,
    DyadParameters,
    StaticOutcome,
    dependence_matrices,
    play,
    synergy_shares,
    without_dependence,
)
from coopgym.benchmarks.case_studies.variant import SEED, Comparison, Variant

DRAWS = {"reference": 20_000, "v2": 200}
"""The second rubric solves each draw from fifty starts."""
SMALL_SYNERGY = 0.2
"""γ at which the power form scores best."""


def variants(case: CaseFile, rubric: Rubric) -> tuple[Variant[StaticOutcome], ...]:
    """Return both forms of value creation."""
    parameters = DyadParameters(**case.parameters)
    return tuple(_variant(name, parameters.dyad(name), DRAWS[rubric]) for name in ("logarithmic", "power"))


def _variant(name: str, dyad: Dyad, draws: int) -> Variant[StaticOutcome]:
    published = play(dyad)
    return Variant(
        name,
        f"value of an investment is {name}",
        published,
        (
            Comparison(
                "ablation", "no dependence", "D is zero, the synergy stays", lambda: play(without_dependence(dyad))
            ),
            Comparison(
                "sensitivity",
                "alone with the synergy",
                "only D is switched off for the baseline",
                lambda: play(dyad, without_dependence(dyad)),
            ),
            Comparison(
                "sensitivity",
                "small synergy",
                f"γ is {SMALL_SYNERGY}",
                lambda: play(replace(dyad, gamma=np.array(SMALL_SYNERGY))),
            ),
            Comparison(
                "null",
                "random structure",
                "D from U[0, 1], Samsung's share from U[0.3, 0.7]",
                lambda: _random(dyad, draws),
            ),
        ),
        {
            "investment together, Samsung": float(published.together.actions[0]),
            "investment together, Sony": float(published.together.actions[1]),
            "investment alone": float(published.alone.actions[0]),
            "gain in investment, per cent": float(cooperation_gain(published)),
            "gain in value, per cent": float(value_gain(published)),
        },
    )


def _random(dyad: Dyad, draws: int) -> StaticOutcome:
    rng = np.random.default_rng(SEED)
    dependence, share = dependence_matrices(rng.random((draws, 2))), rng.uniform(0.3, 0.7, draws)
    return play(replace(dyad, dependence=dependence, shares=synergy_shares(share)))
