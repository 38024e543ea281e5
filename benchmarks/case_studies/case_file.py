"""Case files: actors, dated evidence, dependence, parameters and rubrics of a historical relation."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from coopgym.benchmarks.case_studies.credit import Criterion
from coopgym.benchmarks.study.schema import Strict, unknown
from coopgym.mechanisms.interdependence import from_dependums

CASES = Path(__file__).with_name("cases")
AGREEMENT = 0.005
"""Largest distance between a published dependence and the one that its rows give."""

Rubric = Literal["reference", "v2"]


class CaseFileError(ValueError):
    """A case cannot be loaded; the message names the file and what is wrong in it."""


class Phase(Strict):
    """A stretch of the history."""

    name: str
    start: str
    """First month or quarter."""
    end: str
    steps: Annotated[int, Field(ge=1)]
    """Of the environment track."""
    levels: tuple[Annotated[int, Field(ge=-2, le=2)], ...] = ()
    """What each seat of the registered game is coded to have done, from -2, withdrawn, to 2, far above expectation."""
    preset: str = ""
    """Phase of the registered game, where it has some."""
    effort: float | None = None
    """Coded effort, units of the registered game's endowment."""


class Evidence(Strict):
    """A dated fact and where it stands."""

    date: str
    fact: str
    source: str


class Dependum(Strict):
    """Something that one actor needs another one for."""

    name: str
    weight: Annotated[float, Field(ge=0)]
    dependency: Annotated[float, Field(ge=0, le=1)] = 1.0
    criticality: Annotated[float, Field(ge=0, le=1)]


class Dependence(Strict):
    """How much one actor depends on another, and from which rows the number follows."""

    depender: str
    dependee: str
    published: float
    status: Literal["published", "partly published", "reconstruction"]
    """Of the rows: a reconstruction is chosen to give the published number and is no evidence for it."""
    dependums: Annotated[tuple[Dependum, ...], Field(min_length=1)]

    @property
    def recomputed(self) -> float:
        """The dependence that the rows give."""
        rows = np.zeros((2, len(self.dependums), 2, 2))
        rows[:, :, 0, 1] = [[each.dependency for each in self.dependums], [each.criticality for each in self.dependums]]
        return float(from_dependums([each.weight for each in self.dependums], *rows)[0, 1])

    @model_validator(mode="after")
    def _agreeing(self) -> Self:
        if abs(self.recomputed - self.published) > AGREEMENT:
            raise ValueError(
                f"{self.depender} on {self.dependee}: rows give {self.recomputed:.4f}, published is {self.published}"
            )
        return self


class Alternative(Strict):
    """What might have been done instead, in the registered game."""

    name: str
    levels: tuple[tuple[Annotated[int, Field(ge=-2, le=2)], ...], ...]
    """Of each phase, as `Phase.levels`."""


class Provenance(Strict):
    """Where the numbers of a case come from."""

    suite: str
    """What the reference parameters and thresholds were read from."""
    coding: str
    """What was reconstructed for this project."""


class CriterionRow(Criterion):
    """A criterion as a file has it: with ``phases`` it stands for one in each of these."""

    phases: tuple[int, ...] = ()

    def criteria(self, phases: tuple[Phase, ...]) -> Iterator[Criterion]:
        """Yield the criteria that the row stands for; ``{phase}`` and ``{name}`` are filled in."""
        shared = self.model_dump(exclude={"phases"})
        if not self.phases:
            yield Criterion(**shared)
        for phase in self.phases:
            words = {"phase": phase, "name": phases[phase - 1].name}
            texts = {field: getattr(self, field).format(**words) for field in ("id", "category", "about")}
            lists = {
                field: tuple(each.format(**words) for each in getattr(self, field)) for field in ("flags", "replaces")
            }
            yield Criterion(**{**shared, **texts, **lists, "phase": phase})


class CaseFile(Strict):
    """A historical relation: what is known of it, what a model of it is given, and how a model is scored.

    >>> case = load_case("apache")
    >>> [criterion.target for criterion in case.criteria("v2") if criterion.id in ("A1.4", "A1.2")]
    ['≥ 0.5: 1; else 0', '≤ 0: 4; ≤ 1: 3; ≤ 2: 1; else 0']
    """

    title: str
    story: str
    game: str
    """Id of the registered game without its edition."""
    mechanism: str
    actors: Annotated[tuple[str, ...], Field(min_length=1)]
    period: str
    unit: str
    """What a step of the formula track is."""
    provenance: Provenance
    phases: tuple[Phase, ...]
    evidence: tuple[Evidence, ...]
    dependence: tuple[Dependence, ...] = ()
    alternatives: tuple[Alternative, ...] = ()
    discrepancies: tuple[str, ...] = ()
    """What the published account says and its code does not show."""
    parameters: dict[str, Any]
    """Of the formula track; each engine has its own."""
    reference: tuple[CriterionRow, ...]
    v2: tuple[CriterionRow, ...]
    dropped: tuple[str, ...] = ()
    """Ids of the reference rubric that do not apply in the second one."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        known = [criterion.id for criterion in self.criteria("reference")]
        new = [criterion.id for criterion in self._replacements()]
        replaced = [each for criterion in self._replacements() for each in criterion.replaces]
        for ids in (known, new, self.dropped):
            if twice := {each for each in ids if list(ids).count(each) > 1}:
                raise ValueError(f"criteria {sorted(twice)} are there twice")
        if strange := {*replaced, *self.dropped} - {*known}:
            raise ValueError(unknown("criterion", min(strange), known))
        return self

    def _replacements(self) -> list[Criterion]:
        return [criterion for row in self.v2 for criterion in row.criteria(self.phases)]

    def criteria(self, rubric: Rubric) -> tuple[Criterion, ...]:
        """Return the criteria of a rubric: in the second, what is replaced stands where it stood."""
        reference = [criterion for row in self.reference for criterion in row.criteria(self.phases)]
        if rubric == "reference":
            return tuple(reference)
        gone, placed = set(self.dropped), []
        for criterion in reference:
            successors = [each for each in self._replacements() if criterion.id in each.replaces]
            placed += successors or [criterion] * (criterion.id not in gone)
        return tuple({criterion.id: criterion for criterion in placed}.values())


def case_names() -> list[str]:
    """Return the names of the cases.

    >>> case_names()
    ['apache', 'app-store', 'renault-nissan', 'slcd']
    """
    return sorted(path.stem for path in CASES.glob("*.toml"))


@cache
def load_case(name: str) -> CaseFile:
    """Return a case by its name.

    Raises:
        CaseFileError: there is none of that name, or its file is not what it must be.

    >>> case = load_case("slcd")
    >>> case.title, case.actors, len(case.evidence)
    ('S-LCD', ('Samsung', 'Sony'), 12)
    """
    try:
        return CaseFile(**tomllib.loads(_content(name).decode()))
    except (ValidationError, tomllib.TOMLDecodeError) as error:
        raise CaseFileError(f"{name}.toml: {error}") from None


def case_hash(name: str) -> str:
    """Return the hash of a case file: whatever is changed in it changes that.

    >>> len(case_hash("slcd"))
    16
    """
    return hashlib.sha256(_content(name)).hexdigest()[:16]


def _content(name: str) -> bytes:
    if name not in case_names():
        raise CaseFileError(unknown("case", name, case_names()))
    return (CASES / f"{name}.toml").read_bytes()
