"""One decision as a dialogue: prompt, messages with tool calls, results, and a level in the end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from coopgym.interfaces.text.action_parsing import IllegalCallError, echo
from coopgym.interfaces.text.chat_formats import Call, ChatFormat, Reading
from coopgym.interfaces.text.schemas import Tool
from coopgym.interfaces.text.seat_memory import SeatMemory

OnInvalid = Literal["retry", "penalty", "fallback"]
DialogueEnding = Literal["answer", "max_turns", "max_tokens", "error"]

MOST_CALLS = 8
"""Calls that one message may hold."""


@dataclass(frozen=True)
class Rules:
    """How a decision is conducted, and what happens to messages that cannot be read or carried out.

    Attributes:
        max_turns: messages that a model may write for one decision.
        on_invalid: ``"retry"`` sends a complaint, which costs a turn, and falls back after ``retries`` of them;
            ``"fallback"`` plays the fallback at once; ``"penalty"`` does too and takes ``penalty`` from the outcome.
        retries: complaints per decision before the fallback is played.
        penalty: what a decision without a legal answer costs under ``"penalty"``, in units of the reward.
        fallback: what is played without a legal answer: the ``"norm"``, the ``"last"`` own share, or a share.
    """

    max_turns: int = 6
    on_invalid: OnInvalid = "retry"
    retries: int = 2
    penalty: float = 0.1
    fallback: Literal["norm", "last"] | float = "norm"

    def __post_init__(self) -> None:
        _require_whole("max_turns", self.max_turns, 1)
        _require_whole("retries", self.retries, 0)
        if self.on_invalid not in ("retry", "penalty", "fallback"):
            raise ValueError(f"on_invalid={self.on_invalid!r}: expected 'retry', 'penalty' or 'fallback'")
        if not 0.0 <= self.penalty < float("inf"):
            raise ValueError(f"penalty={self.penalty!r}: expected a finite number of at least 0")
        named = isinstance(self.fallback, str)
        if not (self.fallback in ("norm", "last") if named else 0.0 <= float(self.fallback) <= 1.0):
            raise ValueError(f"fallback={self.fallback!r}: expected 'norm', 'last' or a share in [0, 1]")


@dataclass(frozen=True)
class Message:
    """One entry of a transcript."""

    role: Literal["user", "assistant", "tool"]
    content: str
    """The text as it was sent or received."""
    t: int
    """Rounds played before the decision."""
    tool: str | None = None
    """The tools called by a message of a model or answering in a message to it, separated by commas."""
    valid: bool | None = None
    """Whether a model's message could be read and carried out; None for other roles."""
    share: float | None = None
    """The level that a model's message submitted."""


@dataclass(frozen=True)
class ToolCallRecord:
    """One call of a tool."""

    turn: int
    """Which message of the decision held it, from 0."""
    name: str
    arguments: Mapping[str, Any]
    """As read and rounded; as written where the call is illegal."""
    ok: bool
    facts: Mapping[str, Any] | None
    """What the tool found out; None where the call is illegal."""


@dataclass(frozen=True)
class Reply:
    """What a model hears after a message."""

    text: str | None
    """Results or a complaint to read before the next message; None once the decision is made."""
    decided: bool


