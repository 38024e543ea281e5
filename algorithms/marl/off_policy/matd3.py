"""MATD3: MADDPG with twin critics, smoothed targets and policies that move less often.

Sources: Ackermann et al. 2019, "Reducing Overestimation Bias in Multi-Agent Domains Using Double Centralized Critics";
Fujimoto et al. 2018, "Addressing Function Approximation Error in Actor-Critic Methods".

Shapes: R replicas, n seats, M transitions of a minibatch, O observation entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from coopgym.algorithms.common.schedules import annealed
from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.off_policy_loop import Batch
from coopgym.algorithms.marl.off_policy.maddpg import MADDPG, MADDPGSeats


@dataclass(frozen=True, kw_only=True)
class MATD3(MADDPG):
    """Multi-agent twin delayed deep deterministic policy gradient.

    Attributes:
        target_policy_noise: deviation of the noise on the levels that targets reckon with (0.2: Fujimoto et al. 2018,
            §6.1).
        target_noise_clip: largest size of that noise (0.5: same source).
        policy_delay: critic updates per update of policies and targets (2: same source).
    """

    sources: ClassVar[str] = "Ackermann et al. 2019; Fujimoto et al. 2018"

    target_policy_noise: float = hyperparameter(0.2, 0.0, recorded_as="smoothing")
    target_noise_clip: float = hyperparameter(0.5, 0.0, recorded_as="smoothing_limit")
    policy_delay: int = hyperparameter(2, 1)

    def agent_learner(self, context: Context) -> MATD3Seats:
        return MATD3Seats(self, context)


class MATD3Seats(MADDPGSeats):
    """`MADDPGSeats` with two critics per seat, the lesser of which is believed; policies climb the first."""

    def __init__(self, settings: MATD3, context: Context) -> None:
        super().__init__(settings, context, critics=2)
        self.td3 = settings

    def following(self, observation: Tensor) -> Tensor:
        levels = super().following(observation)
        noise = self.td3.target_policy_noise * self.context.streams.normal(tuple(levels.shape[1:]))
        limit = self.td3.target_noise_clip
        return (levels + noise.clamp(-limit, limit)).clamp(-1.0, 1.0)

    def improve(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Update critics, and every other time policies and targets (Fujimoto et al. 2018, Algorithm 1)."""
        pace = annealed(1.0, progress, self.settings.learning_rate_decay)
        metrics = self.improve_critics(batch, pace)
        if self.critics.adam.steps % self.td3.policy_delay == 0:
            metrics |= self.improve_policies(batch, pace)
        return metrics
