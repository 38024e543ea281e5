"""Portraits of the games of a corpus: reaction curves, where cooperation and trust move, what joining in pays."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from matplotlib.figure import Figure

from coopgym.benchmarks.drawing.formatting import game_title, percent, signed, slug
from coopgym.benchmarks.drawing.game_panels import phase_panel, reaction_panel, schelling_panel
from coopgym.benchmarks.drawing.panel import Panel
from coopgym.benchmarks.report.content.blocks import Chart, Drawn
from coopgym.benchmarks.score.settings import Setting
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.oracles.games.dilemma import fear, greed, schelling, worst
from coopgym.oracles.games.equilibrium import Equilibria, find_equilibria
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.games.optimum import Optimum, welfare_optimum
from coopgym.oracles.games.phase_portrait import phase_portrait, reactions
from coopgym.typing import FloatArray

STARTS = (0.0, 1.0)
"""Common shares from which a report searches; `coopgym solve` searches from many more."""
PANELS = {"reactions": "Reaction curves", "phases": "Cooperation and trust", "schelling": "Schelling diagram"}
"""Figures of a game, and what they are called."""


@dataclass(frozen=True)
class GamePortrait:
    """What a report shows of a game itself."""

    title: str
    """Its id, with overridden parameters if there are any."""
    summary: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    figures: Sequence[Chart | Drawn] = ()
    certified: bool = False
    """Whether it comes from a certificate."""
    fault: str = ""
    """Why there is nothing to show."""


def portraits(games: Iterable[tuple[str, str]], certificates: Path | None = None) -> Iterator[GamePortrait]:
    """Portray games, each an id with the JSON of its parameters, once each.

    Args:
        games: what to portray.
        certificates: folder of solved games, which are taken from there.
    """
    for game, parameters in dict.fromkeys(games):
        title = game_title(Setting(game, parameters, "").game)
        try:
            made = make_game(game, **json.loads(parameters))
            yield _kept(title, made, certificates) or _portrait(title, made)
        except (TypeError, ValueError) as error:  # a corpus may hold games that this version does not know
            yield GamePortrait(title, fault=str(error))


def _portrait(title: str, game: AnyGame) -> GamePortrait:
    form = StageGame(game)
    equilibria = {mode: find_equilibria(StageGame(game, mode), STARTS) for mode in ("private", "integrated")}
    optimum = welfare_optimum(form, STARTS)
    nash = worst(equilibria["private"])
    panels: dict[str, Callable[[], Panel]] = {
        "reactions": lambda: reaction_panel(game, reactions(game), equilibria, optimum),
        "phases": lambda: phase_panel(game, phase_portrait(game)),
    }
    if nash is not None:
        diagram = schelling(form, nash.profile, optimum.profile)
        panels["schelling"] = lambda: schelling_panel(game, diagram)
    return GamePortrait(
        title=title,
        summary=game.spec.summary,
        facts=_facts(form, equilibria, optimum),
        figures=[_chart(title, name, draw) for name, draw in panels.items()],
    )


def _chart(title: str, name: str, draw: Callable[[], Panel]) -> Chart:
    def drawn() -> Figure:
        return draw().figure

    return Chart(f"game-{slug(title)}-{name}", f"{PANELS[name]} of {title}", drawn)


def _facts(form: StageGame, equilibria: Mapping[str, Equilibria], optimum: Optimum) -> dict[str, str]:
    """What the stage game at reset asks and pays, one number per kind of seat."""
    heads = [group[0] for group in form.groups]
    nash = worst(equilibria["private"])
    found = {
        "private equilibrium": _shares(nash.profile[heads]) if nash else "none found",
        "coopetitive equilibrium": " or ".join(_shares(each.profile[heads]) for each in equilibria["integrated"].found)
        or "none found",
        "optimum": _shares(optimum.profile[heads]),
    }
    if nash is not None and nash.welfare > 0:
        found["price of anarchy"] = signed(optimum.welfare / nash.welfare, 3)
    found["greed"] = _numbers(greed(form, optimum.profile)[heads])
    if nash is not None:
        found["fear"] = _numbers(fear(form, nash.profile, optimum.profile)[heads])
    return found


def _shares(values: FloatArray) -> str:
    return " / ".join(dict.fromkeys(percent(value) for value in values.tolist()))


def _numbers(values: FloatArray) -> str:
    return " / ".join(dict.fromkeys(signed(value) for value in values.tolist()))


def _kept(title: str, game: AnyGame, certificates: Path | None) -> GamePortrait | None:
    """Return the portrait of a game that was solved before."""
    if certificates is None:
        return None
    # The page of solved games is made with this package's drawings, so its modules are loaded when they are needed.
    from coopgym.benchmarks.certificates.files import read_solved
    from coopgym.benchmarks.certificates.record_text import overview
    from coopgym.benchmarks.drawing.game_figure import inline_panels

    solved = read_solved(certificates, game)
    if solved is None:
        return None
    return GamePortrait(
        title=title,
        summary=game.spec.summary,
        facts={name: text for name, text in overview(solved.record).items() if name != "game"},
        figures=[Drawn(panel) for panel in inline_panels(solved.svg)],
        certified=True,
    )
