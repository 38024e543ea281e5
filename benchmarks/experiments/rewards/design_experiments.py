"""Whether designed rewards are learned from in fewer episodes: on abstractions of four games, and on a chain.

``python -m coopgym.benchmarks.experiments.rewards.design_experiments`` measures what is not kept yet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np

from coopgym.agents import make_agent
from coopgym.benchmarks.experiments.rewards.kept import RESULTS, keep
from coopgym.benchmarks.experiments.rewards.tabular_learning import (
    Chain,
    PolicyGradient,
    QLearning,
    Rooms,
    Teacher,
    episodes_to,
)
from coopgym.benchmarks.score.estimates import mean_estimate
from coopgym.games.registry import make_game
from coopgym.oracles.tabular import AdaptiveScore, Expert, SelfDesign, TabularMDP, design_rewards
from coopgym.oracles.tabular.abstraction import Abstraction, abstract_game, fidelity
from coopgym.oracles.tabular.adaptive_design import REFRESH
from coopgym.typing import FloatArray

COMMAND = "python -m coopgym.benchmarks.experiments.rewards.design_experiments"
KEPT = RESULTS / "reward-design.json"
KEPT_EVERYWHERE = RESULTS / "reward-design-everywhere.json"
"""As many situations as there are, so that a fixed reward and one that follows the learner compare."""
GAMES = ("RecoveryRace-v1", "TrustDilemma-v1", "LoyaltyTeam-v1", "GraduatedSanction-v1")
PARTNER, BUDGET, SEEDS, GAMMA, WAY = "TitForTat", 5, 8, 0.9, 0.8
"""WAY: how far from uniform play to the optimum a learner must have come."""
LEARNER = QLearning(episodes=400)
ROOMS, ROOMS_GAMMA = Rooms(), 0.95
ROOMS_LEARNER = QLearning(rate=0.5, episodes=200, initial=0.0)
NEGLIGIBLE = 0.01
"""Share of the prize below which a designed reward is rounded to nothing."""
CHAIN, CHAIN_GAMMA = Chain(length=15, distraction=0.002), 0.95
CHAIN_LEARNER = PolicyGradient(episodes=800, steps=50)
SETTINGS: Mapping[str, Any] = {
    "partner": PARTNER,
    "budget": BUDGET,
    "seeds": SEEDS,
    "gamma": GAMMA,
    "way": WAY,
    "learner": {name: value for name, value in asdict(LEARNER).items() if value is not None},
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
    far = fidelity(told)
    return {
        "informativeness": [expert.informativeness(original), design.informativeness],
        "keeps optimum": expert.keeps_optimum(design.reward),
        "error": [far.mean_error, far.largest_error],
        "rewards": _learned(told.mdp, told.start, LEARNER, teachers),
    }


def everywhere_in(game: str) -> dict[str, Any]:
    """Return how Q-learning does in the abstraction of a game under rewards designed for all its situations."""
    made = make_game(game)
    told = abstract_game(made, [make_agent(PARTNER) for _ in range(made.n_agents - 1)], gamma=GAMMA)
    expert, original, known = Expert(told.mdp), told.mdp.reward, range(len(told.known))
    bound = float(np.ptp(original[:-1]))
    added = design_rewards(expert, 0, bound=bound, goals=known, begin=original)[-1]
    alone = design_rewards(expert, 0, bound=bound, goals=known)[-1]
    teachers: Mapping[str, Teacher] = {
        "original": lambda episode, policies: original,
        "ExpRD": lambda episode, policies: added.reward,
        "ExpRD, alone": lambda episode, policies: alone.reward,
    }
    return {
        "situations": len(known),
        "margin": float(np.median(expert.margin[:-1])),
        "reward": [float(each.reward[:-1].mean()) for each in (expert.mdp.rewarded(original), added, alone)],
        "informativeness": [expert.informativeness(each) for each in (original, added.reward, alone.reward)],
        "keeps optimum": [expert.keeps_optimum(each.reward) for each in (added, alone)],
        "rewards": _learned(told.mdp, told.start, LEARNER, teachers),
    }


def in_rooms() -> dict[str, Any]:
    """Return how Q-learning does in the four rooms of the publication, where rewards are sparse."""
    mdp = ROOMS.process(ROOMS_GAMMA)
    expert, states = Expert(mdp), len(mdp.reward)
    design = design_rewards(expert, BUDGET, bound=ROOMS.prize, goals=[states - 2])[-1]
    everywhere = design_rewards(expert, 0, bound=ROOMS.prize, goals=range(states - 1))[-1]
    rounded = np.where(np.abs(design.reward) < NEGLIGIBLE * ROOMS.prize, 0.0, design.reward)
    small = np.abs(design.reward[rounded == 0.0])
    teachers: Mapping[str, Teacher] = {
        "original": lambda episode, policies: mdp.reward,
        "ExpRD": lambda episode, policies: design.reward,
        "ExpRD, rounded": lambda episode, policies: rounded,
        "ExpRD, everywhere": lambda episode, policies: everywhere.reward,
    }
    return {
        "states": list(design.states),
        "informativeness": [expert.informativeness(mdp.reward), design.informativeness, everywhere.informativeness],
        "keeps optimum": [expert.keeps_optimum(each) for each in (design.reward, rounded, everywhere.reward)],
        "largest rounded": float(small.max()),
        "rewards": _learned(mdp, np.eye(states)[0], ROOMS_LEARNER, teachers),
    }


def _learned(
    mdp: TabularMDP, start: FloatArray, learner: QLearning, teachers: Mapping[str, Teacher]
) -> dict[str, dict[str, Any]]:
    """Return after how many episodes learners have come most of the way, by teacher, beside the original reward."""
    policies = np.full(mdp.reward.shape, 1.0 / mdp.reward.shape[1]), mdp.plan(Expert(mdp).policy)
    uniform, best = (float(start @ (policy * mdp.action_values(policy)).sum(-1)) for policy in policies)
    found = {}
    for name, teacher in teachers.items():
        way = (learner.learned_values(mdp, start, teacher, SEEDS) - uniform) / (best - uniform)
        found[name] = {"episodes": episodes_to(way, WAY).tolist(), "mean way": way.mean(0).tolist()}
    return {name: _beside(each, found["original"]) for name, each in found.items()}


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
EVERYWHERE: Mapping[str, Callable[[], dict[str, Any]]] = {
    "rooms": in_rooms,
    **{game: partial(everywhere_in, game) for game in GAMES},
}
EVERYWHERE_SETTINGS = {name: SETTINGS[name] for name in ("partner", "budget", "seeds", "gamma", "way")} | {
    "learner": asdict(LEARNER),
    "rooms": asdict(ROOMS) | {"gamma": ROOMS_GAMMA, "negligible": NEGLIGIBLE},
    "rooms learner": asdict(ROOMS_LEARNER),
}


if __name__ == "__main__":
    keep(KEPT, COMMAND, SETTINGS, PARTS, lambda part: PARTS[part]())
    keep(KEPT_EVERYWHERE, COMMAND, EVERYWHERE_SETTINGS, EVERYWHERE, lambda part: EVERYWHERE[part]())
