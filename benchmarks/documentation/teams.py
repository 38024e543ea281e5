"""What learners of the team's reward reach of the best constant, from a corpus of the study `team-learners`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from statistics import fmean

from coopgym.benchmarks.documentation.sources import TEAMS, Run, chosen, hours, runs
from coopgym.benchmarks.documentation.wording import between, listed, paragraph, short, table

BASELINE = "Constant_50"
"""A learner that everybody's playing half of the endowment beats has not learned."""
BESIDE = 2
"""How far below the best constant the return is looked at, in % of the endowment."""


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
    found: dict[str, dict[str, list[float]]] = {BASELINE: {}}
    for run in corpus:
        if run.algorithm_kind == "learner" or run.algorithm == BASELINE:
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


def study() -> str:
    """Say what the study consists of and what the table shows."""
    learned = chosen(runs(TEAMS), algorithm_kind="learner")
    steps = sorted({run.env_steps or 0 for run in learned})
    return paragraph(f"""
        The study `team-learners` (`coopgym run team-learners`; its corpus is released as `{TEAMS}`, and took
        {hours(learned)} by its own clocks) trains with the team's objective under the integrated reward on
        {len(games_of(learned))} games of the released edition: {between(steps, 0)} steps, default settings,
        {len({run.seed for run in learned})} seeds. Return of the final policies, playing their best guess, in % of the
        best constant's, one number per seed; above it what everybody's playing half of the endowment returns.
    """)


def extremes() -> str:
    """Say where the lowest shares are, and who is below everybody's playing half of the endowment."""
    baseline, *learners = shares().items()
    half = {game: reached for game, (reached,) in baseline[1].items()}
    cells = [(name, game, reached) for name, games in learners for game, reached in games.items()]
    lowest = min(cells, key=lambda cell: min(cell[2]))
    below_in_the_mean = [f"{name} in {short(game)}" for name, game, found in cells if fmean(found) <= half[game]]
    seeds_below = [
        f"{name} in {short(game)} ({share:.1f} %)"
        for name, game, found in cells
        for share in found
        if share <= half[game]
    ]
    return paragraph(f"""
        The lowest of these numbers is {min(lowest[2]):.1f} % ({lowest[0]} in {short(lowest[1])}). Not above {BASELINE}
        in the mean over seeds: {listed(below_in_the_mean)}; in single seeds: {listed(seeds_below)}.
    """)


def beside_the_best_constant() -> str:
    """Say what a little less than the best constant returns."""
    corpus, found = runs(TEAMS), []
    for game in games_of(corpus):
        best = best_constant(corpus, game)
        level = int(best.algorithm.removeprefix("Constant_"))
        (lower,) = chosen(corpus, environment=game, algorithm=f"Constant_{level - BESIDE:02d}")
        share = 100 * lower.return_integrated / best.return_integrated
        found.append(f"{level} % in {short(game)} ({share:.1f} %)")
    return paragraph(f"""
        The best constants in % of the endowment, and in parentheses what {BESIDE} % less returns of theirs:
        {listed(found)}.
    """)


def worst_and_best() -> str:
    """Say in a sentence what teams reach."""
    learners = {name: reached for name, reached in shares().items() if name != BASELINE}
    everything = [share for reached in learners.values() for found in reached.values() for share in found]
    games = games_of(runs(TEAMS))
    fewer = [f"{name} in {listed(map(short, found))}" for name, found in learners.items() if len(found) < len(games)]
    return (
        f"On {len(games)} games of the released edition teams of each of {len(learners)} learners end at "
        f"{between(everything, 1)} % of the best constant profile ({listed(fewer)} alone; `coopgym run team-learners`, "
        f"corpus `{TEAMS}`)."
    )
