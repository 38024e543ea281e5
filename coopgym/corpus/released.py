"""Released corpora by name: where they lie, and which there are."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

from coopgym.cache import cache_folder
from coopgym.corpus.catalogue import PACKAGED, catalogue, checkout_data

DATA_VARIABLE = "COOPGYM_DATA"
"""Environment variable: a folder of released corpora, searched first; what is fetched is kept there."""


def data_folders() -> list[Path]:
    """Folders that are searched for released corpora, first find first."""
    named = os.environ.get(DATA_VARIABLE)
    return [*([Path(named)] if named else []), checkout_data() or PACKAGED, cache_folder() / "data"]


def fetched_folder() -> Path:
    """Return the folder in which fetched corpora are kept."""
    named = os.environ.get(DATA_VARIABLE)
    return Path(named) if named else cache_folder() / "data"


def released_corpora() -> dict[str, Path]:
    """Released corpora by name: every folder with runs below a folder of data.

    >>> "audit-v0" in released_corpora()
    True
    """
    found: dict[str, Path] = {}
    for folder in data_folders():
        for corpus in sorted(runs.parent for runs in folder.glob("[!.]*/runs")):  # those with a dot are in the making
            found.setdefault(corpus.name, corpus)
    return found


def absent_corpora() -> list[str]:
    """Names of the released corpora that are not on this machine."""
    return sorted(catalogue().keys() - released_corpora().keys())


def explain_absence(name: str) -> str:
    """Say how to get a released corpus, or that none has this name, which is nearest, and where they are looked for."""
    if name in absent_corpora():
        size = catalogue()[name].size / 1e6
        return f"{name} is one, but not on this machine; `coopgym data get {name}` fetches its {size:.1f} MB"
    known = [*released_corpora(), *absent_corpora()]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    names = f"released corpora: {', '.join(known)}" if known else "there are no released corpora"
    places = " and ".join(str(folder) for folder in data_folders())
    return (
        f"{hint}{names}; they are looked for in {places}. `coopgym data get NAME` fetches one; {DATA_VARIABLE} names a "
        "folder of others"
    )
