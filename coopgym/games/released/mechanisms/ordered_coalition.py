"""Membership of a coalition as two ordered lists, members and excluded, without walking either (released edition).

An agent's place in its list is given by when it arrived there: lower arrivals stand earlier. Rules that visit a list
in order become counts of the candidates who stand before an agent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from coopgym.backend import Array, Namespace, namespace_of


@dataclass(frozen=True)
class MembershipRules:
    """When agents are excluded and when they may return."""

    smallest: int
    """Nobody is excluded from a coalition of this size."""
    exit_loyalty: float
    """Members below this loyalty are excluded."""
    cooldown: int
    """Steps on the timer of an agent that is excluded; the first is taken off at once."""
    reentry_loyalty: float
    """Loyalty with which an excluded agent returns once its timer has run out."""


class Membership(NamedTuple):
    """Who is in the coalition, in which order. All arrays are ``(..., N)``, the latter two of integers."""

    members: Array
    """True for members."""
    arrival: Array
    """Order of arrival in the list an agent is in."""
    timers: Array
    """Steps until an excluded agent may return, running on below zero; zero for members."""


def places(candidates: Array, arrival: Array) -> Array:
    """How many candidates stand before each agent, ``(..., N)``."""
    stands_before = arrival[..., None, :] < arrival[..., :, None]
    return (stands_before & candidates[..., None, :]).sum(-1)


def update_membership(
    membership: Membership, loyalty: Array, step: Array, rules: MembershipRules, xp: Namespace | None = None
) -> Membership:
    """Exclude disloyal members in list order while the coalition is large enough, then let the loyal return.

    Args:
        membership: before the step.
        loyalty: ``(..., N)`` loyalty scores after the step.
        step: ``(...)`` the step that ends, an integer from one; arrivals of later steps are larger.
        rules: the thresholds.
    """
    xp = xp or namespace_of(loyalty)
    members, arrival, timers = membership
    n_agents = members.shape[-1]
    newest = 2 * n_agents * step[..., None]

    disloyal = members & (loyalty < rules.exit_loyalty)
    place = places(disloyal, arrival)
    leaving = disloyal & (place < members.sum(-1)[..., None] - rules.smallest)
    arrival = xp.where(leaving, newest + place, arrival)

    excluded = leaving | ~members
    timers = xp.where(excluded, xp.where(leaving, rules.cooldown, timers) - 1, 0)

    returning = excluded & (timers <= 0) & (loyalty >= rules.reentry_loyalty)
    return Membership(
        members=returning | ~excluded,
        arrival=xp.where(returning, newest + n_agents + places(returning, arrival), arrival),
        timers=xp.where(returning, 0, timers),
    )
