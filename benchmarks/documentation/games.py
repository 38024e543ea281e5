"""The pages of the games: both editions of a game on one page, and an index."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from coopgym.benchmarks.documentation.pages import COMMAND, ROOT
from coopgym.benchmarks.documentation.reference_points import dilemma
from coopgym.benchmarks.documentation.wording import paragraph, short, table
from coopgym.games.game import AnyGame
from coopgym.games.page import page_of
from coopgym.games.page_document import as_markdown
from coopgym.games.registry import games, make_game

FOLDER = ROOT / "docs" / "games"
INDEX = "README.md"
MARK = f"<!-- written by {COMMAND} -->"


_READING = paragraph("""
    A page per game, written from the record beside its class: `-v1` is the formal edition, `-v0` the released one.
    c_i = a_i/e_i is an action as a share of the endowment, T trust, R reputation damage, D interdependence, N the
    number of agents. `coopgym games ID` prints the same, and language models are prompted from the same record.
""")
_OWN_GAMES = paragraph("""
    A game of your own gets a plain page, made of its docstring, its specification and its parameters, or the one that
    its class states as `page = GamePage(...)` (`coopgym.games.page`); `coopgym.testing.check_game` says what that one
    lacks. `coopgym.games.page_document.as_markdown(game)` writes it as here.
""")


def game_pages() -> dict[Path, str]:
    """Return the text of every page of a game, and of their index, by the file it belongs to."""
    ids: dict[str, list[str]] = {}
    for game in games():
        ids.setdefault(short(game), []).append(game)
    pages = {FOLDER / f"{name}.md": _page([make_game(game) for game in editions]) for name, editions in ids.items()}
    return {FOLDER / INDEX: _index([make_game(editions[0]) for editions in ids.values()]), **pages}


def _index(found: list[AnyGame]) -> str:
    rows = (
        (f"[{game.spec.name}]({game.spec.name}.md)", game.spec.mechanism_class, str(game.n_agents), game.spec.summary)
        for game in found
    )
    listing = table(("game", "class", "agents", "what it is about"), rows)
    return f"{MARK}\n\n# Games\n\n{_READING}\n\n{listing}\n\n{_OWN_GAMES}\n"


def _page(editions: list[AnyGame]) -> str:
    """Return the page of a game, the first edition before the others."""
    first = editions[0]
    parts = [MARK, f"# {page_of(first).title}"]
    for game in editions:
        spec = game.spec
        parts.append(f"## {spec.id}")
        parts.append(f"class {spec.mechanism_class} · {spec.category} · {spec.n_agents} agents · {spec.horizon} steps")
        parts.append(as_markdown(game, dilemma(spec.id), depth=3))
    parts.append("## Version History\n\n" + "\n".join(_history(editions)))
    return "\n\n".join(parts) + "\n"


def _history(editions: list[AnyGame]) -> Iterator[str]:
    told = page_of(editions[0]).versions
    if told:
        yield f"{told}\n"
    for game in editions:
        yield f"- `{game.spec.id}`: version {game.version} of its numbers, version {page_of(game).version} of its page"
