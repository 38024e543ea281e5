"""Scripted partners around one learning seat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from coopgym.agents.base import Agent, Seat, check_distinct_agents, joint_actions
from coopgym.agents.claims import check_claims, claim
from coopgym.agents.registry import make_agent
from coopgym.agents.streams import EpisodeGenerator
from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.rewards import Rewards
from coopgym.typing import FloatArray

Partner: TypeAlias = str | Agent
PartnersLike: TypeAlias = Partner | Sequence[Partner]
"""One partner for all other seats, or one per other seat in ascending order; an agent object fills one seat only."""


class Partners:
    """The agents around a seat: they see their own views and fill the joint action."""

    def __init__(self, game: AnyGame, seat: int, partners: PartnersLike, rewards: Rewards) -> None:
        """Seat the partners, who are told the mode of the rewards: transforms are for the seat that learns.

        Raises:
            ValueError: an unknown agent name, as many partners as there are not seats, or one agent in several seats.
        """
        self.game = game
        self.seat = seat
        others = [j for j in range(game.n_agents) if j != seat]
        if isinstance(partners, str) or not isinstance(partners, Sequence):
            partners = [partners] * len(others)
        names = list(partners)
        if len(names) != len(others):
            raise ValueError(f"{game.id}: expected one partner or {len(others)} partners, got {len(names)}")
        self.agents: dict[int, Agent] = {
            j: make_agent(name) if isinstance(name, str) else name for j, name in zip(others, names, strict=True)
        }
        for j, partner in self.agents.items():
            if isinstance(partner, type) or not isinstance(partner, Agent):
                raise TypeError(
                    f"partner {partner!r} in seat {j} of {game.id} is not an agent: expected a name or an object with "
                    "begin(seat, episodes, rng) and act(observation)"
                )
        check_distinct_agents(game, list(self.agents.values()))
        self._seats = {j: Seat.of(game, j, "own", rewards.mode.name) for j in others}
        self._episodes = 0
        self._claim = object()

    def begin(self, streams: Sequence[np.random.Generator]) -> None:
        """Start one episode per stream; every partner gets streams of its own from them."""
        self._episodes = len(streams)
        self._claim = object()
        claim(self.agents.values(), self._claim)
        by_row = [stream.spawn(len(self.agents)) for stream in streams]
        for (j, partner), own in zip(self.agents.items(), zip(*by_row, strict=True), strict=True):
            partner.begin(self._seats[j], self._episodes, EpisodeGenerator(own))

    @property
    def restarts(self) -> bool:
        """Whether every partner can start anew in some of the rows."""
        return all(hasattr(partner, "restart") for partner in self.agents.values())

    def restart(self, rows: npt.NDArray[np.bool_]) -> None:
        """Start new episodes in some rows.

        Raises:
            ValueError: a partner that cannot.
            RuntimeError: a partner that has begun another game since.
        """
        check_claims(self.agents.values(), self._claim)
        for j, partner in self.agents.items():
            restart = getattr(partner, "restart", None)
            if restart is None:
                raise ValueError(
                    f"partner {type(partner).__name__} in seat {j} has no restart(rows), which batches whose episodes "
                    "end at different times need; add it or use single environments"
                )
            restart(rows)

    def fill(self, own: FloatArray, state: State) -> FloatArray:
        """Return joint actions ``(episodes, N)``: the seat's own ``(episodes,)`` and the partners' answers.

        Raises:
            ValueError: a partner's answer is not one number per episode.
            RuntimeError: a partner has begun another game since.
        """
        check_claims(self.agents.values(), self._claim)
        observations = self.game.observe(state, "own")
        observations = observations.reshape((self._episodes, self.game.n_agents, observations.shape[-1]))
        joint = np.empty((self._episodes, self.game.n_agents))
        joint[:, self.seat] = own
        asked = [(j, partner, observations[:, j]) for j, partner in self.agents.items()]
        for (j, _, _), answer in zip(asked, joint_actions(self.game, asked), strict=True):
            joint[:, j] = answer
        return joint
