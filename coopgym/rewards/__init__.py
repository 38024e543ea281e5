"""The reward layer: private, integrated, cooperative and everything between."""

from coopgym.rewards.layer import (
    MODES,
    Cooperative,
    InequityAversion,
    Integrated,
    Mutuality,
    PayoffMatrix,
    Private,
    RewardLayer,
    SocialValueOrientation,
    reward_layer,
)

__all__ = [
    "MODES",
    "Cooperative",
    "InequityAversion",
    "Integrated",
    "Mutuality",
    "PayoffMatrix",
    "Private",
    "RewardLayer",
    "SocialValueOrientation",
    "reward_layer",
]
