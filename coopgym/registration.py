"""Entries in the registries of Gymnasium and PettingZoo. Imports nothing of the games."""

from __future__ import annotations

import sys
from importlib.util import find_spec

_NAMES = (
    "TrustDilemma",
    "PartnerHoldUp",
    "PlatformEcosystem",
    "DynamicPartnerSelection",
    "RecoveryRace",
    "SynergySearch",
    "SLCD",
    "RenaultNissan",
    "CooperativeNegotiation",
    "ReputationMarket",
    "TeamProduction",
    "LoyaltyTeam",
    "CoalitionFormation",
    "ApacheProject",
    "PublicGoods",
    "ReciprocalDilemma",
    "GiftExchange",
    "IndirectReciprocity",
    "GraduatedSanction",
    "AppleAppStore",
)

GAME_IDS = tuple(f"{name}-v{version}" for version in (1, 0) for name in _NAMES)
"""Ids of all games, the formal edition (``-v1``) first."""


def register_with_gymnasium() -> None:
    """Make every game known as ``coopgym/<Id>`` to ``gymnasium.make`` and ``gymnasium.make_vec``."""
    from gymnasium.envs.registration import register, registry

    for id in GAME_IDS:
        if f"coopgym/{id}" not in registry:
            register(
                id=f"coopgym/{id}",
                entry_point="coopgym.interfaces.gymnasium:make_env",
                vector_entry_point="coopgym.interfaces.vector:make_vector_env",
                kwargs={"game": id},
            )
            # Gymnasium would call the released edition an outdated version; under its whole name each stands alone.
            registry[f"coopgym/{id}"].name, registry[f"coopgym/{id}"].version = id, None


def register_with_pettingzoo() -> None:
    """Make every game known as ``coopgym/<Id>`` to ``pettingzoo.make``; importing PettingZoo is up to the caller.

    PettingZoo before 1.27 has no registry; there, `coopgym.parallel_env` and `coopgym.aec_env` make environments.
    """
    if find_spec("pettingzoo.env_registry") is None:
        return
    from pettingzoo.env_registry.registration import aec_registry, parallel_registry, register

    for id in GAME_IDS:
        if f"coopgym/{id}" not in parallel_registry:
            register("parallel", f"coopgym/{id}", "coopgym.interfaces.pettingzoo:parallel_env", kwargs={"id": id})
        if f"coopgym/{id}" not in aec_registry:
            register("aec", f"coopgym/{id}", "coopgym.interfaces.pettingzoo:aec_env", kwargs={"id": id})


def register_all() -> None:
    """Register with Gymnasium, and with PettingZoo if it is in use already (it is slow to import)."""
    register_with_gymnasium()
    if "pettingzoo" in sys.modules:
        register_with_pettingzoo()
