"""What the panels of a game's figure share: their frame, their marks and their legend."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from coopgym.benchmarks.drawing.theme import CARD, MODE_COLOURS, MUTED, framed
from coopgym.games.game import AnyGame
from coopgym.games.spec import GameSpec
from coopgym.typing import FloatArray

SIZE = (3.9, 3.7)
"""Width and height of a panel, inches."""
MARGINS = (0.62, 0.16, 0.28)
"""Left of the axes, right of them and above, inches. Fixed margins: fitting them would double the time of drawing."""
BELOW_AXES, LEGEND_ROW = 0.52, 0.157
"""Height of what is written below the axes, and of a row of the legend, inches."""


@dataclass(frozen=True)
class Panel:
    """A drawn panel."""

    figure: Figure
    label: str
    """What a screen reader says."""


@contextmanager
def panel_of(game: AnyGame, title: str) -> Iterator[tuple[Panel, Axes]]:
    """Give an empty panel of a game, and its axes."""
    left, right, above = MARGINS
    with framed(*SIZE, left=left, right=right, above=above) as (figure, axes):
        axes.set_title(title)
        yield Panel(figure, f"{title} of {game.spec.id}"), axes


def seat_names(spec: GameSpec, groups: tuple[tuple[int, ...], ...]) -> list[str]:
    """Name each group of exchangeable seats by the role of its first seat, or by its number where roles repeat."""
    names = [spec.roles[group[0]].replace("_", " ") for group in groups]
    return names if len(set(names)) == len(names) else [f"seat {group[0]}" for group in groups]


def payoff_unit(spec: GameSpec) -> str:
    """Say what one unit of payoff is."""
    return {"mean endowment": "mean endowments", "unit of endowment": "units"}[spec.payoff_unit]


def mark_equilibrium(axes: Axes, x: FloatArray | float, y: FloatArray | float, colour: str, holds: bool) -> None:
    """Mark an equilibrium: a full circle where it holds, a hollow one where small departures grow."""
    face = colour if holds else CARD
    axes.plot(
        x, y, "o", markerfacecolor=face, markeredgecolor=colour, markersize=6.5, markeredgewidth=1.5, clip_on=False
    )


def mark_optimum(axes: Axes, x: FloatArray | float, y: FloatArray | float) -> None:
    """Mark the largest welfare."""
    axes.plot(x, y, "D", color=MODE_COLOURS["cooperative"], markersize=6.0, clip_on=False)


def mark_legend(panel: Panel, axes: Axes) -> list[Line2D]:
    """Return the legend of the marks that a panel bears."""
    faces = {line.get_markerfacecolor() for line in axes.get_lines() if line.get_marker() == "o"}
    marks = [Line2D([], [], color=MUTED, marker="o", linestyle="", label="equilibrium")]
    if CARD in faces:
        marks.append(
            Line2D([], [], color=MUTED, marker="o", linestyle="", markerfacecolor=CARD, label="equilibrium, unstable")
        )
    optimum = Line2D([], [], color=MODE_COLOURS["cooperative"], marker="D", linestyle="", label="optimum (welfare)")
    return [*(marks if faces else []), optimum]


def square(axes: Axes) -> None:
    """Let both axes run from 0 to 100 %."""
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_xticks([0, 25, 50, 75, 100])
    axes.set_yticks([0, 25, 50, 75, 100])


def set_legend(panel: Panel, handles: Sequence[Line2D | Patch], columns: int = 2) -> None:
    """Put the legend below the axes, and the axes where it leaves room for them."""
    panel.figure.legend(
        handles=handles,
        loc="lower left",
        bbox_to_anchor=(0.0, 0.0),
        ncols=columns,
        frameon=False,
        fontsize=8,
        labelcolor=MUTED,
        handlelength=2.2,
        columnspacing=1.2,
        borderpad=0.0,
        borderaxespad=0.2,
        labelspacing=0.3,
    )
    width, height = SIZE
    bottom = BELOW_AXES + LEGEND_ROW * -(-len(handles) // columns)
    left, right, top = MARGINS
    for axes in panel.figure.axes:
        axes.set_position((left / width, bottom / height, 1 - (left + right) / width, 1 - (bottom + top) / height))
