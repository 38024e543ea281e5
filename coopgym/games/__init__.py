"""The games: their interface, the two editions and the registry.

This package is also a function: ``coopgym.games()`` lists the ids of all games. Importing a subpackage binds its name
in the parent, so that the name can only be both if the module itself can be called.
"""

from __future__ import annotations

import sys
from types import ModuleType


class _Games(ModuleType):
    def __call__(self, edition: str | None = None) -> tuple[str, ...]:
        """List ids; see `coopgym.games.registry.games`."""
        from coopgym.games.registry import games

        return games(edition)


sys.modules[__name__].__class__ = _Games
