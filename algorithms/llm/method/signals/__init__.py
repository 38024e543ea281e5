"""Signals: every call of a model, judge, tool or oracle that credit assignment builds on."""

from coopgym.algorithms.llm.method.signals.beliefs import GoldBelief, StepProbe
from coopgym.algorithms.llm.method.signals.clusters import AnswerClusters
from coopgym.algorithms.llm.method.signals.gold_path import GoldPath
from coopgym.algorithms.llm.method.signals.self_diff import SelfDiff
from coopgym.algorithms.llm.method.signals.steps import StepModel
from coopgym.algorithms.llm.method.signals.sufficiency import StepJudge
from coopgym.algorithms.llm.method.signals.tournament import PairJudge, WinRates
from coopgym.algorithms.llm.method.signals.traces import TraceMatcher
from coopgym.algorithms.llm.method.signals.welfare import WelfareReward

__all__ = [
    "AnswerClusters",
    "GoldBelief",
    "GoldPath",
    "PairJudge",
    "SelfDiff",
    "StepJudge",
    "StepModel",
    "StepProbe",
    "TraceMatcher",
    "WelfareReward",
    "WinRates",
]
