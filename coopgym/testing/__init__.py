"""Public checkers: the battery that the shipped games and agents pass, for games and agents of your own."""

from coopgym.testing.agent import check_agent
from coopgym.testing.conformance import ConformanceError
from coopgym.testing.game import check_game

__all__ = ["ConformanceError", "check_agent", "check_game"]
