"""What agents reach in worlds, from a corpus of the study `worlds`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from coopgym.benchmarks.documentation.sources import WORLDS
from coopgym.benchmarks.documentation.wording import between, paragraph, short, table
from coopgym.benchmarks.drawing.formatting import spread
from coopgym.benchmarks.score import Estimate, Leaderboards
from coopgym.benchmarks.score.estimates import score_text
from coopgym.benchmarks.score.settings import LEARNER
from coopgym.benchmarks.score.worlds import WorldScores
from coopgym.corpus.reader import load_corpus

ENOUGH = 0.5
"""A score that half of what there is to find out is worth."""
REWARD = "cooperative"
BESIDE = ("Inferring", "ExploreThenCommit", "TitForTat", "Constant_75")
"""Whom learners are shown beside."""


@cache
def scores() -> WorldScores:
    """Return the scores of the corpus under cooperative reward.

    Raises:
        ValueError: it holds no self-play in worlds that may be compared.
    """
    (board,) = Leaderboards(load_corpus(WORLDS).runs.arrow).worlds
    return board.scores.of_mode(REWARD)


def reached_table() -> str:
    """Return the scores of learners and of some others, by game and world, best first by their mean."""
    found = scores()
    names = sorted((*_learners(), *BESIDE), key=lambda name: -_mean(name))
    rows = (
        [short(task.setting.environment), task.setting.world, *(_cell(found.cell(name, task)) for name in names)]
        for task in found.tasks
    )
    return table(["game", "world", *names], rows)


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    around = spread(estimate)
    return score_text(estimate.value) + (f" ({around})" if around else "")


def reached() -> str:
    """Say what the learners reach with and without memory, and how many games that is said of."""
    found = scores()
    worlds = {task.setting.world for task in found.tasks}
    seeds = len(found.seeds)
    return paragraph(f"""
        Under {REWARD} reward, {seeds} seeds, {" and ".join(f"`{world}`" for world in found.worlds)}, {len(found.tasks)}
        games{"" if len(worlds) == 1 else " and worlds"}: {"; ".join(map(_said, _learners()))}. In brackets:
        the 95 % interval over seeds and draws.
    """)


def _learners() -> list[str]:
    return [each.name for each in scores().algorithms if each.kind == LEARNER]


def _said(name: str) -> str:
    values = list(_values(name))
    above = sum(value > ENOUGH for value in values)
    return f"{name} scores {between(values, 2)}, above {ENOUGH} in {above} of {len(values)}"


def _values(name: str) -> Iterable[float]:
    found = scores()
    return (estimate.value for task in found.tasks if (estimate := found.cell(name, task)) is not None)


def _mean(name: str) -> float:
    values = list(_values(name))
    return sum(values) / len(values)
