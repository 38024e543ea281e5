"""Score the models of a case by one of its rubrics, beside all that is no model of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from coopgym.benchmarks.case_studies.case_file import CaseFile, Rubric, case_hash, load_case
from coopgym.benchmarks.case_studies.credit import NEARLY, Criterion
from coopgym.benchmarks.case_studies.interdependence import comparisons as interdependence
from coopgym.benchmarks.case_studies.interdependence.criteria import MEASURES as INTERDEPENDENCE
from coopgym.benchmarks.case_studies.measures import CriterionMeasure, measured
from coopgym.benchmarks.case_studies.reciprocity import comparisons as reciprocity
from coopgym.benchmarks.case_studies.reciprocity.criteria import MEASURES as RECIPROCITY
from coopgym.benchmarks.case_studies.team import comparisons as team
from coopgym.benchmarks.case_studies.team.criteria import MEASURES as TEAM
from coopgym.benchmarks.case_studies.trust import comparisons as trust
from coopgym.benchmarks.case_studies.trust.criteria import MEASURES as TRUST
from coopgym.benchmarks.case_studies.variant import SEED, Comparison, ComparisonKind, Variant
from coopgym.typing import FloatArray


class Model(NamedTuple):
    """How a case is computed and measured."""

    variants: Callable[[CaseFile, Rubric], tuple[Variant[Any], ...]]
    measures: Mapping[str, CriterionMeasure]


MODELS: Mapping[str, Model] = MappingProxyType(
    {
        "interdependence": Model(interdependence.variants, INTERDEPENDENCE),
        "trust": Model(trust.variants, TRUST),
        "team": Model(team.variants, TEAM),
        "reciprocity": Model(reciprocity.variants, RECIPROCITY),
    }
)
"""By the mechanism that a case file names."""


@dataclass(frozen=True)
class Line:
    """A criterion and what the model earns by it."""

    criterion: Criterion
    value: float | None
    """What was measured; None for a literal."""
    points: float


@dataclass(frozen=True)
class Compared:
    """What a comparison earns by the same rubric."""

    kind: ComparisonKind
    name: str
    about: str
    draws: int
    mean: float
    low: float
    """5 % quantile."""
    median: float
    high: float
    """95 % quantile."""
    at_least: float
    """Part of the draws that earn at least what the model earns."""
    percentile: float
    """Of the model among the draws; equal totals count half."""


class Subtotal(NamedTuple):
    """Points, and of how many.

    >>> str(Subtotal(8.5, 9.0))
    '8.5 of 9'
    """

    points: float
    of: float

    def __str__(self) -> str:
        return f"{self.points:g} of {self.of:g}"


@dataclass(frozen=True)
class Scorecard:
    """One model of a case under one rubric."""

    case: str
    title: str
    rubric: Rubric
    variant: str
    about: str
    lines: tuple[Line, ...]
    compared: tuple[Compared, ...]
    diagnostics: Mapping[str, float]
    case_hash: str
    seed: int = SEED
    """Of the draws of comparisons."""

    @property
    def total(self) -> Subtotal:
        """Points of all criteria."""
        return self.over(lambda _: True)

    @property
    def informative(self) -> Subtotal:
        """Without criteria that cannot fail, repeat another one or are judged."""
        return self.over(lambda criterion: criterion.informative)

    @property
    def strictly_informative(self) -> Subtotal:
        """Without those either that hardly ever fail."""
        return self.over(lambda criterion: criterion.informative and NEARLY not in criterion.flags)

    @property
    def categories(self) -> Mapping[str, Subtotal]:
        """Points by category, in the order of the rubric."""
        names = dict.fromkeys(line.criterion.category for line in self.lines)
        return {name: self.over(_in_category(name)) for name in names}

    @property
    def least(self) -> float:
        """Points that any finite outcome earns: the least of every criterion, added up."""
        return sum(line.criterion.least for line in self.lines)

    @property
    def most(self) -> float:
        """Points that no outcome exceeds: the most of every criterion, added up."""
        return sum(line.criterion.most for line in self.lines)

    def over(self, chosen: Callable[[Criterion], bool]) -> Subtotal:
        """Return the points of the chosen criteria."""
        lines = [line for line in self.lines if chosen(line.criterion)]
        return Subtotal(sum(line.points for line in lines), sum(line.criterion.points for line in lines))

    def record(self) -> dict[str, Any]:
        """Return all of it as JSON has it."""
        subtotals = {"total": self.total, "informative": self.informative, **self.categories}
        return {
            "case": self.case,
            "rubric": self.rubric,
            "variant": self.variant,
            "case_hash": self.case_hash,
            "seed": self.seed,
            "subtotals": {name: subtotal._asdict() for name, subtotal in subtotals.items()},
            "floor": self.least,
            "attainable": self.most,
            "criteria": [
                {
                    "id": line.criterion.id,
                    "category": line.criterion.category,
                    "about": line.criterion.about,
                    "evidence": line.criterion.evidence,
                    "basis": line.criterion.basis,
                    "kind": line.criterion.kind,
                    "value": line.value,
                    "target": line.criterion.target,
                    "points": line.points,
                    "of": line.criterion.points,
                    "flags": list(line.criterion.flags),
                }
                for line in self.lines
            ],
            "comparisons": [asdict(each) for each in self.compared],
            "diagnostics": dict(self.diagnostics),
        }


def _in_category(name: str) -> Callable[[Criterion], bool]:
    return lambda criterion: criterion.category == name


@cache
def score_case(name: str, rubric: Rubric = "reference") -> tuple[Scorecard, ...]:
    """Score every model of a case, once in a process.

    Args:
        name: of the case, see `case_names`.
        rubric: ``"reference"`` for the published rules with their faults, ``"v2"`` for one in which all can fail.

    Raises:
        CaseFileError: there is no such case, or its file is not what it must be.

    >>> [(card.variant, str(card.total), str(card.informative)) for card in score_case("renault-nissan")]
    [('released', '49 of 60', '39 of 45'), ('capped', '51 of 60', '41 of 45')]
    """
    case = load_case(name)
    model, rules = MODELS[case.mechanism], case.criteria(rubric)
    return tuple(_scorecard(name, case, rubric, variant, model, rules) for variant in model.variants(case, rubric))


def points_of(rules: tuple[Criterion, ...], measures: Mapping[str, CriterionMeasure], outcome: Any) -> FloatArray:
    """Return the totals ``(...)`` of an outcome or a batch of outcomes."""
    return sum((_earned(criterion, measures, outcome)[1] for criterion in rules), start=np.array(0.0))


def _earned(
    criterion: Criterion, measures: Mapping[str, CriterionMeasure], outcome: Any
) -> tuple[FloatArray | None, FloatArray]:
    if not criterion.measure:
        return None, np.array(criterion.otherwise)
    values = measured(measures, criterion.measure, criterion.phase, outcome)
    return values, criterion.earned(values)


def _scorecard(
    name: str,
    case: CaseFile,
    rubric: Rubric,
    variant: Variant[Any],
    model: Model,
    rules: tuple[Criterion, ...],
) -> Scorecard:
    lines = []
    for criterion in rules:
        value, points = _earned(criterion, model.measures, variant.outcome)
        lines.append(Line(criterion, None if value is None else float(value), float(points)))
    total = sum(line.points for line in lines)
    return Scorecard(
        case=name,
        title=case.title,
        rubric=rubric,
        variant=variant.name,
        about=variant.about,
        lines=tuple(lines),
        compared=tuple(_compared(each, rules, model.measures, total) for each in variant.comparisons),
        diagnostics=variant.diagnostics,
        case_hash=case_hash(name),
    )


def _compared(
    comparison: Comparison[Any], rules: tuple[Criterion, ...], measures: Mapping[str, CriterionMeasure], total: float
) -> Compared:
    totals = np.atleast_1d(points_of(rules, measures, comparison.outcome()))
    low, median, high = np.quantile(totals, [0.05, 0.5, 0.95])
    below, level = (totals < total).mean(), (totals == total).mean()
    return Compared(
        kind=comparison.kind,
        name=comparison.name,
        about=comparison.about,
        draws=len(totals),
        mean=float(totals.mean()),
        low=float(low),
        median=float(median),
        high=float(high),
        at_least=float(1.0 - below),
        percentile=float(100.0 * (below + 0.5 * level)),
    )
