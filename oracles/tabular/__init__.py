"""Decision processes with finitely many states and actions, in which everything can be computed."""

from coopgym.oracles.tabular.adaptive_design import AdaptiveScore
from coopgym.oracles.tabular.decision_process import TabularMDP
from coopgym.oracles.tabular.expert_design import Design, Expert, design_rewards
from coopgym.oracles.tabular.self_design import SelfDesign

__all__ = ["AdaptiveScore", "Design", "Expert", "SelfDesign", "TabularMDP", "design_rewards"]
