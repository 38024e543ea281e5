"""A game's page for people: sections of text and tables, which the console and the documentation lay out.

Nothing is typed here: sizes of observations come from their columns, arguments from the parameters, seats from the
specification, texts from the page.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from coopgym.games.game import AnyGame
from coopgym.games.page import GamePage, page_of
from coopgym.games.parameters import declaration
from coopgym.games.spec import View
from coopgym.games.state import state_arrays

TableRow = tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A part of a page: paragraphs, then perhaps a table of which the first row is the head."""

    heading: str
    paragraphs: tuple[str, ...] = ()
    table: tuple[TableRow, ...] = ()

    def as_markdown(self, depth: int = 2) -> str:
        """Return the section in Markdown, with headings of a depth."""
        parts = [f"{'#' * depth} {self.heading}", *self.paragraphs]
        if self.table:
            head, *rows = self.table
            lines = (" | ".join(cell.replace("|", "\\|") for cell in row) for row in (head, ["---"] * len(head), *rows))
            parts.append("\n".join(f"| {line} |" for line in lines))
        return "\n\n".join(parts)


def sections(game: AnyGame, dilemma: Section | None = None) -> list[Section]:
    """Return the page of a configured game; parts about which nothing is known are left out.

    Args:
        game: whose numbers are told.
        dilemma: reference points of its certificate, where somebody has them.
    """
    page = page_of(game)

    def texts(*templates: str) -> tuple[str, ...]:
        return tuple(_sentence(page.rendered(text, game)) for text in templates if text)

    reference = dilemma or Section("Dilemma")
    found = [
        Section("Description", (page.summary, *texts(page.story))),
        Section("Seats", texts(page.seats), tuple(_seats(game))),
        Section("Action Space", texts(page.actions)),
        Section("Observation Space", (_sizes(game), *texts(page.observation)), tuple(_columns(page, game))),
        Section("Rewards", texts(*page.payoff, page.agreement, page.membership)),
        Section("Starting State and Transition", texts(page.state, page.trust), tuple(_state(page, game))),
        Section("Episode End", texts(page.end)),
        Section("Information", texts(page.info)),
        Section("Arguments", (), tuple(_arguments(game))),
        Section("Dilemma", (*texts(page.off_switch, page.closed_forms), *reference.paragraphs), reference.table),
        Section("Sources", texts(*_sources(page))),
    ]
    return [section for section in found if section.paragraphs or section.table]


def as_markdown(game: AnyGame, dilemma: Section | None = None, depth: int = 2) -> str:
    """Return the page of a configured game in Markdown."""
    return "\n\n".join(section.as_markdown(depth) for section in sections(game, dilemma))


def _sentence(text: str) -> str:
    """Return a text that follows a heading as one that stands by itself."""
    keeps_case = text[0].isupper() or text.startswith("agent_") or not text.partition(" ")[0].isascii()
    begun = text if keeps_case or text.startswith("`") else text[0].upper() + text[1:]
    return begun if begun.endswith((".", ":")) else f"{begun}."


def _seats(game: AnyGame) -> Iterator[TableRow]:
    spec = game.spec
    yield ("seat", "role", "endowment", "norm", "bargaining share")

    def facts(seat: int) -> TableRow:
        role = spec.roles[seat] if spec.roles[seat] != spec.agents[seat] else "any"
        return role, *(f"{values[seat]:.4g}" for values in (spec.endowments, spec.baselines, spec.shares))

    for told, alike in groupby(range(spec.n_agents), facts):
        yield (_span(spec.agents, list(alike)), *told)


def _span(names: Sequence[str], indices: Sequence[int]) -> str:
    first, last = names[indices[0]], names[indices[-1]]
    return first if first == last else f"{first} … {last}"


def _sizes(game: AnyGame) -> str:
    view = game.spec.default_view
    others = [f"{_size(game, other)} ({other})" for other in game.views if other != view]
    jointly = len(game.joint_observation_bounds(view)[0])
    beside = f", {' or '.join(others)} under another view" if others else ""
    return f"{_size(game, view)} numbers per agent under the view {view!r}, the default{beside}; {jointly} jointly."


def _size(game: AnyGame, view: View) -> int:
    return len(game.seat_observation_bounds(view, 0)[0])


def _columns(page: GamePage, game: AnyGame) -> Iterator[TableRow]:
    """Yield the blocks of the default view as the first seat sees them, without those that repeat others' columns."""
    view = game.spec.default_view
    low, high = game.seat_observation_bounds(view, 0)
    yield ("columns", "block", "symbol", "meaning", "range")
    seen: set[int] = set()
    for block, columns in game.observation_columns(view, 0).items():
        if not seen.issuperset(columns):
            least, greatest = low[columns].min(), high[columns].max()
            yield (_range(columns), f"`{block}`", *_explained(page, block), f"[{least:g}, {greatest:g}]")
            seen.update(columns)


def _range(columns: Sequence[int]) -> str:
    return f"{columns[0]}" if len(columns) == 1 else f"{columns[0]}-{columns[-1]}"


def _explained(page: GamePage, field: str) -> tuple[str, str]:
    symbol = page.symbol(field)
    return (symbol.symbol, symbol.meaning) if symbol else ("", "")


def _state(page: GamePage, game: AnyGame) -> Iterator[TableRow]:
    yield ("array", "symbol", "meaning", "range")
    for field in state_names(game):
        symbol = page.symbol(field)
        yield (f"`{field}`", *_explained(page, field), symbol.range if symbol else "")


def state_names(game: AnyGame) -> tuple[str, ...]:
    """Return the names of the arrays of a game's state."""
    blank = (game.backend.array([0.5] * count) for count in (game.reset_uniforms, game.reset_normals))
    return tuple(state_arrays(game.initial_state((), None, *blank)))


def _arguments(game: AnyGame) -> Iterator[TableRow]:
    yield ("argument", "symbol", "default", "range", "meaning", "unit")
    usual = type(game).configure().parameters
    for field in dataclasses.fields(usual):
        default, declared = getattr(usual, field.name), declaration(field)
        interval = declared.interval.replace("inf", "∞") if _is_numeric(default) else ""
        yield (f"`{field.name}`", declared.symbol, f"`{default!r}`", interval, declared.doc, declared.unit)


def _is_numeric(value: Any) -> bool:
    return isinstance(value, int | float | tuple) and not isinstance(value, bool)


def _sources(page: GamePage) -> Iterable[str]:
    told = "; ".join(str(source) for source in page.sources)
    return (told and f"{told}.", page.remark)
