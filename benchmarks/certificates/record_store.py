"""Records in a folder: stamped with what wrote them, verified before they are believed, never over others' files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from coopgym.benchmarks.provenance import package_version
from coopgym.benchmarks.study import canonical_json
from coopgym.corpus.writer import write_atomically
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game

Record = dict[str, Any]

RECORD_VERSION = 2
"""Raised whenever records hold something else than before or solvers give other numbers."""
STAMP = ("record_version", "package_version", "sha256")


class ForeignFileError(ValueError):
    """A file of somebody else stands where ours would go."""


def place_of(folder: Path, id: str, parameters: Record, suffix: str) -> Path:
    """Return where a game's record belongs: under its id, with a mark of the parameters if they are not the default."""
    chosen, usual = (canonical_json(each) for each in (parameters, make_game(id).parameter_dict()))
    mark = "" if chosen == usual else f"-{hashlib.sha256(chosen.encode()).hexdigest()[:8]}"
    return folder / f"{id}{mark}{suffix}"


def keep(place: Path, record: Record) -> None:
    """Write a record with its stamp.

    Raises:
        ForeignFileError: the place holds a file that is no record of ours.
        OSError: it cannot be written.
    """
    require_ours(place)
    stamp = (RECORD_VERSION, package_version(), _digest(record))
    content = json.dumps({**dict(zip(STAMP, stamp, strict=True)), **record}, indent=1, ensure_ascii=False)
    write_atomically(place, (content + "\n").encode())


def kept(place: Path, game: AnyGame) -> Record | None:
    """Return the record in a place; None unless this version wrote it, as it stands, for these very parameters."""
    stamped = _parsed(place)
    record = {name: value for name, value in stamped.items() if name not in STAMP}
    written = tuple(stamped.get(name) for name in STAMP)
    asked = {"game": game.spec.id, "parameters": json.loads(json.dumps(game.parameter_dict()))}
    if written != (RECORD_VERSION, package_version(), _digest(record)):
        return None
    return record if all(record.get(name) == value for name, value in asked.items()) else None


def require_places(folder: Path, ids: Iterable[str], suffix: str) -> None:
    """Make sure, before any work is done, that the records of games can be written.

    Raises:
        ValueError: the folder cannot be made.
        ForeignFileError: one of the places holds a file that is no record of ours.
    """
    require_folder(folder)
    for id in ids:
        require_ours(place_of(folder, id, make_game(id).parameter_dict(), suffix))


def require_folder(folder: Path) -> None:
    """Make a folder before any work is done for it.

    Raises:
        ValueError: there is a file of that name, or the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"-o {folder}: expected a folder that exists or can be made ({error.strerror})") from error


def require_ours(place: Path) -> None:
    """Make sure that writing to a place harms nobody.

    Raises:
        ForeignFileError: it holds a file that is no record of ours, whole or damaged.
    """
    foreign = place.exists() and place.stat().st_size and not any(name in _beginning(place) for name in STAMP)
    if foreign:
        raise ForeignFileError(f"{place} is another program's file and would be overwritten; choose another -o")


def _beginning(place: Path) -> str:
    with place.open("rb") as file:
        return file.read(200).decode(errors="replace")


def _parsed(place: Path) -> Record:
    try:
        content = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _digest(record: Record) -> str:
    return hashlib.sha256(json.dumps(record, sort_keys=True).encode()).hexdigest()
