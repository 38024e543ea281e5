"""The released edition (``-v0``): the twenty games as first published, kept so that results can be compared."""

from __future__ import annotations

from typing import Any

from coopgym.games.released.base import ReleasedGame
from coopgym.games.released.collective_action import (
    ApacheProject,
    CoalitionFormation,
    LoyaltyTeam,
    PublicGoods,
    TeamProduction,
)
from coopgym.games.released.interdependence import (
    DynamicPartnerSelection,
    PartnerHoldUp,
    PlatformEcosystem,
    RenaultNissan,
    SynergySearch,
)
from coopgym.games.released.reciprocity import (
    AppleAppStore,
    GiftExchange,
    GraduatedSanction,
    IndirectReciprocity,
    ReciprocalDilemma,
)
from coopgym.games.released.trust import (
    SLCD,
    CooperativeNegotiation,
    RecoveryRace,
    ReputationMarket,
    TrustDilemma,
)

RELEASED: tuple[type[ReleasedGame[Any, Any]], ...] = (
    TrustDilemma,
    PartnerHoldUp,
    PlatformEcosystem,
    DynamicPartnerSelection,
    RecoveryRace,
    SynergySearch,
    SLCD,
    RenaultNissan,
    CooperativeNegotiation,
    ReputationMarket,
    TeamProduction,
    LoyaltyTeam,
    CoalitionFormation,
    ApacheProject,
    PublicGoods,
    ReciprocalDilemma,
    GiftExchange,
    IndirectReciprocity,
    GraduatedSanction,
    AppleAppStore,
)
"""The twenty games, in the order of their publication."""

__all__ = ["RELEASED", "ReleasedGame", *(game.__name__ for game in RELEASED)]
