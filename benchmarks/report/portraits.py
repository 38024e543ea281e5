"""Portraits of the games of a corpus: reaction curves, and where cooperation and trust move."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.report.ink import svg
from benchmarks.report.panels import phase_panel, reaction_panel
from coopgym.games.registry import make_game
from oracles.games.equilibrium import find_equilibria
from oracles.games.normal_form import StageGame
from oracles.games.optimum import welfare_optimum
from oracles.games.portrait import phase_portrait, reactions

STARTS = (0.0, 1.0)
"""Common shares from which a report searches; `coopgym solve` searches from many more."""


@dataclass(frozen=True)
class GamePortrait:
    """What a report shows of a game itself."""

    game: str
    """Its id, with overridden parameters if there are any."""
    summary: str
    panels: tuple[str, ...]
    """Inline SVG."""
    fault: str = ""
    """Why there are no panels."""


def portraits(games: Iterable[tuple[str, str]]) -> Iterator[GamePortrait]:
    """Draw games, each an id with the JSON of its parameters, once each."""
    for game, parameters in dict.fromkeys(games):
        title = game if parameters == "{}" else f"{game} {parameters}"
        try:
            yield _portrait(title, game, json.loads(parameters))
        except (TypeError, ValueError) as error:  # a corpus may hold games that this version does not know
            yield GamePortrait(title, "", (), str(error))


def _portrait(title: str, game: str, parameters: Mapping[str, Any]) -> GamePortrait:
    made = make_game(game, **parameters)
    equilibria = {mode: find_equilibria(StageGame(made, mode), STARTS) for mode in ("private", "integrated")}
    optimum = welfare_optimum(StageGame(made), STARTS)
    panels = (
        reaction_panel(made, reactions(made), equilibria, optimum),
        phase_panel(made, phase_portrait(made)),
    )
    # Two settings of one game would share the names of their drawings.
    drawn = tuple(svg(panel.figure, panel.label.replace(made.spec.id, title)) for panel in panels)
    return GamePortrait(title, made.spec.summary, drawn)
