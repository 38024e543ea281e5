"""A method: the pieces that fill the slots of a training step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import Field, dataclass, field, fields, is_dataclass
from typing import Any

from coopgym.algorithms.llm.method.slots import (
    CreditAssigner,
    Curriculum,
    GroupTransform,
    Objective,
    Sampler,
    Signal,
    Slot,
)


@dataclass(frozen=True)
class Stage:
    """What is done with sampled groups: repair, signals, credit and loss.

    Raises:
        ValueError: the credit assigner reads a signal that nothing fills.
    """

    credit: CreditAssigner
    objective: Objective
    signals: Sequence[Signal] = ()
    transforms: Sequence[GroupTransform] = ()
    critic: bool = False
    """Whether a value head is trained, whose values are the signal ``values``."""
    signals_first: bool = False
    """Whether transforms need the signals, so that these are filled before them, and where credit reads them again."""

    def __post_init__(self) -> None:
        filled = {key for signal in self.signals for key in signal.fills} | ({"values"} if self.critic else set())
        if missing := sorted(self.credit.reads - filled):
            raise ValueError(f"{type(self.credit).__name__} reads the signal {missing[0]!r}, which nothing fills")

    @property
    def signals_before(self) -> Sequence[Signal]:
        """Signals that are filled before the transforms."""
        return self.signals if self.signals_first else ()

    @property
    def signals_after(self) -> Sequence[Signal]:
        """Signals that are filled for the groups that the transforms return."""
        if not self.signals_first:
            return self.signals
        return [signal for signal in self.signals if signal.fills & self.credit.reads]

    def slots(self, prefix: str) -> dict[str, Slot]:
        """Return the pieces by their place."""
        named: dict[str, Slot] = {f"{prefix}credit": self.credit, f"{prefix}objective": self.objective}
        named |= {f"{prefix}signal.{number}": signal for number, signal in enumerate(self.signals)}
        return named | {f"{prefix}transform.{number}": each for number, each in enumerate(self.transforms)}


@dataclass(frozen=True)
class Method:
    """One filling of all slots.

    Attributes:
        curriculum: which tasks.
        sampler: who generates.
        main: what is done with the rollouts.
        first: another stage that goes before, as fine-tuning does.
        first_steps: steps of the stage before.
    """

    curriculum: Curriculum
    sampler: Sampler
    main: Stage
    first: Stage | None = None
    first_steps: int = 0
    slots: dict[str, Slot] = field(init=False, default_factory=dict)
    """All pieces by their place, for checkpoints."""

    def __post_init__(self) -> None:
        self.slots.update({"curriculum": self.curriculum, "sampler": self.sampler, **self.main.slots("")})
        if self.first is not None:
            self.slots.update(self.first.slots("first."))

    def identity(self) -> dict[str, Any]:
        """Return what the method is made of, with versions and all parameters, as JSON values."""
        stages = {"main": self.main, **({"first": self.first} if self.first else {})}
        return {
            **{name: {"critic": each.critic, "signals_first": each.signals_first} for name, each in stages.items()},
            "first_steps": self.first_steps,
            **{place: _piece(slot) for place, slot in self.slots.items()},
        }

    def stage(self, step: int) -> Stage:
        """Return the stage that a step belongs to."""
        return self.first if self.first is not None and step < self.first_steps else self.main

    @property
    def needs_reference(self) -> bool:
        """Whether the initial policy is wanted."""
        return any(stage.objective.needs_reference for stage in (self.main, self.first) if stage is not None)

    @property
    def slow_decay(self) -> float | None:
        """Decay of the moving average of the policy that the objective wants; None for none."""
        return self.main.objective.slow_decay

    @property
    def needs_critic(self) -> bool:
        """Whether a value head is wanted."""
        return any(stage.critic for stage in (self.main, self.first) if stage is not None)


def _piece(slot: Slot) -> dict[str, Any]:
    declared: tuple[Field[Any], ...] = fields(slot) if is_dataclass(slot) else ()
    given = {each.name: getattr(slot, each.name) for each in declared if each.init}
    settings = {name: value for name, value in given.items() if name not in ("settings", "seed")}
    return {"name": type(slot).__name__, "version": slot.version, "settings": settings}
