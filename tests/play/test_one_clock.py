"""Time passes in `coopgym.play` alone: nobody else steps a game, and nobody else loops over steps."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HERE = ROOT / "coopgym" / "play"
PACKAGES = ("coopgym", "oracles", "algorithms", "benchmarks")
LOOPS = ast.For | ast.While | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
STEPS_A_GAME = ("coopgym/games/", "coopgym/testing/")
"""Games step themselves on their way up the classes; the batteries check the step itself."""


def sources(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Files outside the room of time, by their paths from the root."""
    for folder in folders:
        for file in sorted((ROOT / folder).rglob("*.py")):
            if not file.is_relative_to(HERE):
                yield file.relative_to(ROOT).as_posix(), parsed(file)


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def last_name(node: ast.expr) -> str:
    """``game`` of ``self.problem.game`` and of ``game``."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def steps_an_engine(node: ast.AST) -> bool:
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    return called and node.func.attr in ("step", "advance") and "engine" in last_name(node.func.value).lower()


def steps_a_state(node: ast.AST) -> bool:
    """Whether a call moves a state: ``game.step(state, actions)`` or ``expected_step(game, state, actions)``.

    Environments and optimisers hold what they step, and ``super().step(...)`` is a class on its way up.
    """
    if not isinstance(node, ast.Call) or len(node.args) < 2:
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr == "step":
        return not isinstance(node.func.value, ast.Call)
    return last_name(node.func) in ("expected_step", "played")


def names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def moved(loop: ast.AST) -> set[str]:
    """Names that a loop binds to something's state, as in ``state = transition.state``."""
    return {
        name
        for node in ast.walk(loop)
        if isinstance(node, ast.Assign)
        and any(isinstance(part, ast.Attribute) and part.attr == "state" for part in ast.walk(node.value))
        for target in node.targets
        for name in names(target)
    }


def play_loops(tree: ast.AST, engines: bool = True) -> Iterator[int]:
    """Lines of loops that step a state which they move themselves, or an engine, which holds one."""
    for loop in ast.walk(tree):
        if not isinstance(loop, LOOPS):
            continue
        stepped = [node for node in ast.walk(loop) if steps_a_state(node)]
        if any(names(call) & moved(loop) for call in stepped) or (
            engines and any(map(steps_an_engine, ast.walk(loop)))
        ):
            yield loop.lineno


def test_nobody_else_steps_a_game() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path, tree in sources(*PACKAGES)
        if not path.startswith(STEPS_A_GAME)
        for node in ast.walk(tree)
        if steps_a_state(node) and isinstance(node.func, ast.Attribute) and "game" in last_name(node.func.value)
    ]
    assert found == []


def test_nobody_else_loops_over_steps() -> None:
    found = {path: [*play_loops(tree)] for path, tree in sources(*PACKAGES)}
    assert {path: lines for path, lines in found.items() if lines} == {}


def test_tests_play_by_unrolling_too() -> None:
    found = {path: [*play_loops(tree, engines=False)] for path, tree in sources("tests")}
    assert {path: lines for path, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "source",
    [
        "for t in range(9):\n    state = game.step(state, plan[t]).state",
        "while alive:\n    transition = self.game.step(state, actions, noise)\n    state = transition.state",
        "for row in plan:\n    now = expected_step(game, now, row).state",
        "for row in plan:\n    engine.step(row)",
        "paid = [self._engine.advance(row)[1] for row in plan]",
    ],
)
def test_play_loops_are_recognised(source: str) -> None:
    assert [*play_loops(ast.parse(source))] == [1]


@pytest.mark.parametrize(
    "source",
    [
        "for t in range(9):\n    optimiser.step()",
        "for action in actions:\n    env.step(action)",
        "payoffs = [game.step(state, actions).payoffs for state in states]",
        "for step in unroll(game, policy, draws=NOMINAL):\n    total += step.rewards",
    ],
)
def test_other_loops_are_not(source: str) -> None:
    assert [*play_loops(ast.parse(source))] == []
