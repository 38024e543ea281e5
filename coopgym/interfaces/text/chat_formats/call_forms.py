"""The forms in which chat models write calls of tools, whatever the prompt asks for. What is read is data, never run.

Every form begins with a mark: ``<tool_call>`` (Hermes, Qwen), ``<function=`` (Qwen3-Coder, Llama), ``[TOOL_CALLS]``
(Mistral), ``<|python_tag|>`` (Llama), a fence (anybody), or nothing at all where the message is JSON. JSON is read by a
decoder from the mark on, so that no text within it can end a call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

from coopgym.interfaces.text.action_parsing import echo
from coopgym.interfaces.text.chat_formats.base import Call

OPEN, CLOSE = "<tool_call>", "</tool_call>"
THOUGHT_BEGINS, THOUGHT_ENDS = "<think>", "</think>"
MOST_BROKEN = 64
"""Calls that cannot be read before a message is given up: each of them may cost a look at all that follows."""

_FUNCTION, _FUNCTION_ENDS, _FENCE = "<function=", "</function>", "```"
_MARK = re.compile(r"<think>|</think>|<tool_call>|\[TOOL_CALLS\]|<\|python_tag\|>|<function=|```")
_BARE = re.compile(r"\s*(?=\{|\[\s*\{)")
_FENCED = re.compile(r"[A-Za-z_]{0,16}\s*(?=[{\[])")
_MISTRAL = re.compile(r"([\w.-]{1,64})(?:\[CALL_ID\][\w-]{1,64})?(?:\[ARGS\])?\s*(?=\{)")
_NAME = re.compile(r"([^<>\s]{1,64})>\s*")
_PARAMETER = re.compile(r"<parameter=([^<>\s]{1,64})>")
_PARAMETER_OVER = re.compile(r"</parameter>\s*(?=<parameter=|</function>)")
_BLANK = re.compile(r"\s*")
_NOTHING_MORE = re.compile(r"(?:\s|;|<\|[\w-]{1,24}\|>|</s>)*")


class CallReader:
    """Reads a message from left to right.

    Attributes:
        calls: found outside of thoughts.
        problem: why they cannot be made out; then there are none.
        thought: what stands before ``</think>``, after a ``<think>`` that is not closed, or outside of calls.
    """

    def __init__(self, text: str) -> None:
        self.calls: list[Call] = []
        self.problem: str | None = None
        self._text, self._at, self._spoken_from = text, 0, 0
        self._asides: list[str] = []
        self._fenced: list[Call] = []
        self._broken = 0
        self._read()
        self.calls = [] if self.problem is not None else self.calls or self._fenced
        parts = (text[: self._spoken_from].removesuffix(THOUGHT_ENDS), *self._asides)
        self.thought = "\n".join(part.strip() for part in parts if part.strip())

    def _forget(self) -> None:
        """Take all that was read so far for a thought."""
        self._spoken_from, self.problem = self._at, None
        self._asides, self._fenced, self.calls = [], [], []

    def _read(self) -> None:
        self._try(self._bare)
        while mark := _MARK.search(self._text, self._at):
            self._asides.append(self._text[self._at : mark.start()])
            self._at = mark.end()
            if mark[0] == THOUGHT_BEGINS:
                if not self._skip_to(THOUGHT_ENDS):
                    break
            elif mark[0] == THOUGHT_ENDS:
                self._forget()
                self._try(self._bare)
            else:
                self._try(_FORMS[mark[0]], self)
        self._asides.append(self._text[self._at :])

    def _try(self, form: Callable[..., None], *reader: CallReader) -> None:
        """Read a form. After a broken one nothing counts but the end of a thought that it may belong to."""
        try:
            form(*reader)
        except ValueError as error:
            self.problem = str(error)
            self._broken += 1
            if self._broken > MOST_BROKEN or not self._skip_to(THOUGHT_ENDS):
                self._at = len(self._text)

    def _skip_to(self, tag: str) -> bool:
        found = self._text.find(tag, self._at)
        if found >= 0:
            self._at = found
        return found >= 0

    def _bare(self) -> None:
        """A message that is JSON and nothing else."""
        if begin := _BARE.match(self._text, self._at):
            self._at = begin.end()
            self._several()
            self._finish()

    def _tagged(self) -> None:
        """JSON between tags, or a function between them. The closing tag may be missing, as where it stops writing."""
        self._at = _after(_BLANK, self._text, self._at)
        if self._text.startswith(_FUNCTION, self._at):
            self._at += len(_FUNCTION)
            self._function()
        else:
            self._one()
        self._finish()

    def _mistral(self) -> None:
        """A list of calls, or a name with its arguments behind it."""
        self._at = _after(_BLANK, self._text, self._at)
        if named := _MISTRAL.match(self._text, self._at):
            self._at = named.end()
            self.calls.append(call_of({"name": named[1], "arguments": self._json()}))
        else:
            self._one()

    def _several(self) -> None:
        """Objects with semicolons between them."""
        self._one()
        while (begin := _after(_NOTHING_MORE, self._text, self._at)) < len(self._text) and self._text[begin] == "{":
            self._at = begin
            self._one()

    def _function(self) -> None:
        """A name, and parameters in tags or JSON; values in tags are JSON where they can be, else text."""
        if not (name := _NAME.match(self._text, self._at)):
            raise ValueError("a function without a name")
        self._at = name.end()
        given: dict[str, object] = {}
        if self._text.startswith("{", self._at):
            self.calls.append(call_of({"name": name[1], "arguments": self._json()}))
        else:
            while parameter := _PARAMETER.match(self._text, self._at):
                if parameter[1] in given:
                    raise ValueError("the same parameter twice")
                if not (over := _PARAMETER_OVER.search(self._text, parameter.end())):
                    raise ValueError(f"the parameter {echo(parameter[1])} has no end")
                given[parameter[1]] = _value(self._text[parameter.end() : over.start()])
                self._at = over.end()
            self.calls.append(Call(name[1], given))
        self._at = _after(_BLANK, self._text, self._at)
        if not self._text.startswith(_FUNCTION_ENDS, self._at):
            raise ValueError(f"the function {echo(name[1])} has no end")
        self._at += len(_FUNCTION_ENDS)

    def _fence(self) -> None:
        """JSON in a fence is a call if it looks like one; a fence may hold anything else."""
        if self._broken > MOST_BROKEN or not (begin := _FENCED.match(self._text, self._at)):
            return
        try:
            value, end = json_value(self._text, begin.end())
        except ValueError:
            self._broken += 1
            return
        values = value if isinstance(value, list) else [value]
        if values and all(isinstance(each, dict) and {"name", "function"} & set(each) for each in values):
            self._fenced += map(call_of, values)
            end = _after(_BLANK, self._text, end)
            self._at = end + len(_FENCE) * self._text.startswith(_FENCE, end)

    def _one(self) -> None:
        value = self._json()
        self.calls += map(call_of, value) if isinstance(value, list) else [call_of(value)]

    def _json(self) -> object:
        value, self._at = json_value(self._text, self._at)
        return value

    def _finish(self) -> None:
        """Make sure that a form ends where its JSON does."""
        self._at = _after(_NOTHING_MORE, self._text, self._at)
        if self._text.startswith(CLOSE, self._at):
            self._at += len(CLOSE)
        elif self._at < len(self._text) and not _MARK.match(self._text, self._at):
            raise ValueError(f"{echo(self._text[self._at : self._at + 99])} is no JSON (Extra data)")


_FORMS: Mapping[str, Callable[[CallReader], None]] = {
    OPEN: CallReader._tagged,
    "[TOOL_CALLS]": CallReader._mistral,
    "<|python_tag|>": CallReader._several,
    _FUNCTION: CallReader._function,
    _FENCE: CallReader._fence,
}


def json_value(text: str, at: int) -> tuple[object, int]:
    """Read a JSON value that begins at a place, and return it with the place where it ends.

    Raises:
        ValueError: no JSON, the same key twice, or a constant that JSON does not have.
    """
    at = _after(_BLANK, text, at)
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{echo(text[at : at + 99].strip())} is no JSON ({error.msg})") from None


def call_of(value: object) -> Call:
    """Return the call that a JSON value stands for.

    Raises:
        ValueError: not an object with a name and arguments.
    """
    if isinstance(value, dict) and isinstance(value.get("function"), dict):
        value = value["function"]
    if not isinstance(value, dict) or not set(value) <= {"name", "arguments", "parameters", "id", "type"}:
        raise ValueError("expected an object with name and arguments")
    if "arguments" in value and "parameters" in value:
        raise ValueError("arguments and parameters; write one of them")
    name, given = value.get("name"), value.get("arguments", value.get("parameters"))
    if isinstance(given, str):  # JSON in JSON, as servers word calls
        given = json_value(given, 0)[0] if given.strip() else None
    arguments = {} if given is None else given
    if not isinstance(name, str) or not isinstance(arguments, dict):
        raise ValueError("expected a name in text and arguments as an object")
    return Call(name, arguments)


def _value(text: str) -> object:
    try:
        value, end = json_value(text, 0)
    except ValueError:
        return text.strip()
    return value if not text[end:].strip() else text.strip()


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return where a pattern that always matches ends."""
    found = pattern.match(text, at)
    return found.end() if found else at


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("the same key twice")
    return found


def _refused(constant: str) -> object:
    raise ValueError(f"{constant} is no number")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refused)
