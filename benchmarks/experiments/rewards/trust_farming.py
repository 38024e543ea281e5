"""``python -m coopgym.benchmarks.experiments.rewards.trust_farming``: what dropping trust and building it again earns.

Both seats play alike: the attack, or honestly, which is the constant share that pays best. Formal games have no chance
of their own, and neither have the players, so that one episode says all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from coopgym.agents import make_agent
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, keep
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.play import NOMINAL, play, unroll
from coopgym.rewards import Private, Rewards, TrustGained
from coopgym.rewards.trust_gained import MECHANISMS

COMMAND = "python -m coopgym.benchmarks.experiments.rewards.trust_farming"
KEPT = RESULTS / "trust-farming.json"
GAMES = ("RecoveryRace-v1", "TrustDilemma-v1")
ATTACK = "Oscillator"
SETTINGS = {"attack": ATTACK, "honest": "best of Constant_00 to Constant_100", "potential": "trust", "gamma": 1.0}

Earned = Mapping[str, Any]


def measured(id: str, constants: Sequence[int] = tuple(range(0, 101, 5))) -> dict[str, Earned]:
    """Return the payoffs of the attack and of honest play in a game, and by mechanism what trust gained adds."""
    game = make_game(id)
    constant = max((earned(game, f"Constant_{level:02d}") for level in constants), key=lambda each: each["payoff"])
    return {"attack": earned(game, ATTACK), "honest": constant}


def earned(game: AnyGame, name: str) -> Earned:
    """Return what seat 0 earns and is paid beside it where both seats play an agent."""
    trajectory = play(game, [make_agent(name) for _ in range(game.n_agents)], record=True).trajectory
    assert trajectory is not None
    transforms = {each: TrustGained("trust", mechanism=each, gamma=1.0) for each in MECHANISMS}
    running = {each: Rewards(Private(), (made,)).running(game, (1,)) for each, made in transforms.items()}
    for each in running.values():
        each.reset()
    payoff, paid = 0.0, dict.fromkeys(MECHANISMS, 0.0)
    for step in unroll(game, lambda t, _: trajectory.actions[t], batch=(1,), draws=NOMINAL):
        own = step.transition.payoffs
        payoff += float(own[0, 0])
        for mechanism, each in running.items():
            paid[mechanism] += float((each(step) - own)[0, 0])
    return {"agent": name, "payoff": round(payoff, 6), **{each: round(sum, 6) + 0.0 for each, sum in paid.items()}}


def break_even(found: Mapping[str, Earned], mechanism: str) -> float:
    """Return the weight of trust gained beyond which the attack earns more than honest play; ∞ where none does."""
    ahead = found["attack"][mechanism] - found["honest"][mechanism]
    return (found["honest"]["payoff"] - found["attack"]["payoff"]) / ahead if ahead > 1e-9 else math.inf


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, GAMES, measured)
