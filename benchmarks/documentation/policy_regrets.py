"""External regret beside policy regret, from the kept result."""

from __future__ import annotations

from coopgym.benchmarks.documentation.wording import paragraph, short, table
from coopgym.benchmarks.experiments.bandits import policy_regret
from coopgym.benchmarks.experiments.rewards.kept import kept


def caption() -> str:
    """Say how the table of regrets came about."""
    found = kept(policy_regret.KEPT)
    settings, apart = found["settings"], policy_regret.disagreements(found)
    plays = sum(len(learners) for learners in found["parts"].values())
    return paragraph(f"""
        Per round, as parts of the range of rewards: external regret / policy regret, the latter with its 95 % bootstrap
        interval over {settings["replicas"]} replicas; {settings["rounds"]} rounds, {settings["levels"]} shares,
        {settings["reward"]} reward with noise of {settings["noise"]:g} (`{found["command"]}`; kept result of
        {found["date"]}). The two disagree, external regret below {policy_regret.SMALL:g} and policy regret above
        {policy_regret.LARGE:g} with their intervals, in {len(apart)} of {plays} plays.
    """)


def regret_table() -> str:
    """Return both regrets of every learner, game by game and partner by partner."""
    rows = (
        [short(part.split()[0]), part.split()[1], *(_cell(measured) for measured in learners.values())]
        for part, learners in kept(policy_regret.KEPT)["parts"].items()
    )
    return table(["game", "partner", *policy_regret.LEARNERS], rows)


def _cell(measured: dict[str, list[float]]) -> str:
    external, (policy, low, high) = measured["external"][0], measured["policy"]
    return f"{external:.3f} / {policy:.3f} ({low:.3f}–{high:.3f})"
