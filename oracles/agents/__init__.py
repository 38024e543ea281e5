"""Oracles as agents: seven reference policies of the published study, and three that bound what a learner can reach."""

from coopgym.games.game import AnyGame
from coopgym.oracles.agents.adaptive import BoundedReciprocity, TrustAware
from coopgym.oracles.agents.base import Oracle, PublishedOracle
from coopgym.oracles.agents.profiles import (
    BestConstant,
    CommitmentNash,
    Equilibrium,
    Loyalty,
    Nash,
    Planner,
    ReciprocityEquilibrium,
    SocialOptimum,
)

ORACLES: tuple[type[Oracle], ...] = (
    Equilibrium,
    TrustAware,
    Nash,
    SocialOptimum,
    Loyalty,
    ReciprocityEquilibrium,
    BoundedReciprocity,
    BestConstant,
    CommitmentNash,
    Planner,
)
"""All oracles: the seven of the published study in its order, then the further ones."""


def applicable_oracles(game: AnyGame) -> tuple[str, ...]:
    """Return the names of the oracles that can play a game.

    >>> applicable_oracles(coopgym.make_game("TrustDilemma-v1"))[:3]
    ('Oracle_Equilibrium', 'Oracle_TrustAware', 'Oracle_Nash')
    """
    return tuple(oracle.title() for oracle in ORACLES if oracle.applies_to(game))


__all__ = [
    "ORACLES",
    "BestConstant",
    "BoundedReciprocity",
    "CommitmentNash",
    "Equilibrium",
    "Loyalty",
    "Nash",
    "Oracle",
    "Planner",
    "PublishedOracle",
    "ReciprocityEquilibrium",
    "SocialOptimum",
    "TrustAware",
    "applicable_oracles",
]
