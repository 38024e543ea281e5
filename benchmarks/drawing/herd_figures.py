"""Figures of herds: what a planner does at each belief, and what that moves."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.plots.lines import Axis, Line, lines
from coopgym.benchmarks.drawing.theme import BAD, GOOD, HUES, INK, LINES, MUTED, OTHER_MODE, framed
from coopgym.oracles.mechanism_design.herd import HerdPlan

WIDTH, HEIGHT = 5.2, 3.1
"""Inches."""
NARROWEST = 0.04
"""Part of all beliefs that a phase takes at least for its name to be written in it."""
PHASE_COLOURS: Mapping[str, str] = {
    "baseline": LINES,
    "below baseline": BAD,
    "above baseline": GOOD,
    "maximum": GOOD,
    "least following": OTHER_MODE,
}


def policy_figure(plan: HerdPlan, title: str = "") -> Figure:
    """Draw the precision that a planner picks over beliefs, its phases shaded and named."""
    herd = plan.herd
    with framed(WIDTH, HEIGHT, left=0.62, right=0.15, above=0.62, below=0.5) as (figure, axes):
        for phase in plan.phases():
            shade = 0.35 if phase.name == "baseline" else 0.16
            axes.axvspan(phase.low, phase.high, color=PHASE_COLOURS[phase.name], alpha=shade, linewidth=0, zorder=0.2)
            if phase.high - phase.low >= NARROWEST:
                middle = 0.5 * (phase.low + phase.high)
                slanted = 0 if phase.high - phase.low > 0.2 else 35
                axes.text(
                    middle, 1.015, phase.name, transform=axes.get_xaxis_transform(), fontsize=7, color=MUTED,
                    ha="left" if slanted else "center", va="bottom", rotation=slanted,
                )  # fmt: skip
        axes.plot(
            plan.beliefs,
            np.maximum(herd.least_following(plan.beliefs), 0.5),
            color=MUTED,
            linestyle=(0, (2, 2)),
            linewidth=1.0,
        )
        axes.axhline(herd.baseline, color=MUTED, linewidth=0.8)
        axes.plot(plan.beliefs, plan.precisions, color=INK)
        axes.set_xlim(0.0, 1.0)
        axes.set_ylim(0.48, 1.02)
        axes.set_xlabel("public belief that partners reciprocate")
        axes.set_ylabel("precision of signals")
        axes.set_title(title, pad=22)
        axes.grid(False)
        return figure


def moved_figure(plans: Mapping[str, HerdPlan], unit: float, title: str = "") -> Figure:
    """Draw how much less, or more, agents lose than with signals left at the baseline, payoff per agent."""
    drawn = [
        Line(name, plan.beliefs, unit * plan.welfare_moved(), colour)
        for (name, plan), colour in zip(plans.items(), HUES.values(), strict=False)
    ]
    return lines(
        drawn,
        Axis("public belief that partners reciprocate", (0.0, 1.0)),
        Axis("payoff gained, per agent"),
        title=title,
        anchors=[0.0],
        names="listed",
        size=(3.9, HEIGHT),
    )
