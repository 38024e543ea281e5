"""Corpora held against themselves and against the studies that they are to answer."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.plan import COMPARED_COLUMNS, expand, place_of, superseded
from benchmarks.study import Study
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.integrity import Fault, check_corpus
from coopgym.corpus.manifest import has_manifests
from coopgym.corpus.reader import STUDY_FILE, Corpus, locate
from coopgym.corpus.shards import CROISSANT_FILE


def verify(name: str) -> list[Fault]:
    """Find everything that is wrong with a corpus, in itself and held against its study.

    Raises:
        CorpusError: there is nothing at all at this place.
    """
    place = locate(name)
    return [*check_corpus(place), *_matrix_faults(Corpus(place))]


def unguarded(name: str) -> bool:
    """Whether nothing tells which files a corpus is made of: deleted or exchanged files would not be noticed."""
    place = locate(name)
    return not (has_manifests(place) or (place / CROISSANT_FILE).exists())


def _matrix_faults(corpus: Corpus) -> Iterator[Fault]:
    """Compare the runs with those that their study expects."""
    where = str(corpus.path / STUDY_FILE)
    try:
        description = corpus.study
        if description is None or (not isinstance(corpus.path, Path) and _names_modules(description)):
            return
        asked = Study.model_validate(description)
    except ValueError as error:
        yield Fault(where, f"not a study that this coopgym knows: {error}")
        return
    try:
        rows = corpus.read("runs", COMPARED_COLUMNS).to_pylist()
    except CorpusError:
        return  # found before; without these shards nobody can say what is missing
    planned = expand(asked, common_draws=any(row["identity"] is not None for row in rows))
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


def _names_modules(study: Mapping[str, Any]) -> bool:
    """Whether a study asks for agents of a user's modules: data from afar do not decide what is imported here."""
    return any(":" in name for block in study.get("blocks", ()) for name in block.get("agents", ()))
