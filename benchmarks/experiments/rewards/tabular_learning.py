"""Learners on tabular decision processes, many seeds side by side, paid by one reward and judged by another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from coopgym.oracles.tabular import SelfDesign, TabularMDP
from coopgym.oracles.tabular.self_design import Episode, annealed
from coopgym.typing import FloatArray

Teacher: TypeAlias = Callable[[int, FloatArray], FloatArray | None]
"""Told how many episodes are over and what policies ``(N, S, A)`` the learners then have, returns the rewards
``(N, S, A)`` or ``(S, A)`` from then on; None for the ones before."""


@dataclass(frozen=True)
class QLearning:
    """One-step Q-learning, ε-greedy (Watkins & Dayan 1992).

    Attributes:
        rate: of learning.
        exploration: ε.
        episodes: to learn for.
        steps: of an episode, at most.
        initial: value of every action before anything is known, but for a millionth that breaks ties; None is what all
            rewards alike would be worth for ever.
    """

    rate: float = 0.1
    exploration: float = 0.2
    episodes: int = 400
    steps: int = 100
    initial: float | None = None

    def learned_values(self, mdp: TabularMDP, start: FloatArray, teacher: Teacher, seeds: int) -> FloatArray:
        """Return what the greedy policy is worth in a process after every episode, ``(episodes, seeds)``.

        Args:
            mdp: the process, whose last state ends episodes, with the reward that judges.
            start: ``(S,)`` distribution of first states.
            teacher: says what learners are paid.
            seeds: learners side by side.
        """
        states, actions = mdp.reward.shape
        cumulative, first = mdp.transition.cumsum(-1), start.cumsum()
        rng, row = np.random.default_rng(0), np.arange(seeds)
        values, worth = np.empty((seeds, states, actions)), np.empty((self.episodes, seeds))
        paid = np.zeros((seeds, states, actions))
        for episode in range(self.episodes):
            told = teacher(episode, self.policies(values))
            paid = paid if told is None else np.broadcast_to(told, paid.shape)
            if episode == 0:
                if self.initial is None:
                    values[:] = paid[:, :-1].mean() / (1.0 - mdp.gamma)
                else:
                    values[:] = self.initial + 1e-6 * rng.random(values.shape)
                values[:, -1] = 0.0
            state = np.searchsorted(first, rng.random(seeds), side="right").clip(max=states - 1)
            for _ in range(self.steps):
                wander = rng.random(seeds) < self.exploration
                action = np.where(wander, rng.integers(actions, size=seeds), values[row, state].argmax(-1))
                after = (cumulative[state, action] < rng.random(seeds)[:, None]).sum(-1).clip(max=states - 1)
                target = paid[row, state, action] + mdp.gamma * values[row, after].max(-1)
                # The last state pays nothing and leads to itself: what is learned there stays zero.
                values[row, state, action] += self.rate * (target - values[row, state, action])
                state = after
            greedy = [mdp.plan(each.argmax(-1)) for each in values]
            worth[episode] = [start @ (policy * mdp.action_values(policy)).sum(-1) for policy in greedy]
        return worth

    def policies(self, values: FloatArray) -> FloatArray:
        """Return the ε-greedy policies ``(N, S, A)`` of action values."""
        actions = values.shape[-1]
        return (1.0 - self.exploration) * np.eye(actions)[values.argmax(-1)] + self.exploration / actions


def episodes_to(worth: FloatArray, goal: float, stay: int = 5) -> FloatArray:
    """Return after how many episodes each learner ``(N,)`` reaches a value and stays for some; E where it never does.

    Args:
        worth: ``(E, N)`` after every episode.
        goal: the value.
        stay: episodes in a row.

    >>> episodes_to(np.array([[0.0, 1.0], [1.0, 1.0], [1.0, 0.0], [1.0, 1.0]]), goal=1.0, stay=2)
    array([2., 1.])
    """
    windows = np.lib.stride_tricks.sliding_window_view(worth >= goal, stay, axis=0).all(-1)
    return np.where(windows.any(0), windows.argmax(0) + 1.0, float(len(worth)))


@dataclass(frozen=True)
class Chain:
    """A line of states: the far end pays 1, once; the near end, the distractor, pays a little for staying there.

    Attributes:
        length: states between the distractor and the goal.
        distraction: what a step in the distractor pays.
        slip: chance that an action does the opposite.
    """

    length: int = 8
    distraction: float = 0.01
    slip: float = 0.1

    def process(self, gamma: float) -> TabularMDP:
        """Return it: state 0 is the distractor, episodes begin in 1 and end in the last; actions are back and forth."""
        goal = self.length + 1
        transition, reward = np.zeros((goal + 2, 2, goal + 2)), np.zeros((goal + 2, 2))
        for state in range(goal):
            for action, step in enumerate((-1, 1)):
                transition[state, action, max(0, state + step)] += 1.0 - self.slip
                transition[state, action, max(0, state - step)] += self.slip
        transition[goal:, :, -1] = 1.0
        reward[goal], reward[0] = 1.0, self.distraction
        return TabularMDP(transition, reward, gamma)


@dataclass(frozen=True)
class Rooms:
    """Four rooms of nine cells with a gate between neighbours; in the far corner one action pays, once (Devidze 2021).

    Attributes:
        prize: what the far corner pays.
        slip: chance that a step goes anywhere.
    """

    prize: float = 10.0
    slip: float = 0.1

    def process(self, gamma: float) -> TabularMDP:
        """Return it: from cell 0 to the last cell, and to the last state, where it ends; actions are directions."""
        cells = [(row, column) for row in range(7) for column in range(7) if _is_floor(row, column)]
        transition, reward = np.zeros((len(cells) + 1, 4, len(cells) + 1)), np.zeros((len(cells) + 1, 4))
        for state, (row, column) in enumerate(cells):
            ways = [(row + down, column + right) for down, right in ((-1, 0), (1, 0), (0, -1), (0, 1))]
            reached = [cells.index(way) if way in cells else state for way in ways]
            for action, after in enumerate(reached):
                transition[state, action, after] += 1.0 - self.slip
                np.add.at(transition[state, action], reached, self.slip / 4)
        # In the far corner, the last action ends the episode; others move on.
        transition[-2, -1] = transition[-1] = np.eye(len(transition))[-1]
        reward[-2, -1] = self.prize
        return TabularMDP(transition, reward, gamma)


def _is_floor(row: int, column: int) -> bool:
    return (row != 3 and column != 3) or (row, column) in ((3, 1), (3, 5), (1, 3), (5, 3))


@dataclass(frozen=True)
class PolicyGradient:
    """REINFORCE on a table of logits, which may pay itself (Williams 1992; Devidze 2022 for the buffers).

    Attributes:
        rate: of learning.
        episodes: to learn for.
        steps: of an episode, at most.
        every: episodes between two of the learner's updates, and between two of the reward's.
        recent: episodes that either learns from.
    """

    rate: float = 0.1
    episodes: int = 1500
    steps: int = 30
    every: tuple[int, int] = (2, 5)
    recent: tuple[int, int] = (5, 10)

    def returns(self, mdp: TabularMDP, first: int, design: SelfDesign | None, seed: int) -> FloatArray:
        """Return the undiscounted sum of original rewards of every episode, ``(episodes,)``."""
        rng, cumulative = np.random.default_rng(seed), mdp.transition.cumsum(-1)
        logits, earned = np.zeros_like(mdp.reward), np.zeros(self.episodes)
        original, own = list[Episode](), list[Episode]()
        for episode in range(self.episodes):
            policy = np.exp(logits - logits.max(-1, keepdims=True))
            policy /= policy.sum(-1, keepdims=True)
            weight = annealed(episode / self.episodes)
            state, steps = first, list[tuple[int, int, float, float]]()
            for choice, chance in rng.random((self.steps, 2)):
                action = int(choice >= policy[state, 0])
                after = int((cumulative[state, action] < chance).sum().clip(max=len(cumulative) - 1))
                paid = float(mdp.reward[state, action])
                made = paid if design is None else design.rewarded(state, action, paid, after, weight)
                steps.append((state, action, paid, made))
                state = after
                if mdp.transition[state, :, state].min() >= 1.0:
                    break
            states, actions, rewards, made_rewards = (np.array(column) for column in zip(*steps, strict=True))
            earned[episode] = rewards.sum()
            original = [*original, Episode(states, actions, rewards)][-self.recent[1] :]
            own = [*own, Episode(states, actions, made_rewards)][-self.recent[0] :]
            if design is not None and episode % self.every[1] == self.every[1] - 1:
                design.update(policy, original)
            if episode % self.every[0] == self.every[0] - 1:
                logits = logits + self.rate * _policy_gradient(policy, own, mdp.gamma)
        return earned


def _policy_gradient(policy: FloatArray, episodes: list[Episode], gamma: float) -> FloatArray:
    """Return Σ G ∇ log π, per episode, returns centred on their mean."""
    states, actions = (np.concatenate([each[k] for each in episodes]) for k in (0, 1))
    returns = np.concatenate([each.returns(gamma) for each in episodes])
    pushes = (returns - returns.mean()) / len(episodes)
    gradient = np.zeros_like(policy)
    np.add.at(gradient, (states, actions), pushes)
    np.add.at(gradient, states, -policy[states] * pushes[:, None])
    return gradient
