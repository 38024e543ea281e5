"""What an audit is asked and what it returns: options, columns of ``runs`` and detail tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Protocol

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, field_validator

from coopgym.benchmarks.audits.partners import PARTNERS, partner
from coopgym.corpus.schema import TableName
from coopgym.games.game import AnyGame
from coopgym.oracles.dynamic.deviation_search import EffortName
from coopgym.typing import FloatArray

MATERIAL = 1e-3
"""Gain, as a share of the return, from which on a deviation counts as worth making (the threshold of a Nash oracle)."""
ROUNDING = 1e-9
"""Gain, as a share of the return, that means nothing."""

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Step = Annotated[float, Field(gt=0.0, le=1.0)]
"""Distance between the points of an even grid on [0, 1]; it has to divide 1."""
Base = Literal["best", "norm"] | Share
"""What everybody plays while nobody deviates: the common level with the highest total return, the one that partners
expect, or a share of endowment."""


class AuditOptions(BaseModel):
    """How finely audits look. The reference's audits have no options."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    surface_step: Step = 0.01
    """Between levels of the response surface."""
    grid_step: Step = 0.02
    """Between base levels and between deviations of unilateral and reactive audits; 0.01 makes 101 × 101 cells."""
    switch_step: Step = 0.05
    """Between switching times, as a share of the horizon."""
    last_steps: tuple[Annotated[int, Field(ge=1)], ...] = (5, 3, 1)
    """Further switching times, counted from the end."""
    pulses: tuple[Annotated[int, Field(ge=1)], ...] = (1, 3, 10)
    """Steps that a passing deviation lasts."""
    bases: Annotated[tuple[Base, ...], Field(min_length=1)] = ("best", "norm")
    """What temporal deviations deviate from."""
    margin: Annotated[float, Field(gt=0.0, le=1.0)] = 0.01
    """How far below the norm the least conspicuous deviation lies, as a share of endowment."""
    partners: Annotated[tuple[str, ...], Field(min_length=1)] = tuple(PARTNERS)
    """Agents that react, by name; `coopgym.benchmarks.audits.partners.PARTNERS` or any name of `make_agent`."""
    search: EffortName | None = "quick"
    """Effort of the search for the best plan that temporal deviations are measured against; None leaves it out."""
    hidden_draws: Annotated[int, Field(ge=1)] = 32
    """Episodes that cover what a reset draws and hides (γ of SynergySearch); other games play one."""

    @field_validator("surface_step", "grid_step", "switch_step")
    @classmethod
    def _divides(cls, step: float) -> float:
        if abs(round(1.0 / step) * step - 1.0) > 1e-9:
            raise ValueError(f"{step!r} does not divide 1; expected one like 0.01, 0.02, 0.05 or 0.1")
        return step

    @field_validator("partners")
    @classmethod
    def _known_partners(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for name in names:
            try:
                partner(name)
            except (TypeError, ValueError, ImportError) as error:
                raise ValueError(f"partner {name!r}: {error}") from error
        return names


Tables = dict[TableName, pa.Table]


@dataclass(frozen=True)
class Audited:
    """What one audit found."""

    columns: dict[str, Any]
    """For the row in ``runs``: evaluation columns and, under ``class_metrics``, summary numbers."""
    tables: Tables
    """Detail rows without their ``run_id``."""


class Audit(Protocol):
    """Audits one game under one reward mode."""

    def __call__(self, game: AnyGame, reward: str, seed: int, options: AuditOptions) -> Audited:
        """Return what was found.

        Args:
            game: on the NumPy backend.
            reward: what the seats want.
            seed: replicate number; only audits of the reference draw chance from it.
            options: how finely to look.
        """


def even_grid(step: float) -> FloatArray:
    """Return the points of [0, 1] that lie ``step`` apart."""
    parts = round(1.0 / step)
    return np.arange(parts + 1) / parts


def with_summary(columns: Mapping[str, Any], summary: Mapping[str, float]) -> dict[str, Any]:
    """Add summary numbers to the class metrics of evaluation columns."""
    return {**columns, "class_metrics": {**columns.get("class_metrics", {}), **summary}}


def without_rounding(changes: FloatArray, base: FloatArray) -> FloatArray:
    """Return changes of returns, with those that are mere rounding of a base return set to zero."""
    return np.where(np.abs(changes) > ROUNDING * np.maximum(1.0, np.abs(base)), changes, 0.0)


def relative(gain: FloatArray, base: FloatArray, game: AnyGame) -> FloatArray:
    """Return gains as shares of the base return; returns near zero count as one hundredth of a unit per step."""
    least = 0.01 * game.spec.payoff_scale * game.spec.horizon
    return gain / np.maximum(np.abs(base), least)
