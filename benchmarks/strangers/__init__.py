"""What scenarios with strangers are worth to a best response and to the best single number, and to any agent."""

from coopgym.benchmarks.strangers.anchors import anchored
from coopgym.benchmarks.strangers.identifying import Identifying
from coopgym.benchmarks.strangers.scoring import (
    ScenarioResult,
    StrangersResult,
    play_valued,
    strangers_result,
    strangers_score,
)
from coopgym.benchmarks.strangers.valued import MissingAnchorsError, ValuedScenarios, kept_values, values_against
from coopgym.strangers import Anchor, read_anchors

__all__ = [
    "Anchor",
    "Identifying",
    "MissingAnchorsError",
    "ScenarioResult",
    "StrangersResult",
    "ValuedScenarios",
    "anchored",
    "kept_values",
    "play_valued",
    "read_anchors",
    "strangers_result",
    "strangers_score",
    "values_against",
]
