"""Bandit learners, games seen from one seat as bandits, and ledgers of regret."""

from coopgym.oracles.bandits.adversarial import EXP3, EXP4, OnlineHedge
from coopgym.oracles.bandits.arms import AlternatingArms, Arms, NoisyReward, Outcome, RewardTable, StochasticArms
from coopgym.oracles.bandits.best_arm import SequentialHalving, UniformAllocation
from coopgym.oracles.bandits.contextual import LinUCB, PerContext, PolicyClass
from coopgym.oracles.bandits.elimination import SuccessiveElimination
from coopgym.oracles.bandits.exploring import EpsilonGreedy, ExploreFirst
from coopgym.oracles.bandits.game_bandit import GameBandit
from coopgym.oracles.bandits.learner import DeterministicLearner, Instance, OnlineLearner, one_hot, selected
from coopgym.oracles.bandits.ledger import RegretLedger
from coopgym.oracles.bandits.lipschitz import UniformDiscretisation, Zooming, midpoints
from coopgym.oracles.bandits.off_policy import LoggedRounds, OffPolicyValue, logged_rounds, off_policy_value
from coopgym.oracles.bandits.outcomes import OutcomeUCB
from coopgym.oracles.bandits.play import play_bandit
from coopgym.oracles.bandits.portfolio import Experts, PortfolioBandit, spread_over_levels
from coopgym.oracles.bandits.reward_bounds import square_root_grid
from coopgym.oracles.bandits.sets import (
    FollowPerturbedLeader,
    SampledSemiBandit,
    SemiBandit,
    SetLearner,
    play_sets,
    sets_of,
)
from coopgym.oracles.bandits.thompson import ThompsonBeta, ThompsonGauss
from coopgym.oracles.bandits.upper_confidence import UCB1
from coopgym.oracles.bandits.weighted_majority import WeightedMajority

__all__ = [
    "EXP3",
    "EXP4",
    "UCB1",
    "AlternatingArms",
    "Arms",
    "DeterministicLearner",
    "EpsilonGreedy",
    "Experts",
    "ExploreFirst",
    "FollowPerturbedLeader",
    "GameBandit",
    "Instance",
    "LinUCB",
    "LoggedRounds",
    "NoisyReward",
    "OffPolicyValue",
    "OnlineHedge",
    "OnlineLearner",
    "Outcome",
    "OutcomeUCB",
    "PerContext",
    "PolicyClass",
    "PortfolioBandit",
    "RegretLedger",
    "RewardTable",
    "SampledSemiBandit",
    "SemiBandit",
    "SequentialHalving",
    "SetLearner",
    "StochasticArms",
    "SuccessiveElimination",
    "ThompsonBeta",
    "ThompsonGauss",
    "UniformAllocation",
    "UniformDiscretisation",
    "WeightedMajority",
    "Zooming",
    "logged_rounds",
    "midpoints",
    "off_policy_value",
    "one_hot",
    "play_bandit",
    "play_sets",
    "selected",
    "sets_of",
    "spread_over_levels",
    "square_root_grid",
]
