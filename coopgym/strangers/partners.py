"""Cards of partners: who they are, how they were made, and under which licence; read from the released table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from coopgym.corpus.released import data_folders
from coopgym.record_fields import each, fields, nullable, one_of, text, whole
from coopgym.strict_json import parse_json

RELEASE = "strangers-v1"
PARTNERS_FILE = "partners.json"
KINDS = (
    "constant",
    "reciprocal",
    "exploiter",
    "forgiving",
    "unforgiving",
    "changing",
    "noisy",
    "trained",
    "oracle",
)
"""What partners are; every population has partners of every kind."""
SCHEME = "strangers"
"""What stands before the address of a trained partner, as in ``strangers:test/trained-private``."""


@dataclass(frozen=True)
class Training:
    """How the policies of a trained partner are made, in every game alike: in self-play, on one reward."""

    learner: str
    reward: str
    seed: int
    env_steps: int
    hidden: tuple[int, ...]
    """Units of the hidden layers."""


@dataclass(frozen=True)
class Partner:
    """Somebody to play with."""

    name: str
    kind: str
    """One of `KINDS`."""
    agent: str
    """What `coopgym.agents.make_agent` makes it of: a registered name with its settings, or, of a trained partner, the
    address of its policies."""
    made: str
    """How, in words."""
    licence: str
    training: Training | None = None
    """None of those that nobody trained."""


_TRAINING = fields(
    {"learner": text, "reward": text, "seed": whole(), "env_steps": whole(1), "hidden": each(whole(1), least=1)},
    closed=True,
)
_CARD = fields(
    {
        "name": text,
        "kind": one_of(*KINDS),
        "agent": text,
        "made": text,
        "licence": text,
        "training": nullable(_TRAINING),
    },
    closed=True,
)
_TABLE = fields({"training": each(_CARD, least=1), "test": each(_CARD, least=1)}, closed=True)


def strangers_folder() -> Path:
    """Return the folder of the released populations.

    Raises:
        FileNotFoundError: it is nowhere.

    >>> sorted(partner_cards(strangers_folder()))
    ['test', 'training']
    """
    folders = [folder / RELEASE for folder in data_folders()]
    for folder in folders:
        if (folder / PARTNERS_FILE).is_file():
            return folder
    raise FileNotFoundError(f"{RELEASE} is not in {' nor in '.join(map(str, folders))}; install coopgym again")


@cache
def partner_cards(folder: Path) -> Mapping[str, tuple[Partner, ...]]:
    """Read the table of a folder: cards by the name of their population.

    Raises:
        ValueError: it is no such table.
    """
    file = folder / PARTNERS_FILE
    try:
        table = parse_json(file.read_bytes())
        _TABLE(table, "")
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    return {population: tuple(map(_card, cards)) for population, cards in table.items()}


def _card(row: Mapping[str, Any]) -> Partner:
    given = row["training"]
    training = None if given is None else Training(**{**given, "hidden": tuple(given["hidden"])})
    return Partner(**{**row, "training": training})
