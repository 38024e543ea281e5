"""What scenarios are worth, as it is kept beside the populations; `coopgym.benchmarks.strangers` computes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from coopgym.corpus.writer import write_atomically
from coopgym.strangers.partners import strangers_folder
from coopgym.strangers.populations import Population
from coopgym.typing import FloatArray
from coopgym.worlds import TEST_SEEDS

ANCHORS = "anchors"
"""Folder of the files, each named after its population and game."""
EPISODES = 32
"""Episodes that are played where anything is drawn; one otherwise."""
SEED = TEST_SEEDS[0]
"""Of what agents are scored on; learners refuse to train with it."""


@dataclass(frozen=True, eq=False)
class Anchor:
    """The worth of one scenario. Returns are means over focal seats and episodes, under private reward."""

    scenario: str
    digest: str
    """Of everything that determines it."""
    effort: str
    """Of the search."""
    episodes: int
    random: float
    """Return of Random, over `EPISODES` episodes."""
    constants: FloatArray
    """``(101,)`` returns of the levels 0, 0.01, … 1."""
    ceiling: float
    """Return of the response below."""
    kind: str
    """Of the response: ``constant``, ``plan`` or ``feedback``."""
    plan: FloatArray
    """``(T,)`` shares of endowment."""
    follow: float
    """Weight on what the stand-in would play."""
    gains: FloatArray
    """``(F,)`` weights on features of the observation."""


def anchors_file(population: Population) -> Path:
    """Return the place of the anchors of a population."""
    return strangers_folder() / ANCHORS / population.name / f"{population.game}.parquet"


def read_anchors(population: Population) -> Mapping[str, Anchor]:
    """Return the anchors that are kept of a population, by scenario; whether they fit it their digests tell.

    >>> from coopgym.strangers import population
    >>> worth = read_anchors(population("TrustDilemma-v1"))["visitor/0/grim-0.6"]
    >>> float(worth.constants.max()) < worth.ceiling, worth.plan.shape  # at the end there is nothing to lose
    (True, (100,))
    """
    file = anchors_file(population)
    return _read(file, file.stat().st_mtime_ns) if file.is_file() else {}


@lru_cache(maxsize=64)
def _read(file: Path, modified: int) -> Mapping[str, Anchor]:
    return {row["scenario"]: Anchor(**{**row, **_arrays(row)}) for row in pq.read_table(file).to_pylist()}


def anchors_hash(population: Population) -> str:
    """Return the SHA-256 of all that the anchors of a population say of what scenarios are worth, and of whom they met.

    >>> from coopgym.strangers import population
    >>> len(anchors_hash(population("TrustDilemma-v1")))
    64
    """
    file = anchors_file(population)
    return _hash(file, file.stat().st_mtime_ns) if file.is_file() else ""


@lru_cache(maxsize=64)
def _hash(file: Path, modified: int) -> str:
    worth = [
        (each.scenario, each.digest, each.episodes, each.random, each.ceiling, each.constants.tolist())
        for each in _read(file, modified).values()
    ]
    return hashlib.sha256(json.dumps(worth).encode()).hexdigest()


def _arrays(row: Mapping[str, Any]) -> dict[str, FloatArray]:
    return {name: np.asarray(row[name], dtype=np.float64) for name in ("constants", "plan", "gains")}


def write_anchors(population: Population, anchors: Iterable[Anchor]) -> None:
    """Write the anchors of a population, in place of those that were there."""
    rows = [asdict(anchor) for anchor in anchors]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(rows), sink, compression="zstd")
    file = anchors_file(population)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(file, sink.getvalue().to_pybytes())
