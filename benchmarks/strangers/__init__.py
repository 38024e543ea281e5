"""What scenarios with strangers are worth to a best response and to the best single number, and to any agent."""

from coopgym.benchmarks.strangers.anchors import Anchor, anchored, read_anchors
from coopgym.benchmarks.strangers.identifying import Identifying
from coopgym.benchmarks.strangers.scoring import ScenarioResult, StrangersResult, strangers_score

__all__ = ["Anchor", "Identifying", "ScenarioResult", "StrangersResult", "anchored", "read_anchors", "strangers_score"]
