"""How far rewards are apart and what that says, from kept results of experiments on rewards."""

from __future__ import annotations

from statistics import fmean

from coopgym.benchmarks.documentation.wording import listed, paragraph, short, table
from coopgym.benchmarks.drawing.formatting import signed, spread
from coopgym.benchmarks.experiments.rewards import mutuality_axis, shaping_speed, worst_case_regret
from coopgym.benchmarks.experiments.rewards.kept import Kept, kept
from coopgym.benchmarks.score import Estimate

SHOWN = (0.2, 0.5, 0.8, 1.0)
"""Degrees of mutuality that the table shows."""
NEAR = 0.2
"""STARC distance below which pairs are counted as near."""


def axis_caption() -> str:
    """Say how the table of games came about."""
    found = kept(mutuality_axis.KEPT)
    settings = found["settings"]
    further = [short(game) for game, measured in found["parts"].items() if _integrated_is_further(measured)]
    return paragraph(f"""
        Means over seats, with the least lower and the greatest upper bound of the seats' 95 % bootstrap intervals, of
        {settings["episodes"]} episodes of uniform actions from the start under discount {settings["gamma"]:g}; of games
        with more than {mutuality_axis.MOST_SEATS} seats, that many of them (`{found["command"]}`; kept result of
        {found["date"]}). Integrated reward is further from private than cooperative reward in {listed(further)}, and
        nearer in the other games.
    """)


def _integrated_is_further(measured: Kept) -> bool:
    integrated, cooperative = (fmean(measured[reward]["distance"]) for reward in mutuality_axis.NAMED)
    return integrated > cooperative


def axis_table() -> str:
    """Return how far every game's rewards lie from private reward."""
    rewards = [*map(mutuality_axis.reward_of, SHOWN), *mutuality_axis.NAMED]
    rows = (
        [short(game), *(_over_seats(measured[reward]) for reward in rewards)]
        for game, measured in kept(mutuality_axis.KEPT)["parts"].items()
    )
    return table(["game", *(reward.replace("mutuality=", "λ = ") for reward in rewards)], rows)


def _over_seats(measured: Kept) -> str:
    low, high = min(measured["low"]), max(measured["high"])
    return f"{fmean(measured['distance']):.2f} ({low:.2f}–{high:.2f})"


def regret() -> str:
    """Say how well distances tell what may be lost."""
    found = kept(worst_case_regret.KEPT)
    design, pairs = found["settings"], worst_case_regret.all_pairs(found)
    near = pairs["regret"][2.0 * pairs["STARC"] < NEAR]
    return paragraph(f"""
        {len(pairs["regret"])} pairs of rewards on random processes of {design["states"]} states and {design["actions"]}
        actions under discount {design["gamma"]:g}: a third mixed of one reward and a stranger, a third also shaped, a
        third also changed over next states without a change of expectations. Worst-case regret is a share of the range
        of returns. Of the {len(near)} pairs less than {NEAR:g} apart by STARC none loses more than {max(near):.2f} of
        it. Misranked are the pairs of pairs whose regrets are more than {worst_case_regret.MARGIN:g} apart and of which
        the one that loses more is called the nearer (`{found["command"]}`; kept result of {found["date"]}).
    """)


def regret_table() -> str:
    """Return the rank correlation with regret and the share of misranked pairs, by measure."""
    found = kept(worst_case_regret.KEPT)
    correlations, wrong = worst_case_regret.rank_correlations(found), worst_case_regret.misranked(found)
    rows = (
        [measure, f"{signed(value.value)} ({spread(value)})", f"{100 * wrong[measure]:.1f} %"]
        for measure, value in correlations.items()
    )
    return table(
        ["distance", "Spearman with worst-case regret (95 % bootstrap interval over pairs)", "misranked"], rows
    )


def telling_table() -> str:
    """Return the pairs that EPIC and DARD rank wrongly."""
    measured = kept(worst_case_regret.KEPT)["parts"][worst_case_regret.TELLING]
    columns = ("regret", *worst_case_regret.MEASURES)
    rows = (
        [name, *(f"{measured[column][row]:.2f}" for column in columns)]
        for row, name in enumerate(worst_case_regret.telling())
    )
    return table(["second reward", "worst-case regret", "STARC / 2", *worst_case_regret.MEASURES[1:]], rows)


def shaping() -> str:
    """Say how shaping was tried and whether it saved episodes."""
    found = kept(shaping_speed.KEPT)
    settings = found["settings"]
    verdicts = [f"`{reward}` {_verdict(found, reward)}" for reward in shaping_speed.SHAPED]
    return paragraph(f"""
        {settings["learner"]} in {short(settings["game"])} under {shaping_speed.MODE} reward, {settings["seeds"]} seeds
        of {settings["env_steps"]:,} steps, alone and with shaping by each agent's own trust, evaluated on the mode.
        Levels are shares of the way from the first evaluation to the last of the unshaped learner.
        {"; ".join(verdicts)} (`{found["command"]}`; kept result of {found["date"]}).
    """)


def _verdict(found: Kept, reward: str) -> str:
    """At which levels it saves or costs episodes, as far as the intervals tell."""
    fewer = {level: shaping_speed.saved(found, reward, level)[1] for level in shaping_speed.LEVELS}
    certain = {f"{level:g}": each.value for level, each in fewer.items() if each is not None and each.excludes_zero}
    saves = [level for level, value in certain.items() if value > 0]
    costs = [level for level, value in certain.items() if value < 0]
    parts = [
        f"{word} at {listed(levels)}" for word, levels in (("saves episodes", saves), ("costs some", costs)) if levels
    ]
    return " and ".join(parts) or "neither saves nor costs episodes beyond what seeds differ by"


def shaping_table() -> str:
    """Return how many episodes the unshaped learner takes to each level, and how many fewer shaping takes."""
    found = kept(shaping_speed.KEPT)
    return table(
        ["level", "unshaped: episodes", *(f"`{reward}`: fewer" for reward in shaping_speed.SHAPED)],
        (_speed_row(found, level) for level in shaping_speed.LEVELS),
    )


def _speed_row(found: Kept, level: float) -> list[str]:
    plain, _ = shaping_speed.saved(found, shaping_speed.SHAPED[0], level)
    fewer = (shaping_speed.saved(found, reward, level)[1] for reward in shaping_speed.SHAPED)
    return [f"{level:g}", *map(_episodes, (plain, *fewer))]


def _episodes(value: Estimate | None) -> str:
    return "not reached" if value is None else f"{signed(value.value, 0)} ({_interval(value)})"


def _interval(value: Estimate) -> str:
    return spread(value, lambda number: signed(number, 0))
