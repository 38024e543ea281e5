"""Environment ratios C1-C5, C7, W1 and W2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

import coopgym
from coopgym.benchmarks.perf.measure import Ratio, compare, native_steps, rate

DYAD = "TrustDilemma-v1"
BATCH = 1024
REWARD = "integrated"


def _parallel_steps() -> Callable[[], object]:
    env = coopgym.parallel_env(DYAD)
    env.reset(seed=0)
    actions = {agent: env.action_space(agent).high / 2 for agent in env.possible_agents}

    def step() -> None:
        env.step(actions)
        if not env.agents:
            env.reset()

    return step


def _rock_paper_scissors_steps() -> Callable[[], object]:
    from pettingzoo.classic.rps.rps import parallel_env

    env = parallel_env(max_cycles=100)
    env.reset(seed=0)
    actions = dict.fromkeys(env.possible_agents, 0)

    def step() -> None:
        env.step(actions)
        if not env.agents:
            env.reset()

    return step


def _gymnasium_steps(id: str, action: Any, **keywords: Any) -> Callable[[], object]:
    env = gymnasium.make(id, **keywords)
    env.reset(seed=0)

    def step() -> None:
        _, _, terminated, truncated, _ = env.step(action)
        if terminated or truncated:
            env.reset()

    return step


def _vector_steps(id: str, action: Any, **keywords: Any) -> Callable[[], object]:
    env = gymnasium.make_vec(id, num_envs=BATCH, vectorization_mode="vector_entry_point", **keywords)
    env.reset(seed=0)
    return lambda: env.step(action)


def c1(quick: bool = False) -> Ratio:
    """PettingZoo Parallel against PettingZoo's own two-agent classic."""
    ours, theirs = _parallel_steps(), _rock_paper_scissors_steps()
    return compare(
        lambda: rate(ours, 4000), lambda: rate(theirs, 4000), quick,
        id="C1", title="parallel steps: two agents ÷ PettingZoo rps_v2", unit="joint steps/s", floor=1.0, aim=3.0,
    )  # fmt: skip


def c2(quick: bool = False) -> Ratio:
    """PettingZoo Parallel against Gymnasium's CartPole."""
    ours, theirs = _parallel_steps(), _gymnasium_steps("CartPole-v1", 0)
    return compare(
        lambda: rate(ours, 4000), lambda: rate(theirs, 20_000), quick,
        id="C2", title="parallel steps: two agents ÷ CartPole-v1", unit="steps/s", floor=0.05, aim=0.2,
    )  # fmt: skip


def c3(quick: bool = False) -> Ratio:
    """Native batches against single parallel steps."""
    batched, single = native_steps(DYAD, BATCH, REWARD), _parallel_steps()
    return compare(
        lambda: rate(batched, 300, BATCH), lambda: rate(single, 4000), quick,
        id="C3", title="native batch of 1,024 ÷ parallel steps", unit="env steps/s", floor=40.0, aim=150.0,
    )  # fmt: skip


def c4(quick: bool = False) -> Ratio:
    """Native batches against Gymnasium's hand-vectorised CartPole."""
    ours, theirs = native_steps(DYAD, BATCH, REWARD), _vector_steps("CartPole-v1", np.zeros(BATCH, dtype=np.int64))
    return compare(
        lambda: rate(ours, 300, BATCH), lambda: rate(theirs, 1000, BATCH), quick,
        id="C4", title="native batch ÷ CartPole vector of 1,024", unit="env steps/s", floor=0.08, aim=0.3,
    )  # fmt: skip


def c5(quick: bool = False) -> Ratio:
    """How the cost of an ordered pair of agents changes from six agents to forty."""
    few, many = (
        native_steps("TeamProduction-v1", 256, REWARD, n_agents=6),
        native_steps("TeamProduction-v1", 256, REWARD, n_agents=40),
    )
    return compare(
        lambda: 1.0 / rate(many, 30, 40 * 39), lambda: 1.0 / rate(few, 300, 6 * 5), quick,
        id="C5", title="time per ordered pair: N = 40 ÷ N = 6, batch 256", unit="s", floor=2.0, aim=1.0, at_most=True,
    )  # fmt: skip


def c7(quick: bool = False) -> Ratio:
    """What Gymnasium's vector interface costs on top of the native batch."""
    actions = np.random.default_rng(0).uniform(-1.0, 1.0, (BATCH, coopgym.spec(DYAD).n_agents))
    adapter = _vector_steps(f"coopgym/{DYAD}", actions, control="joint")
    native = native_steps(DYAD, BATCH, REWARD)
    return compare(
        lambda: rate(adapter, 300, BATCH), lambda: rate(native, 300, BATCH), quick,
        id="C7", title="Gymnasium VectorEnv ÷ native batch", unit="env steps/s", floor=0.5, aim=0.8,
    )  # fmt: skip


def w1(quick: bool = False) -> Ratio:
    """What drawn costs and synergy cost a batch."""
    return _in_world("private", quick, id="W1", title="native batch in a private world ÷ in the fixed one", floor=0.6)


def w2(quick: bool = False) -> Ratio:
    """What costs and synergy that change cost a batch, whose every row draws from a stream of its own."""
    return _in_world(
        "shifting", quick, id="W2", title="native batch in a shifting world ÷ in the fixed one", floor=0.45
    )


def _in_world(world: str, quick: bool, **facts: Any) -> Ratio:
    drawn, fixed = native_steps(DYAD, BATCH, REWARD, world=world), native_steps(DYAD, BATCH, REWARD)
    return compare(
        lambda: rate(drawn, 300, BATCH), lambda: rate(fixed, 300, BATCH), quick,
        unit="env steps/s", aim=0.8, **facts,
    )  # fmt: skip
