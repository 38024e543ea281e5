"""Agents that are met in training, by name: anybody but those who are there to be tested on."""

from __future__ import annotations

from collections.abc import Sequence

from coopgym.agents.registry import make_agent
from coopgym.strangers.partners import SCHEME


def check_training_partners(names: Sequence[str]) -> None:
    """Make sure that agents can be met in training.

    Raises:
        ValueError: an unknown agent, or one of a test population.

    >>> check_training_partners(["strangers:training", "TitForTat"])
    """
    for name in names:
        if f"{SCHEME}:test" in name:
            raise ValueError(
                f"partners={name!r}: whoever trains with test partners cannot be scored among strangers; expected "
                f"{SCHEME}:training, somebody of it such as {SCHEME}:training/grim-0.4, or any other agent"
            )
        make_agent(name)
