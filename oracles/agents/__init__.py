"""Oracles as agents: seven of the published study, three bounds on learners, four for worlds; and bandits."""

from coopgym.games.game import AnyGame
from coopgym.oracles.agents.adaptive import BoundedReciprocity, TrustAware
from coopgym.oracles.agents.bandits import (
    BANDITS,
    BanditAgent,
    BanditEpsilonGreedy,
    BanditExploreFirst,
    BanditSuccessiveElimination,
    BanditThompsonBeta,
    BanditThompsonGauss,
    BanditUCB1,
    BanditZooming,
)
from coopgym.oracles.agents.base import Oracle, PublishedOracle
from coopgym.oracles.agents.inferring import ExploreThenCommit, Inferring, ThompsonModels
from coopgym.oracles.agents.informed import Informed, InformedPlan
from coopgym.oracles.agents.profiles import (
    BestConstant,
    CommitmentNash,
    Equilibrium,
    Loyalty,
    Nash,
    Planner,
    ReciprocityEquilibrium,
    SocialOptimum,
    Uninformed,
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

WORLD_ORACLES: tuple[type[Oracle], ...] = (Uninformed, InformedPlan, Informed, Inferring, ExploreThenCommit)
"""Oracles of worlds: one that sees nothing of what was drawn, two that are told, and two that find it out."""


def applicable_oracles(game: AnyGame) -> tuple[str, ...]:
    """Return the names of the oracles that can play a game.

    >>> applicable_oracles(coopgym.make_game("TrustDilemma-v1"))[:3]
    ('Oracle_Equilibrium', 'Oracle_TrustAware', 'Oracle_Nash')
    """
    return tuple(oracle.title() for oracle in ORACLES if oracle.applies_to(game))


__all__ = [
    "BANDITS",
    "ORACLES",
    "WORLD_ORACLES",
    "BanditAgent",
    "BanditEpsilonGreedy",
    "BanditExploreFirst",
    "BanditSuccessiveElimination",
    "BanditThompsonBeta",
    "BanditThompsonGauss",
    "BanditUCB1",
    "BanditZooming",
    "BestConstant",
    "BoundedReciprocity",
    "CommitmentNash",
    "Equilibrium",
    "ExploreThenCommit",
    "Inferring",
    "Informed",
    "InformedPlan",
    "Loyalty",
    "Nash",
    "Oracle",
    "Planner",
    "PublishedOracle",
    "ReciprocityEquilibrium",
    "SocialOptimum",
    "ThompsonModels",
    "TrustAware",
    "Uninformed",
    "applicable_oracles",
]
