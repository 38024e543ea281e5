"""Answers on disk, found by the content of their request."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coopgym.algorithms.llm.models.chat import FINISHES, ChatReply, canonical
from coopgym.corpus.writer import write_atomically

_KEPT = ("content", "prompt_tokens", "completion_tokens", "finish", "note")


class AnswerCache:
    """One JSON file per request, written as a whole or not at all.

    Args:
        folder: where the files are; made when the first answer comes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, digest: str) -> ChatReply | None:
        """Return the answer to the request of a digest, or None. A damaged file is told in a warning, and is none."""
        path = self._path(digest)
        try:
            entry = json.loads(path.read_bytes())
            if request_digest(entry["request"]) != digest:
                raise ValueError("it answers another request")
            return _reply(entry["answer"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            warnings.warn(f"{path} is damaged ({error!r}): the model is asked again", stacklevel=2)
            return None

    def keep(self, request: Mapping[str, Any], reply: ChatReply) -> None:
        """Store the answer to a request."""
        answer = {name: getattr(reply, name) for name in _KEPT}
        content = json.dumps({"request": request, "answer": answer}, indent=1, sort_keys=True).encode()
        write_atomically(self._path(request_digest(request)), content)

    def _path(self, digest: str) -> Path:
        return self.folder / digest[:2] / f"{digest}.json"


def request_digest(request: Mapping[str, Any]) -> str:
    """Return what names a request: SHA-256 of its canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(request)).hexdigest()


def _reply(answer: Mapping[str, Any]) -> ChatReply:
    """Read a kept answer; older ones say ``stopped`` instead of how they finished."""
    if "finish" in answer:
        content, prompt_tokens, completion_tokens, finish, note = (answer[name] for name in _KEPT)
    else:
        content, prompt_tokens, completion_tokens, stopped = (answer[name] for name in (*_KEPT[:3], "stopped"))
        finish, note = {True: "stop", False: "length"}[stopped], None
    counts = (prompt_tokens, completion_tokens)
    readable = isinstance(content, str) and isinstance(note, str | None) and finish in FINISHES
    if not (readable and all(n is None or type(n) is int for n in counts)):
        raise ValueError("its entries have other types")
    return ChatReply(content, *counts, finish=finish, cached=True, requests=0, note=note)
