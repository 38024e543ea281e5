"""Rewards: a mode, private, integrated, cooperative or anything between, and transforms of what it pays."""

from coopgym.rewards.episodic import Episodic
from coopgym.rewards.modes import (
    Cooperative,
    InequityAversion,
    Integrated,
    Mutuality,
    PayoffMatrix,
    Private,
    RewardLayer,
    RewardMode,
    SocialValueOrientation,
)
from coopgym.rewards.pipeline import (
    MODES,
    Rewards,
    RewardsByRow,
    RunningRewards,
    objective,
    reward_layer,
    running_rewards,
)
from coopgym.rewards.shaping import POTENTIALS, Shaping
from coopgym.rewards.transforms import (
    TRANSFORMS,
    LearnedTransform,
    ObservedStep,
    RewardTransform,
    RunningTransform,
    register_transform,
    transform_class,
    transform_kinds,
)
from coopgym.rewards.trust_gained import TrustGained

__all__ = [
    "MODES",
    "POTENTIALS",
    "TRANSFORMS",
    "Cooperative",
    "Episodic",
    "InequityAversion",
    "Integrated",
    "LearnedTransform",
    "Mutuality",
    "ObservedStep",
    "PayoffMatrix",
    "Private",
    "RewardLayer",
    "RewardMode",
    "RewardTransform",
    "Rewards",
    "RewardsByRow",
    "RunningRewards",
    "RunningTransform",
    "Shaping",
    "SocialValueOrientation",
    "TrustGained",
    "objective",
    "register_transform",
    "reward_layer",
    "running_rewards",
    "transform_class",
    "transform_kinds",
]
