"""Functional experiments: what a mechanism does all over a grid of parameters, in pieces that are kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from coopgym.corpus.writer import write_atomically
from coopgym.strict_json import parse_json
from coopgym.typing import FloatArray

ResultKind = Literal["identity", "closed form", "simulation"]
"""What stands behind a number: algebra alone, a solved equation, or a path that was played."""
GridSize = Literal["quick", "full"]
Columns = dict[str, FloatArray]
VERSION = 2
"""Raise it when the same point may be measured otherwise than before: kept pieces are then computed anew."""
PIECE = 500
"""Rows of a grid that are computed and kept together."""


@dataclass(frozen=True)
class Metric:
    """Something that is measured at every point of a grid."""

    name: str
    kind: ResultKind
    about: str
    passes: Callable[[FloatArray], npt.NDArray[np.bool_]] | None = None
    """Whether a value meets the published target, booleans; None where there is none."""


@dataclass(frozen=True)
class Experiment:
    """A mechanism over a grid."""

    name: str
    grids: Mapping[GridSize, Mapping[str, Sequence[float]]]
    metrics: tuple[Metric, ...]
    measure: Callable[[Columns], Columns]
    """Metrics ``(rows,)`` by name, from parameters ``(rows,)`` by name."""
    basis: str = ""
    """Hash of the case whose parameters all points share, if they do."""


@dataclass(frozen=True)
class Finding:
    """A metric over all points of a grid."""

    metric: str
    kind: ResultKind
    about: str
    rows: int
    median: float
    mean: float
    deviation: float
    low: float
    high: float
    met: float | None
    """Part of the rows that meet the published target."""


def run_experiment(experiment: Experiment, size: GridSize, folder: Path | None = None) -> tuple[Finding, ...]:
    """Measure an experiment all over one of its grids.

    Args:
        experiment: what is measured.
        size: of the grid.
        folder: where finished pieces are kept and found again; None keeps nothing.

    Raises:
        OSError: a piece cannot be written or read.
        ValueError: a piece in the folder is no JSON.
    """
    grid = experiment.grids[size]
    points = np.array(list(product(*grid.values())))
    pieces = []
    for begin in range(0, len(points), PIECE):
        columns = dict(zip(grid, points[begin : begin + PIECE].T, strict=True))
        pieces.append(_piece(experiment, columns, folder))
    return tuple(
        _finding(metric, np.concatenate([piece[metric.name] for piece in pieces])) for metric in experiment.metrics
    )


def _piece(experiment: Experiment, columns: Columns, folder: Path | None) -> Columns:
    if folder is None:
        return experiment.measure(columns)
    text = json.dumps([VERSION, experiment.basis, {name: values.tolist() for name, values in columns.items()}])
    place = folder / f"{experiment.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"
    if place.exists():
        return {name: np.array(values) for name, values in parse_json(place.read_bytes(), nonfinite=True).items()}
    folder.mkdir(parents=True, exist_ok=True)
    measured = experiment.measure(columns)
    write_atomically(place, json.dumps({name: values.tolist() for name, values in measured.items()}).encode())
    return measured


def _finding(metric: Metric, values: FloatArray) -> Finding:
    met = None if metric.passes is None else float(np.mean(metric.passes(values)))
    return Finding(
        metric=metric.name,
        kind=metric.kind,
        about=metric.about,
        rows=len(values),
        median=float(np.median(values)),
        mean=float(values.mean()),
        deviation=float(values.std(ddof=1)) if len(values) > 1 else 0.0,
        low=float(values.min()),
        high=float(values.max()),
        met=met,
    )
