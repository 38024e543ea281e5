"""The formal edition (``-v1``): the equations of the technical reports are what is paid; every game is a dilemma."""

from typing import Any

from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.collective_action import (
    ApacheProject,
    CoalitionFormation,
    LoyaltyTeam,
    PublicGoods,
    TeamProduction,
)
from coopgym.games.formal.interdependence import (
    DynamicPartnerSelection,
    PartnerHoldUp,
    PlatformEcosystem,
    RenaultNissan,
    SynergySearch,
)
from coopgym.games.formal.reciprocity import (
    AppleAppStore,
    GiftExchange,
    GraduatedSanction,
    IndirectReciprocity,
    ReciprocalDilemma,
)
from coopgym.games.formal.trust import (
    SLCD,
    CooperativeNegotiation,
    RecoveryRace,
    ReputationMarket,
    TrustDilemma,
)

FORMAL: tuple[type[FormalGame[Any, Any]], ...] = (
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
"""The twenty formal games in the order of their specification."""

__all__ = ["FORMAL", "FormalGame", *(game.__name__ for game in FORMAL)]
