"""Rollouts: a model converses with matches, and every token is recorded as it is sampled.

Text is never encoded twice: what the policy wrote stays as the tokens it wrote, what came back is encoded once and
masked out.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from algorithms.llm.data import Ending, IntArray, ToolCall, Trajectory, Turn, TurnKind
from algorithms.llm.models import Generation, LanguageModel
from algorithms.llm.tasks import Task
from coopgym.interfaces.text import Call, TextMatch


@dataclass(frozen=True)
class Decoding:
    """How messages are sampled.

    Attributes:
        max_tokens: longest message.
        temperature: 0 takes the likeliest token.
    """

    max_tokens: int = 48
    temperature: float = 1.0


@dataclass
class Rollout:
    """One seat's part of a match, token by token."""

    match: TextMatch
    seat: int
    model: LanguageModel
    stream: np.random.Generator
    """The rollout's own chance; it does not depend on others in the batch."""
    prompt_ids: IntArray = field(init=False)
    ids: list[int] = field(default_factory=list, init=False)
    mask: list[bool] = field(default_factory=list, init=False)
    logp: list[float] = field(default_factory=list, init=False)
    turns: list[Turn] = field(default_factory=list, init=False)
    decisions: int = field(default=1, init=False)
    """Decisions that have been put to the seat."""

    def __post_init__(self) -> None:
        self.prompt_ids = np.array(self.model.tokenizer.encode(self.match.prompt(self.seat)), dtype=np.int64)

    @property
    def waiting(self) -> bool:
        """Whether it is the seat's turn to write."""
        return self.seat in self.match.waiting

    @property
    def context(self) -> IntArray:
        """Everything read and written so far."""
        return np.concatenate([self.prompt_ids, np.array(self.ids, dtype=np.int64)])

    def prepare(self) -> None:
        """Read the prompt of a decision that has opened since the last message."""
        if self.match.decision(self.seat) >= self.decisions:
            self.decisions += 1
            self._read(self.match.prompt(self.seat))

    def room(self, wanted: int) -> int:
        """Return how many of ``wanted`` tokens still fit into the model's context."""
        return min(wanted, self.model.context - len(self.prompt_ids) - len(self.ids))

    def hear(self, generation: Generation) -> None:
        """Take a message of the model and let the match answer it."""
        start = len(self.ids)
        self.ids += generation.ids.tolist()
        self.logp += generation.logp.tolist()
        self.mask += [True] * len(generation.ids)
        end = self.model.tokenizer.end
        written = generation.ids[generation.ids != end]
        reply = self.match.send(self.seat, self.model.tokenizer.decode(written.tolist()))
        calls = tuple(ToolCall(call.name, call.arguments, call.ok) for call in reply.calls)
        self.turns.append(Turn(start, len(self.ids), _kind(reply.calls), calls, reply.text, _key(reply.calls)))
        if reply.text is not None and not reply.decided:
            self._read(reply.text)

    def give_up(self) -> None:
        """End the decision because no token fits any more."""
        self.match.give_up(self.seat, "max_tokens")

    def branch(self, stream: np.random.Generator) -> Rollout:
        """Return an independent copy that goes on from here with other chance."""
        other = copy.copy(self)
        other.match, other.stream = TextMatch.restore(self.match.snapshot()), stream
        other.ids, other.mask, other.logp, other.turns = (
            list(self.ids),
            list(self.mask),
            list(self.logp),
            list(self.turns),
        )
        return other

    def trajectory(self, task: Task) -> Trajectory:
        """Return the record of a finished rollout, judged by its task."""
        dialogues = self.match.dialogues(self.seat)
        answers = tuple(dialogue.level for dialogue in dialogues)
        outcome = self.match.outcome(self.seat)
        judgement = task.judge(outcome, answers, self.seat)
        ended: Ending = dialogues[-1].ended_by
        return Trajectory(
            prompt_ids=self.prompt_ids,
            ids=np.array(self.ids, dtype=np.int64),
            mask=np.array(self.mask, dtype=bool),
            logp_old=np.array(self.logp, dtype=np.float64),
            turns=tuple(self.turns),
            answer=answers[-1],
            outcome=judgement.outcome,
            correct=judgement.correct,
            format_ok=not any(dialogue.problems for dialogue in dialogues),
            ended_by=ended,
            levels=tuple(outcome.levels.tolist()),
            payoffs=outcome.payoffs.mean(0),
        )

    def _read(self, text: str) -> None:
        tokens = self.model.tokenizer.encode(text)
        self.ids += tokens
        self.logp += [0.0] * len(tokens)
        self.mask += [False] * len(tokens)


def converse(rollouts: Sequence[Rollout], decoding: Decoding) -> None:
    """Let every rollout go on until its match is finished, decoding all that wait together."""
    while talking := [rollout for rollout in rollouts if rollout.waiting]:
        one_turn(talking, decoding)


def one_turn(rollouts: Sequence[Rollout], decoding: Decoding) -> None:
    """Let every rollout, whose turn it must be, write one message."""
    speaking = []
    for rollout in rollouts:
        rollout.prepare()
        if rollout.room(1):
            speaking.append(rollout)
        else:
            rollout.give_up()
    if not speaking:
        return
    (model,) = {id(rollout.model): rollout.model for rollout in speaking}.values()
    generations = model.generate(
        [rollout.context for rollout in speaking],
        max_tokens=min(rollout.room(decoding.max_tokens) for rollout in speaking),
        temperature=decoding.temperature,
        uniforms=[rollout.stream for rollout in speaking],
    )
    for rollout, generation in zip(speaking, generations, strict=True):
        rollout.hear(generation)


def _kind(calls: Sequence[Call]) -> TurnKind:
    if any(call.name == "submit" and call.ok for call in calls):
        return "answer"
    return "tool" if calls else "other"


def _key(calls: Sequence[Call]) -> tuple[object, ...] | None:
    """Name a message by its calls, numbers rounded to the grid, so that equal actions are equal keys."""
    return tuple((call.name, *(_rounded(value) for value in call.arguments.values())) for call in calls) or None


def _rounded(value: object) -> object:
    if isinstance(value, list | tuple):
        return tuple(_rounded(each) for each in value)
    return round(value, 2) if isinstance(value, float) else value
