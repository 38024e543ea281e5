"""Who says whether what a caption tells is helpful: a rule, a table, a language model, and how labels come back."""

from __future__ import annotations

import hashlib
import json
import queue
import re
import threading
import weakref
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeAlias

from coopgym.algorithms.reward_models.captions import CAPTIONS, Caption
from coopgym.strict_json import parse_json

Label: TypeAlias = bool | None
"""Whether a caption is helpful; None where the answer could not be read."""
Annotator: TypeAlias = Callable[[Sequence[Caption]], Sequence[Label]]
"""Labels captions, one after the other."""
KEPT, LONGEST = 100, 2_000
"""Unreadable answers that are kept, the latest ones, and characters of each."""

PROMPT_VERSION = 1
PROMPT = """Several parties decide again and again how much each puts into something that all of them gain from.
Below is what happened to one of them in some rounds. Answer for every line, by its number, yes if such a round helps
the parties to do well together without this one being taken advantage of, and no if not. Write lines such as
1: yes

{captions}
"""
_ANSWER = re.compile(r"^\W*(\d+)\W+(yes|no)\b", re.IGNORECASE | re.MULTILINE)


def by_rule(captions: Sequence[Caption]) -> Sequence[Label]:
    """Helpful is who does not cut, is not put in less with, and does not lose trust.

    >>> by_rule([Caption(3, 1, 2), Caption(0, 1, 0)])
    [True, False]
    """
    return [caption.move >= 2 and caption.others >= 1 and caption.trust >= 1 for caption in captions]


def from_table(labels: Mapping[str, bool]) -> Annotator:
    """Return an annotator that has labels by the words of captions; it cannot read others.

    >>> from_table({str(Caption(2, 1, 1)): True})([Caption(2, 1, 1), Caption(2, 0, 1)])
    [True, None]
    """
    return lambda captions: [labels.get(str(caption)) for caption in captions]


def noisy(annotator: Annotator, rate: float, seed: int = 0) -> Annotator:
    """Return an annotator that errs about a part of the captions, always the same ones.

    >>> sum(a != b for a, b in zip(noisy(by_rule, 0.3)(CAPTIONS), by_rule(CAPTIONS), strict=True))
    12
    """

    def errs(caption: Caption) -> bool:
        digest = hashlib.sha256(f"{seed}:{caption}".encode()).digest()
        return int.from_bytes(digest[:8], "big") < rate * 2**64

    return lambda captions: [
        label if label is None or not errs(caption) else not label
        for caption, label in zip(captions, annotator(captions), strict=True)
    ]


@dataclass(frozen=True)
class Unreadable:
    """An answer in which some captions have no label.

    Attributes:
        captions: those without a label.
        answer: what was said, or what was raised; long ones are cut.
    """

    captions: tuple[Caption, ...]
    answer: str


class Asking:
    """Labels captions by asking a language model; its answer is read for numbered lines of yes and no alone.

    Args:
        ask: returns the answer to a prompt.
    """

    def __init__(self, ask: Callable[[str], str]) -> None:
        self._ask = ask
        self._unreadable = deque[Unreadable](maxlen=KEPT)

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """The latest answers that could not be read, or only in part."""
        return tuple(self._unreadable)

    def __call__(self, captions: Sequence[Caption]) -> Sequence[Label]:
        listed = "\n".join(f"{number}: {caption}" for number, caption in enumerate(captions, start=1))
        answer = self._ask(PROMPT.format(captions=listed))
        read = {int(number): word.lower() == "yes" for number, word in _ANSWER.findall(answer)}
        labels = [read.get(number) for number in range(1, len(captions) + 1)]
        unread = tuple(caption for caption, label in zip(captions, labels, strict=True) if label is None)
        if unread:
            self._unreadable.append(Unreadable(unread, answer[:LONGEST]))
        return labels


def asking(ask: Callable[[str], str]) -> Asking:
    """Return an annotator that asks a language model, which keeps what could not be read.

    Args:
        ask: returns the answer to a prompt.

    >>> annotator = asking(lambda prompt: "1: yes. 2) perhaps")
    >>> annotator([Caption(3, 1, 2), Caption(0, 0, 0)])
    [True, None]
    >>> [(str(each.captions[0])[:23], each.answer) for each in annotator.unreadable]
    [('You cut cooperation a l', '1: yes. 2) perhaps')]
    """
    return Asking(ask)


def _read(captions: Sequence[Caption], labels: Sequence[object]) -> dict[Caption, Label]:
    """Return labels by caption; what is neither true nor false is no answer.

    Raises:
        ValueError: there are more labels than captions, or fewer.
    """
    pairs = zip(captions, labels, strict=True)
    return {caption: bool(label) if label in (True, False) else None for caption, label in pairs}


class LabelExchange(ABC):
    """Takes captions to be labelled, and hands out labels as they are ready. Whoever learns never waits."""

    @abstractmethod
    def exchange(self, captions: Sequence[Caption]) -> Mapping[Caption, Label]:
        """Hand captions in, none of which is under way, and return all labels that are ready by now."""

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        """The latest answers in which captions have no label, as far as they are known."""
        return ()


class Immediate(LabelExchange):
    """Labels at once."""

    def __init__(self, annotator: Annotator) -> None:
        self._annotator = annotator

    def exchange(self, captions: Sequence[Caption]) -> Mapping[Caption, Label]:
        return _read(captions, self._annotator(captions)) if captions else {}

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        return _unread_by(self._annotator)


