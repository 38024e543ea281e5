"""How answers of chat-completions servers are read: the standard, and what servers make of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from coopgym.algorithms.llm.models.chat import ChatReply, Finish
from coopgym.interfaces.text.chat_formats.call_forms import CLOSE, OPEN, THOUGHT_BEGINS, THOUGHT_ENDS

MOST_TOKENS = 2**31 - 1
"""Counts beyond it are no counts, and have no place in the corpus."""
_TEXTS = ("text", "output_text")
_THOUGHTS = ("thinking", "reasoning")
_FINISHES: Mapping[Finish, tuple[str, ...]] = {
    "stop": ("stop", "tool_calls", "function_call", "eos", "eos_token", "stop_sequence", "end_turn", "complete"),
    "length": ("length", "max_tokens", "model_length"),
    "content_filter": ("content_filter", "safety", "recitation", "prohibited_content", "blocklist"),
    "error": ("error", "abort", "cancelled", "insufficient_system_resource"),
}


class ErrorAnswerError(ValueError):
    """An answer that says that there is none.

    Attributes:
        status: the HTTP status that it names, if any.
    """

    def __init__(self, said: str, status: int | None) -> None:
        super().__init__(f"the answer is an error: {said}")
        self.status = status


def read_answer(body: bytes) -> ChatReply:
    """Return the first choice of a server's answer.

    Raises:
        ErrorAnswerError: it is an error, whatever its HTTP status.
        ValueError: it is not JSON, or not a chat completion.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the answer is not JSON: {type(error).__name__}") from error
    _refuse_error(answer)
    notes: list[str] = []
    try:
        choice = answer["choices"][0]
        message = choice["message"]
        text, thought = _texts(message.get("content"))
        calls = _calls(message)
        reasoning = message.get("reasoning_content") or message.get("reasoning")
        refusal = message.get("refusal")
        finish = "error" if choice.get("error") else _finish(choice.get("finish_reason"), notes)
    except (AttributeError, IndexError, KeyError, TypeError, RecursionError) as error:
        raise ValueError("the answer is not a chat completion: expected choices[0].message") from error
    if isinstance(reasoning, str):
        thought = reasoning
    if not text and isinstance(refusal, str):
        text = refusal
    usage = answer.get("usage")
    return ChatReply(
        content="\n".join(storable(part) for part in (_as_thought(thought), text, *calls) if part),
        prompt_tokens=_count(usage, "prompt_tokens", notes),
        completion_tokens=_count(usage, "completion_tokens", notes),
        finish=finish,
        note="; ".join(notes) or None,
    )


def storable(text: str) -> str:
    """Spell out lone surrogates, which JSON can carry and files cannot."""
    return text.encode(errors="backslashreplace").decode()


def plain(text: object, length: int = 200) -> str:
    """Return a foreign text as one short line of printable characters."""
    line = " ".join(storable(str(text)).split())
    return "".join(letter if letter.isprintable() else "?" for letter in line)[:length]


def _refuse_error(answer: object) -> None:
    if not isinstance(answer, dict) or answer.get("choices"):
        return
    error = answer.get("error") or (answer if answer.get("object") == "error" else None)
    if not error:
        return
    said, code = (error.get(name) for name in ("message", "code")) if isinstance(error, dict) else (error, None)
    status = code if isinstance(code, int) and 400 <= code < 600 else None
    raise ErrorAnswerError(plain(error if said is None else said), status)


def _texts(content: object) -> tuple[str, str]:
    """Return the spoken and the thought text of a message's content: nothing, a text, or a list of parts.

    Raises:
        ValueError: something else.
    """
    if content is None or isinstance(content, str):
        return content or "", ""
    if not isinstance(content, list):
        raise ValueError(f"the answer's content is of type {type(content).__name__}: expected text or a list of parts")
    spoken, thought = [], []
    for part in content:
        if isinstance(part, str):
            spoken.append(part)
        elif not isinstance(part, dict):
            raise ValueError(f"the answer's content has a part of type {type(part).__name__}: expected text")
        elif part.get("type") in _TEXTS:
            spoken.append(_texts(part.get("text"))[0])
        elif part.get("type") in _THOUGHTS:
            thought.append(_texts(part.get(part["type"], part.get("text")))[0])
    return "".join(spoken), "".join(thought)


def _as_thought(text: str) -> str:
    inner = text.strip().replace(THOUGHT_ENDS, "")
    return f"{THOUGHT_BEGINS}{inner}{THOUGHT_ENDS}" if inner else ""


def _calls(message: Mapping[str, Any]) -> list[str]:
    """Return a message's native calls as text, in today's form and the one before it."""
    functions = [call["function"] for call in message.get("tool_calls") or ()]
    if legacy := message.get("function_call"):
        functions.append(legacy)
    return [_call(function) for function in functions]


def _call(function: Mapping[str, Any]) -> str:
    """Write a native call as text. Arguments stay as the model wrote them, readable or not: that is for the game."""
    name, arguments = function["name"], function.get("arguments")
    if not isinstance(name, str):
        raise TypeError("a call without a name")
    written = arguments if isinstance(arguments, str) else json.dumps({} if arguments is None else arguments)
    return f'{OPEN}{{"name": {json.dumps(name)}, "arguments": {written.strip() or "{}"}}}{CLOSE}'


def _finish(reason: object, notes: list[str]) -> Finish:
    """Tell how a message ended. What nobody has heard of counts as a fault: it may have cut the message off."""
    if reason is None or reason == "":
        return "stop"
    said = str(reason).lower()
    for finish, names in _FINISHES.items():
        if said in names or (finish == "content_filter" and said.startswith(names)):
            return finish
    notes.append(f"unknown finish_reason {plain(reason, 40)!r}")
    return "error"


def _count(usage: object, name: str, notes: list[str]) -> int | None:
    """Return a number of tokens; None, and a note, if it is none."""
    value = usage.get(name) if isinstance(usage, dict) else None
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS and value % 1 == 0:
        return int(value)
    notes.append(f"{name} {plain(value, 40)!r} is no number of tokens")
    return None
