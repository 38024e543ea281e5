"""Criteria of a rubric: what is measured, and how many points which value earns."""

from __future__ import annotations

from typing import Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import model_validator

from coopgym.benchmarks.study.schema import Strict
from coopgym.typing import FloatArray

CANNOT_FAIL, NEARLY = "cannot_fail", "nearly_cannot_fail"
DUPLICATE = "duplicate_of:"
"""How the flag of a criterion begins that repeats what another one says."""

Basis = Literal["structural", "theory", "documented", "author_judgement", "none"]
"""Where a threshold comes from: solutions as such, the model, a dated source, its author, or nowhere."""


class Level(Strict):
    """Points for values within bounds; several bounds hold together, and values that are no numbers earn nothing."""

    points: float
    above: float | None = None
    at_least: float | None = None
    below: float | None = None
    at_most: float | None = None

    def holds(self, values: FloatArray) -> npt.NDArray[np.bool_]:
        """Return which values ``(...)`` lie within the bounds."""
        inside = np.isfinite(values)
        if self.above is not None:
            inside &= values > self.above
        if self.at_least is not None:
            inside &= values >= self.at_least
        if self.below is not None:
            inside &= values < self.below
        if self.at_most is not None:
            inside &= values <= self.at_most
        return inside

    @property
    def bounds(self) -> str:
        """The bounds in signs, as ``> 0.1 and < 0.5``."""
        signs = {">": self.above, "≥": self.at_least, "<": self.below, "≤": self.at_most}
        return " and ".join(f"{sign} {bound:g}" for sign, bound in signs.items() if bound is not None)


class Criterion(Strict):
    """One item of a rubric. Judged ones have no credit levels: they always earn ``otherwise``."""

    id: str
    category: str
    about: str
    measure: str = ""
    """What is measured, a name among the case's criteria; empty for a literal."""
    phase: int | None = None
    """Of the phase that it is measured in, counted from 1."""
    points: float
    credit: tuple[Level, ...] = ()
    """From the best on: the first that holds counts."""
    otherwise: float = 0.0
    basis: Basis
    kind: Literal["computed", "judged"] = "computed"
    evidence: str = "none"
    """The dated evidence under the threshold."""
    flags: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    """Ids in the reference rubric."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        offered = [level.points for level in self.credit]
        if bool(self.measure) != bool(self.credit):
            raise ValueError(f"{self.id}: a measure needs credit levels, and credit levels a measure")
        if offered != sorted(offered, reverse=True) or not 0.0 <= self.otherwise <= self.most <= self.points:
            raise ValueError(f"{self.id}: credit must fall from level to level, between 0 and {self.points:g} points")
        return self

    @property
    def most(self) -> float:
        """The most points that any outcome earns."""
        return max((level.points for level in self.credit), default=self.otherwise)

    @property
    def least(self) -> float:
        """The fewest points that a finite outcome earns."""
        return self.most if CANNOT_FAIL in self.flags else self.otherwise

    @property
    def duplicate(self) -> bool:
        """Whether it repeats another criterion."""
        return any(flag.startswith(DUPLICATE) for flag in self.flags)

    @property
    def informative(self) -> bool:
        """Whether its points say what no other criterion says: it is computed, may fail and is no duplicate."""
        return self.kind == "computed" and CANNOT_FAIL not in self.flags and not self.duplicate

    @property
    def target(self) -> str:
        """The credit levels in one line."""
        levels = [f"{level.bounds}: {level.points:g}" for level in self.credit]
        return "; ".join([*levels, f"else {self.otherwise:g}"]) if levels else f"always {self.otherwise:g}"

    def earned(self, values: FloatArray) -> FloatArray:
        """Points ``(...)`` for measured values ``(...)``."""
        points = np.full(np.shape(values), self.otherwise)
        for level in reversed(self.credit):
            points = np.where(level.holds(values), level.points, points)
        return points
