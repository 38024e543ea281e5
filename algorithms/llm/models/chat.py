"""The chat-completions format that most servers of language models speak: messages, replies and requests."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

Role = Literal["system", "user", "assistant"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant")
Finish = Literal["stop", "length", "content_filter", "error"]
"""By itself, for want of tokens, by a filter, or by a fault of the server."""
FINISHES: tuple[Finish, ...] = get_args(Finish)


@dataclass(frozen=True)
class ChatMessage:
    """A message of a conversation. Results of tools are the user's messages.

    Raises:
        ValueError: an unknown role.
    """

    role: Role
    content: str

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"role={self.role!r}: expected one of {', '.join(ROLES)}")


@dataclass(frozen=True)
class ChatReply:
    """What came back.

    Attributes:
        content: the model's text; calls of tools are written into it as ``<tool_call>{...}</tool_call>``, and reasoning
            that the server keeps apart as ``<think>...</think>``.
        prompt_tokens: tokens read, if the server counts them.
        completion_tokens: tokens written, if the server counts them.
        finish: how the message ended; anything but ``"stop"`` has cut it off.
        cached: it had been asked before, and cost nothing.
        requests: sent for it, those that failed included.
        note: what was unusual about it, in words.
        error: why there is no whole message, or None. What came of it all the same is the content.
    """

    content: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    finish: Finish = "stop"
    cached: bool = False
    requests: int = 1
    note: str | None = None
    error: str | None = None


def canonical(value: Any) -> bytes:
    """Return JSON in which equal values are equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def chat_request(
    model: str,
    messages: Sequence[ChatMessage],
    temperature: float,
    max_tokens: int,
    tools: Sequence[Mapping[str, Any]] | None,
    seed: int | None,
) -> dict[str, Any]:
    """Return the body of a request."""
    request: dict[str, Any] = {
        "model": model,
        "messages": [{"role": message.role, "content": message.content} for message in messages],
        "temperature": temperature,
        "max_tokens": max_tokens,
    }
    if tools:
        request["tools"] = list(tools)
    if seed is not None:
        request["seed"] = seed
    return request
