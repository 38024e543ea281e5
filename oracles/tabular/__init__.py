"""Decision processes with finitely many states and actions, in which everything can be computed."""

from coopgym.oracles.tabular.decision_process import TabularMDP

__all__ = ["TabularMDP"]
