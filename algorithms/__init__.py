"""Learners for the games of `coopgym`. Importing this package does not import torch; using a learner does."""

from __future__ import annotations


def learners() -> dict[str, type]:
    """Return every learner by the name that studies and records use."""
    from algorithms.marl.ippo import IPPO

    return {"IPPO": IPPO}
