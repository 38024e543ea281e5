"""One style per algorithm, the same in every figure and table: its own colour and dash, and the mark of its kind."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Self

from coopgym.benchmarks.drawing.theme import HUES, KIND_COLOURS, Dash
from coopgym.benchmarks.score import Algorithm

MARKS = {"learner": "o", "plugin": "D", "heuristic": "s", "oracle": "^", "constant": "X"}
"""Marks by kind of agent, as matplotlib calls them."""
KIND_TITLES = {
    "learner": "learner",
    "plugin": "agent of yours",
    "heuristic": "built-in strategy",
    "oracle": "oracle",
    "constant": "constant",
}
DASHES: tuple[Dash, ...] = ("-", (0, (4, 1.5)), (0, (1.5, 1.5)), (0, (6, 1.5, 1.5, 1.5)))
"""When the hues are used up they start again with the next dash."""


@dataclass(frozen=True)
class SeriesStyle:
    """How an algorithm is drawn."""

    kind: str
    variable: str
    """Name of the page's colour."""
    colour: str
    """That colour in the light theme."""
    dash: Dash
    mark: str

    @property
    def dashes(self) -> str:
        """The dash as SVG takes it for a line of 2.5 pixels; empty for a solid one."""
        return "" if isinstance(self.dash, str) else " ".join(f"{2.5 * length:g}" for length in self.dash[1])

    @property
    def greyed(self) -> Self:
        """The same mark in the colour of constants, for what is only there to be compared with."""
        return replace(self, variable="constant", colour=KIND_COLOURS["constant"])


def styles(algorithms: Iterable[Algorithm]) -> dict[str, SeriesStyle]:
    """Return the style of every algorithm by name; learners choose first, and all constants look the same."""
    kinds = list(MARKS)
    players = (each for each in set(algorithms) if each.kind in kinds)
    order = sorted(players, key=lambda each: (kinds.index(each.kind), each.name))
    coloured = [each for each in order if each.kind != "constant"]
    found = {each.name: _style(each.kind, number) for number, each in enumerate(coloured)}
    grey = SeriesStyle("constant", "constant", KIND_COLOURS["constant"], "-", MARKS["constant"])
    return found | {each.name: grey for each in order if each.kind == "constant"}


def kinds_shown(shown: Mapping[str, SeriesStyle]) -> dict[str, str]:
    """Return the kinds of agents that some styles belong to, with their titles."""
    present = {style.kind for style in shown.values()}
    return {kind: title for kind, title in KIND_TITLES.items() if kind in present}


def _style(kind: str, number: int) -> SeriesStyle:
    name, colour = list(HUES.items())[number % len(HUES)]
    return SeriesStyle(kind, name, colour, DASHES[number // len(HUES) % len(DASHES)], MARKS[kind])
