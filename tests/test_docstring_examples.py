"""Examples in docstrings are run as they stand there, and whatever users call has one.

An example finds ``coopgym``, ``np`` and the names of its module, as if it stood below the function that it explains. It
may write files: it runs in a folder of its own.
"""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
from collections.abc import Iterator
from dataclasses import dataclass, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import coopgym
from coopgym.agents import Strategy, families, heuristics, wrappers
from coopgym.algorithms import LEARNERS
from coopgym.algorithms.llm.kernels import KERNELS
from tests.house import module_name, product_files, syntax

PROMPT = ">>> "
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
PRINTED: dict[str, Any] = {
    "precision": 8,
    "suppress": False,
    "threshold": 1000,
    "linewidth": 75,
    "floatmode": "maxprec",
}
"""NumPy's own print options: a reader who tries an example sees what it says."""

PACKAGES = (
    "coopgym",
    "coopgym.agents",
    "coopgym.corpus",
    "coopgym.play",
    "coopgym.rewards",
    "coopgym.strangers",
    "coopgym.testing",
    "coopgym.oracles",
    "coopgym.algorithms",
    "coopgym.algorithms.llm",
    "coopgym.benchmarks.case_studies",
    "coopgym.benchmarks.score",
    "coopgym.benchmarks.strangers",
    "coopgym.benchmarks.study",
)
"""Packages whose ``__all__`` says what users call; games and learners are rows of registries, shown where one asks."""
EQUATIONS = "coopgym.mechanisms."

WITHOUT: frozenset[str] = frozenset(
    {
        "coopgym.algorithms.llm.play.agent.LanguageAgent",
        "coopgym.algorithms.llm.training.trainer.Trainer",
        "coopgym.benchmarks.score.bootstrap.resampled",
        "coopgym.benchmarks.score.bootstrap.resampled_counts",
        "coopgym.benchmarks.score.comparison_sets.comparison_sets",
        "coopgym.benchmarks.score.comparison_sets.principal",
        "coopgym.benchmarks.score.comparison_sets.private_comparison_sets",
        "coopgym.benchmarks.score.comparison_sets.rankings",
        "coopgym.benchmarks.score.contribution.contributions",
        "coopgym.benchmarks.score.contribution.summarise_contributions",
        "coopgym.benchmarks.score.crossover.paradigm_crossovers",
        "coopgym.benchmarks.score.csv_files.cells_csv",
        "coopgym.benchmarks.score.csv_files.rankings_csv",
        "coopgym.benchmarks.score.distribution.distributions",
        "coopgym.benchmarks.score.failures.failures",
        "coopgym.benchmarks.score.grid.run_grid",
        "coopgym.benchmarks.score.grid.self_play",
        "coopgym.benchmarks.score.improvement.improvements",
        "coopgym.benchmarks.score.noise.noise_floors",
        "coopgym.benchmarks.score.oracle_gaps.exceedances",
        "coopgym.benchmarks.score.oracle_gaps.oracle_gaps",
        "coopgym.benchmarks.score.paired.compare",
        "coopgym.benchmarks.score.paired.comparisons",
        "coopgym.benchmarks.score.profiles.profiles",
        "coopgym.benchmarks.score.scenarios.cross_play",
        "coopgym.benchmarks.score.scenarios.scenario_scores",
        "coopgym.benchmarks.score.scores.both_tables",
        "coopgym.benchmarks.score.stability.censoring",
        "coopgym.benchmarks.score.stability.instabilities",
        "coopgym.benchmarks.study.changes.in_words",
        "coopgym.benchmarks.study.changes.place_of",
        "coopgym.benchmarks.study.changes.superseded",
        "coopgym.benchmarks.study.expansion.matching",
        "coopgym.benchmarks.study.grouping.group",
        "coopgym.benchmarks.study.grouping.search_seconds",
        "coopgym.corpus.reference.importer.import_reference",
        "coopgym.rewards.pipeline.RewardsByRow",
        "coopgym.rewards.pipeline.RunningRewards",
    }
)
"""What users call that has no example yet. Names may leave this list, none may join it."""

Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Docstring:
    """A docstring where it stands."""

    path: Path
    name: str
    """Of what it describes, within the module; empty for the module itself."""
    line: int
    text: str

    @property
    def module(self) -> str:
        return module_name(self.path)

    @property
    def full_name(self) -> str:
        return f"{self.module}.{self.name}".rstrip(".")


