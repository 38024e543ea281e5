"""What latent rewards recover and what learning from them comes to, from kept results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np

from coopgym.benchmarks.documentation.kept import RESULTS
from coopgym.benchmarks.documentation.wording import over_seeds, paragraph, short, table
from coopgym.benchmarks.experiments.rewards.learned_rewards import BESIDE_POLICIES, DECODERS, GAMES, LEARNED_FROM
from coopgym.benchmarks.score.estimates import score_text

MEASURES = {
    "steps": "steps and team payoff",
    "seats_and_payoffs": "seats and own payoffs",
    "seats_and_contributions": "seats and contributions",
    "payoffs_and_contributions": "own payoffs and contributions",
    "return_error": "error of returns",
}
AIM = 0.9


@cache
def kept_learned_rewards() -> dict[str, Any]:
    """Return what is kept of latent rewards."""
    kept: dict[str, Any] = json.loads((RESULTS / "learned-rewards.json").read_text(encoding="utf-8"))
    return kept


def study() -> str:
    """Say what was measured, how and when."""
    kept = kept_learned_rewards()
    settings, dates = kept["settings"], sorted({piece["date"] for piece in kept["pieces"].values()})
    return paragraph(f"""
        {len(kept["seeds"])} seeds; means with 95 % intervals (Student's t). Decoders learn from
        {settings["rounds"] * settings["copies"]} episodes of varied play each and are tried on {settings["copies"]}
        others. IPPO learns from {settings["env_steps"]:,} steps in {settings["num_envs"]} environments.
        Computed {" to ".join(dict.fromkeys((dates[0], dates[-1])))} with version {kept["version"]};
        to repeat it, remove `benchmarks/results/learned-rewards.json` and run `{kept["command"]}`.
    """)


def recovered() -> str:
    """Return rank correlations of what is paid with what was not told, and what they say."""
    found = {(game, decoder): _piece(f"recovered/{game}/{decoder}") for game in GAMES for decoder in DECODERS}
    rows = (
        (short(game), decoder, *(over_seeds(piece[measure], score_text) for measure in MEASURES))
        for (game, decoder), piece in found.items()
    )
    reached = [
        f"{short(game)} {np.mean(piece['steps']):.2f}"
        for (game, decoder), piece in found.items()
        if decoder == "network"
    ]
    least = min(float(np.mean(piece["steps"])) for (_, decoder), piece in found.items() if decoder == "network")
    verdict = "is reached" if least >= AIM else "is missed"
    words = paragraph(f"""
        Rank correlations, within episodes: of what is paid with the team's payoff, over steps; and of sums over steps,
        over seats, with own payoffs and with contributions, which are what the team would lose at each step without the
        seat's action. The error is of returns, in their standard deviations. The aim of {AIM:g} across steps {verdict}
        by the network: {", ".join(reached)}.
    """)
    return f"{table(('game', 'decoder', *MEASURES.values()), rows)}\n\n{words}"


def learned_from() -> str:
    """Return what policies earn as a team that learned from rewards of four kinds, and paired differences."""
    measured = [(game, reward) for game in GAMES for reward in LEARNED_FROM if _has(f"learned/{game}/{reward}")]
    rows = list[tuple[str, ...]]()
    for game, reward in measured:
        piece, episodic = (_piece(f"learned/{game}/{each}") for each in (reward, "the end"))
        gain = "" if reward == "the end" else over_seeds(_above(piece, episodic), score_text)
        way, end = (over_seeds(piece[key], score_text) for key in ("welfare_on_the_way", "welfare"))
        rows.append((short(game), reward, way, end, gain))
    missing = [
        f"{short(game)}, {reward}" for game in GAMES for reward in LEARNED_FROM if (game, reward) not in measured
    ]
    headings = ("game", "reward at", "welfare on the way", "welfare at the end", "above that from the end, paired")
    words = paragraph(f"""
        Welfare is the sum of payoffs over an episode and all seats, of best guesses; on the way is the mean of ten
        evaluations. What comes with every step is `cooperative`, at the end `cooperative + episodic`, redistributed
        that with `lare({BESIDE_POLICIES})`. {f"Not run: {'; '.join(missing)}." if missing else ""}
    """)
    return f"{table(headings, rows)}\n\n{words}"


def _above(piece: Mapping[str, Any], other: Mapping[str, Any]) -> list[float]:
    """Return how much more is earned at the end, seed by seed."""
    return [more - less for more, less in zip(piece["welfare"], other["welfare"], strict=True)]


def _has(name: str) -> bool:
    return name in kept_learned_rewards()["pieces"]


def _piece(name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = kept_learned_rewards()["pieces"][name]
    return found
