"""Multi-agent learners that train R replicas (seeds × reward modes) at once as one tensor dimension."""

from algorithms.marl.agents import TrainedAgent, load_agents
from algorithms.marl.ippo import IPPO
from algorithms.marl.result import TrainingResult

__all__ = ["IPPO", "TrainedAgent", "TrainingResult", "load_agents"]
