"""Partners in imagination: every known one in all seats but one, and what plans of that seat would earn among them."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.agents import Seat, Strategy, make_agent
from coopgym.agents.streams import RecurringGenerator
from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays
from coopgym.oracles.agents.base import registered_game
from coopgym.play import NOMINAL, counted, unroll
from coopgym.rewards import objective
from coopgym.strangers import population
from coopgym.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Differences:
    """How far those who are there differ from those who are imagined in their seats."""

    offsets: FloatArray
    """``(K, E, N)`` shares that are added to what they would play."""
    alike: npt.NDArray[np.bool_]
    """``(E, N)``: whoever plays what the own seat plays."""


class Company:
    """K partners, each in all seats but one of E episodes, in which C ways to go on can be tried side by side.

    Those in exchangeable seats are one agent with rows for all of them, so that large games cost little more.
    """

    def __init__(self, seat: Seat, episodes: int, ways: int) -> None:
        """Seat the training partners of a game.

        Args:
            seat: the one that is left free.
            episodes: E.
            ways: C.
        """
        self.game: AnyGame = registered_game(seat.game.id, seat.game.parameters)
        self.names = tuple(partner.agent for partner in population(seat.game.id, "training").partners)
        self.seat, self.norm, self.episodes, self.ways = seat.index, seat.norm, episodes, ways
        self._reward = objective(seat.reward)
        others = [[j for j in group if j != seat.index] for group in self.game.traits().exchangeable]
        self._places = [np.array(members) for members in others if members]
        self._seats = [Seat.of(self.game, int(members[0]), "own", seat.reward) for members in self._places]
        self._agents = [[self._seated(name, place) for place in range(len(self._places))] for name in self.names]
        self._answers = np.zeros((len(self.names), episodes * ways, self.game.n_agents))

    def _seated(self, name: str, place: int) -> Strategy:
        agent, rows = make_agent(name), self.episodes * self.ways * len(self._places[place])
        assert isinstance(agent, Strategy), "whom nobody or coopgym trained is a shipped strategy"
        agent.begin(self._seats[place], rows, RecurringGenerator(np.random.default_rng(0), 1))
        return agent

    def restart(self, rows: npt.NDArray[np.bool_]) -> None:
        """Start new episodes in some rows ``(E,)``."""
        for agents in self._agents:
            for members, agent in zip(self._places, agents, strict=True):
                agent.restart(np.repeat(rows, self.ways * len(members)))

    def answers(self, state: State) -> FloatArray:
        """Return what everybody would play now, in states ``(E,)``: shares ``(K, E, N)``, 0 in the own seat."""
        self._answers = self._asked(self._agents, self._tried(state, len(self.names)))
        return self._answers[:, :: self.ways]

    def returns(self, state: State, plans: FloatArray, known: npt.NDArray[np.int64], met: Differences) -> FloatArray:
        """Return what plans would earn from now on ``(len(known), E, C)``.

        Args:
            state: ``(E,)``, that in which answers were asked last.
            plans: shares of endowment ``(E, C, T)``, from now on.
            known: which of the K partners.
            met: how those who are met differ from these.
        """
        shared = {id(each): each for each in (self.game, *self._seats)}
        agents = [[copy.deepcopy(agent, dict(shared)) for agent in self._agents[k]] for k in known]
        offsets = np.repeat(met.offsets[known], self.ways, axis=1)
        alike = np.repeat(met.alike, self.ways, axis=0)
        own = plans.reshape(-1, plans.shape[-1])
        alike[:, self.seat] = True

        def play(t: int, state: State) -> FloatArray:
            answers = self._asked(agents, state) if t else self._answers[known]
            shares = np.where(alike, own[:, t, None], np.clip(answers + offsets, 0.0, 1.0))
            return np.asarray(shares * self.game.endowments)

        earned = np.zeros((len(known), len(own)))
        start = self._tried(state, len(known))
        for step in unroll(self.game, play, start=start, draws=NOMINAL, rewards=self._reward):
            earned += counted(step, step.rewards[..., self.seat])
        return earned.reshape(len(known), *plans.shape[:2])

    def _tried(self, state: State, partners: int) -> State:
        """Repeat states ``(E,)`` for partners and ways, as ``(partners, E · C)``."""

        def repeat(array: FloatArray) -> FloatArray:
            rows = np.repeat(array, self.ways, axis=0)
            return np.broadcast_to(rows, (partners, *rows.shape))

        return map_arrays(repeat, state)

    def _asked(self, partners: list[list[Strategy]], state: State) -> FloatArray:
        """Return what partners play in states ``(K, R)``, ``(K, R, N)``."""
        seen = self.game.observe(state, "own")
        shares = np.zeros(seen.shape[:-1])
        for k, agents in enumerate(partners):
            for members, agent in zip(self._places, agents, strict=True):
                asked = seen[k][:, members]
                answer = np.asarray(agent.act(asked.reshape(-1, asked.shape[-1])))
                shares[k][:, members] = answer.reshape(asked.shape[:-1])
        return shares
