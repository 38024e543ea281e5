"""Response surfaces of audits: what everybody gets when all play alike, and what becomes of trust."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import listed, percent, slug
from coopgym.benchmarks.drawing.plots.lines import Axis, Line, lines
from coopgym.benchmarks.drawing.theme import INK, MODE_DASHES, MUTED, mode_colour
from coopgym.benchmarks.report.content.blocks import Block, Chart, Section
from coopgym.benchmarks.report.content.legends import mode_legend
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.audits.common import AuditRun, audit_runs, by_class, details, modes_of, numbers
from coopgym.benchmarks.score.settings import Setting
from coopgym.typing import FloatArray

PROTOCOLS = ("surface", "reference_surface")
SHARES = Axis("all seats play, % of endowment", (0.0, 1.0), (0, 0.25, 0.5, 0.75, 1), as_percent=True)


@dataclass(frozen=True, eq=False)
class Surface:
    """What common levels ``(L,)`` bring under one reward mode, mean over seeds."""

    mode: str
    levels: FloatArray
    returns: FloatArray
    """Mean over seats."""
    least: FloatArray
    """Over seeds."""
    greatest: FloatArray
    trust: FloatArray
    """At the end."""
    lasting: FloatArray
    """Length of the episode as a share of the horizon."""


def audit_surfaces(report_data: ReportData) -> Section | None:
    """Draw the response surface of every game."""
    runs = audit_runs(report_data, *PROTOCOLS)
    by_game: dict[tuple[str, str], list[tuple[AuditRun, Surface]]] = {}
    for run, surface in _surfaces(report_data, runs):
        by_game.setdefault((run.protocol, run.setting.game), []).append((run, surface))
    if not by_game:
        return None
    charts = []
    for game in by_game.values():
        run, surfaces = game[0][0], [surface for _, surface in game]
        charts += [(run, _return_chart(run, surfaces)), (run, _trust_chart(run, surfaces))]
    caption = (
        "Figures of return: a dot marks the best level, a band the range over seeds where chance plays a part. "
        "Figures of trust: solid, trust at the end; dotted, where the relation broke, how much of the horizon it "
        "lasted."
    )
    blocks: list[Block] = [mode_legend(modes_of(runs)), *by_class(charts, caption)]
    best = {game[0][0].title: _best(game[0][1]) for game in by_game.values()}
    inside = [title for title, level in best.items() if 0.0 < level < 1.0]
    return Section(
        id="surfaces",
        title="Response surfaces",
        how=(
            "All seats play the same share of their endowment for a whole episode. Where the curve peaks inside, "
            "neither greed nor blind cooperation is best; where rewards peak apart, they ask for different conduct. "
            "Nobody is trained and nobody answers: this is the ground that agents walk on."
        ),
        blocks=blocks,
        finding=(
            f"In {len(inside)} of {len(best)} games the best common level lies inside, at a median of "
            f"{percent(float(np.median(list(best.values()))))} of the endowment"
            + (
                f"; at an end in {listed((each for each in best if each not in inside), 4)}."
                if len(inside) < len(best)
                else "."
            )
        ),
    )


def _surfaces(report_data: ReportData, runs: Sequence[AuditRun]) -> Iterator[tuple[AuditRun, Surface]]:
    """Yield the surface of every audit, seeds put together, with the first of its runs."""
    alike: dict[tuple[str, Setting, int], list[tuple[AuditRun, tuple[FloatArray, ...]]]] = {}
    for run, table in details(report_data.corpus.audit_surface.arrow, runs):
        means = _seat_means(table)
        alike.setdefault((run.protocol, run.setting, len(means[0])), []).append((run, means))
    for own in alike.values():
        run = own[0][0]
        levels, returns, trust, lengths = (np.stack([means[i] for _, means in own]) for i in range(4))
        yield (
            run,
            Surface(
                mode=run.setting.reward_mode,
                levels=levels[0],
                returns=returns.mean(0),
                least=returns.min(0),
                greatest=returns.max(0),
                trust=trust.mean(0),
                lasting=lengths.mean(0) / run.horizon,
            ),
        )


def _seat_means(table: pa.Table) -> tuple[FloatArray, ...]:
    """Levels ``(L,)`` and, at each, the means over seats of return, final trust and length."""
    levels, place = np.unique(numbers(table, "level"), return_inverse=True)
    columns = ("episode_return", "mean_trust_final", "episode_length")
    return levels, *(np.bincount(place, weights=numbers(table, each)) / np.bincount(place) for each in columns)


def _best(surface: Surface) -> float:
    return float(surface.levels[surface.returns.argmax()])


def _return_chart(run: AuditRun, surfaces: Sequence[Surface]) -> Chart:
    return Chart(
        name=f"{slug(run.protocol)}-{slug(run.title)}-return",
        label=f"Response to common levels, {run.protocol} audit of {run.title}, return",
        draw=partial(_return_figure, run.title, surfaces),
    )


def _return_figure(title: str, surfaces: Sequence[Surface]) -> Figure:
    return lines(
        [_returns(each) for each in surfaces], SHARES, Axis("return, mean over seats"), title=title, names="nowhere"
    )


def _returns(surface: Surface) -> Line:
    spread = bool((surface.greatest > surface.least).any())
    return Line(
        surface.mode,
        surface.levels,
        surface.returns,
        mode_colour(surface.mode),
        MODE_DASHES.get(surface.mode, "-"),
        surface.least if spread else None,
        surface.greatest if spread else None,
        dot=int(surface.returns.argmax()),
    )


def _trust_chart(run: AuditRun, surfaces: Sequence[Surface]) -> Chart:
    return Chart(
        name=f"{slug(run.protocol)}-{slug(run.title)}-trust",
        label=f"Response to common levels, {run.protocol} audit of {run.title}, trust",
        draw=partial(_trust_figure, run.title, surfaces),
    )


def _trust_figure(title: str, surfaces: Sequence[Surface]) -> Figure:
    first = surfaces[0]  # what is played, and so what trust becomes, does not depend on the reward
    drawn = [Line("trust", first.levels, first.trust, INK)]
    if (first.lasting < 1.0).any():
        drawn.append(Line("lasted", first.levels, first.lasting, MUTED, (0, (1.5, 1.5))))
    return lines(
        drawn, SHARES, Axis("trust at the end", (0.0, 1.0), (0, 0.5, 1), as_percent=True), title=title, names="nowhere"
    )
