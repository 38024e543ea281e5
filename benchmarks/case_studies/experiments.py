"""The functional experiments by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from coopgym.benchmarks.case_studies.point_experiments import POINT_EXPERIMENTS
from coopgym.benchmarks.case_studies.reciprocity.experiment import COMPANY, MEMORY, RECIPROCITY
from coopgym.benchmarks.case_studies.sweep import Experiment
from coopgym.benchmarks.case_studies.team.experiment import TEAM, TEAM_STATED, TEAM_SUM
from coopgym.benchmarks.case_studies.trust.experiment import TRUST

EXPERIMENTS: Mapping[str, Experiment] = MappingProxyType(
    {each.name: each for each in (*POINT_EXPERIMENTS, TRUST, TEAM, TEAM_SUM, TEAM_STATED, RECIPROCITY, MEMORY, COMPANY)}
)
"""By the names that the command line takes."""
