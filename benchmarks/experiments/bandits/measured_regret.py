"""Regret beside declared bounds, and who answers to play.

``python -m coopgym.benchmarks.experiments.bandits.measured_regret`` measures it and keeps the results.

On coins, on arms drawn from a prior and along an interval bounds are proved, as in stage games in which nothing moves.
Against partners who react, external regret is set beside policy regret, for which the play is repeated under every arm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from coopgym.benchmarks.experiments.rewards.kept import RESULTS, keep
from coopgym.games.registry import make_game
from coopgym.oracles.bandits import (
    UCB1,
    Arms,
    EpsilonGreedy,
    ExploreFirst,
    GameBandit,
    NoisyReward,
    OnlineLearner,
    RegretLedger,
    StochasticArms,
    SuccessiveElimination,
    ThompsonBeta,
    ThompsonGauss,
    UniformDiscretisation,
    Zooming,
    midpoints,
    play_bandit,
)
from coopgym.oracles.bandits.game_bandit import Round

COMMAND = "python -m coopgym.benchmarks.experiments.bandits.measured_regret"
KEPT = RESULTS / "bandits.json"
LEARNERS: Mapping[str, Callable[[], OnlineLearner]] = {
    "ExploreFirst": ExploreFirst,
    "EpsilonGreedy": EpsilonGreedy,
    "SuccessiveElimination": SuccessiveElimination,
    "UCB1": UCB1,
    "ThompsonBeta": ThompsonBeta,
    "ThompsonGauss": ThompsonGauss,
}
STILL_GAMES = ("TeamProduction-v1", "PublicGoods-v1")
"""Where private rewards against constant partners never move, which every round of the play checks."""
REACTIVE = ("TrustDilemma-v1", "PublicGoods-v1", "ReciprocalDilemma-v1")
PARTNERS = ("TitForTat", "GrimTrigger", "GenerousTitForTat")
SETTINGS: dict[str, Any] = {
    "coins": {"means": [0.8, 0.6, 0.5, 0.3], "rounds": 2000, "replicas": 100},
    "prior": {"arms": 5, "rounds": 1000, "replicas": 200},
    "interval": {"candidates": 256, "rounds": 10_000, "replicas": 10, "peaks": [0.2, 0.5, 0.77]},
    "still": {"rounds": 1000, "replicas": 10, "levels": 11, "noise": 0.05, "partner": "Constant_50"},
    "reactive": {"step_rounds": 500, "episode_rounds": 100, "replicas": 3, "levels": 11},
    "seed": 0,
}


def measured(part: str) -> dict[str, Any]:
    """Measure a part by its name."""
    kind, _, rest = part.partition(": ")
    if kind == "coins":
        return _beside_bounds(lambda: StochasticArms(SETTINGS["coins"]["means"]), SETTINGS["coins"])
    if kind == "prior":
        return _on_drawn_arms()
    if kind == "interval":
        return _along_an_interval()
    if kind == "still":
        return _beside_bounds(lambda: _still(rest), SETTINGS["still"])
    game, partner = rest.split(", ")
    return _among_reactive(game, partner)


def parts() -> list[str]:
    """Return the names of all parts."""
    still = [f"still: {game}" for game in STILL_GAMES]
    return ["coins", "prior", "interval", *still, *(f"reactive: {g}, {p}" for g in REACTIVE for p in PARTNERS)]


def _beside_bounds(make: Callable[[], Arms], settings: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _told(play_bandit(learner(), make(), settings["rounds"], settings["replicas"], SETTINGS["seed"]))
        for name, learner in LEARNERS.items()
    }


def _still(game: str) -> Arms:
    settings = SETTINGS["still"]
    bandit = GameBandit(make_game(game), 0, settings["partner"], levels=settings["levels"], process="stochastic")
    return NoisyReward(bandit, settings["noise"])


def _on_drawn_arms() -> dict[str, Any]:
    settings = SETTINGS["prior"]
    means = np.random.default_rng(SETTINGS["seed"]).random((settings["replicas"], settings["arms"]))
    ledger = play_bandit(ThompsonBeta(), StochasticArms(means), settings["rounds"], settings["replicas"], 1)
    return {"ThompsonBeta": _told(ledger)}


def _along_an_interval() -> dict[str, Any]:
    settings, found = SETTINGS["interval"], {}
    for name, learner in (("UniformDiscretisation", UniformDiscretisation), ("Zooming", Zooming)):
        played = []
        for peak in settings["peaks"]:
            means = 0.9 - np.abs(midpoints(settings["candidates"]) - peak)
            arms = StochasticArms(means, lipschitz=1.0)
            played.append(_told(play_bandit(learner(), arms, settings["rounds"], settings["replicas"], 2)))
        found[name] = {
            "regret": float(np.mean([each["regret"] for each in played])),
            "declared": played[0]["declared"],
            "of_declared": max((each["of_declared"] or 0.0) for each in played) or None,
        }
    return found


def _among_reactive(game: str, partner: str) -> dict[str, Any]:
    settings, found = SETTINGS["reactive"], dict[str, Any]()
    kinds: Mapping[Round, int] = {"step": settings["step_rounds"], "episode": settings["episode_rounds"]}
    for kind, rounds in kinds.items():
        bandit = GameBandit(make_game(game), 0, partner, levels=settings["levels"], round=kind)
        ledger = play_bandit(UCB1(), bandit, rounds, settings["replicas"], SETTINGS["seed"], resimulate=True)
        assert ledger.always is not None
        found[kind] = {
            "rounds": rounds,
            "reward": float(ledger.earned.mean()) / rounds,
            "external": float(ledger.external_regret.mean()) / rounds,
            "swap": float(ledger.swap_regret.mean()) / rounds,
            "policy": float(ledger.policy_regret.mean()) / rounds,
            "best held share": float(bandit.levels[int(ledger.always.mean(0).argmax())]),
            "clipped": bandit.clipped,
        }
    return found


def _told(ledger: RegretLedger) -> dict[str, Any]:
    return {
        "regret": float(ledger.regret.mean()),
        "worst": float(ledger.regret.max()),
        "declared": ledger.declared,
        "of_declared": ledger.of_declared,
        "of_lower_bound": ledger.of_lower_bound,
    }


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, parts(), measured)
