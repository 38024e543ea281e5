"""What a rubric makes of S-LCD's two firms, whoever depends on whom and whatever their synergy is worth (TR-1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from coopgym.benchmarks.case_studies.case_file import case_hash, load_case
from coopgym.benchmarks.case_studies.interdependence.engine import (
    DyadParameters,
    dependence_matrices,
    equilibrium,
    play,
    synergy_shares,
)
from coopgym.benchmarks.case_studies.scorecard import MODELS, points_of
from coopgym.benchmarks.case_studies.sweep import Columns, Experiment, Metric

FORMS = ("logarithmic", "power")
"""Of what an investment is worth to its investor."""
_HIGHEST_START = 50.0
_SETTLED_DIGITS = 6
"""Of an investment, units; the others are rounding."""
_PAIRS = (
    (0.64, 0.86, 0.55),
    (0.9, 0.9, 0.5),
    (0.5, 0.5, 0.5),
    (0.9, 0.2, 0.6),
    (0.1, 0.84, 0.833),
)
"""Dependence of either firm on the other and the first one's share of the synergy, S-LCD's own first."""


def _firms() -> DyadParameters:
    return DyadParameters(**load_case("slcd").parameters)


def _points(**changed: Any) -> Columns:
    """Points by the reference rubric ``(rows,)`` of changed firms, for both forms, and their difference."""
    case = load_case("slcd")
    rules, measures = case.criteria("reference"), MODELS[case.mechanism].measures
    earned = {form: points_of(rules, measures, play(replace(_firms().dyad(form), **changed))) for form in FORMS}
    return {**earned, "lead": earned["logarithmic"] - earned["power"]}


def _structure(columns: Columns) -> Columns:
    entries = np.stack([columns["on Sony"], columns["on Samsung"]], axis=-1)
    return _points(dependence=dependence_matrices(entries), shares=synergy_shares(columns["share"]))


def _noise(columns: Columns) -> Columns:
    """Points where all that stands for the structure is off by up to a part of itself, each by a draw of its own."""
    firms = _firms()
    drawn = np.array([np.random.default_rng(int(draw)).uniform(-1.0, 1.0, 5) for draw in columns["draw"]])
    factors = 1.0 + columns["part"][:, None] * drawn
    shares = np.array(firms.shares) * factors[:, :2]
    entries = np.array([firms.dependence[0][1], firms.dependence[1][0]]) * factors[:, 2:4]
    return _points(
        shares=shares / shares.sum(-1, keepdims=True),
        dependence=dependence_matrices(np.clip(entries, 0.0, 1.0)),
        endowments=np.array(firms.endowments) * factors[:, 4:],
    )


def _dyads(columns: Columns) -> Columns:
    on_sony, on_samsung, share = np.array(_PAIRS)[columns["pair"].astype(int)].T
    return _structure({"on Sony": on_sony, "on Samsung": on_samsung, "share": share})


def _dependence(columns: Columns) -> Columns:
    on_sony = _firms().dependence[0][1]
    entries = np.stack([np.full_like(columns["on Samsung"], on_sony), columns["on Samsung"]], axis=-1)
    return _points(dependence=dependence_matrices(entries))


def _starts(columns: Columns) -> Columns:
    """How far from the published equilibrium the search for one ends that begins at a drawn point."""
    starts = np.array([np.random.default_rng(int(start)).uniform(0.1, _HIGHEST_START, 2) for start in columns["start"]])
    distances = {}
    for form in FORMS:
        dyad = _firms().dyad(form)
        gaps = np.abs(equilibrium(dyad, starts).actions - equilibrium(dyad).actions).max(-1)
        distances[form] = gaps.round(_SETTLED_DIGITS)
    return distances


def _over(
    name: str,
    about: str,
    measure: Callable[[Columns], Columns],
    full: Mapping[str, Sequence[float]],
    quick: Mapping[str, Sequence[float]] | None = None,
) -> Experiment:
    """An experiment in which both forms earn points; without a quick grid, the full one is quick."""
    metrics = (
        Metric("logarithmic", "closed form", f"points of the logarithmic form, {about}"),
        Metric("power", "closed form", f"points of the power form, {about}"),
        Metric("lead", "closed form", "points by which the logarithmic form leads", lambda lead: lead > 0.0),
    )
    return Experiment(name, {"quick": full if quick is None else quick, "full": full}, metrics, measure, SLCD)


def _even(low: float, high: float, count: int) -> Sequence[float]:
    values: Sequence[float] = np.linspace(low, high, count).tolist()
    return values


SLCD = case_hash("slcd")
POINT_EXPERIMENTS = (
    _over(
        "interdependence",
        "whatever depends on whom",
        _structure,
        {"on Sony": _even(0.0, 1.0, 21), "on Samsung": _even(0.0, 1.0, 21), "share": _even(0.3, 0.7, 9)},
        {"on Sony": _even(0.1, 0.9, 5), "on Samsung": _even(0.1, 0.9, 5), "share": (0.3, 0.5, 0.7)},
    ),
    *(
        _over(
            name,
            f"all parameters off by up to {part:g} of themselves",
            _noise,
            {"draw": range(500), "part": (part,)},
            {"draw": range(50), "part": (part,)},
        )
        for name, part in (("noise", 0.15), ("small-noise", 0.05))
    ),
    _over("dyads", "in five pairs of firms", _dyads, {"pair": range(len(_PAIRS))}),
    _over("dependence", "as Sony depends on Samsung", _dependence, {"on Samsung": _even(0.3, 1.0, 8)}),
    _over(
        "synergy", "as synergy weighs", lambda columns: _points(gamma=columns["gamma"]), {"gamma": _even(0.1, 1.0, 10)}
    ),
    Experiment(
        name="starts",
        grids={"quick": {"start": range(50)}, "full": {"start": range(50)}},
        metrics=tuple(
            Metric(form, "simulation", "units from the published equilibrium", lambda distance: distance == 0.0)
            for form in FORMS
        ),
        measure=_starts,
        basis=SLCD,
    ),
)
"""Experiments 2 to 6 of the published suite, and a grid over structures."""
