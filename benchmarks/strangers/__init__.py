"""What scenarios with strangers are worth to a best response and to the best single number, and to any agent."""

from coopgym.benchmarks.strangers.anchors import Anchor, anchored, read_anchors
from coopgym.benchmarks.strangers.identifying import Identifying
from coopgym.benchmarks.strangers.scoring import ScenarioResult, StrangersResult, strangers_result, strangers_score
from coopgym.benchmarks.strangers.valued import MissingAnchorsError, ValuedScenarios, kept_values, values_against

__all__ = [
    "Anchor",
    "Identifying",
    "MissingAnchorsError",
    "ScenarioResult",
    "StrangersResult",
    "ValuedScenarios",
    "anchored",
    "kept_values",
    "read_anchors",
    "strangers_result",
    "strangers_score",
    "values_against",
]
