"""Renault–Nissan: whether negativity and reputation explain the score, or the script alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coopgym.benchmarks.case_studies.case_file import CaseFile, Rubric
from coopgym.benchmarks.case_studies.trust.criteria import anchor_distance, pair_final
from coopgym.benchmarks.case_studies.trust.engine import AllianceParameters, Ceiling, Rates, TrustPath, follow
from coopgym.benchmarks.case_studies.variant import SEED, Comparison, Variant
from coopgym.typing import FloatArray

DRAWS = 1_000
RANGES = {
    "lambda_plus": (0.05, 0.15),
    "lambda_minus": (0.15, 0.45),
    "mu_R": (0.5, 0.7),
    "delta_R": (0.01, 0.05),
    "xi": (0.3, 0.7),
    "kappa": (0.5, 1.5),
}
"""From which the published sweep takes its parameters."""


def variants(case: CaseFile, rubric: Rubric) -> tuple[Variant[TrustPath], ...]:
    """Return the recursion as released and with the ceiling that the registered game has."""
    parameters = AllianceParameters(**case.parameters)
    trust = np.array(parameters.initial_trust if rubric == "reference" else parameters.intended_trust)
    return (
        _variant("released", "the ceiling ends building and cuts nothing off", parameters, trust, "open"),
        _variant(
            "capped", "trust never stands above the ceiling, as in the registered game", parameters, trust, "capped"
        ),
    )


def _variant(
    name: str, about: str, parameters: AllianceParameters, trust: FloatArray, ceiling: Ceiling
) -> Variant[TrustPath]:
    rates, intended = Rates.of(parameters), np.array(parameters.intended_trust)

    def path(changed: Rates = rates, initial: FloatArray = trust) -> TrustPath:
        return follow(parameters, changed, initial, ceiling)

    mild, scarless = {"lambda_minus": rates.lambda_plus}, {"mu_R": np.array(0.0)}
    published = path()
    start = (
        Comparison(
            "sensitivity", "intended start", "initial trust in its right columns", lambda: path(initial=intended)
        ),
        Comparison(
            "sensitivity",
            "no diagonal",
            "the diagonal of the released start is zero",
            lambda: path(initial=np.array(parameters.initial_trust) * (1.0 - np.eye(2))),
        ),
    )
    return Variant(
        name,
        about,
        published,
        (
            Comparison(
                "ablation", "no negativity", "trust erodes as fast as it builds", lambda: path(replace(rates, **mild))
            ),
            Comparison("ablation", "no reputation", "nothing does damage", lambda: path(replace(rates, **scarless))),
            Comparison(
                "ablation",
                "neither",
                "no negativity and no reputation",
                lambda: path(replace(rates, **mild, **scarless)),
            ),
            *start,
            Comparison("null", "random parameters", "all six from the ranges of the sweep", lambda: path(_random())),
        ),
        {
            "trust at the end": float(pair_final(published)),
            "distance from the anchors": float(anchor_distance(published)),
        },
    )


def _random() -> Rates:
    rng = np.random.default_rng(SEED)
    return Rates(**{name: rng.uniform(low, high, DRAWS) for name, (low, high) in RANGES.items()})
