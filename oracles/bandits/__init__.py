"""Bandit learners, games seen from one seat as bandits, and ledgers of regret."""

from coopgym.oracles.bandits.arms import AlternatingArms, Arms, NoisyReward, Outcome, RewardTable, StochasticArms
from coopgym.oracles.bandits.best_arm import SequentialHalving, UniformAllocation
from coopgym.oracles.bandits.elimination import SuccessiveElimination
from coopgym.oracles.bandits.exploring import EpsilonGreedy, ExploreFirst
from coopgym.oracles.bandits.game_bandit import GameBandit
from coopgym.oracles.bandits.learner import DeterministicLearner, Instance, OnlineLearner, one_hot, selected
from coopgym.oracles.bandits.ledger import RegretLedger
from coopgym.oracles.bandits.lipschitz import UniformDiscretisation, Zooming, midpoints
from coopgym.oracles.bandits.play import play_bandit
from coopgym.oracles.bandits.reward_bounds import square_root_grid
from coopgym.oracles.bandits.thompson import ThompsonBeta, ThompsonGauss
from coopgym.oracles.bandits.upper_confidence import UCB1

__all__ = [
    "UCB1",
    "AlternatingArms",
    "Arms",
    "DeterministicLearner",
    "EpsilonGreedy",
    "ExploreFirst",
    "GameBandit",
    "Instance",
    "NoisyReward",
    "OnlineLearner",
    "Outcome",
    "RegretLedger",
    "RewardTable",
    "SequentialHalving",
    "StochasticArms",
    "SuccessiveElimination",
    "ThompsonBeta",
    "ThompsonGauss",
    "UniformAllocation",
    "UniformDiscretisation",
    "Zooming",
    "midpoints",
    "one_hot",
    "play_bandit",
    "selected",
    "square_root_grid",
]
