"""The slots of a training step: what a method may bring its own piece for.

A step runs ``Curriculum.tasks → Sampler.sample → GroupTransform* → Signal* → Curriculum.compose →
CreditAssigner.assign → minibatches → Objective.loss``. Only signals, samplers and transforms call models, judges or
oracles; credit is pure arithmetic over a whole batch, since several methods need statistics across prompts.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from coopgym.algorithms.llm.play.trajectories import Batch, Credit, Group

if TYPE_CHECKING:
    import torch

    from coopgym.algorithms.llm.method.minibatch import MiniBatch
    from coopgym.algorithms.llm.method.training_services import Services
    from coopgym.algorithms.llm.play.tasks import Task

State = dict[str, Any]
"""JSON values that a checkpoint keeps for a slot."""


class Slot(ABC):  # noqa: B024  # both methods are optional; the slots below are abstract
    """A piece of a method that may remember something between steps."""

    version: ClassVar[int] = 1
    """Raise it when the same parameters may give other numbers than before: it is part of the identity of every run."""

    def state_dict(self) -> State:
        """Return what the piece remembers, as JSON values; empty for most."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from what `state_dict` returned."""


class Curriculum(Slot):
    """Which tasks, how hard, and which groups stay."""

    @abstractmethod
    def tasks(self, count: int, step: int) -> list[Task]:
        """Return the tasks of a step."""

    def compose(self, groups: list[Group]) -> list[Group]:
        """Filter or re-balance a batch."""
        return groups

    def update(self, batch: Batch) -> None:
        """Learn from what came of a batch."""


class Sampler(Slot):
    """Who generates, and where branches happen."""

    @abstractmethod
    def sample(self, tasks: Sequence[Task], size: int, services: Services, step: int) -> list[Group]:
        """Return one group of rollouts per task, of about ``size`` rollouts' tokens each.

        All tasks at once, so that decoding is batched over everything.
        """


class Signal(Slot):
    """A call of a model, judge, tool or oracle, kept out of credit assignment."""

    needs: ClassVar[frozenset[str]] = frozenset()
    """Kinds of help it calls for: policy_logprob, gold, pair_judge, step_judge, value_head, oracle."""
    fills: ClassVar[frozenset[str]] = frozenset()
    """Keys of `Trajectory.signals` that it writes."""

    @abstractmethod
    def annotate(self, batch: Batch, services: Services) -> None:
        """Write signals into the trajectories."""


class GroupTransform(Slot):
    """Repairs or replaces members before credit."""

    @abstractmethod
    def apply(self, groups: list[Group], services: Services) -> list[Group]:
        """Return the groups that go on."""


class CreditAssigner(Slot):
    """Turns outcomes and signals into advantages of tokens, without model calls and without chance."""

    reads: ClassVar[frozenset[str]] = frozenset()
    """Signals it cannot do without."""

    @abstractmethod
    def assign(self, batch: Batch) -> Credit:
        """Return the credit of every token of a batch."""


class Objective(Slot):
    """What is minimised, given log-probabilities and credit."""

    @property
    def needs_reference(self) -> bool:
        """Whether log-probabilities of the frozen initial policy are wanted."""
        return False

    @property
    def slow_decay(self) -> float | None:
        """Decay per update of a moving average of the policy whose log-probabilities are wanted; None for none."""
        return None

    @abstractmethod
    def loss(self, logp: torch.Tensor, batch: MiniBatch) -> tuple[torch.Tensor, dict[str, float]]:
        """Return a differentiable scalar and metrics.

        Args:
            logp: ``(B, L)`` log-probabilities of the tokens under the policy that learns.
            batch: the rest, padded to L. Sums are divided by the totals of the whole minibatch that ``batch`` is a part
                of, so that losses of its parts add up.
        """
