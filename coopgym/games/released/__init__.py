"""The released edition (``-v0``): the twenty games as first published, kept so that results can be compared."""

from __future__ import annotations

from typing import Any

from coopgym.games.released import collective_action, interdependence, reciprocity, trust
from coopgym.games.released.base import ReleasedGame

RELEASED: tuple[type[ReleasedGame[Any, Any]], ...] = (
    trust.TrustDilemma,
    interdependence.PartnerHoldUp,
    interdependence.PlatformEcosystem,
    interdependence.DynamicPartnerSelection,
    trust.RecoveryRace,
    interdependence.SynergySearch,
    trust.SLCD,
    interdependence.RenaultNissan,
    trust.CooperativeNegotiation,
    trust.ReputationMarket,
    collective_action.TeamProduction,
    collective_action.LoyaltyTeam,
    collective_action.CoalitionFormation,
    collective_action.ApacheProject,
    collective_action.PublicGoods,
    reciprocity.ReciprocalDilemma,
    reciprocity.GiftExchange,
    reciprocity.IndirectReciprocity,
    reciprocity.GraduatedSanction,
    reciprocity.AppleAppStore,
)
"""The twenty games, in the order of their publication."""

__all__ = ["RELEASED", "ReleasedGame"]
