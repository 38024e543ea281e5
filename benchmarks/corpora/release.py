"""Runs become a released corpus."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from coopgym.benchmarks.drawing.formatting import first_of
from coopgym.corpus.integrity import require_sound
from coopgym.corpus.inventory import Inventory
from coopgym.corpus.publication import publish
from coopgym.corpus.reader import load_corpus, locate
from coopgym.corpus.release import Release


def release(
    source: Path, out: Path, description: str | None, version: str, published: date, url: str, changes: str
) -> None:
    """Make a released corpus of a folder of runs.

    Raises:
        CorpusError: the folder holds no sound corpus, or the release exists.
        ValueError: its name is not one, or is that of a corpus made anew and ``changes`` does not say what moved.
    """
    require_sound(source, locate(source), "are released")
    corpus = load_corpus(source)
    told = (
        description
        or (corpus.study or {}).get("description")
        or f"Runs of {first_of(Inventory(corpus).values('study'))}."
    )
    publish(source, out, Release(out.name, told, version, published, url=url, changes=changes))
