"""What learners of the team's reward reach of the best constant, from a corpus of the study `team-learners`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from benchmarks.documentation.sources import TEAMS, Run, chosen, runs
from benchmarks.documentation.wording import short, table

YARDSTICK = "Constant_50"
"""A learner that everybody's playing half of the endowment beats has not learned."""


def games_of(corpus: Sequence[Run]) -> list[str]:
    """Return the games in order of their names."""
    return sorted({run.environment for run in corpus})


@cache
def shares(name: str = TEAMS) -> Mapping[str, Mapping[str, list[float]]]:
    """Return integrated returns in % of the best constant's, by learner and game, one number per seed.

    Learners stand in the order of their names, below the constant of 50 %. A learner that did not play a game lacks it.
    """
    corpus = runs(name)
    best = {game: best_constant(corpus, game).return_integrated for game in games_of(corpus)}
    found: dict[str, dict[str, list[float]]] = {YARDSTICK: {}}
    for run in corpus:
        if run.algorithm_kind == "learner" or run.algorithm == YARDSTICK:
            rows = found.setdefault(run.algorithm.removesuffix("-team"), {})
            rows.setdefault(run.environment, []).append(100 * run.return_integrated / best[run.environment])
    return found


def best_constant(corpus: Sequence[Run], game: str) -> Run:
    """Return the run of the constant with the highest integrated return."""
    constants = chosen(corpus, environment=game, algorithm_kind="constant")
    return max(constants, key=lambda run: run.return_integrated)


def shares_table() -> str:
    """Return the shares of the best constant as a table."""
    games = games_of(runs(TEAMS))
    rows = (
        (name, *(", ".join(f"{share:.1f}" for share in reached.get(game, ())) for game in games))
        for name, reached in shares().items()
    )
    return table(("learner", *map(short, games)), rows)