@cache
def docstrings() -> dict[str, Docstring]:
    """Docstrings of the product by the full name of what they describe; nothing is imported for them."""
    return {found.full_name: found for path in product_files() for found in _within(path, syntax(path), "")}


def _within(path: Path, node: Documented, name: str) -> Iterator[Docstring]:
    text = ast.get_docstring(node)
    if text is not None:
        yield Docstring(path, name, node.body[0].lineno, text)
    for child in node.body:
        if isinstance(child, Documented):
            yield from _within(path, child, f"{name}.{child.name}".lstrip("."))


def examples(path: Path) -> list[Docstring]:
    """Docstrings of a file that hold an example."""
    return [found for found in _within(path, syntax(path), "") if PROMPT in found.text]


@cache
def all_examples() -> list[Docstring]:
    return [found for found in docstrings().values() if PROMPT in found.text]


@pytest.mark.parametrize("path", [path for path, text in product_files().items() if PROMPT in text], ids=module_name)
def test_examples_of_a_module_print_what_they_say(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    report = [line for example in examples(path) for line in failures(example)]
    assert not report, "".join(report)


def failures(example: Docstring) -> list[str]:
    """What is told of an example that prints something else than it says."""
    names = {"coopgym": coopgym, "np": np, **vars(importlib.import_module(example.module))}
    lines = doctest.DocTestParser().get_doctest(
        example.text, names, example.full_name, example.path.as_posix(), example.line - 1
    )
    report: list[str] = []
    with np.printoptions(**PRINTED):
        doctest.DocTestRunner(optionflags=OPTIONS, verbose=False).run(lines, out=report.append)
    return report


def test_no_example_stands_where_it_is_not_run() -> None:
    written = {path: text.count(PROMPT) for path, text in product_files().items() if PROMPT in text}
    run = dict.fromkeys(written, 0)
    for example in all_examples():
        run[example.path] += example.text.count(PROMPT)
    assert run == written


def offered() -> set[str]:
    """Full names of the classes and functions that users call: exports, equations and strategies."""
    exported = {_home(thing) for package in PACKAGES for thing in _exports(package)}
    equations = {
        found.full_name
        for found in docstrings().values()
        if found.module.startswith(EQUATIONS) and found.name.isidentifier() and found.name[0].islower()
    }
    strategies = {
        _home(thing)
        for module in (heuristics, families, wrappers)
        for thing in vars(module).values()
        if inspect.isclass(thing) and issubclass(thing, Strategy) and not inspect.isabstract(thing)
    }
    return exported | equations | strategies


def _exports(package: str) -> Iterator[Any]:
    module = importlib.import_module(package)
    for name in set(module.__all__) - set(LEARNERS):
        thing = getattr(module, name)
        if inspect.isfunction(thing) or (inspect.isclass(thing) and not _is_shown_by_functions(thing)):
            yield thing


def _is_shown_by_functions(kind: type) -> bool:
    """Whether a class is a record, an interface or an exception: functions return it, take it or raise it."""
    is_interface = inspect.isabstract(kind) or getattr(kind, "_is_protocol", False)
    return is_dataclass(kind) or is_interface or issubclass(kind, Exception)


def _home(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def test_what_users_call_has_an_example() -> None:
    shown = {example.full_name for example in all_examples()}
    shown |= {name.rpartition(".")[0] for name in shown}  # a method shows its class
    assert offered() - shown == WITHOUT


def test_every_method_of_language_model_training_shows_its_arithmetic() -> None:
    assert {kernel.__module__ for kernel in KERNELS.values()} <= {example.module for example in all_examples()}
