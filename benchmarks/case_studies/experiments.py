"""The functional experiments by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from coopgym.benchmarks.case_studies.case_file import case_hash, load_case
from coopgym.benchmarks.case_studies.interdependence.engine import DyadParameters, play
from coopgym.benchmarks.case_studies.reciprocity.experiment import MEMORY, RECIPROCITY
from coopgym.benchmarks.case_studies.scorecard import MODELS, points_of
from coopgym.benchmarks.case_studies.sweep import Columns, Experiment, Metric
from coopgym.benchmarks.case_studies.team.experiment import TEAM, TEAM_STATED, TEAM_SUM
from coopgym.benchmarks.case_studies.trust.experiment import TRUST
from coopgym.typing import FloatArray


def _forms(columns: Columns) -> Columns:
    """Points of S-LCD by the reference rubric, for both forms of value creation."""
    case = load_case("slcd")
    rules, measures = case.criteria("reference"), MODELS[case.mechanism].measures
    dependence = np.zeros((len(columns["share"]), 2, 2))
    dependence[:, 0, 1], dependence[:, 1, 0] = columns["on Sony"], columns["on Samsung"]
    shares = np.stack([columns["share"], 1.0 - columns["share"]], axis=-1)

    def points(form: str) -> FloatArray:
        dyad = DyadParameters(**case.parameters).dyad(form)
        return points_of(rules, measures, play(replace(dyad, dependence=dependence, shares=shares)))

    logarithmic, power = points("logarithmic"), points("power")
    return {"logarithmic": logarithmic, "power": power, "lead": logarithmic - power}


INTERDEPENDENCE = Experiment(
    name="interdependence",
    basis=case_hash("slcd"),
    grids={
        "quick": {
            "on Sony": np.linspace(0.1, 0.9, 5).tolist(),
            "on Samsung": np.linspace(0.1, 0.9, 5).tolist(),
            "share": (0.3, 0.5, 0.7),
        },
        "full": {
            "on Sony": np.linspace(0.0, 1.0, 21).tolist(),
            "on Samsung": np.linspace(0.0, 1.0, 21).tolist(),
            "share": np.linspace(0.3, 0.7, 9).tolist(),
        },
    },
    metrics=(
        Metric("logarithmic", "closed form", "points of the logarithmic form, whatever depends on whom"),
        Metric("power", "closed form", "points of the power form, whatever depends on whom"),
        Metric("lead", "closed form", "points by which the logarithmic form leads", lambda lead: lead > 0.0),
    ),
    measure=_forms,
)

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {each.name: each for each in (INTERDEPENDENCE, TRUST, TEAM, TEAM_SUM, TEAM_STATED, RECIPROCITY, MEMORY)}
)
"""By the names that the command line takes."""
