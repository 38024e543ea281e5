"""Agents: the protocol, scripted strategies, the registry of names, scenarios and play."""

from coopgym.agents.base import Agent, Classifier, Seat, Strategy
from coopgym.agents.play import Episodes, Trajectory, play
from coopgym.agents.registry import PUBLISHED, agent_names, constant_names, make_agent
from coopgym.agents.scenario import Scenario

__all__ = [
    "PUBLISHED",
    "Agent",
    "Classifier",
    "Episodes",
    "Scenario",
    "Seat",
    "Strategy",
    "Trajectory",
    "agent_names",
    "constant_names",
    "make_agent",
    "play",
]
