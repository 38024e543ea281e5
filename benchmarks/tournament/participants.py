"""Who takes part in a tournament, and how each of them fills a seat."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from coopgym.agents import Agent, make_agent
from coopgym.benchmarks.study.agent_info import agent_info
from coopgym.games.game import AnyGame

Participant: TypeAlias = str | Callable[[], Agent] | Sequence[Agent]
"""A name (`coopgym.agents.make_agent`), a function that makes an agent for any seat, or agents for all seats in order,
as trained policies are."""
Participants: TypeAlias = Sequence[str] | Mapping[str, Participant]
"""Names, or participants under names of their own."""
CLASSICS = (
    "TitForTat",
    "GenerousTitForTat",
    "ThresholdTitForTat",
    "GrimTrigger",
    "WinStayLoseShift",
    "Gradual",
    "ProportionalReciprocity",
    "Oracle_Nash",
    "Oracle_SocialOptimum",
)
"""The reciprocal strategies, with somebody who always defects as well as it pays in one step, and somebody who always
cooperates as well as it pays everybody."""


class Player(ABC):
    """A participant that is ready to play."""

    alike: bool
    """Whether it is the same agent in every seat."""
    deterministic: bool
    """Whether it surely plays without chance."""
    text: str | None
    """What `coopgym.agents.make_agent` makes it of; None where nobody can say."""

    @abstractmethod
    def seated(self, seat: int) -> Agent:
        """Return a fresh agent for a seat."""


@dataclass(frozen=True)
class _Anywhere(Player):
    make: Callable[[], Agent]
    deterministic: bool = False
    text: str | None = None
    alike = True

    def seated(self, seat: int) -> Agent:
        return self.make()


@dataclass(frozen=True)
class _SeatBySeat(Player):
    agents: Sequence[Agent]
    alike, deterministic, text = False, False, None

    def seated(self, seat: int) -> Agent:
        # A copy, because an agent may carry something from one play into the next.
        return copy.deepcopy(self.agents[seat])


def players_of(game: AnyGame, agents: Participants) -> dict[str, Player]:
    """Return the participants of a tournament by name, ready to play a game.

    Raises:
        ValueError: no participant, a name that occurs twice or stands for no agent, or agents for another number of
            seats.
        TypeError: a participant that is none of the kinds of `Participant`.
    """
    if isinstance(agents, str):
        raise TypeError(f"agents={agents!r}: expected a list of names, or a mapping from names to agents")
    if not isinstance(agents, Mapping):
        if twice := sorted({name for name in agents if list(agents).count(name) > 1}):
            raise ValueError(f"agent {twice[0]!r} takes part twice; use a mapping to give copies names of their own")
        agents = {name: name for name in agents}
    if not agents:
        raise ValueError("agents: expected at least one to take part")
    return {name: _player(game, name, participant) for name, participant in agents.items()}


def player_named(text: str) -> Player:
    """Return the player that `coopgym.agents.make_agent` makes of a text.

    Raises:
        ValueError: there is no such agent.
    """
    return _Anywhere(partial(make_agent, text), agent_info(text).deterministic, text)


def _player(game: AnyGame, name: str, participant: Participant) -> Player:
    if isinstance(participant, str):
        return player_named(participant)
    if callable(participant):
        return _Anywhere(participant)
    if not isinstance(participant, list | tuple):
        raise TypeError(
            f"agent {name!r} is {participant!r}: expected a name, a class or function that makes an agent, or a list "
            "of agents, one per seat"
        )
    if len(participant) != game.n_agents:
        raise ValueError(
            f"agent {name!r}: expected one agent for each of the {game.n_agents} seats of {game.id}, "
            f"got {len(participant)}"
        )
    return _SeatBySeat(tuple(participant))
