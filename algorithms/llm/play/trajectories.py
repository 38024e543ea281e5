"""What language models leave behind when they play: turns, trajectories, groups, batches, and the credit for them."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from coopgym.algorithms.llm.play.tasks import Task
from coopgym.interfaces.text import Message
from coopgym.interfaces.text.dialogue import DialogueEnding
from coopgym.typing import BoolArray, FloatArray, IntArray

TurnKind = Literal["tool", "answer", "other"]
"""A turn that only called tools, one that submitted, or one that did neither."""


@dataclass(frozen=True)
class Usage:
    """What one message took, by the columns of the table ``turns``; None where nobody counted."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    paid_tokens: int | None = None
    cached_tokens: int | None = None
    cost: float | None = None
    requests: int | None = None
    finish: str | None = None
    note: str | None = None
    logprob: float | None = None


@dataclass(frozen=True)
class ToolCall:
    """One call of a tool, as the message asked for it."""

    name: str
    args: Mapping[str, Any]
    ok: bool = True


@dataclass(frozen=True)
class Turn:
    """One message of the policy and what came back."""

    start: int
    end: int
    """Token span [start, end) of what the policy wrote."""
    kind: TurnKind
    calls: tuple[ToolCall, ...] = ()
    observation: str | None = None
    """What came back; its tokens lie after ``end`` and are masked out."""
    key: Hashable = None
    """The action in canonical form, e.g. ``("payoff", 0.6, 0.5)``: siblings with equal keys are one action."""

    @property
    def length(self) -> int:
        """Number of tokens written."""
        return self.end - self.start


@dataclass
class Trajectory:
    """One rollout: everything a policy read and wrote in a task. L tokens follow the prompt.

    Raises:
        ValueError: turns do not cover exactly the tokens that the policy wrote, or arrays disagree about L.
    """

    prompt_ids: IntArray
    ids: IntArray
    """``(L,)`` what was written and what came back."""
    mask: BoolArray
    """``(L,)`` True where the policy wrote the token."""
    logp_old: FloatArray
    """``(L,)`` log-probabilities at sampling time, 0 elsewhere."""
    turns: tuple[Turn, ...]
    answer: float | None
    """Submitted level as a share of endowment (of several decisions, the last); None if none was given."""
    outcome: float
    correct: bool
    format_ok: bool
    ended_by: DialogueEnding
    levels: tuple[float, ...] = ()
    """Shares that were played, decision by decision, fallbacks included."""
    seat: int = 0
    """The seat that was played; of rollouts that play each other, not always the task's."""
    payoffs: FloatArray = field(default_factory=lambda: np.zeros(0))
    """``(N,)`` mean material payoff per decision of every seat."""
    logp_ref: FloatArray | None = None
    logp_slow: FloatArray | None = None
    """``(L,)`` under a moving average of the policy, where the objective wants it."""
    signals: dict[str, Any] = field(default_factory=dict)
    path: tuple[int, ...] = ()
    """Nodes of the group's tree, root first."""
    off_policy: BoolArray | None = None
    """``(L,)`` True where somebody else wrote the token."""
    said: tuple[tuple[Message, Usage], ...] = ()
    """Every message as it was when sampled, with what it took of those that the policy wrote."""

    def __post_init__(self) -> None:
        length = len(self.ids)
        for name in ("mask", "logp_old"):
            if len(getattr(self, name)) != length:
                raise ValueError(f"{name} has {len(getattr(self, name))} entries, expected one per token: {length}")
        covered = np.zeros(length, dtype=bool)
        last = 0
        for turn in self.turns:
            if not last <= turn.start <= turn.end <= length:
                raise ValueError(f"turn [{turn.start}, {turn.end}) overlaps another one or leaves the {length} tokens")
            covered[turn.start : turn.end] = True
            last = turn.end
        if not np.array_equal(covered, self.mask):
            raise ValueError("turns must cover exactly the tokens that the policy wrote")

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Token span of every turn."""
        return [(turn.start, turn.end) for turn in self.turns]

    @property
    def written(self) -> int:
        """Number of tokens that the policy wrote."""
        return int(self.mask.sum())

    @property
    def decisions(self) -> int:
        """Decisions taken; one that was cut off before its first counts as one."""
        return max(1, len(self.levels))

    def context(self, turn: int) -> IntArray:
        """Return everything read and written before a turn; ``turn == len(turns)`` is all of it."""
        until = self.turns[turn].start if turn < len(self.turns) else len(self.ids)
        return np.concatenate([self.prompt_ids, self.ids[:until]])


@dataclass(frozen=True)
class Match:
    """Members of a group that played each other, and what each earned in the mode in force."""

    members: tuple[int, ...]
    scores: tuple[float, ...]


@dataclass
class Tree:
    """Rollouts that share beginnings. Node 0 is the root and has no turn."""

    parent: list[int]
    turn: list[Turn | None]
    leaf_reward: list[float | None]


@dataclass
class Group:
    """Rollouts of one task from one start."""

    task: Task
    members: list[Trajectory]
    tree: Tree | None = None
    matches: list[Match] = field(default_factory=list)
    generated: int | None = None
    """Tokens written for the group, where members share some of them or some were dropped with others."""

    @property
    def tokens(self) -> int:
        """Tokens that the policy wrote for the group."""
        return sum(member.written for member in self.members) if self.generated is None else self.generated

    @property
    def uid(self) -> str:
        """Name of the task."""
        return self.task.uid

    def task_of(self, member: Trajectory) -> Task:
        """Return the task in the seat that a member played."""
        return self.task if member.seat == self.task.seat else replace(self.task, seat=member.seat)


@dataclass
class Batch:
    """What one training step learns from."""

    groups: list[Group]
    step: int

    @property
    def trajectories(self) -> list[Trajectory]:
        """All members, group by group."""
        return [member for group in self.groups for member in group.members]

    @property
    def tasks(self) -> list[Task]:
        """The task of every trajectory, in the seat that it was played in."""
        return [group.task_of(member) for group in self.groups for member in group.members]

    @property
    def group(self) -> list[int]:
        """Group number of every trajectory."""
        return [number for number, group in enumerate(self.groups) for _ in group.members]

    @property
    def outcomes(self) -> FloatArray:
        """Outcome of every trajectory."""
        return np.array([member.outcome for member in self.trajectories], dtype=np.float64)

    def gather(self, signal: str) -> list[Any]:
        """Return a signal of every trajectory.

        Raises:
            ValueError: a trajectory lacks it.
        """
        if any(signal not in member.signals for member in self.trajectories):
            raise ValueError(f"signal {signal!r} is missing; add the Signal that fills it before the credit assigner")
        return [member.signals[signal] for member in self.trajectories]


MAIN = "main"
"""The channel of methods that have only one."""


@dataclass
class Credit:
    """Advantages of every token, trajectory by trajectory; the loss is the weighted sum of the channels' losses."""

    adv: dict[str, list[FloatArray]]
    weight: dict[str, list[FloatArray]]
    mask: list[BoolArray]
    """Tokens that carry loss, a subset of each trajectory's own mask."""
    returns: list[FloatArray] | None = None
    """What a critic regresses on, token by token; None without a critic."""
    metrics: dict[str, float] = field(default_factory=dict)

    @classmethod
    def single(cls, batch: Batch, advantages: Sequence[FloatArray], **facts: Any) -> Credit:
        """Return credit with the main channel only."""
        trajectories = batch.trajectories
        return cls(
            adv={MAIN: list(advantages)},
            weight={MAIN: [np.ones(len(member.ids)) for member in trajectories]},
            mask=[member.mask for member in trajectories],
            **facts,
        )
