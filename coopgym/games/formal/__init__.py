"""The formal edition (``-v1``): the equations of the technical reports are what is paid; every game is a dilemma."""

from typing import Any

from coopgym.games.formal import collective_action, interdependence, reciprocity, trust
from coopgym.games.formal.base import FormalGame

FORMAL: tuple[type[FormalGame[Any, Any]], ...] = (
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
"""The twenty formal games in the order of their specification."""

__all__ = ["FORMAL", "FormalGame"]
