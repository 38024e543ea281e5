"""A voice behind an endpoint: every decision is a chat with a server's model."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from algorithms.llm.models.chat import ChatMessage, ChatReply
from algorithms.llm.models.endpoint import Endpoint
from algorithms.llm.voices import Usage
from coopgym.interfaces.text import Dialogue

SEEDS = 2**31


@dataclass(eq=False)
class EndpointVoice:
    """A model behind an OpenAI-compatible server.

    What the server fails to answer ends its decision with an error: the reason stands in the transcript as a message
    that is not valid, and the dialogue's fallback is played.

    Attributes:
        endpoint: where the model is.
        patience: rounds of requests without any answer, one after the other, that are put up with from a server that
            has answered before; one more, and it counts as gone.
    """

    endpoint: Endpoint
    patience: int = 2
    _met: bool = field(default=False, init=False, repr=False)
    _silent: int = field(default=0, init=False, repr=False)

    def identity(self) -> dict[str, Any]:
        """Return which model is asked and how; nobody here knows what stands behind its name."""
        asked = self.endpoint
        sampling = {"temperature": asked.temperature, "max_tokens": asked.max_tokens}
        return {"url": asked.url, "model": asked.model, **sampling}

    def decide(
        self, dialogues: Sequence[Dialogue], streams: Sequence[np.random.Generator], stochastic: bool
    ) -> list[list[Usage]]:
        """Hold dialogues to their ends. A stochastic one has a seed for the server, drawn from its stream.

        Raises:
            ConnectionError: the server is gone.
            ValueError: no model is named and the server does not list any.
            ImportError: httpx is not installed.
        """
        endpoint = self.endpoint if stochastic else self._greedy
        seeds = [int(stream.integers(SEEDS)) for stream in streams] if stochastic else None
        usage: list[list[Usage]] = [[] for _ in dialogues]
        while waiting := [place for place, dialogue in enumerate(dialogues) if not dialogue.decided]:
            replies = endpoint.reply(
                [chat(dialogues[place]) for place in waiting],
                seeds=None if seeds is None else [seeds[place] for place in waiting],
            )
            for place, reply in zip(waiting, replies, strict=True):
                usage[place].append(Usage(reply.prompt_tokens, reply.completion_tokens))
                if reply.error is None:
                    dialogues[place].hear(reply.content)
                else:
                    dialogues[place].give_up("error", f"(no message: {reply.error})")
            self._count_silence(replies)
        return usage

    @cached_property
    def _greedy(self) -> Endpoint:
        return dataclasses.replace(self.endpoint, model=self.endpoint.served_model, temperature=0.0)

    def _count_silence(self, replies: Sequence[ChatReply]) -> None:
        if any(reply.error is None for reply in replies):
            self._met, self._silent = True, 0
            return
        self._silent += 1
        if self._silent > (self.patience if self._met else 0):
            raise ConnectionError(
                f"{replies[0].error}. Start the server at {self.endpoint.url}, or give the address of another one"
            )


def chat(dialogue: Dialogue) -> list[ChatMessage]:
    """Return what was said in a decision as a chat. Results of tools are the user's messages."""
    return [
        ChatMessage("assistant" if message.role == "assistant" else "user", message.content)
        for message in dialogue.turns
    ]
