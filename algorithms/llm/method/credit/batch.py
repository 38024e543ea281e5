"""COPO: a second advantage, across the batch's prompts, where the answers of a group agree (arXiv 2508.04138)."""

from __future__ import annotations

from dataclasses import dataclass

from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.llm.kernels import copo
from coopgym.algorithms.llm.method.credit.answers import answer_of
from coopgym.algorithms.llm.method.credit.rewards import Rewarded
from coopgym.algorithms.llm.method.credit.tokens import everywhere
from coopgym.algorithms.llm.play.trajectories import Batch, Credit


@dataclass(frozen=True, kw_only=True)
class COPO(Rewarded):
    """Channels ``local`` and ``global``, weighted ``w`` and ``1 - w`` by the disagreement of a group's answers.

    Attributes:
        consistency: let disagreement lower a prompt's score; not where the oracle mixes levels.
        slope: of the gate, per bit.
        offset: entropy of answers at which the gate is half open, bits.
        eps: added to standard deviations.
    """

    consistency: bool = True
    slope: float = hyperparameter(20.0, 0.0)
    offset: float = hyperparameter(1.5)
    eps: float = hyperparameter(1e-6, 0.0)

    def assign(self, batch: Batch) -> Credit:
        found = copo.advantages(
            self.worth(batch),
            [answer_of(member) for member in batch.trajectories],
            batch.group,
            self.consistency,
            self.slope,
            self.offset,
            self.eps,
        )
        gate = found["w_local"]
        return Credit(
            adv={"local": everywhere(batch, found["local"]), "global": everywhere(batch, found["global"])},
            weight={"local": everywhere(batch, gate), "global": everywhere(batch, 1.0 - gate)},
            mask=[member.mask for member in batch.trajectories],
            metrics={"gate": float(gate.mean()), "answer_entropy": float(found["entropy"].mean())},
        )
