"""The chat-completions format that most servers of language models speak: what is asked, and how answers are read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant"]
ROLES: tuple[Role, ...] = ("system", "user", "assistant")


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
        content: the model's text; calls of tools are written into it as ``<tool_call>{...}</tool_call>``.
        prompt_tokens: tokens read, if the server counts them.
        completion_tokens: tokens written, if the server counts them.
        stopped: the model ended its message itself; otherwise it ran out of tokens.
        cached: it came from the cache, and cost nothing.
        error: why there is no content, or None.
    """

    content: str
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    stopped: bool = True
    cached: bool = False
    error: str | None = None


def canonical(value: Any) -> bytes:
    """Return JSON in which equal values are equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def read_answer(body: bytes) -> ChatReply:
    """Return the first choice of a server's answer.

    Raises:
        ValueError: it is not JSON, or not a chat completion.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the answer is not JSON: {type(error).__name__}") from error
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        content = message.get("content") or ""
        calls = [_tool_call(call["function"]) for call in message.get("tool_calls") or ()]
    except (AttributeError, IndexError, KeyError, TypeError) as error:
        raise ValueError("the answer is not a chat completion: expected choices[0].message") from error
    if not isinstance(content, str):
        raise ValueError(f"the answer's content is of type {type(content).__name__}: expected text")
    usage = answer.get("usage")
    return ChatReply(
        content="\n".join(storable(part) for part in (content, *calls) if part),
        prompt_tokens=_count(usage, "prompt_tokens"),
        completion_tokens=_count(usage, "completion_tokens"),
        stopped=choice.get("finish_reason") != "length",
    )


def storable(text: str) -> str:
    """Spell out lone surrogates, which JSON can carry and files cannot."""
    return text.encode(errors="backslashreplace").decode()


def _tool_call(function: Mapping[str, Any]) -> str:
    """Write a native call as text. Arguments stay as the model wrote them, readable or not: that is for the game."""
    arguments = function["arguments"]
    written = arguments if isinstance(arguments, str) else json.dumps(arguments)
    return f'<tool_call>{{"name": {json.dumps(function["name"])}, "arguments": {written}}}</tool_call>'


def _count(usage: object, name: str) -> int | None:
    value = usage.get(name) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


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
