"""Agents that are told what a world has drawn: one plays the best plan for it, one its private equilibrium."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays
from coopgym.oracles.agents.base import Oracle, drawn_world, registered_game
from coopgym.oracles.agents.solutions import Solution
from coopgym.oracles.dynamic.informed import drawn_states, known_plans, together, told_states
from coopgym.oracles.dynamic.informed_private import informed_equilibria, known_equilibria
from coopgym.oracles.games.rollout import initial_state, repeated
from coopgym.play import CommonRandomNumbers
from coopgym.typing import FloatArray
from coopgym.worlds import factor_of_share


class InformedOracle(Oracle):
    """Base of agents that see the factors and play what is made for them.

    Where a world shifts, that is made anew for the new factors as if they had held from the opening, and gone on with
    at the present step. In the fixed world nothing need be seen.
    """

    sees = "full"

    @abstractmethod
    def made_for(self, game: AnyGame, openings: State) -> FloatArray:
        """Return shares ``(steps, B, N)`` to play after openings ``(B,)``; the last step's hold until the end."""

    def foresee(self, game: AnyGame, seeds: range) -> None:
        if game.traits().world is not None:
            draws = CommonRandomNumbers(game, seeds[0], len(seeds))
            self.made_for(game, together(told_states(game, drawn_states(game, seeds), draws)))

    def prepare(self) -> None:
        spec, columns = self.seat.game, self.seat.columns
        self.game = registered_game(spec.id, spec.parameters)
        drawn = self.game.traits().world is not None
        if drawn and "synergy_factor" not in columns:
            raise ValueError(
                f"{self.title()} is told what a world has drawn, which view={self.seat.view!r} of {spec.id} hides; use "
                "view='full', or Inferring, which finds it out under view='own'"
            )
        self._openings = repeated(self.game, initial_state(self.game), (self.episodes,))
        told = ["cost_factor", "synergy_factor", *self.game.traits().hidden]
        self._told = {name: columns[name] for name in told if name in columns}
        if drawn and "cost_factor" not in columns:
            per_seat = len(columns["all_private"]) // self.game.n_agents
            self._told["cost_factor"] = columns["all_private"][per_seat - 1 :: per_seat]
        self._seen = np.full((self.episodes, sum(map(len, self._told.values()))), np.nan)
        self._plans = np.zeros((spec.horizon, self.episodes))

    def cooperate(self, observation: FloatArray) -> FloatArray:
        seen = observation[:, [column for columns in self._told.values() for column in columns]]
        new = (self.round == 0) | (seen != self._seen).any(1)
        if new.any():
            openings = map_arrays(lambda array: array[new], self._drawn(observation))
            self._plans[:, new] = self.made_for(self.game, openings)[..., self.seat.index]
        self._seen = seen
        return self._plans[np.minimum(self.round, len(self._plans) - 1), np.arange(self.episodes)]

    def _drawn(self, observation: FloatArray) -> State:
        """The openings ``(episodes,)`` with what is seen to be drawn."""
        drawn = {}
        for name, columns in self._told.items():
            old = getattr(self._openings, name)
            shares = observation[:, columns].reshape((self.episodes, -1)[: old.ndim])
            drawn[name] = np.broadcast_to(self._in_units(name, shares), old.shape)
        return replace(self._openings, **drawn)

    def _in_units(self, name: str, shares: FloatArray) -> FloatArray:
        """What is shown of a draw as a share of its range, in its own units."""
        hidden = self.game.traits().hidden
        if name in hidden:
            low, high = hidden[name]
            return low + (high - low) * shares
        return factor_of_share(shares, drawn_world(self.game).spread)


class InformedPlan(InformedOracle):
    """Open-loop plan of all seats with the greatest welfare, made for the factors that it sees."""

    citation = "Optimal control of the repeated game by all seats together, the draw known."

    def solve(self, game: AnyGame) -> Solution:
        plan = known_plans(game, repeated(game, initial_state(game), (1,)))[:, 0]
        return Solution(plan, "computed", None, None, "informed plan of the median draw")

    def made_for(self, game: AnyGame, openings: State) -> FloatArray:
        return known_plans(game, openings)


class Informed(InformedOracle):
    """Private equilibrium of commitments, of the factors that it sees: what `CommitmentNash` plays when they hold."""

    citation = "Nash, J. (1951). Non-cooperative games. Ann. Math. 54, 286-295; the draw known."

    def solve(self, game: AnyGame) -> Solution:
        found = informed_equilibria(game, repeated(game, initial_state(game), (1,)))
        regret = float(found.regret[0])
        return Solution(found.profiles, "computed", None, regret, "informed private equilibrium of the median draw")

    def made_for(self, game: AnyGame, openings: State) -> FloatArray:
        return known_equilibria(game, openings)[None]
