"""Whether designed rewards are learned from sooner, from kept results."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from coopgym.benchmarks.documentation.wording import paragraph, short, table
from coopgym.benchmarks.experiments.rewards.design_experiments import GAMES, KEPT, KEPT_EVERYWHERE
from coopgym.benchmarks.experiments.rewards.kept import Kept, kept
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


@cache
def _everywhere() -> Kept:
    return kept(KEPT_EVERYWHERE)


def everywhere() -> str:
    """Return how many episodes Q-learning takes with fixed rewards on all situations, beside adapted ones."""
    record, adapted = _everywhere(), _record()["parts"]
    parts = {game: record["parts"][game] for game in GAMES if game in record["parts"]}
    rows = [
        (
            short(game),
            _interval(part["rewards"][ORIGINAL][EPISODES]["mean"]),
            _interval(part["rewards"]["ExpRD"][EPISODES]["difference"]),
            _interval(part["rewards"]["ExpRD, alone"][EPISODES]["difference"]),
            _interval(adapted[game]["rewards"]["ExpAdaRD, all situations"][EPISODES]["difference"]),
        )
        for game, part in parts.items()
    ]
    added, alone = (
        sum(_sooner(part["rewards"][name]) for part in parts.values()) for name in ("ExpRD", "ExpRD, alone")
    )
    margins, levels = ([part[name] for part in parts.values()] for name in ("margin", "reward"))
    short_by = [part["informativeness"] for part in parts.values()]
    words = paragraph(f"""
        As above, with rewards in all situations; "alone" is the design in place of the game's reward, as published. The
        column of ExpAdaRD is that of the table above, with its own original rewards. Of {len(parts)} games, surely
        fewer episodes: ExpRD added to the game's reward in {added}, alone in {alone}. Gaps within the horizons fall
        short by {-max(each[0] for each in short_by):.3f} to {-min(each[0] for each in short_by):.3f} on average under
        the original rewards, and by {abs(min(min(each[1:]) for each in short_by)):.3f} under the designs. The median
        margin of a decision is {min(margins):.3f} to {max(margins):.3f}, the mean reward of a step
        {min(each[0] for each in levels):.2f} to {max(each[0] for each in levels):.2f} in the games and
        {min(each[2] for each in levels):.2f} to {max(each[2] for each in levels):.2f} in the designs alone.
    """)
    headings = ("game", "original: episodes", "ExpRD: difference", "ExpRD, alone: difference", "ExpAdaRD: difference")
    return f"{table(headings, rows)}\n\n{words}"


def in_rooms() -> str:
    """Return how many episodes Q-learning takes in four rooms with designed rewards."""
    record = _everywhere()
    found, settings = record["parts"]["rooms"], record["settings"]["rooms learner"]
    rows = [
        (
            name,
            _interval(each[EPISODES]["mean"]),
            "" if name == ORIGINAL else _interval(each[EPISODES]["difference"]),
        )
        for name, each in found["rewards"].items()
    ]
    words = paragraph(f"""
        Episodes until Q-learning has come {record["settings"]["way"]:g} of the way in four rooms of nine cells, whose
        far corner pays {record["settings"]["rooms"]["prize"]:g}; {record["settings"]["seeds"]} seeds, at most
        {settings["episodes"]} episodes, values from {settings["initial"]:g}, learning rate {settings["rate"]:g}. ExpRD
        rewards the corner and {record["settings"]["budget"]} cells; rounded, it leaves out rewards of at most
        {found["largest rounded"]:.4f}, and the optimum stays
        (`{record["command"]}`; kept result of {record["date"]}).
    """)
    return f"{table(('reward', 'episodes', 'difference to the original'), rows)}\n\n{words}"


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
