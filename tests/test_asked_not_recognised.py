"""Editions and classes of games are asked for what others need to know, never recognised."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("coopgym", "oracles", "algorithms", "benchmarks")
OF_GAMES = ("coopgym.games.formal", "coopgym.games.released")
MOST_READS = 2
FILTERS = {"benchmarks/certificates/certificates.py"}
"""Where ``edition`` is what a user asked for, not what a game is."""
KNOWS_ITS_GAME = ("oracles/dynamic/bounds/", "oracles/agents/reference_profiles.py")
"""Arguments about single games, found by their class, and what the reference implementation computed."""
ANY = {"str", "type", "Game"}
"""Kinds that a game may be told from: an id, a class, no game at all."""


@cache
def sources() -> tuple[tuple[str, ast.Module], ...]:
    """Modules outside the games, each once: the folders of the packages are linked into `coopgym`."""
    skipped = ("coopgym/games/", *(f"coopgym/{linked}/" for linked in PACKAGES[1:]))
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    named = ((path.relative_to(ROOT).as_posix(), path) for path in paths)
    return tuple((name, ast.parse(path.read_text())) for name, path in named if not name.startswith(skipped))


def game_classes(module: ast.Module) -> set[str]:
    """Names that a module imports from the games."""
    return {
        alias.asname or alias.name
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(OF_GAMES)
        for alias in node.names
    }


def is_a_game(node: ast.expr) -> bool:
    return ast.unparse(node).split(".")[-1] == "game"


def recognitions(module: ast.Module) -> Iterator[str]:
    """Expressions that tell a game by its class."""
    classes = game_classes(module)
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
            kinds = {name.id for name in ast.walk(node.args[1]) if isinstance(name, ast.Name)}
            if kinds & classes or (is_a_game(node.args[0]) and not kinds <= ANY):
                yield ast.unparse(node)
        if isinstance(node, ast.Compare) and any(
            isinstance(side, ast.Call) and ast.unparse(side.func) == "type" and is_a_game(side.args[0])
            for side in (node.left, *node.comparators)
        ):
            yield ast.unparse(node)


def test_nobody_outside_the_games_compares_editions() -> None:
    reads = [
        f"{name}:{node.lineno}"
        for name, module in sources()
        if name not in FILTERS
        for node in ast.walk(module)
        if isinstance(node, ast.Attribute) and node.attr == "edition"
    ]
    assert len(reads) <= MOST_READS, reads


def test_nobody_outside_the_games_recognises_their_classes() -> None:
    found = [f"{name}: {text}" for name, module in sources() for text in recognitions(module)]
    assert found == []


def test_game_classes_are_imported_only_by_arguments_about_them() -> None:
    importers = {name for name, module in sources() if game_classes(module)}
    assert importers, "the search finds nothing"
    assert {name for name in importers if not name.startswith(KNOWS_ITS_GAME)} == set()


@pytest.mark.parametrize(
    "text",
    [
        "isinstance(game, SLCD)",
        "isinstance(self.game, cls.played_in)",
        "issubclass(kind, (SLCD, str))",
        "type(game) in (SLCD,)",
        "type(plan.game) is SLCD",
    ],
)
def test_the_search_finds_recognitions(text: str) -> None:
    module = ast.parse(f"from coopgym.games.formal.trust import SLCD\n{text}")
    assert list(recognitions(module)) == [text]
    assert list(recognitions(ast.parse("isinstance(game, str)\nisinstance(layer, Integrated)"))) == []


def test_mechanisms_of_the_released_edition_live_with_it() -> None:
    """Every module of `coopgym.mechanisms` is used by the formal edition or by somebody outside the games."""
    mechanisms = {path.stem for path in (ROOT / "coopgym/mechanisms").glob("*.py")} - {"__init__"}
    formal = ((path.name, ast.parse(path.read_text())) for path in (ROOT / "coopgym/games/formal").glob("*.py"))
    used = {
        name
        for _, module in (*formal, *sources())
        for node in ast.walk(module)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("coopgym.mechanisms")
        for name in ((node.module or "").rsplit(".", 1)[1], *(alias.name for alias in node.names))
    }
    assert mechanisms - used == set()
