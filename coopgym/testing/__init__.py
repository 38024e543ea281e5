"""Public checkers: the batteries that the shipped games, agents and transforms pass, for those of your own."""

from coopgym.testing.agent import check_agent
from coopgym.testing.conformance import ConformanceError
from coopgym.testing.game import check_game
from coopgym.testing.transform import check_transform

__all__ = ["ConformanceError", "check_agent", "check_game", "check_transform"]
