"""Rollouts: a model converses, and every token is recorded as it is sampled.

Text is never encoded twice: what the policy wrote stays as the tokens it wrote, what came back is encoded once and
masked out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from coopgym.algorithms.llm.play.sessions import PlaySession, SeatSession
from coopgym.algorithms.llm.play.tasks import Task
from coopgym.algorithms.llm.play.trajectories import ToolCall, Trajectory, Turn, TurnKind, Usage
from coopgym.interfaces.text import Message, ToolCallRecord
from coopgym.typing import IntArray

if TYPE_CHECKING:
    from coopgym.algorithms.llm.models import Generation, LanguageModel


@dataclass(frozen=True)
class Decoding:
    """How messages are sampled.

    Attributes:
        max_tokens: longest message.
        temperature: 0 takes the likeliest token.
    """

    max_tokens: int = 32
    temperature: float = 1.0

    def write(self, rollouts: Sequence[Rollout]) -> list[Generation]:
        """Sample the next message of rollouts of one model, all together, each from its own stream."""
        return rollouts[0].model.generate(
            [rollout.context for rollout in rollouts],
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            uniforms=[rollout.stream for rollout in rollouts],
        )


class Writes(Protocol):
    """A way to find the next messages, such as `Decoding`."""

    def write(self, rollouts: Sequence[Rollout]) -> list[Generation]:
        """Return the next message of every rollout."""


@dataclass
class Rollout:
    """One side of a conversation, token by token.

    Attributes:
        session: what is talked to.
        model: who writes.
        stream: the rollout's own chance; it does not depend on others in the batch.

    Raises:
        ValueError: the prompt leaves no room for an answer.
    """

    session: PlaySession
    model: LanguageModel
    stream: np.random.Generator
    prompt_ids: IntArray = field(init=False)
    ids: list[int] = field(default_factory=list, init=False)
    mask: list[bool] = field(default_factory=list, init=False)
    logp: list[float] = field(default_factory=list, init=False)
    turns: list[Turn] = field(default_factory=list, init=False)
    prompts_read: int = field(default=1, init=False)

    def __post_init__(self) -> None:
        prompt = self.session.dialogues[0].prompt
        self.prompt_ids = np.array(self.model.tokenizer.opening(prompt), dtype=np.int64)
        if self.room <= 0:
            raise ValueError(
                f"the prompt has {len(self.prompt_ids)} tokens and the model's context is {self.model.context}; "
                "use a longer context or a dialect of fewer words"
            )

    @classmethod
    def of_task(cls, task: Task, model: LanguageModel, stream: np.random.Generator) -> Rollout:
        """Start a rollout of a task in its own seat."""
        return cls(SeatSession(task.open(), task.seat), model, stream)

    @property
    def waiting(self) -> bool:
        """Whether it is the model's turn to write."""
        return self.session.waiting

    @property
    def context(self) -> IntArray:
        """Everything read and written so far."""
        return np.concatenate([self.prompt_ids, np.array(self.ids, dtype=np.int64)])

    @property
    def room(self) -> int:
        """Tokens that still fit into the model's context."""
        return self.model.context - len(self.prompt_ids) - len(self.ids)

    def prepare(self) -> None:
        """Read the prompt of a decision that has opened since the last message."""
        if len(self.session.dialogues) > self.prompts_read:
            self._read(self.session.dialogues[-1].prompt)
            self.prompts_read += 1

    def hear(self, generation: Generation) -> None:
        """Take a message of the model and let the other side answer it; one that was cut off ends the decision."""
        start, dialogue = len(self.ids), self.session.dialogues[-1]
        number, text = dialogue.written, self.model.tokenizer.decode(generation.ids.tolist())
        self.ids += generation.ids.tolist()
        self.logp += generation.logp.tolist()
        self.mask += [True] * len(generation.ids)
        reply = self.session.send(text) if generation.stopped else self.session.abort("max_tokens", text)
        uses = [use for use in dialogue.calls if use.turn == number]
        calls = tuple(ToolCall(use.name, use.arguments, use.ok) for use in uses)
        self.turns.append(Turn(start, len(self.ids), _kind(uses), calls, reply.text, _key(uses)))
        if reply.text is not None:
            self._read(reply.text)

    def branch(self, stream: np.random.Generator) -> Rollout:
        """Return an independent copy that goes on from here with other chance."""
        assert isinstance(self.session, SeatSession), "only seats of matches branch"
        other = Rollout(self.session.branch(), self.model, stream)
        for name in ("prompt_ids", "ids", "mask", "logp", "turns"):
            setattr(other, name, getattr(self, name).copy())
        other.prompts_read = self.prompts_read
        return other

    def trajectory(self, task: Task) -> Trajectory:
        """Return the record of the rollout, judged by its task. An unfinished one is worth nothing.

        What came back last and goes beyond the model's context is left out: nobody has read it.
        """
        assert isinstance(self.session, SeatSession), "only seats of matches are judged"
        dialogues, seat = self.session.dialogues, self.session.seat
        outcome = self.session.match.outcome(seat)
        answers = tuple(dialogue.level for dialogue in dialogues)
        finished = self.session.match.finished
        judgement = task.judge(outcome, answers, seat) if finished else task.unanswered()
        read = slice(self.model.context - len(self.prompt_ids))
        return Trajectory(
            prompt_ids=self.prompt_ids,
            ids=np.array(self.ids[read], dtype=np.int64),
            mask=np.array(self.mask[read], dtype=bool),
            logp_old=np.array(self.logp[read], dtype=np.float64),
            turns=tuple(self.turns),
            answer=answers[-1],
            outcome=judgement.outcome,
            correct=judgement.correct,
            format_ok=not any(dialogue.problems for dialogue in dialogues),
            ended_by=dialogues[-1].ended_by or "max_tokens",
            levels=tuple(outcome.shares.tolist()),
            seat=seat,
            payoffs=outcome.payoffs.mean(0) if len(outcome.payoffs) else np.zeros(task.settings.made.n_agents),
            said=tuple(self.spoken(drawn=True)),
        )

    def spoken(self, *, drawn: bool) -> list[tuple[Message, Usage]]:
        """Return every message, with what it took of those that the model wrote.

        Args:
            drawn: whether they were drawn, so that they have a probability.
        """
        turns, said = iter(self.turns), list[tuple[Message, Usage]]()
        for dialogue in self.session.dialogues:
            written = iter(list(_of_one_decision(turns)))
            for message in dialogue.turns:
                turn = next(written) if message.role == "assistant" else None
                cut = dialogue.ended_by == "max_tokens" and message is dialogue.turns[-1]
                said.append((message, Usage() if turn is None else self._usage(turn, cut, drawn)))
        return said

    def _usage(self, turn: Turn, cut: bool, drawn: bool) -> Usage:
        return Usage(
            prompt_tokens=len(self.prompt_ids) + turn.start,
            completion_tokens=turn.length,
            finish="length" if cut else "stop",
            logprob=sum(self.logp[turn.start : turn.end]) if drawn else None,
        )

    def _read(self, text: str) -> None:
        tokens = self.model.tokenizer.following(text)
        self.ids += tokens
        self.logp += [0.0] * len(tokens)
        self.mask += [False] * len(tokens)


