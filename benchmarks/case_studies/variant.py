"""A model of a case as it is scored, and what it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

OutcomeT = TypeVar("OutcomeT")

ComparisonKind = Literal["ablation", "null", "probe", "sensitivity"]
"""A mechanism off; draws that know nothing of the case; a path that is no model; another choice of those who model."""

SEED = 0
"""Of everything that comparisons draw."""


@dataclass(frozen=True)
class Comparison(Generic[OutcomeT]):
    """Something that is scored by the same rubric."""

    kind: ComparisonKind
    name: str
    about: str
    outcome: Callable[[], OutcomeT]
    """One outcome, or a batch ``(draws)``."""


@dataclass(frozen=True)
class Variant(Generic[OutcomeT]):
    """One model of a case."""

    name: str
    about: str
    outcome: OutcomeT
    comparisons: tuple[Comparison[OutcomeT], ...]
    diagnostics: Mapping[str, float] = field(default_factory=dict)
    """Numbers that are printed and not scored."""
