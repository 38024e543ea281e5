"""The house keeps to its limits, and the guide for contributors to what there is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.house import LIMITS, Graph, Measure, against_the_floors, height, measures, rings

ROOT = Path(__file__).parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
QUOTED = re.findall(r"`([^`\n]+)`", GUIDE)


@pytest.fixture(scope="module")
def house() -> dict[str, Measure]:
    return {measure.name: measure for measure in measures()}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_kept(house: dict[str, Measure], name: str) -> None:
    assert not house[name].too_high, str(house[name])


def test_circles_and_floors_are_found() -> None:
    graph: Graph = {"roof": {"a"}, "a": {"b"}, "b": {"c"}, "c": {"a", "ground"}, "ground": set()}
    assert rings(graph) == [["a", "b", "c"]]
    assert height(graph) == 3
    assert height({**graph, "c": {"ground"}}) == 5


def test_imports_against_the_floors_are_found() -> None:
    core, oracles, learners = "coopgym.games.game", "coopgym.oracles.games.optimum", "coopgym.algorithms.loading"
    assert against_the_floors({core: set(), oracles: {core}, learners: {oracles, core}}).count == 0
    assert against_the_floors({core: {oracles}, oracles: {learners}, learners: set()}).count == 2


def test_every_line_is_counted_once(house: dict[str, Measure]) -> None:
    folders = ("coopgym", "oracles", "algorithms", "benchmarks")
    files = {path.resolve() for folder in folders for path in (ROOT / folder).rglob("*.py")}
    assert house["lines of product code"].count == sum(len(path.read_text("utf-8").splitlines()) for path in files)


def named_paths() -> Iterator[str]:
    linked = re.findall(r"\]\(([^)#]+)\)", GUIDE)
    yield from linked
    yield from (each for each in QUOTED if re.fullmatch(r"[\w.-]+(/[\w.-]*)+|[\w-]+\.(py|md|toml|txt|lock)", each))


def test_the_guide_names_files_that_exist() -> None:
    paths = sorted(set(named_paths()))
    assert len(paths) > 40
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_guide_names_commands_that_exist() -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    commands = [each.split() for each in QUOTED if each.startswith(("make ", "python -m "))]
    assert [words for words in commands if words[0] == "make" and words[1] not in targets] == []
    assert [words for words in commands if words[0] == "python" and not find_spec(words[2])] == []


def test_the_guide_names_what_the_files_hold() -> None:
    """A name before ``of`` or ``in`` a file stands in it."""
    held = re.findall(r"`(\w+)`\s(?:of|in)\s`([\w./-]+\.(?:py|toml))`", GUIDE)
    assert len(held) > 10
    assert [
        (name, path) for name, path in held if not re.search(rf"\b{name}\b", (ROOT / path).read_text("utf-8"))
    ] == []
