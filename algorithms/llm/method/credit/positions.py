"""DECS: only what comes after the first sufficient part of a correct rollout pays for length (arXiv 2509.25827)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels import decs
from coopgym.algorithms.llm.kernels.validation import choice
from coopgym.algorithms.llm.method.credit.tokens import on_own
from coopgym.algorithms.llm.method.slots import CreditAssigner
from coopgym.algorithms.llm.play.trajectories import Batch, Credit, Group, Trajectory
from coopgym.typing import FloatArray

Form = Literal["code", "paper"]


@dataclass(frozen=True, kw_only=True)
class DECS(Settings, CreditAssigner):
    """Decoupled token rewards, standardised at each position across the group.

    Positions count written tokens only, so that what tools said never enters a baseline; behind its end a rollout keeps
    its reward in the baseline of later positions. The judge's chunks are turns: ``nrp_end`` and ``think_end`` are
    token offsets at which a turn ends, None for never.

    Attributes:
        max_length: longest rollout, in written tokens.
        r_plus: reward of necessary tokens.
        r_zero: what the reward of redundant ones approaches at that length.
        form: the redundant tokens' reward as in the public code or as one digest prints it.
        eps: added to standard deviations.
    """

    reads: ClassVar = frozenset({"nrp_end", "think_end"})
    max_length: int = hyperparameter(16384, 1)
    r_plus: float = hyperparameter(1.1)
    r_zero: float = hyperparameter(1.0)
    form: Form = "code"
    eps: float = hyperparameter(1e-6, 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        choice("form", self.form, get_args(Form))

    def assign(self, batch: Batch) -> Credit:
        for signal in sorted(self.reads):
            batch.gather(signal)
        advantages = [row for group in batch.groups for row in self._advantages(group)]
        return Credit.single(batch, advantages, metrics={"necessary_share": necessary_share(batch.trajectories)})

    def _advantages(self, group: Group) -> list[FloatArray]:
        lengths = [member.written for member in group.members]
        rewards = [
            decs.token_rewards(
                member.correct,
                _written_until(member, member.signals["nrp_end"]),
                _written_until(member, member.signals["think_end"]),
                member.written,
                max(lengths),
                self.max_length,
                self.r_plus,
                self.r_zero,
                self.form,
            )
            for member in group.members
        ]
        rows = decs.advantages(rewards, lengths, self.eps)
        return [on_own(member, row[: member.written]) for member, row in zip(group.members, rows, strict=True)]


def necessary_share(members: Sequence[Trajectory]) -> float:
    """Return the mean share of thinking that was necessary in correct rollouts, 1 without any.

    It is what the gate for easy prompts follows (the paper's R).
    """
    shares = []
    for member in members:
        necessary, thinking = (_written_until(member, member.signals[end]) for end in ("nrp_end", "think_end"))
        if member.correct:
            whole = member.written if thinking is None else thinking
            shares.append(1.0 if necessary is None else min(1.0, necessary / max(1, whole)))
    return float(np.mean(shares)) if shares else 1.0


def _written_until(member: Trajectory, offset: int | None) -> int | None:
    """Return how many of the tokens before an offset the policy wrote."""
    return None if offset is None else int(member.mask[:offset].sum())
