"""A generator behind an endpoint: every decision is a chat with a server's model."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from coopgym.algorithms.llm.models.background import side_by_side, submit
from coopgym.algorithms.llm.models.chat import ChatMessage, ChatReply
from coopgym.algorithms.llm.models.endpoint import Endpoint
from coopgym.algorithms.llm.models.rate_limit import TimeLimit
from coopgym.algorithms.llm.models.session import Session
from coopgym.algorithms.llm.play.trajectories import Usage
from coopgym.interfaces.text import Dialogue
from coopgym.interfaces.text.chat_formats.call_forms import THOUGHT_BEGINS, THOUGHT_ENDS
from coopgym.interfaces.text.dialogue import DialogueEnding

SEEDS = 2**31


@dataclass(frozen=True)
class Price:
    """What a million tokens cost, in any currency; 0 where nothing is known.

    Raises:
        ValueError: a negative price, or one that is no number.
    """

    read: float = 0.0
    written: float = 0.0

    def __post_init__(self) -> None:
        for name in ("read", "written"):
            if not 0.0 <= getattr(self, name) < float("inf"):
                raise ValueError(f"price={self}: expected finite numbers of at least 0")

    def of(self, read: int, written: int) -> float:
        """Return what so many tokens cost."""
        return (read * self.read + written * self.written) / 1e6


@dataclass(eq=False)
class EndpointGenerator:
    """A model behind an OpenAI-compatible server. All decisions that it is asked for go on side by side.

    What the server fails to answer, or does not answer to the end, ends its decision: the reason stands in the
    transcript, what there is of the message is kept and marked as not valid, and the dialogue's fallback is played.

    Attributes:
        endpoint: where the model is.
        patience: times in a row that all decisions asked for together may stay without any answer, from a server that
            has answered before; one more, and it counts as gone.
        price: of tokens, or None where costs are not to be counted.
    """

    endpoint: Endpoint
    patience: int = 2
    price: Price | None = None
    _met: bool = field(default=False, init=False, repr=False)
    _silent: int = field(default=0, init=False, repr=False)

    def identity(self) -> dict[str, Any]:
        """Return which model is asked and how; nobody here knows what stands behind its name."""
        asked = self.endpoint
        sampling = {"temperature": asked.temperature, "max_tokens": asked.max_tokens}
        return {"url": asked.url, "model": asked.model, **sampling}

    def decide(
        self, dialogues: Sequence[Dialogue], streams: Sequence[np.random.Generator], stochastic: bool
    ) -> Future[list[list[Usage]]]:
        """Begin to hold dialogues to their ends. A stochastic one has a seed for the server, drawn from its stream.

        The result raises:
            ConnectionError: the server is gone.
            ValueError: no model is named and the server does not list any.
            ImportError: httpx is not installed.
        """
        seeds = [int(stream.integers(SEEDS)) if stochastic else None for stream in streams]
        return submit(self._decided(dialogues, seeds, None if stochastic else 0.0))

    async def _decided(
        self, dialogues: Sequence[Dialogue], seeds: Sequence[int | None], temperature: float | None
    ) -> list[list[Usage]]:
        session = self.endpoint.session()
        replies = await side_by_side(
            self._held(session, dialogue, seed, temperature) for dialogue, seed in zip(dialogues, seeds, strict=True)
        )
        self._count_silence([reply for own in replies for reply in own])
        return [[self._usage(reply) for reply in own] for own in replies]

    async def _held(
        self, session: Session, dialogue: Dialogue, seed: int | None, temperature: float | None
    ) -> list[ChatReply]:
        """Hold a dialogue to its end and return what was answered."""
        limit, replies = TimeLimit(self.endpoint.time_limit, self.endpoint.clock), list[ChatReply]()
        while not dialogue.decided:
            reply = await session.ask(chat(dialogue), temperature=temperature, seed=seed, limit=limit)
            replies.append(reply)
            _pass_on(reply, dialogue)
        return replies

    def _usage(self, reply: ChatReply) -> Usage:
        read, written = reply.prompt_tokens or 0, reply.completion_tokens or 0
        counted = reply.prompt_tokens is not None or reply.completion_tokens is not None
        paid = (0, 0) if reply.cached else (read, written)
        return Usage(
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            paid_tokens=sum(paid) if counted else None,
            cached_tokens=read + written - sum(paid) if counted else None,
            cost=self.price.of(*paid) if counted and self.price else None,
            requests=reply.requests,
            finish=reply.finish,
            note="; ".join(filter(None, [reply.note, reply.error])) or None,
        )

    def _count_silence(self, replies: Sequence[ChatReply]) -> None:
        failed = [reply.error for reply in replies if reply.error is not None]
        if len(failed) < len(replies):
            self._met, self._silent = True, 0
        elif failed:
            self._silent += 1
        if self._silent > (self.patience if self._met else 0):
            raise ConnectionError(
                f"{failed[0]}. The model at {self.endpoint.url} does not answer: start its server, mend the address or "
                "the key, or take another model"
            )


def chat(dialogue: Dialogue) -> list[ChatMessage]:
    """Return what was said in a decision as a chat. Results of tools are the user's messages, thoughts stay away."""
    return [
        ChatMessage("assistant", _without_thought(message.content))
        if message.role == "assistant"
        else ChatMessage("user", message.content)
        for message in dialogue.turns
    ]


def _without_thought(text: str) -> str:
    """Return a message without the thought that it begins with, unless that is all."""
    thought, _, spoken = text.partition(THOUGHT_ENDS)
    return spoken.strip() if thought.lstrip().startswith(THOUGHT_BEGINS) and spoken.strip() else text


def _pass_on(reply: ChatReply, dialogue: Dialogue) -> None:
    """Let a dialogue receive a whole message. Half of one ends the decision, whatever calls stand in that half."""
    if reply.error is None and reply.finish == "stop":
        dialogue.receive(reply.content)
        return
    reason: DialogueEnding = "max_tokens" if reply.finish == "length" else "error"
    missing = reply.error or ("nothing but a limit of tokens" if reply.finish == "length" else "held back by a filter")
    dialogue.abort(reason, reply.content or f"(no message: {missing})")
