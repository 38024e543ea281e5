"""Measured regret of bandits beside what is declared, from kept results."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from coopgym.benchmarks.documentation.wording import paragraph, short, table
from coopgym.benchmarks.experiments.bandits.measured_regret import KEPT, PARTNERS, REACTIVE
from coopgym.benchmarks.experiments.rewards.kept import Kept, kept

STEP, EPISODE = "step", "episode"


@cache
def _record() -> Kept:
    return kept(KEPT)


def beside_bounds() -> str:
    """Return measured regret on stochastic arms beside the declared bound and the lower bound."""
    record = _record()
    rows = [
        (
            _arms(part),
            name,
            f"{found['regret']:.1f}",
            _or_dash(found["declared"], 1),
            _or_dash(found["of_declared"], 2),
            _or_dash(found["of_lower_bound"] if part == "coins" else None, 1),
        )
        for part, learners in record["parts"].items()
        if not part.startswith("reactive")
        for name, found in learners.items()
    ]
    settings = record["settings"]
    words = paragraph(f"""
        Mean regret, what is declared of it, and regret over the declared bound and over the asymptotic lower bound
        C ln T, which holds for coins and consistent learners in the long run. Coins: means
        {", ".join(map(str, settings["coins"]["means"]))},
        {settings["coins"]["rounds"]} rounds; prior: {settings["prior"]["arms"]} arms drawn evenly,
        {settings["prior"]["rounds"]} rounds; interval: tents of slope 1, {settings["interval"]["rounds"]} rounds;
        games: private reward against {settings["still"]["partner"]}, {settings["still"]["levels"]} shares,
        {settings["still"]["rounds"]} rounds with noise of {settings["still"]["noise"]:g}
        (`{record["command"]}`; kept result of {record["date"]}).
    """)
    headings = ("arms", "learner", "regret", "declared", "of declared", "of lower bound")
    return f"{table(headings, rows)}\n\n{words}"


def among_reactive() -> str:
    """Return external and policy regret of UCB1 against partners who answer, a round."""
    record = _record()
    rows = [
        (
            short(game),
            partner,
            kind,
            f"{found['reward']:.2f}",
            f"{found['external']:.3f}",
            f"{found['swap']:.3f}",
            f"{found['policy']:.3f}",
            f"{found['best held share']:.2f}",
        )
        for game, partner, kind, found in _reactive(record)
    ]
    settings = record["settings"]["reactive"]
    more = [found["policy"] > 2.0 * found["external"] for _, _, kind, found in _reactive(record) if kind == STEP]
    words = paragraph(f"""
        UCB1 with {settings["levels"]} shares in seat 0 under private reward, a round: {settings["step_rounds"]} step
        rounds or {settings["episode_rounds"]} episodes, {settings["replicas"]} replicas. Rewards are scaled to [0, 1].
        In step rounds policy regret is more than twice external regret in {sum(more)} of {len(more)} pairs of game
        and partner; in episode rounds, where others begin afresh, the two are one.
    """)
    headings = ("game", "partner", "round", "reward", "external", "swap", "policy", "best share to hold")
    return f"{table(headings, rows)}\n\n{words}"


def _reactive(record: Kept) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    for game in REACTIVE:
        for partner in PARTNERS:
            part = record["parts"][f"reactive: {game}, {partner}"]
            for kind in (STEP, EPISODE):
                yield game, partner, kind, part[kind]


def _arms(part: str) -> str:
    kind, _, game = part.partition(": ")
    return short(game) if game else kind


def _or_dash(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
