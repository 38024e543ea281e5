"""Whether designed rewards are learned from sooner, from kept results."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from coopgym.benchmarks.documentation.wording import paragraph, short, table
from coopgym.benchmarks.rewards.design_experiments import GAMES, KEPT
from coopgym.benchmarks.rewards.kept import Kept, kept
from coopgym.benchmarks.score.estimates import score_text

EPISODES, WAY = "episodes", "mean way"
ORIGINAL, COUNTS = "original", "counts"


@cache
def _record() -> Kept:
    return kept(KEPT)


def in_games() -> str:
    """Return how many episodes Q-learning takes with designed rewards, and what they are known to keep."""
    record = _record()
    settings = record["settings"]
    parts = {game: record["parts"][game] for game in GAMES}
    designs = [name for name in parts[GAMES[0]]["rewards"] if name != ORIGINAL]
    rows = [
        (
            short(game),
            _interval(part["rewards"][ORIGINAL][EPISODES]["mean"]),
            *(_interval(part["rewards"][name][EPISODES]["difference"]) for name in designs),
        )
        for game, part in parts.items()
    ]
    sooner = {name: sum(_sooner(part["rewards"][name]) for part in parts.values()) for name in designs}
    kept_optima = sum(part["keeps optimum"] for part in parts.values())
    errors = [part["error"][0] for part in parts.values()]
    told = ", ".join(f"{name} in {count}" for name, count in sooner.items())
    words = paragraph(f"""
        Episodes until Q-learning has come {settings["way"]:g} of the way from uniform play to the optimum of the
        abstraction, and differences to the original reward, paired by seed: {settings["seeds"]} seeds, 95 % intervals,
        at most {settings["learner"]["episodes"]} episodes, partner {settings["partner"]}, discount
        {settings["gamma"]:g}. Of {len(GAMES)} games, surely fewer episodes: {told}. The design keeps the optimum of the
        abstraction in {kept_optima} of {len(GAMES)}; values of the abstraction miss those of the game by
        {min(errors):.2f} to {max(errors):.2f} of the span of returns on average (`{record["command"]}`; kept result of
        {record["date"]}).
    """)
    headings = ("game", "original: episodes", *(f"{name}: difference" for name in designs))
    return f"{table(headings, rows)}\n\n{words}"


def on_the_chain() -> str:
    """Return what exploration bonuses earn on a chain with a distractor."""
    record = _record()
    found, chain = record["parts"]["chain"], record["settings"]["chain"]
    rows = [
        (name, _interval(each["return"]["mean"]), "" if name == COUNTS else _interval(each["return"]["difference"]))
        for name, each in found.items()
    ]
    words = paragraph(f"""
        Mean return over training of a policy gradient on a chain of {chain["length"]} states with a reward of 1 at its
        end and {chain["distraction"]:g} beside its beginning; {record["settings"]["seeds"]} seeds.
    """)
    return f"{table(('reward', 'return', 'above counts alone'), rows)}\n\n{words}"


def _sooner(measured: Mapping[str, Any]) -> bool:
    high = measured[EPISODES]["difference"].get("high")
    return high is not None and high < 0.0


def _interval(told: Mapping[str, Any]) -> str:
    if "low" not in told or told["low"] is None:
        return score_text(told["value"]) if told else "never"
    return f"{score_text(told['value'])} ({score_text(told['low'])} … {score_text(told['high'])})"
