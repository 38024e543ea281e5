"""Signals: every call of a model, judge, tool or oracle that credit assignment builds on."""

from algorithms.llm.signals.beliefs import GoldBelief, StepProbe
from algorithms.llm.signals.clusters import AnswerClusters
from algorithms.llm.signals.gold_path import GoldPath
from algorithms.llm.signals.self_diff import SelfDiff
from algorithms.llm.signals.steps import StepModel
from algorithms.llm.signals.sufficiency import StepJudge
from algorithms.llm.signals.tournament import PairJudge
from algorithms.llm.signals.traces import TraceMatcher
from algorithms.llm.signals.welfare import WelfareReward

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
]
