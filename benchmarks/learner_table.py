"""The documentation's table of learners, from the classes: ``python -m benchmarks.learner_table docs/learners.md``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import torch

from algorithms import learners
from algorithms.marl.environment import environment_factory
from algorithms.marl.learner import Learner
from algorithms.marl.replicas import cross
from algorithms.marl.sb3 import SB3Learner
from algorithms.marl.trainer import Trainer
from algorithms.trainable import Trainable

END = "<!-- end of table -->"
SMALL, LARGER = "TrustDilemma-v1", "TeamProduction-v1"
"""Games on which learners for two seats and for more are made to see what policies they leave."""


def learner_table(kinds: Mapping[str, type[Trainable]]) -> str:
    """Return the table in Markdown, one row per learner with hyper-parameters that all have a default."""
    rows = ["| learner | source | objective | policy | seats | checked by |", "| --- | --- | --- | --- | --- | --- |"]
    for name, kind in sorted(kinds.items()):
        if issubclass(kind, Learner):
            rows.append(f"| {' | '.join((name, *_cells(kind)))} |")
    return "\n".join(rows)


def with_table(text: str, table: str, kind: str = "learners") -> str:
    """Return a page with the table of a kind of things between its marks.

    Raises:
        ValueError: the page lacks a mark.
    """
    mark = f"<!-- table of {kind} -->"
    before, begin, rest = text.partition(mark)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"expected a page with the lines {mark!r} and {END!r}")
    return f"{before}{mark}\n\n{table}\n\n{END}{after}"


def _cells(kind: type[Learner]) -> tuple[str, ...]:
    learner = kind()
    game = SMALL if kind.min_agents <= 2 else LARGER
    make = environment_factory(game, None, None)
    trainer = Trainer(learner, make, cross(["private"], [0]), torch.device("cpu"))
    forms = sorted({facts["kind"].replace("_", " ") for facts in trainer.seats.policy_facts()})
    seats = f"{kind.min_agents}-{kind.max_agents}" if kind.max_agents else f"{kind.min_agents} or more"
    tests = "tests/algorithms/test_sb3.py" if issubclass(kind, SB3Learner) else "tests/algorithms/test_battery.py"
    return kind.sources, ", ".join(kind.objectives), ", ".join(forms), seats, f"`{tests}`"


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_table(page.read_text(), learner_table(learners())))
