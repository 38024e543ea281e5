"""Multi-agent learners that train R replicas (seeds × reward modes) at once as one tensor dimension."""

from algorithms.marl.agents import TrainedAgent, load_agents
from algorithms.marl.ippo import IPPO
from algorithms.marl.learner import Learner
from algorithms.marl.result import TrainingResult

__all__ = ["IPPO", "Learner", "TrainedAgent", "TrainingResult", "load_agents"]
