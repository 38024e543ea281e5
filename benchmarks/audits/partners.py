"""Partners that react, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from coopgym.agents.base import Agent
from coopgym.agents.heuristics import (
    GenerousTitForTat,
    Gradual,
    GrimTrigger,
    ProportionalReciprocity,
    ThresholdTitForTat,
    TitForTat,
)
from coopgym.agents.registry import make_agent

PARTNERS: Mapping[str, Callable[[], Agent]] = {
    "TitForTat": TitForTat,
    "TitForTat-min": partial(TitForTat, mode="min"),
    "TitForTat-neighbour": partial(TitForTat, mode="neighbour"),
    "GenerousTitForTat": GenerousTitForTat,
    "ThresholdTitForTat": ThresholdTitForTat,
    "GrimTrigger": GrimTrigger,
    "Gradual": Gradual,
    "ProportionalReciprocity": ProportionalReciprocity,
}
"""Partners of the reactive audit by name."""


def partner(name: str) -> Agent:
    """Make a partner by its name here, or anything else that `coopgym.agents.make_agent` knows.

    Raises:
        ValueError, TypeError: nothing has this name, or it is no agent.
    """
    return PARTNERS[name]() if name in PARTNERS else make_agent(name)
