"""One seat, or several that do the same, is free and all others are frozen: many ways of filling it in one batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from coopgym.agents.base import Agent, Seat, check_distinct_agents, joint_actions
from coopgym.agents.streams import RecurringGenerator
from coopgym.games.game import AnyGame
from coopgym.games.spec import View
from coopgym.games.state import State
from coopgym.play import CommonRandomNumbers, Engine, counted, unroll
from coopgym.rewards import Rewards
from coopgym.typing import FloatArray

Agents = Callable[[], Sequence[Agent]]
"""Makes one fresh agent per seat: every evaluation needs agents without a past."""

OBSERVED_AT_ONCE = 2_000_000
"""Numbers that the seats may observe in one step of one batch: it keeps a batch in tens of megabytes."""


@dataclass(frozen=True, eq=False)
class Responses:
    """R ways to play a seat: share = clip(follow · own agent's share + plan[t] + gains · features, 0, 1).

    A plan alone is open-loop; ``follow = 1`` alone is the seat's own agent.
    """

    plan: FloatArray
    """``(R, T)`` shares of endowment."""
    follow: FloatArray
    """``(R,)`` weight on what the seat's own agent would play."""
    gains: FloatArray
    """``(R, F)`` weights on the features of the seat's observation; see `UnilateralPlay.features`."""

    @classmethod
    def planned(cls, plan: FloatArray, features: int) -> Self:
        """Return open-loop plans ``(R, T)``."""
        return cls(plan, np.zeros(len(plan)), np.zeros((len(plan), features)))

    def __len__(self) -> int:
        return len(self.plan)

    def __getitem__(self, rows: slice) -> Responses:
        return Responses(self.plan[rows], self.follow[rows], self.gains[rows])

    @property
    def open_loop(self) -> bool:
        """Whether none of them looks at anything but the time."""
        return not (self.follow.any() or self.gains.any())


@dataclass(frozen=True, eq=False)
class Played:
    """What came of R responses in E episodes."""

    returns: FloatArray
    """``(R, E)`` undiscounted return of the free seat in the reward mode; of several, the mean, as of all here."""
    shares: FloatArray
    """``(T, R, E)`` shares the free seat played; 0 after an episode's end."""
    features: FloatArray
    """``(T, R, E, F)`` features it saw before it played; of S free seats, ``(T, R, E·S, F)``."""


class UnilateralPlay:
    """Plays a game with one free seat and frozen agents in all others.

    Response r is played in E rows of one batch. Every response meets the same resets and payoff noise; agents that draw
    at random draw afresh for each.
    """

    def __init__(
        self,
        game: AnyGame,
        agents: Agents,
        seat: int,
        reward: Rewards,
        view: View,
        episodes: int = 1,
        seed: int = 0,
        *,
        together: tuple[int, ...] = (),
        paired: bool = False,
    ) -> None:
        """Set up.

        Args:
            game: on the NumPy backend.
            agents: makes one agent per seat.
            seat: the free seat.
            reward: what the free seat is paid, and what all agents are told.
            view: what all seats see.
            episodes: E, episodes per response, the k-th reset with ``seed + k``.
            seed: also the root of the agents' generators, as in `coopgym.play.play`.
            together: further free seats, exchangeable with the first; each response plays them all, each by what it
                sees there.
            paired: let agents that draw draw alike for every response, episode by episode what they draw in
                `coopgym.play.play`.

        Raises:
            ValueError: no such seat, or the agents are not one per seat.
        """
        seats = [Seat.of(game, i, view, reward.name) for i in range(game.n_agents)]
        for free in (seat, *together):
            if not 0 <= free < game.n_agents:
                raise ValueError(f"seat={free}: {game.id} has seats 0 to {game.n_agents - 1}")
        self.game, self.agents, self.seat, self.reward, self.view = game, agents, seat, reward, view
        self.free, self.paired = [seat, *together], paired
        self.episodes, self.seed, self.horizon = episodes, seed, game.spec.horizon
        self._agents_seed = seed
        self._last: Sequence[Agent] = ()
        self.played = 0
        """Episodes played so far."""
        self._seats = seats
        self._chance = CommonRandomNumbers(game, seed, episodes)
        self.features = tuple(seats[seat].columns)
        """Names of the features: the blocks of the seat's observation, each as the mean of its entries."""
        self._block_means = np.zeros((seats[seat].observation_size, len(self.features)))
        for f, columns in enumerate(seats[seat].columns.values()):
            self._block_means[columns, f] = 1.0 / max(1, len(columns))

    def own_play(self, copies: int = 1) -> Responses:
        """Return the response of the seat's own agent, several times if asked."""
        return Responses(np.zeros((copies, self.horizon)), np.ones(copies), np.zeros((copies, len(self.features))))

    def plans(self, plans: FloatArray) -> Responses:
        """Return open-loop responses: plans ``(R, T)``, or ``(R, 1)`` to hold a share."""
        return Responses.planned(np.broadcast_to(plans, (len(plans), self.horizon)), len(self.features))

    def returns(self, responses: Responses) -> FloatArray:
        """Return what each response earns, ``(R, E)``."""
        return np.concatenate([self._play(part, record=False).returns for part in self._parts(responses)])

    def values(self, responses: Responses) -> FloatArray:
        """Return what each response earns on average, ``(R,)``."""
        return self.returns(responses).mean(axis=1)

    def record(self, responses: Responses) -> Played:
        """Play responses and keep what was seen and done; for a handful of responses."""
        return self._play(responses, record=True)

    def _parts(self, responses: Responses) -> Iterator[Responses]:
        """Split responses so that a batch stays small enough for the processor's memory."""
        per_response = self.episodes * self.game.n_agents * self._seats[0].observation_size
        size = max(1, OBSERVED_AT_ONCE // per_response)
        for first in range(0, len(responses), size):
            yield responses[first : first + size]

    def reseed_agents(self, seed: int) -> None:
        """Give agents another root for their generators; resets stay as they are."""
        self._agents_seed = seed

    def _seated(self, rows: int) -> Sequence[Agent]:
        """Return fresh agents that have begun ``rows`` episodes.

        Raises:
            ValueError: they are not one per seat.
        """
        agents, game = self.agents(), self.game
        if len(agents) != game.n_agents:
            raise ValueError(f"{game.id}: expected {game.n_agents} agents, one per seat, got {len(agents)}")
        check_distinct_agents(game, agents)
        if any(agent is used for agent in agents for used in self._last):
            raise ValueError(
                f"{game.id}: agents() returned an agent that has played before; it must make fresh ones in every call"
            )
        self._last = agents
        streams = np.random.default_rng(self._agents_seed).spawn(game.n_agents)
        for agent, seat, stream in zip(agents, self._seats, streams, strict=True):
            agent.begin(seat, rows, RecurringGenerator(stream, self.episodes) if self.paired else stream)
        return agents

    def _play(self, responses: Responses, record: bool) -> Played:
        game, free, shape = self.game, self.free, (len(responses), self.episodes)
        rows, together = len(responses) * self.episodes, (len(responses), self.episodes * len(free))
        self.played += rows
        agents, engine = self._seated(rows), Engine(game, self.reward, (rows,))
        asked = [i for i in range(game.n_agents) if i not in free or responses.follow.any()]
        shares, features = [], []

        def respond(t: int, state: State) -> FloatArray:
            seen, actions = game.observe(state, self.view), np.zeros((rows, game.n_agents))
            answered = joint_actions(game, [(i, agents[i], seen[:, i]) for i in asked])
            for i, answer in zip(asked, answered, strict=True):
                actions[:, i] = answer
            seen_there = seen[:, free].reshape(rows * len(free), -1)
            block_means = (seen_there @ self._block_means).reshape(*together, -1)
            own = (actions[:, free] / game.endowments[free]).reshape(together)
            share = _shares(responses, t, own, block_means).reshape(rows, -1)
            actions[:, free] = share * game.endowments[free]
            if record:
                shares.append(share.mean(axis=1))
                features.append(block_means)
            return np.asarray(engine.check(actions))

        total = np.zeros(rows)
        for step in unroll(game, respond, batch=(rows,), draws=self._chance, rewards=self.reward):
            total += counted(step, step.rewards[:, free].mean(axis=1))
            if record:
                shares[step.t] = counted(step, shares[step.t]).reshape(shape)
        return Played(total.reshape(shape), np.array(shares), np.array(features))


def _shares(responses: Responses, t: int, own: FloatArray, features: FloatArray) -> FloatArray:
    """Return what each response plays now, ``(R, E)``."""
    share = np.broadcast_to(responses.plan[:, t, None], own.shape)
    if not responses.open_loop:
        share = share + responses.follow[:, None] * own + (features @ responses.gains[:, :, None])[..., 0]
    clipped: FloatArray = np.minimum(np.maximum(share, 0.0), 1.0)
    return clipped
