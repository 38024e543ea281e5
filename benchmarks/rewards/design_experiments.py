"""Whether designed rewards are learned from in fewer episodes: on abstractions of four games, and on a chain.

``python -m coopgym.benchmarks.rewards.design_experiments`` measures what is not kept yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from coopgym.agents import make_agent
from coopgym.benchmarks.rewards.kept import RESULTS, keep
from coopgym.benchmarks.rewards.tabular_learning import Chain, PolicyGradient, QLearning, Teacher, episodes_to
from coopgym.benchmarks.score.estimates import mean_estimate
from coopgym.games.registry import make_game
from coopgym.oracles.tabular import AdaptiveScore, Expert, SelfDesign, design_rewards
from coopgym.oracles.tabular.abstraction import Abstraction, abstract_game, fidelity
from coopgym.oracles.tabular.adaptive_design import REFRESH
from coopgym.typing import FloatArray

COMMAND = "python -m coopgym.benchmarks.rewards.design_experiments"
KEPT = RESULTS / "reward-design.json"
GAMES = ("RecoveryRace-v1", "TrustDilemma-v1", "LoyaltyTeam-v1", "GraduatedSanction-v1")
PARTNER, BUDGET, SEEDS, GAMMA, WAY = "TitForTat", 5, 8, 0.9, 0.8
"""WAY: how far from uniform play to the optimum a learner must have come."""
LEARNER = QLearning(episodes=400)
CHAIN, CHAIN_GAMMA = Chain(length=15, distraction=0.002), 0.95
CHAIN_LEARNER = PolicyGradient(episodes=800, steps=50)
SETTINGS: Mapping[str, Any] = {
    "partner": PARTNER,
    "budget": BUDGET,
    "seeds": SEEDS,
    "gamma": GAMMA,
    "way": WAY,
    "learner": asdict(LEARNER),
    "refresh": REFRESH,
    "chain": asdict(CHAIN) | {"gamma": CHAIN_GAMMA},
    "chain learner": asdict(CHAIN_LEARNER),
}


def learned_in(game: str) -> dict[str, Any]:
    """Return how Q-learning does in the abstraction of a game under the original and the designed rewards."""
    made = make_game(game)
    told = abstract_game(made, [make_agent(PARTNER) for _ in range(made.n_agents - 1)], gamma=GAMMA)
    expert, original = Expert(told.mdp), told.mdp.reward
    bound = float(np.ptp(original[:-1]))
    design = design_rewards(expert, BUDGET, bound=bound, begin=original)[-1]
    teachers: Mapping[str, Teacher] = {
        "original": lambda episode, policies: original,
        "ExpRD": lambda episode, policies: design.reward,
        "ExpAdaRD": partial(_adapted, told, expert, bound, design.states),
        "ExpAdaRD, all situations": partial(_adapted, told, expert, bound, None),
    }
    uniform = told.value(np.full(original.shape, 1.0 / original.shape[1]))
    best, far = told.value(told.mdp.plan(expert.policy)), fidelity(told)
    found = {}
    for name, teacher in teachers.items():
        worth = LEARNER.learned_values(told.mdp, told.start, teacher, SEEDS)
        way = (worth - uniform) / (best - uniform)
        found[name] = {"episodes": episodes_to(way, WAY).tolist(), "mean way": way.mean(0).tolist()}
    return {
        "informativeness": [expert.informativeness(original), design.informativeness],
        "keeps optimum": expert.keeps_optimum(design.reward),
        "error": [far.mean_error, far.largest_error],
        "rewards": {name: _beside(each, found["original"]) for name, each in found.items()},
    }


def _adapted(
    told: Abstraction,
    expert: Expert,
    bound: float,
    states: Sequence[int] | None,
    episode: int,
    policies: FloatArray,
) -> FloatArray | None:
    """Adapt to every learner, every `REFRESH` episodes."""
    if episode % REFRESH:
        return None
    end = len(told.known)
    return np.stack([
        AdaptiveScore(expert, policy, told.start, [end]).best_reward(bound=bound, states=states, begin=told.mdp.reward)
        for policy in policies
    ])  # fmt: skip


def on_the_chain() -> dict[str, Any]:
    """Return what a policy gradient earns on the chain with its original reward, with counts, and with ExploRS."""
    mdp = CHAIN.process(CHAIN_GAMMA)
    states, actions = mdp.reward.shape
    terminal = np.arange(states) == states - 1
    design = partial(SelfDesign, states, actions, CHAIN_GAMMA, terminal=terminal)
    ways: Mapping[str, Callable[[], SelfDesign | None]] = {
        "original": lambda: None,
        "counts": partial(design, rate=0.0),
        "ExploRS": design,
    }
    found = {
        name: {"return": [float(CHAIN_LEARNER.returns(mdp, 1, make(), seed).mean()) for seed in range(SEEDS)]}
        for name, make in ways.items()
    }
    return {name: _beside(each, found["counts"]) for name, each in found.items()}


def _beside(measured: Mapping[str, list[float]], other: Mapping[str, list[float]]) -> dict[str, Any]:
    """Return measures by seed with the interval of their mean, and of their differences to another way to learn."""
    return {
        name: {
            "seeds": values,
            "mean": _told(values),
            "difference": _told((np.array(values) - np.array(other[name])).tolist()),
        }
        for name, values in measured.items()
    }


def _told(values: list[float]) -> dict[str, Any]:
    found = mean_estimate(values)
    return {} if found is None else {"value": found.value, "low": found.low, "high": found.high, "n": found.n}


PARTS: Mapping[str, Callable[[], dict[str, Any]]] = {
    **{game: partial(learned_in, game) for game in GAMES},
    "chain": on_the_chain,
}


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, PARTS, lambda part: PARTS[part]())