def converse(rollouts: Sequence[Rollout], decoding: Writes) -> None:
    """Let every rollout go on until nobody waits for it, decoding all that wait together."""
    while speaking := [rollout for rollout in rollouts if rollout.waiting]:
        one_turn(speaking, decoding)


def one_turn(rollouts: Sequence[Rollout], decoding: Writes) -> None:
    """Let every rollout, whose turn it must be, write one message; without room for a token it gives up."""
    speaking = []
    for rollout in rollouts:
        rollout.prepare()
        if rollout.room > 0:
            speaking.append(rollout)
        else:
            rollout.session.abort("max_tokens")
    for rollout, generation in zip(speaking, decoding.write(speaking) if speaking else (), strict=True):
        rollout.hear(generation)


def _of_one_decision(turns: Iterator[Turn]) -> Iterator[Turn]:
    """Take the turns up to the one that ends a decision: nothing comes back after it."""
    for turn in turns:
        yield turn
        if turn.observation is None:
            return


def _kind(uses: Sequence[ToolCallRecord]) -> TurnKind:
    if any(use.name == "submit" and use.ok for use in uses):
        return "answer"
    return "tool" if uses else "other"


def _key(uses: Sequence[ToolCallRecord]) -> tuple[object, ...] | None:
    """Name a message by its calls, numbers rounded to the grid, so that equal actions have equal keys."""
    return tuple((use.name, *map(_rounded, use.arguments.values())) for use in uses) or None


def _rounded(value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(_rounded(each) for each in value)
    return round(value, 2) if isinstance(value, float) else value
