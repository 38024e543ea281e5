"""Code blocks of the README and of ``docs/`` run as they stand there, and print what stands below them.

Blocks of a page are run in its order, each with the names that earlier ones made, and ``coopgym``, ``gymnasium`` and
``np`` at hand, in a folder that holds a small corpus as ``runs/quick``.
"""

from __future__ import annotations

import contextlib
import io
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import gymnasium
import numpy as np
import pytest

import coopgym

ROOT = Path(__file__).parents[1]
CORPUS = ROOT / "tests" / "data" / "corpora" / "schema-1.1"
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```python\n(?P<code>.*?)^```\n(?:\n```text\n(?P<printed>.*?)^```\n)?", re.MULTILINE | re.DOTALL)

NOT_RUN = {
    "README.md": {
        "import gymnasium, coopgym": "needs a GPU",
        "from coopgym.algorithms.marl import IPPO": "trains for minutes",
    },
    "docs/language-agents.md": {
        "corpus.sql(\"select run_id, sum(cost), sum(paid_tokens), count(*) filter (finish <> 'stop') from turns "
        'group by run_id")': "asks what a model has cost that somebody paid",
        "from trl import GRPOConfig, GRPOTrainer": "trains a model from the network",
        "from coopgym.algorithms.llm.adapters.verifiers import GameEnv, GameTaskset": "needs verifiers",
        "import asyncio": "asks a server",
    },
    "docs/language-training.md": {"from coopgym.algorithms.llm import LLM, methods": "trains for minutes"},
    "docs/learners.md": {"from coopgym.algorithms.marl import IPPO": "trains for minutes"},
    "docs/learning-from-data.md": {
        "import numpy as np": "run by tests/benchmarks/test_recorded_episodes.py, which makes the corpus",
        "import coopgym": "run by tests/benchmarks/test_recorded_episodes.py, which makes the corpus",
    },
    "docs/oracles.md": {
        "from coopgym.oracles import certified_gap, exploitability, grim_equilibrium, plan": "plans for half a minute",
        "class Pasture(FormalGame[PastureState, Group]):": "a part of tests/support/plugin_game.py",
    },
    "docs/rewards.md": {"from coopgym.algorithms import IPPO": "trains for minutes"},
}
"""Blocks by page and first line, and why they are not run. Blocks may leave this list, none may join it."""


@dataclass(frozen=True)
class Block:
    """A code block, and what its page says that it prints."""

    page: str
    line: int
    code: str
    printed: str

    @property
    def first(self) -> str:
        return self.code.partition("\n")[0]


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        line = text.count("\n", 0, found.start("code"))
        yield Block(page.relative_to(ROOT).as_posix(), line, found["code"], found["printed"] or "")


def run(block: Block, names: dict[str, object]) -> None:
    """Run a block; lines of errors are those of its page."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        exec(compile("\n" * block.line + block.code, block.page, "exec"), names)
    assert stripped(said.getvalue()) == stripped(block.printed), f"{block.page}:{block.line}"


def stripped(text: str) -> list[str]:
    """Lines that say something, without the blanks with which tables are filled."""
    return [line.rstrip() for line in text.splitlines() if line.strip()]


@pytest.mark.parametrize(
    "page", [page for page in PAGES if "```python" in page.read_text(encoding="utf-8")], ids=lambda page: page.stem
)
def test_code_on_a_page_runs_and_prints_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(CORPUS, tmp_path / "runs" / "quick")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__", "coopgym": coopgym, "gymnasium": gymnasium, "np": np}
    for block in blocks(page):
        if block.first not in NOT_RUN.get(block.page, {}):
            run(block, names)


def test_what_is_not_run_is_there() -> None:
    written = {(block.page, block.first) for page in PAGES for block in blocks(page)}
    assert {(page, first) for page, listed in NOT_RUN.items() for first in listed} <= written
