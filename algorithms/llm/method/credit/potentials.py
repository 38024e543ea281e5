"""SPAE: rises of a probed potential, and outcome credit that fades once the task is solved (arXiv 2601.03823)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.llm.kernels import spae
from coopgym.algorithms.llm.method.credit.rewards import Rewarded
from coopgym.algorithms.llm.method.credit.tokens import answer_turn, by_turn
from coopgym.algorithms.llm.play.trajectories import Batch, Credit, Trajectory
from coopgym.typing import FloatArray


@dataclass(frozen=True, kw_only=True)
class SPAE(Rewarded):
    """``(r - group mean)·f(saturation) + ξ·g(rise of potential)``, whitened over all tokens of the batch.

    Steps are the turns before the one that answers; ``acc`` and ``conf`` have one entry for each.

    Attributes:
        alpha: share of outcome credit that can fade.
        xi: weight of rises.
        saturation: potential above which a task counts as solved.
        eps: added to the standard deviation.
    """

    reads: ClassVar = frozenset({"acc", "conf"})
    alpha: float = hyperparameter(0.5, 0.0, 1.0)
    xi: float = hyperparameter(0.5, 0.0)
    saturation: float = hyperparameter(0.9, -1.0, 1.0)
    eps: float = hyperparameter(1e-8, 0.0)

    def assign(self, batch: Batch) -> Credit:
        members = batch.trajectories
        potentials = [
            spae.potential(acc, conf) for acc, conf in zip(batch.gather("acc"), batch.gather("conf"), strict=True)
        ]
        found = spae.advantages(
            potentials,
            self.worth(batch),
            batch.group,
            step_tokens=[_lengths(member)[: _steps(member)] for member in members],
            answer_tokens=[_lengths(member)[_steps(member) :].sum() for member in members],
            alpha=self.alpha,
            xi=self.xi,
            eps_sat=self.saturation,
            eps=self.eps,
        )
        rows = [
            np.append(steps, np.full(len(member.turns) - _steps(member), answer))
            for member, steps, answer in zip(members, found["steps"], found["answer"], strict=True)
        ]
        return Credit.single(batch, by_turn(batch, rows), metrics=self._metrics(potentials))

    def _metrics(self, potentials: list[FloatArray]) -> dict[str, float]:
        after = [row[1:][row[:-1] > self.saturation] for row in potentials]
        steps = sum(row.size for row in potentials)
        return {
            "potential": float(np.concatenate(potentials).mean()) if steps else 0.0,
            "steps_after_solved": sum(row.size for row in after) / steps if steps else 0.0,
        }


def _steps(member: Trajectory) -> int:
    answer = answer_turn(member)
    return len(member.turns) if answer is None else answer


def _lengths(member: Trajectory) -> FloatArray:
    return np.array([turn.length for turn in member.turns], dtype=np.float64)
