"""Who sits where in a match, and which of its steps are talked about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import numpy as np

from coopgym.agents.base import Agent, check_distinct_agents
from coopgym.agents.registry import make_agent
from coopgym.games.game import AnyGame
from coopgym.interfaces.spaces import checked_seat

PartnerMaker: TypeAlias = str | Callable[[], Agent]
"""An agent's name, or what makes an agent."""


def checked_seats(game: AnyGame, seats: int | Sequence[int]) -> tuple[int, ...]:
    """Return the seats that decide in dialogues.

    Raises:
        ValueError: none, one that the game does not have, or one twice.
    """
    given = [seats] if isinstance(seats, int) else list(seats)
    checked = tuple(checked_seat(game, seat) for seat in given)
    if not checked or len(set(checked)) != len(checked):
        raise ValueError(f"seats={seats!r}: expected one or several different seats of {game.id}")
    return checked


def checked_window(game: AnyGame, start: int, decisions: int | None) -> tuple[int, int]:
    """Return the steps played before the first decision, and the number of decisions.

    Raises:
        ValueError: they do not fit into an episode.
    """
    horizon = game.spec.horizon
    if isinstance(start, bool) or not isinstance(start, int | np.integer) or not 0 <= start < horizon:
        raise ValueError(f"start={start!r}: {game.id} has steps 0 to {horizon - 1}")
    left = horizon - int(start)
    if decisions is None:
        return int(start), left
    if isinstance(decisions, bool) or not isinstance(decisions, int | np.integer) or not 1 <= decisions <= left:
        raise ValueError(
            f"decisions={decisions!r}: expected 1 to {left}, the steps of {game.id} from start={start}, or None for all"
        )
    return int(start), int(decisions)


def seated_agents(
    game: AnyGame, talkers: tuple[int, ...], partners: PartnerMaker | Mapping[int, PartnerMaker], start: int
) -> dict[int, Agent]:
    """Make the agents of all seats that need one: those without a talker and, before a later start, all.

    Raises:
        ValueError: an unknown name, a seat that the game does not have, or one without an agent.
        TypeError: what is no agent.
    """
    everybody = range(game.n_agents)
    by_seat = partners if isinstance(partners, Mapping) else dict.fromkeys(everybody, partners)
    for seat in by_seat:
        checked_seat(game, seat)
    needed = [seat for seat in everybody if start or seat not in talkers]
    missing = [seat for seat in needed if seat not in by_seat]
    if missing:
        why = ", which needs one for the steps before the window" if missing[0] in talkers else ""
        raise ValueError(f"partners has no agent for seat {missing[0]} of {game.id}{why}")
    agents = {seat: _made(by_seat[seat]) for seat in needed}
    for seat, agent in agents.items():
        if isinstance(agent, type) or not isinstance(agent, Agent):
            raise TypeError(
                f"partner {agent!r} in seat {seat} of {game.id} is not an agent: expected a name or a function that "
                "makes an object with begin(seat, episodes, rng) and act(observation)"
            )
    check_distinct_agents(game, list(agents.values()))
    return agents


def _made(partner: PartnerMaker) -> Agent:
    if isinstance(partner, str):
        return make_agent(partner)
    if not callable(partner):
        raise TypeError(f"partner {partner!r}: expected an agent's name or a function that makes one")
    return partner()
