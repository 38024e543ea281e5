"""The twenty games in both editions; calling the package, ``coopgym.games()``, lists their ids."""

import sys
from types import ModuleType


class _Games(ModuleType):
    """A package that stays callable: importing it puts it where ``coopgym`` offers the function `registry.games`."""

    def __call__(self, edition: str | None = None) -> tuple[str, ...]:
        from coopgym.games.registry import games

        return games(edition)


sys.modules[__name__].__class__ = _Games
