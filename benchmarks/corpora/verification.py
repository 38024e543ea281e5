"""Corpora held against themselves and against the studies that they are to answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from coopgym.agents.foreign_names import names_from_data
from coopgym.benchmarks.drawing.formatting import first_of
from coopgym.benchmarks.study import COMPARED_COLUMNS, Study, expand, place_of, superseded
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.integrity import Fault, check_corpus
from coopgym.corpus.manifest import has_manifests
from coopgym.corpus.reader import STUDY_FILE, Corpus, locate
from coopgym.corpus.shards import CROISSANT_FILE
from coopgym.interrupts import recognisable_interrupts

UNGUARDED = (
    "its shards have no manifests, as earlier versions left them: deleted or exchanged files cannot be noticed; "
    "running its study again writes them"
)


@dataclass(frozen=True)
class Verified:
    """What came of a check."""

    faults: list[Fault]
    notes: list[str]
    """What could not be checked, why, and what to do about it."""


def verify(name: str, *, trust: bool = False) -> Verified:
    """Find everything that is wrong with a corpus, in itself and held against its study.

    Args:
        name: of a released corpus, or a place.
        trust: import the agents that its study names as code; without, it is not held against a study that names some.

    Raises:
        CorpusError: there is nothing at all at this place.
    """
    place = locate(name)
    faults, notes = check_corpus(place), list[str]()
    with names_from_data(trust=trust) as refused, recognisable_interrupts():
        against_study = list(_matrix_faults(Corpus(place)))
    if refused:
        notes.append(_unresolved(refused))
    else:
        faults += against_study
    if not (has_manifests(place) or (place / CROISSANT_FILE).exists()):
        notes.append(UNGUARDED)
    return Verified(faults, notes)


def _unresolved(names: Iterable[str]) -> str:
    return (
        f"not held against its study, which names code to import or addresses: {first_of(names)}; whether runs are "
        "missing or too many is not known. --trust imports that code: only if you know it"
    )


def _matrix_faults(corpus: Corpus) -> Iterator[Fault]:
    """Compare the runs with those that their study expects."""
    try:
        rows = corpus.read("runs", COMPARED_COLUMNS).to_pylist()
    except CorpusError:
        rows = None  # found before; without these shards nobody can say what is missing
    try:
        if corpus.study is None:
            return
        asked = Study.of_a_corpus(corpus.study)
        planned = expand(asked, common_draws=any(row["identity"] is not None for row in rows or ()))
    except ValueError as error:
        yield Fault(str(corpus.path / STUDY_FILE), f"not a study that this coopgym knows: {error}")
        return
    if rows is None:
        return
    expected = {spec.place for spec in planned}
    found = Counter(place_of(row) for row in rows)
    others = superseded(rows, planned)
    for what, places in {
        "missing": expected - found.keys(),
        "extra: the study does not ask for it": found.keys() - expected,
        "there more than once": (place for place, count in found.items() if count > 1),
        # Younger versions of coopgym come to other runs, which is no fault of a corpus.
        "of another specification than the study's": (run.planned.place for run in others.values() if not run.ours),
    }.items():
        for cell in _by_cell(places):
            yield Fault(str(corpus.path), f"{what}: {cell}")


def _by_cell(places: Iterable[tuple[Any, ...]]) -> Iterator[str]:
    """Put runs that differ by their seeds only into one phrase."""
    cells: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for environment, parameters, algorithm, mode, seed, protocol, scenario in places:
        cells[environment, parameters, algorithm, mode, protocol, scenario or ""].append(seed)
    for (environment, parameters, algorithm, mode, protocol, scenario), seeds in sorted(cells.items()):
        changed = "" if parameters == "{}" else f" {parameters}"
        role = "" if protocol == "self_play" else f" ({scenario or protocol})"
        numbers = ", ".join(map(str, sorted(seeds)))
        yield f"{algorithm} in {environment}{changed} under {mode}{role}, seeds {numbers}"
