"""Game state: a frozen dataclass of arrays that share leading batch dimensions."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from coopgym.backend import Array, Namespace


@dataclass(frozen=True)
class State:
    """What holds when the agents choose. Games add their own arrays in subclasses."""

    t: Array
    """``(...)`` completed steps, int64: floating numbers stop counting where one more rounds to none."""
    last_action: Array
    """``(..., N)`` last actions: endowment units in the released edition, shares of endowment in the formal one."""
    trust: Array
    """``(..., N, N)`` in [0, 1], row i = how far i trusts j, 1 on the diagonal."""
    damage: Array
    """``(..., N, N)`` in [0, 1], reputation damage i holds against j, 0 on the diagonal."""
    cost_factor: Any = field(default=None, kw_only=True)
    """``(..., N)`` m_i, by which a world multiplies a seat's cost of cooperation; None in the fixed world, as below."""
    synergy_factor: Any = field(default=None, kw_only=True)
    """``(...)`` g, by which it multiplies the weight of joint production."""
    payoff_share: Any = field(default=None, kw_only=True)
    """``(..., N)`` own payoff of the last step between the least and the greatest there can be, in [0, 1]."""


S = TypeVar("S", bound=State)


def map_arrays(function: Callable[..., Array], *states: S) -> S:
    """Apply ``function`` field by field to one or several states of the same kind."""
    names = state_arrays(states[0])
    return type(states[0])(**{name: function(*(getattr(state, name) for state in states)) for name in names})


def state_arrays(state: State) -> dict[str, Array]:
    """Return the arrays of a state by name, without those that its world has not."""
    arrays = {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}
    return {name: array for name, array in arrays.items() if array is not None}


def select(xp: Namespace, mask: Array, chosen: S, otherwise: S) -> S:
    """Take ``chosen`` where ``mask`` ``(...)`` holds and ``otherwise`` elsewhere, in every array."""

    def pick(a: Array, b: Array) -> Array:
        return xp.where(xp.reshape(mask, (*mask.shape, *(1,) * (a.ndim - mask.ndim))), a, b)

    return map_arrays(pick, chosen, otherwise)
