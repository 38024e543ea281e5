"""The seats around a bandit: agents, a schedule, or further learners."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.oracles.bandits.learner import OnlineLearner, Process
from coopgym.play.partners import Partners, PartnersLike
from coopgym.rewards import Rewards
from coopgym.typing import BoolArray, FloatArray, IntArray

OthersLike: TypeAlias = PartnersLike | npt.NDArray[np.float64] | OnlineLearner | Sequence[OnlineLearner]
"""Agents or their names as in `Partners`; shares ``(T, N - 1)``, a row a round; or a learner per other seat."""


class Others(ABC):
    """What other seats play in some rows, and in several copies of each where a round asks for them, copies first."""

    process: Process
    """How they make the bandit's rewards come about."""
    remember: bool = False
    """Whether they learn from one episode to the next."""

    @abstractmethod
    def reset(self, horizon: int, rows: int, period: int, seed: int) -> None:
        """Begin T rounds; row k meets the chance of row k modulo ``period``, and equal seeds make equal chance."""

    @abstractmethod
    def next_round(self, copies: int) -> None:
        """Prepare for a round of ``copies * rows`` rows, which meet the same chance in every copy."""

    @abstractmethod
    def shares(self, state: State) -> FloatArray:
        """Return what they play in states ``(copies * rows)``, ``(copies * rows, N - 1)``."""

    def next_episode(self, rows: BoolArray) -> None:
        """Begin new episodes in some rows."""

    def learn(self, rewards: FloatArray) -> None:
        """Take in what a round paid to all seats, ``(rows, N)``."""


class Agents(Others):
    """Agents, who see what their views show and may answer to anything; in episode rounds they begin each afresh."""

    process = "adaptive"

    def __init__(self, game: AnyGame, seat: int, agents: PartnersLike, rewards: Rewards, episodic: bool) -> None:
        self._partners, self._episodic = Partners(game, seat, agents, rewards), episodic
        self._others = [other for other in range(game.n_agents) if other != seat]

    def reset(self, horizon: int, rows: int, period: int, seed: int) -> None:
        # Agents that were given stay as they were: these are as fresh.
        self._partners = copy.deepcopy(self._partners)
        self._rows, self._period, self._seed, self._round = rows, period, seed, 0

    def next_round(self, copies: int) -> None:
        if self._episodic or self._round == 0:
            seeds = [np.random.SeedSequence((self._seed, self._round, row)) for row in range(self._period)]
            again = copies * self._rows // self._period
            self._partners.begin([np.random.default_rng(own) for _ in range(again) for own in seeds])
            self._nobody = np.zeros(copies * self._rows)
        self._round += 1

    def shares(self, state: State) -> FloatArray:
        units = self._partners.fill(self._nobody, state)
        shares: FloatArray = (units / self._partners.game.spec.endowments)[:, self._others]
        return shares

    def next_episode(self, rows: BoolArray) -> None:
        self._partners.restart(rows)


class Schedule(Others):
    """Shares that were fixed before play, one row a round, from the first again after the last."""

    process = "oblivious"

    def __init__(self, game: AnyGame, shares: FloatArray) -> None:
        wanted = game.n_agents - 1
        if shares.ndim != 2 or not len(shares) or shares.shape[1] != wanted:
            raise ValueError(
                f"schedule of shape {shares.shape}: {game.id} has {wanted} other seats, so expected (T, {wanted})"
            )
        if not ((shares >= 0.0) & (shares <= 1.0)).all():
            raise ValueError("schedule: expected shares of the endowment in [0, 1]")
        self._shares = shares

    def reset(self, horizon: int, rows: int, period: int, seed: int) -> None:
        self._rows, self._round = rows, -1

    def next_round(self, copies: int) -> None:
        self._round += 1
        row = self._shares[self._round % len(self._shares)]
        self._playing = np.tile(row, (copies * self._rows, 1))

    def shares(self, state: State) -> FloatArray:
        return self._playing


class Learners(Others):
    """Bandits like the one they play against, on the same grid of shares; all choose at once."""

    process = "adaptive"
    remember = True

    def __init__(
        self, game: AnyGame, seat: int, learners: Sequence[OnlineLearner], levels: FloatArray, bounds: FloatArray
    ) -> None:
        self._seats = [other for other in range(game.n_agents) if other != seat]
        if len(learners) != len(self._seats):
            raise ValueError(
                f"{game.id}: expected {len(self._seats)} learners, one per other seat; got {len(learners)}"
            )
        for learner in learners:
            if learner.full_feedback or learner.contextual:
                raise ValueError(
                    f"{type(learner).__name__} in another seat needs what only the bandit's seat is shown; choose a "
                    "learner of bandit feedback without contexts"
                )
        self._learners, self._levels = [copy.deepcopy(learner) for learner in learners], levels
        self._low, self._width = bounds[self._seats, 0], bounds[self._seats, 1] - bounds[self._seats, 0]
        self._chosen: list[IntArray] = []

    def reset(self, horizon: int, rows: int, period: int, seed: int) -> None:
        self._rng, self._period = np.random.default_rng(seed), period
        for learner in self._learners:
            learner.reset(len(self._levels), horizon, rows)

    def next_round(self, copies: int) -> None:
        self._chosen = [learner.act(self._numbers(learner)) for learner in self._learners]
        self._playing = np.tile(self._levels[np.stack(self._chosen, axis=1)], (copies, 1))

    def _numbers(self, learner: OnlineLearner) -> FloatArray:
        own = self._rng.random((self._period, learner.draws))
        return np.tile(own, (learner.replicas // self._period, 1))

    def shares(self, state: State) -> FloatArray:
        return self._playing

    def learn(self, rewards: FloatArray) -> None:
        scaled = np.clip((rewards[:, self._seats] - self._low) / self._width, 0.0, 1.0)
        for learner, chosen, reward in zip(self._learners, self._chosen, scaled.T, strict=True):
            learner.update(chosen, reward)


def others_of(
    game: AnyGame,
    seat: int,
    others: OthersLike,
    rewards: Rewards,
    levels: FloatArray,
    bounds: FloatArray,
    episodic: bool,
) -> Others:
    """Return what plays the other seats.

    Args:
        game: on the NumPy backend.
        seat: of the bandit.
        others: as `OthersLike`; one learner stands for all other seats.
        rewards: that agents are told, and learners learn from.
        levels: ``(K,)`` shares that learners choose from.
        bounds: ``(N, 2)`` least and greatest reward of every seat, for learners.
        episodic: whether a round is an episode.

    Raises:
        ValueError: as many as there are not seats, or what does not fit.
    """
    if isinstance(others, np.ndarray):
        return Schedule(game, others)
    if isinstance(others, OnlineLearner):
        others = [copy.deepcopy(others) for _ in range(game.n_agents - 1)]
    if isinstance(others, Sequence) and not isinstance(others, str):
        learners = [other for other in others if isinstance(other, OnlineLearner)]
        if learners and len(learners) == len(others):
            return Learners(game, seat, learners, levels, bounds)
        if learners:
            raise ValueError(f"{game.id}: expected learners in all other seats or in none")
    return Agents(game, seat, others, rewards, episodic)  # type: ignore[arg-type]
