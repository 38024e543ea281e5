"""Released corpora by name: where they lie, and which there are."""

from __future__ import annotations

import difflib
import os
from pathlib import Path

DATA_VARIABLE = "COOPGYM_DATA"
"""Environment variable: a folder of released corpora, for installations without the repository's ``data``."""
_CHECKOUT = Path(__file__).parents[2] / "data"


def data_folders() -> list[Path]:
    """Folders that are searched for released corpora, first find first."""
    named = os.environ.get(DATA_VARIABLE)
    return [*([Path(named)] if named else []), _CHECKOUT]


def released_corpora() -> dict[str, Path]:
    """Released corpora by name: every folder with runs below a folder of data."""
    found: dict[str, Path] = {}
    for folder in data_folders():
        for corpus in sorted(runs.parent for runs in folder.glob("[!.]*/runs")):  # those with a dot are in the making
            found.setdefault(corpus.name, corpus)
    return found


def explain_absence(name: str) -> str:
    """Say that no released corpus has this name, which is nearest, and where they are looked for."""
    known = released_corpora()
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    names = f"released corpora: {', '.join(known)}" if known else "there are no released corpora"
    places = " and ".join(str(folder) for folder in data_folders())
    return (
        f"{hint}{names} in {places}. Corpora are released in the folder `data` of the repository; without a checkout, "
        f"set {DATA_VARIABLE} to a folder that holds them"
    )
