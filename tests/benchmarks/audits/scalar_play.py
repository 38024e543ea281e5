"""Episodes played step by step through the public environment: slow, and written without the audits' machinery."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

import coopgym

Plan = Callable[[int], Sequence[float]]
"""Actions of all seats at a step, before clipping."""


def episode(id: str, seed: int, plan: Plan, reward: str = "integrated") -> tuple[list[float], int]:
    """Return of every seat, and the steps played."""
    env = coopgym.parallel_env(id, reward=reward, actions="units")
    env.reset(seed=seed)
    boxes = [float(env.action_space(agent).high[0]) for agent in env.possible_agents]
    totals, steps = dict.fromkeys(env.possible_agents, 0.0), 0
    while env.agents:
        levels = [min(max(level, 0.0), box) for level, box in zip(plan(steps), boxes, strict=True)]
        _, rewards, *_ = env.step({agent: np.array([level]) for agent, level in zip(env.agents, levels, strict=True)})
        for agent, earned in rewards.items():
            totals[agent] += earned
        steps += 1
    return list(totals.values()), steps


def held(level: float, others: int) -> Plan:
    """Everybody holds the same action."""
    return lambda t: [level] * (others + 1)


def first_seat(plays: Callable[[int], float], level: float, others: int) -> Plan:
    """The first seat follows a plan while the others hold an action."""
    return lambda t: [plays(t)] + [level] * others
