"""Which bound is proved for which game."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from coopgym.games.game import AnyGame
from coopgym.oracles.dynamic.bounds.optimistic import OptimisticBound

_SPECIAL: dict[type[AnyGame], type[OptimisticBound]] = {}

BoundT = TypeVar("BoundT", bound=type[OptimisticBound])


def register(*games: type[AnyGame]) -> Callable[[BoundT], BoundT]:
    """Register a bound for classes of games, and for them alone: a subclass may change the rules."""

    def registered(bound: BoundT) -> BoundT:
        _SPECIAL.update(dict.fromkeys(games, bound))
        return bound

    return registered


def bound_for(game: AnyGame) -> type[OptimisticBound]:
    """Return the bound of a game's class: one of its own, or the general one."""
    return _SPECIAL.get(type(game), OptimisticBound)
