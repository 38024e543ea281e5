"""Which corpora are released, here or not, and how each is known again: an index that is written into every wheel.

Only the standard library is imported, so that a build can run this file on its own.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

CATALOGUE_FILE = "catalogue.json"
PACKAGED = Path(__file__).parent / "packaged"
"""Where an installed package has its catalogue and its small corpora."""
PROJECT = Path(__file__).parents[2]
"""The checkout, where there is one."""
LARGEST_PACKAGED = 350_000
"""Bytes up to which a corpus goes into the wheel; larger ones are fetched."""


@dataclass(frozen=True)
class Listing:
    """A released corpus as the catalogue has it."""

    name: str
    version: str
    description: str
    size: int
    """Bytes of all its files."""
    croissant_size: int
    croissant_sha256: str
    """Of its Croissant file, which has the sizes and hashes of all others."""


def listing(folder: Path) -> Listing:
    """Describe a released corpus."""
    croissant = (folder / "croissant.json").read_bytes()
    facts = json.loads(croissant)
    return Listing(
        name=folder.name,
        version=facts["version"],
        description=facts["description"],
        size=sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()),
        croissant_size=len(croissant),
        croissant_sha256=hashlib.sha256(croissant).hexdigest(),
    )


def listings(data: Path) -> list[Listing]:
    """Describe the released corpora in a folder, by name."""
    return [listing(file.parent) for file in sorted(data.glob("[!.]*/croissant.json"))]


def write_catalogue(data: Path, file: Path) -> None:
    """Write the catalogue of a folder of released corpora."""
    file.write_text(json.dumps([asdict(each) for each in listings(data)], indent=1) + "\n", encoding="utf-8")


@cache
def catalogue() -> dict[str, Listing]:
    """Return all corpora that were released with this version, by name, wherever they are.

    Code that was copied without its data knows of none.
    """
    if checkout := checkout_data():
        return {each.name: each for each in listings(checkout)}
    written = PACKAGED / CATALOGUE_FILE
    entries = json.loads(written.read_text(encoding="utf-8")) if written.is_file() else []
    return {entry["name"]: Listing(**entry) for entry in entries}


def checkout_data() -> Path | None:
    """Return the folder ``data`` of the checkout that this package runs from; None for an installed package."""
    return PROJECT / "data" if (PROJECT / "pyproject.toml").is_file() else None
