"""External regret beside policy regret, against who reacts.

``python -m coopgym.benchmarks.experiments.bandits.policy_regret`` measures it and keeps the results.

A bandit that plays a seat step by step has small external regret if no one share would have earned more against what
others played. Partners who react would have played something else against that share: policy regret compares with the
best share held from the beginning, others answering to it. Both are measured on the same plays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from coopgym import make_game
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, Kept, keep
from coopgym.benchmarks.score.bootstrap import Bootstrap
from coopgym.oracles.bandits import (
    EXP3,
    EXP4,
    UCB1,
    Arms,
    GameBandit,
    LinUCB,
    NoisyReward,
    OnlineHedge,
    OnlineLearner,
    PortfolioBandit,
    RegretLedger,
    play_bandit,
)
from coopgym.oracles.bandits.portfolio import EXPERTS
from coopgym.typing import FloatArray

COMMAND = "python -m coopgym.benchmarks.experiments.bandits.policy_regret"
KEPT = RESULTS / "policy-regret.json"
LEARNERS: dict[str, Callable[[], OnlineLearner]] = {
    "UCB1": UCB1,
    "EXP3": EXP3,
    "Hedge": OnlineHedge,
    "LinUCB": LinUCB,
    "portfolio": lambda: EXP4(experts=len(EXPERTS)),
}
"""Learners by the names that they have in the results; Hedge alone sees what every share would have brought."""
SMALL, LARGE = 0.05, 0.1
"""Regrets a round that count as small and as large, of a reward's range: two regrets disagree where the external one is
small and the policy regret is large."""


@dataclass(frozen=True)
class Design:
    """What is played.

    Attributes:
        games: of which every one is played against every partner.
        partners: in all other seats.
        rounds: T, a whole number of episodes.
        replicas: R, which differ in the learner's chance and in the noise.
        levels: shares to choose from.
        noise: standard deviation of what is added to rewards, as a part of their range.
        reward: mode of the learner's seat.
        seed: of all.
    """

    games: tuple[str, ...] = ("TrustDilemma-v1", "GiftExchange-v1", "ReciprocalDilemma-v1", "SynergySearch-v1")
    partners: tuple[str, ...] = ("TitForTat", "Constant_50", "GrimTrigger", "WinStayLoseShift")
    rounds: int = 300
    replicas: int = 20
    levels: int = 6
    noise: float = 0.05
    reward: str = "private"
    seed: int = 0


DESIGN = Design()


def measured(part: str, design: Design = DESIGN) -> dict[str, Any]:
    """Return regrets a round of every learner in a game against a partner, with intervals over replicas.

    Args:
        part: the game and the partner, with a space between them.
        design: the rest.
    """
    game_id, partner = part.split()
    bandit, portfolio = _bandits(game_id, partner, design)
    told: dict[str, Any] = {}
    held: FloatArray | None = None
    for name, make in LEARNERS.items():
        # What a share brings that is held throughout is the same whoever plays: equal seeds make equal chance.
        ledger = _played(make(), portfolio if name == "portfolio" else bandit, design, resimulate=held is None)
        held = ledger.always if held is None else held
        assert held is not None
        policy = held.max(1) - ledger.earned
        per_round = {"external": ledger.external_regret, "policy": policy, "earned": ledger.earned}
        told[name] = {key: _interval(value / design.rounds) for key, value in per_round.items()}
    return told


def _bandits(game_id: str, partner: str, design: Design) -> tuple[Arms, Arms]:
    game = make_game(game_id)
    settings: dict[str, Any] = {"others": partner, "levels": design.levels, "reward": design.reward}
    plain, advised = GameBandit(game, **settings), PortfolioBandit(game, **settings)
    return NoisyReward(plain, design.noise), NoisyReward(advised, design.noise)


def _played(learner: OnlineLearner, arms: Arms, design: Design, resimulate: bool) -> RegretLedger:
    return play_bandit(learner, arms, design.rounds, design.replicas, design.seed, resimulate=resimulate)


def _interval(values: FloatArray) -> list[float]:
    """Mean, and the ends of its 95 per cent percentile interval over replicas."""
    draws = np.random.default_rng(0).integers(len(values), size=(Bootstrap().resamples, len(values)))
    low, high = np.quantile(values[draws].mean(1), [0.025, 0.975])
    return [round(float(number), 4) + 0.0 for number in (values.mean(), low, high)]


def parts(design: Design = DESIGN) -> list[str]:
    """Return the names of all parts: every game against every partner."""
    return [f"{game} {partner}" for partner in design.partners for game in design.games]


def disagreements(found: Kept) -> list[tuple[str, str]]:
    """Return parts and learners whose external regret is small and whose policy regret is large, intervals included."""
    return [
        (part, learner)
        for part, learners in found["parts"].items()
        for learner, told in learners.items()
        if told["external"][2] < SMALL and told["policy"][1] > LARGE
    ]


def main() -> None:
    """Measure what is not kept yet."""
    found = keep(KEPT, COMMAND, asdict(DESIGN), parts(), measured)
    for part, learner in disagreements(found):
        print(f"{learner} in {part}: external regret small, policy regret large")


if __name__ == "__main__":
    main()
