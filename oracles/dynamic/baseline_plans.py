"""What a plan must not fall below: constants, the best constant of each seat, and every agent in self-play."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.agents.base import Agent
from coopgym.agents.registry import agent_names, make_agent
from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.oracles.dynamic.planning import PlanningProblem
from coopgym.oracles.games.rollout import repeated
from coopgym.play import NOMINAL, seated, unroll
from coopgym.rewards import RewardLayer
from coopgym.typing import FloatArray

LEVELS = 101
PASSES = 20
"""Rounds of the search for the best constants; each round ends nearer to a point that no seat can improve alone."""
PLANNING = (
    "Oracle_Planner",
    "Oracle_Uninformed",
    "Oracle_InformedPlan",
    "Oracle_Informed",
    "Inferring",
    "ExploreThenCommit",
)
"""Agents that plan, or search constants or equilibria themselves; best constants are among these plans anyway."""


@dataclass(frozen=True, eq=False)
class BaselinePlan:
    """A plan that somebody would play without planning."""

    name: str
    shares: FloatArray
    """``(steps, N)`` of endowment."""
    returns: dict[str, FloatArray]
    """Undiscounted return ``(N,)`` under each reward."""


@dataclass(frozen=True, eq=False)
class BaselinePlans:
    """Named plans from one state, and the agents that would not play."""

    plans: tuple[BaselinePlan, ...]
    refused: dict[str, str]
    """Agents that refused the game, with the reason they gave."""

    def best(self, reward: str, seat_weights: FloatArray | None = None, prefix: str = "") -> BaselinePlan:
        """Return the plan with the greatest weighted sum of returns among those whose name starts with ``prefix``.

        Raises:
            ValueError: there is none.
        """
        candidates = [plan for plan in self.plans if plan.name.startswith(prefix)]
        if not candidates:
            raise ValueError(f"no baseline plan starts with {prefix!r}; there are {[plan.name for plan in self.plans]}")
        weights = 1.0 if seat_weights is None else seat_weights
        return max(candidates, key=lambda plan: float((plan.returns[reward] * weights).sum()))


def baseline_plans(
    game: AnyGame,
    rewards: Sequence[str | RewardLayer] = ("private", "integrated", "cooperative"),
    state: State | None = None,
    *,
    agents: Sequence[str] | None = None,
    seed: int = 0,
) -> BaselinePlans:
    """Return plans that are played without looking ahead, with their returns under each reward.

    Args:
        game: on the NumPy backend.
        rewards: reward modes.
        state: where play starts; None is the initial state with hidden draws at their medians.
        agents: names that play against themselves in all seats; None is every registered agent but planners.
        seed: root of the agents' generators.

    Raises:
        ValueError: the problem cannot be posed, or an agent is unknown.
    """
    return of_problem(PlanningProblem(game, rewards, state), agents, seed)


def of_problem(problem: PlanningProblem, agents: Sequence[str] | None = None, seed: int = 0) -> BaselinePlans:
    """Return the baseline plans of a planning problem, as `baseline_plans` does."""
    common = np.repeat(np.linspace(0.0, 1.0, LEVELS)[:, None], problem.n_agents, axis=1)
    named = {f"Constant_{level:02d}": _held(problem, profile) for level, profile in enumerate(common)}
    for number, layer in enumerate(problem.layers):
        named[f"BestConstant[{layer.name}]"] = _held(problem, best_constant(problem, number))
    played, refused = _self_play(problem, default_agents() if agents is None else agents, seed)
    named.update(played)
    returns = problem.returns(np.stack(list(named.values()), axis=1))
    plans = tuple(
        BaselinePlan(name, shares, {layer.name: returns[m, row] for m, layer in enumerate(problem.layers)})
        for row, (name, shares) in enumerate(named.items())
    )
    return BaselinePlans(plans, refused)


def default_agents() -> tuple[str, ...]:
    """Names of the registered agents that do not plan themselves: a planner would ask for these plans again."""
    return tuple(name for name in agent_names() if name not in PLANNING)


def best_constant(problem: PlanningProblem, objective: int = 0) -> FloatArray:
    """Return the profile ``(N,)`` that is best to hold for ever on the 1 % grid, by coordinate search.

    The search starts from the best common share and moves one seat (or group of exchangeable seats) at a time.

    Args:
        problem: what is planned.
        objective: which of the problem's rewards counts.
    """
    grid = np.linspace(0.0, 1.0, LEVELS)
    common = np.repeat(grid[:, None], problem.n_agents, axis=1)
    scores = _constant_values(problem, common)[objective]
    profile, value = common[scores.argmax()], float(scores.max())
    for _ in range(PASSES):
        before = value
        for seats in problem.movers:
            tried = np.repeat(profile[None], LEVELS, axis=0)
            tried[:, seats] = grid[:, None]
            scores = _constant_values(problem, tried)[objective]
            if scores.max() > value:
                profile, value = tried[scores.argmax()], float(scores.max())
        if value == before:
            break
    return profile


def _constant_values(problem: PlanningProblem, profiles: FloatArray) -> FloatArray:
    return problem.values(np.broadcast_to(profiles, (problem.steps, *profiles.shape)))


def _held(problem: PlanningProblem, profile: FloatArray) -> FloatArray:
    return np.repeat(profile[None], problem.steps, axis=0)


def _self_play(
    problem: PlanningProblem, names: Sequence[str], seed: int
) -> tuple[dict[str, FloatArray], dict[str, str]]:
    """Plans that agents realise against themselves, and who refused; oracles may play each reward differently."""
    played: dict[str, FloatArray] = {}
    refused: dict[str, str] = {}
    for name in names:
        by_reward = name.startswith("Oracle_")
        for layer in problem.layers if by_reward else problem.layers[:1]:
            label = f"{name}[{layer.name}]" if by_reward else name
            agents = [make_agent(name) for _ in range(problem.n_agents)]
            try:
                played[label] = _realised(problem, agents, layer.name, seed)
            except ValueError as error:
                refused[label] = str(error)
    return played, refused


def _realised(problem: PlanningProblem, agents: Sequence[Agent], reward: str, seed: int) -> FloatArray:
    """Shares ``(steps, N)`` that agents, one per seat, play from the problem's state."""
    game, view = problem.game, problem.game.spec.default_view
    policy = seated(game, agents, [view] * game.n_agents, reward, 1, seed)
    shares = np.empty((problem.steps, problem.n_agents))

    def answered(t: int, state: State) -> FloatArray:
        shares[t] = np.clip(policy(t, state)[0] / game.endowments, 0.0, 1.0)
        return (shares[t] * game.endowments)[None]

    deque(unroll(game, answered, start=repeated(game, problem.start, (1,)), draws=NOMINAL, past_end=True), maxlen=0)
    return shares