class Background(LabelExchange):
    """Lets a thread label, the newest captions first, and writes down what was ready when, for `Replayed`.

    An annotator that raises, or has another number of labels than of captions, has given no answer; `errors` counts how
    often it did. The thread ends when nobody holds the exchange any more, after the answer that it waits for.

    Args:
        annotator: called in the thread.
        log: file of one line of JSON per exchange, for one running transform, written anew; None for none.
    """

    def __init__(self, annotator: Annotator, log: Path | None = None) -> None:
        self._log, self._work = log, _Work(annotator)
        if log is not None:
            log.write_text("", encoding="utf-8")
        threading.Thread(target=self._work.go_on, name="annotator", daemon=True).start()
        weakref.finalize(self, self._work.asked.put, None)

    @property
    def errors(self) -> int:
        """How often the annotator raised or gave another number of labels than of captions."""
        return self._work.errors

    @property
    def unreadable(self) -> tuple[Unreadable, ...]:
        return (*_unread_by(self._work.annotator), *self._work.failed)

    def exchange(self, captions: Sequence[Caption]) -> Mapping[Caption, Label]:
        if captions:
            self._work.asked.put(tuple(captions))
        labels: dict[Caption, Label] = {}
        while not self._work.ready.empty():
            labels |= self._work.ready.get()
        if self._log is not None:
            with self._log.open("a", encoding="utf-8") as lines:
                lines.write(
                    json.dumps({str(CAPTIONS.index(caption)): label for caption, label in labels.items()}) + "\n"
                )
        return labels


class _Work:
    """What a thread shares with a `Background`, which it must not hold itself: it is to end with it."""

    def __init__(self, annotator: Annotator) -> None:
        self.annotator, self.errors = annotator, 0
        self.failed = deque[Unreadable](maxlen=KEPT)
        self.asked: queue.LifoQueue[Sequence[Caption] | None] = queue.LifoQueue()
        """None ends the work."""
        self.ready: queue.SimpleQueue[Mapping[Caption, Label]] = queue.SimpleQueue()

    def go_on(self) -> None:
        while (captions := self.asked.get()) is not None:
            try:
                labels = _read(captions, self.annotator(captions))
            except Exception as error:
                self.errors += 1
                self.failed.append(Unreadable(tuple(captions), f"{type(error).__name__}: {error}"[:LONGEST]))
                labels = dict.fromkeys(captions)
            self.ready.put(labels)


def _unread_by(annotator: Annotator) -> tuple[Unreadable, ...]:
    """What an annotator keeps of unreadable answers, if it does."""
    kept: tuple[Unreadable, ...] = getattr(annotator, "unreadable", ())
    return kept


class Replayed(LabelExchange):
    """Hands out at every exchange what a log of `Background` says was ready.

    Raises:
        OSError: the log cannot be read.
        ValueError: it is no such log.
    """

    def __init__(self, log: Path) -> None:
        lines = [parse_json(line) for line in log.read_bytes().splitlines()]
        self._exchanges = iter([_labels(number, line, log) for number, line in enumerate(lines, start=1)])

    def exchange(self, captions: Sequence[Caption]) -> Mapping[Caption, Label]:
        return next(self._exchanges, {})


def _labels(number: int, line: object, log: Path) -> Mapping[Caption, Label]:
    known = {str(place): caption for place, caption in enumerate(CAPTIONS)}
    if not isinstance(line, dict) or not all(
        key in known and value in (True, False, None) for key, value in line.items()
    ):
        raise ValueError(f"{log}, line {number}: expected labels by numbers of captions, true, false or null")
    return {known[key]: value for key, value in line.items()}


EXCHANGES: dict[str, Callable[[], LabelExchange]] = {"rule": lambda: Immediate(by_rule)}
"""Annotators by the names that texts have for them; each running transform makes one of its own."""


def register_annotator(name: str, make: Callable[[], LabelExchange]) -> None:
    """Let texts of transforms name an annotator, as in ``oni(annotator=mine)``.

    Raises:
        ValueError: the name is not one word.

    >>> register_annotator("noisy", lambda: Immediate(noisy(by_rule, 0.25)))
    """
    if not name.isidentifier():
        raise ValueError(f"annotator {name!r}: expected one word")
    EXCHANGES[name] = make


def find_annotator(name: str) -> Callable[[], LabelExchange]:
    """Return what makes the exchange of a name, or of an address such as ``llm:http://127.0.0.1:8000/v1#model``.

    The part before the colon is a kind of annotators, which packages bring by the entry point ``coopgym.annotators``.

    Raises:
        ValueError: an unknown name or kind, or an address that its kind does not take.

    >>> find_annotator("rule")().exchange([Caption(3, 1, 2)])
    {Caption(move=3, others=1, trust=2): True}
    """
    if name in EXCHANGES:
        return EXCHANGES[name]
    kind, colon, _ = name.partition(":")
    if not colon or kind not in _kinds():
        addresses = (f"{each}:ADDRESS" for each in sorted(_kinds()))
        raise ValueError(f"unknown annotator {name!r}; known: {', '.join((*EXCHANGES, *addresses))}")
    found: Callable[[], LabelExchange] = _kinds()[kind].load()(name)
    return found


@cache
def _kinds() -> dict[str, Any]:
    return {entry.name: entry for entry in entry_points(group="coopgym.annotators")}
