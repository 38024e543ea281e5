"""A method: the pieces that fill the slots of a training step, chosen by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from algorithms.llm.slots import CreditAssigner, Curriculum, GroupTransform, Objective, Sampler, Signal, Slot


@dataclass(frozen=True)
class Method:
    """One filling of all slots.

    Raises:
        ValueError: the credit assigner reads a signal that nothing fills.
    """

    curriculum: Curriculum
    sampler: Sampler
    credit: CreditAssigner
    objective: Objective
    signals: Sequence[Signal] = ()
    transforms: Sequence[GroupTransform] = ()
    critic: bool = False
    """Whether a value head is trained, whose values are the signal ``values``."""
    slots: dict[str, Slot] = field(init=False, default_factory=dict)
    """All pieces by their place, for checkpoints."""

    def __post_init__(self) -> None:
        filled = {key for signal in self.signals for key in signal.fills} | ({"values"} if self.critic else set())
        if missing := sorted(self.credit.reads - filled):
            raise ValueError(f"{type(self.credit).__name__} reads the signal {missing[0]!r}, which nothing fills")
        named: dict[str, Slot] = {
            "curriculum": self.curriculum,
            "sampler": self.sampler,
            "credit": self.credit,
            "objective": self.objective,
        }
        named |= {f"signal.{number}": signal for number, signal in enumerate(self.signals)}
        named |= {f"transform.{number}": transform for number, transform in enumerate(self.transforms)}
        self.slots.update(named)