class Dialogue:
    """The dialogue of one decision, whoever writes the messages."""

    def __init__(self, memory: SeatMemory, dialect: ChatFormat, rules: Rules, tools: Mapping[str, Tool]) -> None:
        self.memory = memory
        self.dialect = dialect
        self.rules = rules
        self.tools = tools
        self.prompt = dialect.opening(memory, tools, rules)
        self.t = memory.round
        """Rounds played before the decision."""
        self.turns: list[Message] = [Message("user", self.prompt, self.t)]
        """Everything said so far, the prompt first."""
        self.calls: list[ToolCallRecord] = []
        self.level: float | None = None
        """The submitted level; None before a decision and where the fallback is played."""
        self.problems = 0
        """Messages that could not be read or carried out."""
        self.written = 0
        """Messages that the model wrote."""
        self.ended_by: DialogueEnding | None = None
        self._otherwise = _fallback(memory, rules)

    @property
    def decided(self) -> bool:
        """Whether a share to play is settled."""
        return self.ended_by is not None

    @property
    def action(self) -> float:
        """The share to play: the submitted level, or the fallback.

        Raises:
            RuntimeError: before the decision.
        """
        if not self.decided:
            raise RuntimeError("the decision is open; receive() the next message or abort()")
        return self._otherwise if self.level is None else self.level

    @property
    def penalty(self) -> float:
        """What the decision costs for want of a legal answer."""
        unanswered = self.decided and self.level is None
        return self.rules.penalty if unanswered and self.rules.on_invalid == "penalty" else 0.0

    def receive(self, text: str) -> Reply:
        """Take in a message of the model.

        Calls are carried out in order up to the first illegal one. A message whose calls cannot be made out is not
        carried out at all.

        Raises:
            RuntimeError: the decision is made.
        """
        self._refuse_if_decided()
        reading = self.dialect.read(text)
        problem = reading.problem or _misplaced(reading)
        results: list[str] = []
        for call in () if problem else reading.calls:
            try:
                results.append(self._carry_out(call))
            except IllegalCallError as error:
                problem = str(error)
                self.calls.append(ToolCallRecord(self.written, call.name, _as_written(call), False, None))
                break
        called = ",".join(echo(call.name) for call in reading.calls[:MOST_CALLS]) or None
        self.turns.append(Message("assistant", text, self.t, called, problem is None, self.level))
        self.written += 1
        if problem is not None:
            self.problems += 1
            results.append(self.dialect.complaint(problem))
        self.ended_by = self._ending(problem)
        if self.decided:
            return Reply(None, True)
        answer = "".join(results)
        self.turns.append(Message("tool", answer, self.t, called))
        return Reply(answer, False)

    def abort(self, reason: DialogueEnding = "max_tokens", text: str = "") -> Reply:
        """End the decision without an answer.

        Args:
            reason: ``"max_tokens"`` where a message was cut off, ``"error"`` where the model failed.
            text: what the model had written of its message.

        Raises:
            RuntimeError: the decision is made.
            ValueError: a reason that is none.
        """
        self._refuse_if_decided()
        if reason not in ("max_tokens", "error", "max_turns"):
            raise ValueError(f"reason={reason!r}: expected 'max_tokens', 'max_turns' or 'error'")
        if text:
            self.turns.append(Message("assistant", text, self.t, valid=False))
            self.written += 1
        self.problems += 1
        self.ended_by = reason
        return Reply(None, True)

    def _refuse_if_decided(self) -> None:
        if self.decided:
            raise RuntimeError(f"the decision of seat {self.memory.seat.index} at t={self.t} is made")

    def _carry_out(self, call: Call) -> str:
        """Run a call and word its result.

        Raises:
            IllegalCallError: an unknown tool or illegal arguments.
        """
        if call.name not in self.tools:
            raise IllegalCallError(f"no tool {echo(call.name)}; there are {', '.join(self.tools)}")
        tool = self.tools[call.name]
        arguments = tool.bind(call.arguments)
        report = tool.run(self.memory, **arguments)
        self.calls.append(ToolCallRecord(self.written, tool.name, arguments, True, report.facts))
        if tool.name == "submit":
            self.level = arguments["level"]
        return self.dialect.result(call, report)

    def _ending(self, problem: str | None) -> DialogueEnding | None:
        if self.level is not None:
            return "answer"
        if problem is not None and (self.rules.on_invalid != "retry" or self.problems > self.rules.retries):
            return "error"
        return "max_turns" if self.written >= self.rules.max_turns else None


def _require_whole(name: str, value: object, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise ValueError(f"{name}={value!r}: expected a whole number of at least {least}")


def _fallback(memory: SeatMemory, rules: Rules) -> float:
    """The share that is played without a legal answer."""
    if isinstance(rules.fallback, str):
        share = memory.seat.norm if rules.fallback == "norm" else memory.last_own
        return min(max(share, 0.0), 1.0)
    return float(rules.fallback)


def _misplaced(reading: Reading) -> str | None:
    """Say what is wrong with the order or number of a message's calls."""
    names = [call.name for call in reading.calls]
    if len(names) > MOST_CALLS:
        return f"{len(names)} calls in one message; write at most {MOST_CALLS}"
    if names.count("submit") > 1:
        return "submit more than once; a decision is one level"
    if "submit" in names[:-1]:
        return "calls after submit; it must be the last call"
    return None


def _as_written(call: Call) -> Mapping[str, Any]:
    if isinstance(call.arguments, tuple):
        return {str(place): value for place, value in enumerate(call.arguments)}
    return call.arguments


def transcript(dialogues: Sequence[Dialogue]) -> list[Message]:
    """Return everything said in several decisions, one after the other."""
    return [message for dialogue in dialogues for message in dialogue.turns]
