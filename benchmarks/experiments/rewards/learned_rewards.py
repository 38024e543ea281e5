"""What latent rewards recover from returns alone, and what learning from them comes to.

``python -m coopgym.benchmarks.experiments.rewards.learned_rewards`` measures what is missing in the kept results, piece
by piece, and writes each as it is done; ``--pieces 1`` stops after the next.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from coopgym.backend import Array
from coopgym.benchmarks.provenance import package_version
from coopgym.benchmarks.score.estimates import rank_correlation
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.games.step import Step
from coopgym.play.draws import NOMINAL
from coopgym.play.unroll import expected_step, open_loop, unroll
from coopgym.rewards import RunningRewards, reward_layer
from coopgym.typing import FloatArray

KEPT = Path(__file__).resolve().parents[2] / "results" / "learned-rewards.json"
COMMAND = "python -m coopgym.benchmarks.experiments.rewards.learned_rewards"
GAMES = ("TeamProduction-v1", "PublicGoods-v1")
SEEDS = tuple(range(5))
ROUNDS, COPIES = 16, 64
"""Blocks of episodes that a decoder learns from, and episodes in each; as many as in one are held out."""
NETWORK = "width=64, updates=50, episodes=512, learning_rate=0.001"
BESIDE_POLICIES = "width=64, updates=20, learning_rate=0.001"
DECODERS = {"linear": "layers=1, episodes=512", "network": NETWORK}
LEARNED_FROM = {
    "every step": "cooperative",
    "the end": "cooperative + episodic",
    "redistributed, own part": f"cooperative + episodic + lare({BESIDE_POLICIES})",
    "redistributed, shared": f"cooperative + episodic + lare(shared=true, {BESIDE_POLICIES})",
}
"""Rewards that policies learn from, by what comes with a step."""
ENV_STEPS, NUM_ENVS = 40_000, 16

Measurement: TypeAlias = Callable[[], dict[str, Any]]


def pieces() -> Iterator[tuple[str, Measurement]]:
    """What is measured, by name."""
    for game in GAMES:
        for decoder in DECODERS:
            yield f"recovered/{game}/{decoder}", partial(recovered, game, decoder)
    for game in GAMES:
        for reward in LEARNED_FROM:
            yield f"learned/{game}/{reward}", partial(learned, game, reward)


def varied_plan(rng: np.random.Generator, game: AnyGame, copies: int) -> FloatArray:
    """Draw shares of endowment ``(T, B, N)``: levels of a team and of its members, and walks around them.

    Walks are reflected at 0 and 1, so that episodes differ in their level and steps within them as well.
    """
    steps, agents = game.spec.horizon, game.n_agents
    team, member = rng.random((copies, 1)), rng.normal(0.0, 0.2, (copies, agents))
    walk = np.cumsum(rng.normal(0.0, 0.12, (steps, copies, agents)), axis=0)
    shares: FloatArray = 1.0 - np.abs((team + member + walk) % 2.0 - 1.0)
    return shares


def played(game: AnyGame, rewards: RunningRewards, plan: Array) -> Iterator[tuple[Step, Array]]:
    """Play a plan ``(T, ..., N)`` from the start and yield steps with what they pay."""
    rewards.reset()
    for step in unroll(game, open_loop(game, plan), batch=plan.shape[1:-1], draws=NOMINAL):
        yield step, rewards(step)


def recovered(id: str, decoder: str) -> dict[str, Any]:
    """Fit a decoder per seed to returns, and compare what it pays in held-out episodes with what it was not told."""
    game = make_game(id)
    rngs = [np.random.default_rng(seed) for seed in SEEDS]
    text = f"cooperative + episodic + lare({DECODERS[decoder]})"
    rewards = reward_layer(text).running(game, (len(SEEDS), COPIES))
    plans = (np.stack([varied_plan(rng, game, COPIES) for rng in rngs], axis=1) for _ in range(ROUNDS + 1))
    for _ in range(ROUNDS):
        for _ in played(game, rewards, next(plans)):
            pass
    paid, payoffs, marginal = list[Array](), list[Array](), list[Array]()
    for step, reward in played(game, rewards, next(plans)):
        paid.append(reward)
        payoffs.append(step.transition.payoffs)
        marginal.append(marginal_contributions(step))
    made, true, brought = (np.moveaxis(np.array(each), 0, 2) for each in (paid, payoffs, marginal))  # (R, B, T, N)
    returns, predicted = (each.sum((2, 3)) for each in (true, made))
    return {
        "reward": text,
        "steps": _per_seed(made.sum(-1), true.sum(-1)),
        "seats_and_payoffs": _per_seed(made.sum(2), true.sum(2)),
        "seats_and_contributions": _per_seed(made.sum(2), brought.sum(2)),
        "payoffs_and_contributions": _per_seed(true.sum(2), brought.sum(2)),
        "return_error": (np.abs(predicted - returns).mean(1) / returns.std(1)).tolist(),
    }


def marginal_contributions(step: Step) -> Array:
    """Return what the team would lose at this step, were an agent to give nothing, ``(..., N)``."""
    game = step.game
    team = step.transition.payoffs.sum(-1)
    without = [
        expected_step(game, step.before, np.where(np.arange(game.n_agents) == seat, 0.0, step.actions)).payoffs.sum(-1)
        for seat in range(game.n_agents)
    ]
    return np.stack([team - each for each in without], axis=-1)


def _per_seed(first: FloatArray, second: FloatArray) -> list[float]:
    """Return rank correlations along the last axis of ``(R, B, ·)``, as means over episodes ``(R,)``."""
    return [
        float(
            np.mean([each.value for pair in zip(*both, strict=True) if (each := rank_correlation(*pair)) is not None])
        )
        for both in zip(first, second, strict=True)
    ]


def learned(id: str, reward: str) -> dict[str, Any]:
    """Train IPPO from a reward and say what its policies earn as a team."""
    from coopgym.algorithms import IPPO

    result = IPPO(num_envs=NUM_ENVS).train(id, [LEARNED_FROM[reward]], SEEDS, ENV_STEPS, evaluations=10)
    curves = [replica["curves"] for replica in result.record["replicas"]]
    welfare = [[value for _, metric, value in curve if metric == "eval_welfare"] for curve in curves]
    return {
        "reward": LEARNED_FROM[reward],
        "welfare": [values[-1] for values in welfare],
        "welfare_on_the_way": [float(np.mean(values)) for values in welfare],
    }


def main() -> None:
    """Measure what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=None, help="how many at most; all by default")
    most = parser.parse_args().pieces
    kept: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8")) if KEPT.exists() else {}
    missing = [(name, piece) for name, piece in pieces() if name not in kept.get("pieces", {})]
    for name, piece in missing[:most]:
        kept.setdefault("pieces", {})[name] = {"date": date.today().isoformat(), **piece()}
        settings = {"rounds": ROUNDS, "copies": COPIES, "env_steps": ENV_STEPS, "num_envs": NUM_ENVS}
        facts = {"command": COMMAND, "version": package_version(), "seeds": list(SEEDS), "settings": settings}
        KEPT.write_text(json.dumps(facts | {"pieces": kept["pieces"]}, indent=1) + "\n", encoding="utf-8")
        print(f"{name}: done, {KEPT.name} has {len(kept['pieces'])} pieces")


if __name__ == "__main__":
    main()
