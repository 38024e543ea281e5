"""What farming trust earns, which rewards behaviours are read for, and what learning from them brings: kept results."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean

from coopgym.benchmarks.documentation.wording import listed, paragraph, short, table
from coopgym.benchmarks.drawing.formatting import signed, spread
from coopgym.benchmarks.experiments.rewards import endogenous_learning, reward_reading, trust_farming
from coopgym.benchmarks.experiments.rewards.kept import kept
from coopgym.benchmarks.experiments.rewards.reading import MODES
from coopgym.benchmarks.score import mean_estimate
from coopgym.rewards.trust_gained import MECHANISMS

CLAIM = 0.8
"""Share of policies that are to be named rightly."""


def farming() -> str:
    """Say how the table of farming came about."""
    found = kept(trust_farming.KEPT)
    return paragraph(f"""
        Both seats play alike; numbers are those of seat 0 in one episode, which has no chance in it. Honest is the
        constant share that pays best. Beside payoffs stands what trust gained adds at weight 1 by mechanism, and the
        weight from which on the attack is paid more than honest play (`{found["command"]}`; kept result of
        {found["date"]}).
    """)


def farming_table() -> str:
    """Return payoffs and process rewards of the attack and of honest play, and weights that break even."""
    rows = []
    for game, found in kept(trust_farming.KEPT)["parts"].items():
        for player in ("honest", "attack"):
            earned = found[player]
            sums = (signed(earned[mechanism], 3) for mechanism in MECHANISMS)
            rows.append([short(game), f"{player}: `{earned['agent']}`", signed(earned["payoff"], 1), *sums])
        weights = (trust_farming.break_even(found, mechanism) for mechanism in MECHANISMS)
        rows.append([short(game), "weight from which the attack earns more", "", *map(_weight, weights)])
    return table(["game", "play", "payoff", *MECHANISMS], rows)


def _weight(value: float) -> str:
    return "none" if math.isinf(value) else f"{value:.0f}"


def reading() -> str:
    """Say how the readings came about and whether the claim holds."""
    found = kept(reward_reading.KEPT)
    settings, games = found["settings"], list(found["parts"])
    counts = {game: reward_reading.named_rightly(found, game) for game in games}
    right, policies = (sum(each) for each in zip(*counts.values(), strict=True))
    reached = [short(game) for game, (hits, of) in counts.items() if hits >= CLAIM * of]
    missing = [short(game) for game in reward_reading.GAMES if game not in counts]
    verdict = "holds" if right >= CLAIM * policies else "does not hold"
    lacking = f"Of the games that the command measures, not measured so far: {listed(missing)}." if missing else ""
    return paragraph(f"""
        The nearest mode, by the mean distance over seats, is the one that was trained on for {right} of {policies}
        policies: the claim of {CLAIM:.0%} {verdict}; by itself it is met in {listed(reached)}.
        {lacking}
        {settings["learner"]}, {settings["env_steps"]:,} steps, {settings["seeds"]} seeds for each mode and game;
        {settings["cloned"]} episodes cloned; distances over {settings["covered"]} episodes under discount
        {settings["gamma"]:g} (`{found["command"]}`; kept result of {found["date"]}).
    """).replace("%", " %")


def reading_table() -> str:
    """Return by game and mode of how many policies the reward is named rightly, and their mean distances."""
    found, rows = kept(reward_reading.KEPT), []
    for game, policies in found["parts"].items():
        for mode in MODES:
            right, of = reward_reading.named_rightly(found, game, mode)
            read = [
                fmean(seat[k] for seat in each["distance"])
                for k in range(len(MODES))
                for each in policies
                if each["trained_on"] == mode
            ]
            means = (fmean(read[k * of : (k + 1) * of]) for k in range(len(MODES)))
            rows.append([short(game), mode, f"{right} of {of}", *(signed(value) for value in means)])
    return table(["game", "trained on", "named rightly", *(f"from {mode}" for mode in MODES)], rows)


def told_by_behaviour() -> str:
    """Say for how many policies behaviour itself tells what they were trained on, and how far modes are apart in it."""
    found = kept(reward_reading.BEHAVIOUR)
    counts = [reward_reading.recognised(found, game) for game in found["parts"]]
    right, policies = (sum(each) for each in zip(*counts, strict=True))
    return paragraph(f"""
        Of the other policies of its game, the one that plays most like a policy was trained on the same mode for
        {right} of {policies} policies. Play is compared by mean shares of endowment in the
        {found["settings"]["quarters"]} quarters of an episode, seat by seat; the table has mean differences in them,
        between modes and between seeds of the two modes (kept result of {found["date"]}).
    """)


def behaviour_table() -> str:
    """Return how far neighbouring modes are apart in what is played, and how often they are taken for one another."""
    found, read, rows = kept(reward_reading.BEHAVIOUR), kept(reward_reading.KEPT), []
    for game in found["parts"]:
        for pair in pairwise(MODES):
            apart, seeds = (f(found, game, *pair) for f in (reward_reading.gap, reward_reading.spread_of_seeds))
            mistaken = reward_reading.mistaken(read, game, pair) if game in read["parts"] else "–"
            rows.append([short(game), " and ".join(pair), signed(apart, 3), signed(seeds, 3), mistaken])
    return table(["game", "modes", "apart in shares", "seeds apart", "read as the other"], rows)


def learning() -> str:
    """Say what learning from the reward inside a clone brings."""
    found = kept(endogenous_learning.KEPT)
    settings, parts = found["settings"], found["parts"].values()
    drawn, best = (
        mean_estimate([each[f"learner{how}"] - each[f"clone{choice}"] for each in parts])
        for how, choice in (("", ""), (", best guess", ", most likely"))
    )
    assert drawn is not None
    assert best is not None
    return paragraph(f"""
        {short(settings["game"])} of {settings["max_steps"]} steps; {settings["learner"]} trained on
        {settings["reward"]} reward for {settings["env_steps"]:,} steps, {settings["cloned"]} of its episodes
        cloned, the learner trained as long on the reward inside the clones. Returns under {settings["reward"]} reward.
        The learner earns {signed(drawn.value)} ({spread(drawn)}) more than the clone where both draw their actions, and
        {signed(best.value)} ({spread(best)}) more where both play what they think best; 95 % intervals over
        {drawn.n} seeds (`{found["command"]}`; kept result of {found["date"]}).
    """)


def learning_table() -> str:
    """Return what experts, clones and learners earn."""
    parts = list(kept(endogenous_learning.KEPT)["parts"].values())
    rows = []
    for player in parts[0]:
        earned = mean_estimate([each[player] for each in parts])
        assert earned is not None
        rows.append([player, signed(earned.value, 1), spread(earned, lambda value: signed(value, 1))])
    return table(["policy", "return", "interval"], rows)
