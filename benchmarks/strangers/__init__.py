"""What scenarios with strangers are worth to a best response and to the best single number, and to any agent."""

from coopgym.benchmarks.strangers.anchors import anchored
from coopgym.benchmarks.strangers.identifying import Identifying
from coopgym.benchmarks.strangers.scoring import (
    MissingAnchorsError,
    ScenarioResult,
    StrangersResult,
    met,
    strangers_score,
)
from coopgym.strangers import Anchor, read_anchors

__all__ = [
    "Anchor",
    "Identifying",
    "MissingAnchorsError",
    "ScenarioResult",
    "StrangersResult",
    "anchored",
    "met",
    "read_anchors",
    "strangers_score",
]
