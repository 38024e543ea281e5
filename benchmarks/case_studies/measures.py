"""What rubrics measure: pure functions of an outcome and, where it has phases, one of them, to numbers ``(...)``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from coopgym.typing import FloatArray

CriterionMeasure: TypeAlias = Callable[..., FloatArray]
"""Takes an outcome and, where the criterion names a phase, that phase counted from 0."""


def by_name(*measures: CriterionMeasure) -> Mapping[str, CriterionMeasure]:
    """Return measures by the names that case files call them by."""
    return MappingProxyType({measure.__name__: measure for measure in measures})


def measured(measures: Mapping[str, CriterionMeasure], name: str, phase: int | None, outcome: Any) -> FloatArray:
    """Return what a measure says of an outcome, in a phase counted from 1 or, with None, over all of it."""
    return measures[name](outcome) if phase is None else measures[name](outcome, phase - 1)
