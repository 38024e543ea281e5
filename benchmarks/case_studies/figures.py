"""Figures of a case: a timeline with its evidence, dependence as a network, and scores beside what is no model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.patches import FancyArrowPatch

from coopgym.benchmarks.case_studies.case_file import CaseFile
from coopgym.benchmarks.case_studies.replay import Replay
from coopgym.benchmarks.case_studies.scorecard import Scorecard
from coopgym.benchmarks.drawing.theme import CARD, HUES, INK, LINES, MODE_COLOURS, MUTED, framed, svg
from coopgym.typing import FloatArray

_PARTS_OF_A_YEAR = {"month": 12, "quarter": 4}
_DASHES = {"-v1": "-", "-v0": (0, (4, 1.5))}
_CURVE = 0.16
"""Of arrows between actors, so that both directions are seen."""
_STRIP_ROW = 0.22
"""Inches."""


def year_of(date: str) -> float:
    """Return a date as a number of years: a year, a quarter, a month or a day.

    >>> [round(year_of(date), 3) for date in ("1999", "2008-Q3", "2009-07", "2009-07-30")]
    [1999.0, 2008.5, 2009.5, 2009.579]
    """
    year, *rest = date.split("-")
    if not rest:
        return float(year)
    if rest[0].startswith("Q"):
        return float(year) + (int(rest[0][1:]) - 1) / _PARTS_OF_A_YEAR["quarter"]
    days = (int(rest[1]) - 1) / 365.0 if len(rest) > 1 else 0.0
    return float(year) + (int(rest[0]) - 1) / _PARTS_OF_A_YEAR["month"] + days


def timeline(case: CaseFile, replays: Sequence[Replay]) -> str:
    """Draw trust and cooperation of replays over the years, the evidence by its number above; SVG.

    Args:
        case: whose phases and evidence these are.
        replays: of its history, in one or both editions.
    """
    years = _years(case)
    with framed(7.2, 2.9, left=0.5, right=0.15, above=0.45) as (figure, axes):
        for phase in case.phases[1:]:
            axes.axvline(year_of(phase.start), color=LINES, linewidth=2.0, zorder=0)
        for number, evidence in enumerate(case.evidence, start=1):
            place = year_of(evidence.date)
            axes.plot([place, place], [1.0, 1.04], color=MUTED, linewidth=0.8, clip_on=False)
            axes.text(place, 1.05 + 0.07 * (number % 2), str(number), color=INK, fontsize=7, ha="center")
        for replay in replays:
            dash = _DASHES[replay.game[-3:]]
            axes.plot(years, replay.mean_trust, color=HUES["hue1"], linestyle=dash, label=f"trust, {replay.game}")
        axes.step(
            years,
            np.append(replays[0].mean_share, replays[0].mean_share[-1]),
            where="post",
            color=MODE_COLOURS["private"],
            linewidth=1.2,
            label="cooperation, part of endowment",
        )
        axes.set_ylim(0.0, 1.0)
        axes.set_xlim(min(years[0], year_of(case.evidence[0].date)) - 0.2, years[-1] + 0.2)
        axes.legend(loc="lower left", frameon=False, fontsize=7.5)
        return svg(figure, f"Trust and cooperation over the years, {case.title}")


def network(case: CaseFile) -> str:
    """Draw who depends on whom, arrows from those who depend, as thick as they do; SVG."""
    count = len(case.actors)
    angles = np.pi + 2.0 * np.pi * np.arange(count) / count
    places = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    with framed(3.6, 2.9, left=0.2, right=0.2, above=0.15, below=0.15) as (figure, axes):
        axes.set_axis_off()
        axes.set_xlim(-1.7, 1.7)
        axes.set_ylim(-1.4, 1.4)
        for each in case.dependence:
            begin, end = (places[case.actors.index(actor)] for actor in (each.depender, each.dependee))
            axes.add_patch(
                FancyArrowPatch(
                    begin,
                    end,
                    connectionstyle=f"arc3,rad={_CURVE}",
                    arrowstyle="-|>",
                    mutation_scale=12,
                    shrinkA=22,
                    shrinkB=22,
                    linewidth=4.0 * each.published,
                    color=MUTED,
                )
            )
            aside = _CURVE * np.array([end[1] - begin[1], begin[0] - end[0]])
            x, y = 0.5 * (begin + end) + aside
            axes.text(x, y, f"{each.published:g}", color=INK, ha="center", va="center")
        for actor, (x, y) in zip(case.actors, places, strict=True):
            axes.text(
                x, y, actor, color=INK, ha="center", va="center", bbox={"boxstyle": "round", "fc": CARD, "ec": LINES}
            )
        return svg(figure, f"Who depends on whom, {case.title}")


def strip(card: Scorecard) -> str:
    """Draw the totals of everything that a rubric scores, the model as a line through all rows; SVG."""
    rows = list(reversed(card.compared))
    height = 0.75 + _STRIP_ROW * len(rows)
    with framed(6.0, height, left=2.3, right=0.15, above=0.1, below=0.45) as (figure, axes):
        axes.axvspan(card.least, card.most, color=LINES, alpha=0.35, zorder=0, linewidth=0)
        axes.axvline(card.total.points, color=HUES["hue1"])
        for row, each in enumerate(rows):
            axes.plot([each.low, each.high], [row, row], color=MUTED, linewidth=2.5)
            axes.plot(each.median, row, "o", color=INK, markersize=4.5)
        axes.set_yticks(range(len(rows)), [f"{each.name} ({each.kind})" for each in rows])
        axes.set_xlim(0.0, card.total.of)
        axes.set_xlabel("points")
        return svg(figure, f"Points of {card.title}, {card.variant}, {card.rubric} rubric, and of what is no model")


def _years(case: CaseFile) -> FloatArray:
    """When each state of a replay is: at its beginning and after every step."""
    begins = [year_of(phase.start) for phase in case.phases]
    ends = [*begins[1:], _end(case.phases[-1].end)]
    spans = [
        np.linspace(begin, end, phase.steps + 1)[1:]
        for begin, end, phase in zip(begins, ends, case.phases, strict=True)
    ]
    return np.concatenate([begins[:1], *spans])


def _end(date: str) -> float:
    """When a year, quarter or month is over."""
    kind = "" if "-" not in date else "quarter" if "Q" in date else "month"
    return year_of(date) + 1.0 / _PARTS_OF_A_YEAR.get(kind, 1)
