"""VDN: the value of a joint action is the sum of what each seat's level is worth.

Source: Sunehag et al. 2018, "Value-Decomposition Networks for Cooperative Multi-Agent Learning Based on Team Reward".

Each seat's best level is then part of the best joint action, so greedy play needs no communication.

Shapes: R replicas, n seats, M transitions of a minibatch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from coopgym.algorithms.common.learner_contract import Objective
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.value_based.iql import IQL, IQLSeats


@dataclass(frozen=True, kw_only=True)
class VDN(IQL):
    """Value-decomposition networks with double estimators; for a common reward only."""

    sources: ClassVar[str] = "Sunehag et al. 2018"
    partnered: ClassVar[bool] = False
    objectives: ClassVar[tuple[Objective, ...]] = ("team",)

    objective: Objective = "team"

    def agent_learner(self, context: Context) -> VDNSeats:
        return VDNSeats(self, context)


class VDNSeats(IQLSeats):
    """Values of levels that add up to one common value per replica (Sunehag et al. 2018, Eq. 3)."""

    def joint_value(self, values: Tensor, state: Tensor | None, target: bool = False) -> Tensor:
        return values.sum(1, keepdim=True)
