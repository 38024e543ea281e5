"""The glossary speaks of words that the code has, names their homes, and has no word that was given up."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.house import RETIRED, ROOT

TEXT = (ROOT / "docs" / "glossary.md").read_text("utf-8")
RETIRED_WORDS = frozenset(" ".join(RETIRED.values()).split())


@dataclass(frozen=True)
class Entry:
    """A paragraph of the glossary: what it explains, in bold, and where that lives."""

    words: tuple[str, ...]
    homes: tuple[str, ...]

    @classmethod
    def of(cls, paragraph: str) -> Entry:
        flat = " ".join(paragraph.split())
        words = tuple(word.rstrip(".") for word in re.findall(r"\*\*(.+?)\*\*", flat))
        return cls(words, tuple(re.findall(r"`(coopgym\.[\w.]+)`", flat.partition("Home: ")[2])))


ENTRIES = [Entry.of(paragraph) for paragraph in TEXT.split("\n\n") if paragraph.startswith("**")]
each_entry = pytest.mark.parametrize("entry", ENTRIES, ids=[entry.words[0] for entry in ENTRIES])


def named(path: str) -> tuple[Any, list[str]]:
    """Return the module that a dotted path begins with, and the names that follow."""
    first, *names = path.split(".")
    module = importlib.import_module(first)
    while names and hasattr(module, "__path__") and find_spec(f"{module.__name__}.{names[0]}"):
        module = importlib.import_module(f"{module.__name__}.{names.pop(0)}")
    return module, names


def has(owner: Any, name: str) -> bool:
    """Whether a module or class has a name; of a field without default only the annotation tells."""
    return hasattr(owner, name) or name in getattr(owner, "__annotations__", {})


@each_entry
def test_every_word_has_a_home_that_exists_and_knows_it(entry: Entry) -> None:
    assert entry.homes, "an entry ends with its home"
    sources = []
    for home in entry.homes:
        module, names = named(home)
        owner = module
        for name in names:
            assert has(owner, name), f"{home}: nothing of that name"
            owner = getattr(owner, name, None)
        sources.append(f"{home} {Path(module.__file__).read_text('utf-8')}".replace("_", " "))
    for word in entry.words:
        assert re.search(word, "\n".join(sources), re.IGNORECASE), f"{word!r} does not occur where it should live"


def test_the_glossary_has_entries_and_each_word_once() -> None:
    words = [word for entry in ENTRIES for word in entry.words]
    assert {"seat", "endowment", "baseline", "share", "replica", "anchor", "certificate", "kernel"} < {*words}
    assert len(words) == len({*words})


def test_no_word_that_was_given_up_stands_in_the_glossary() -> None:
    found = RETIRED_WORDS & {*re.findall(r"\w+", TEXT)}
    assert not found, f"{', '.join(sorted(found))}: use the field's term"
