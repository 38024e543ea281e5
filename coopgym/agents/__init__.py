"""Agents: the protocol, scripted strategies and the registry of names."""

from coopgym.agents.base import Agent, Classifier, Seat, Strategy
from coopgym.agents.registry import PUBLISHED, agent_names, constant_names, make_agent

__all__ = [
    "PUBLISHED",
    "Agent",
    "Classifier",
    "Seat",
    "Strategy",
    "agent_names",
    "constant_names",
    "make_agent",
]
