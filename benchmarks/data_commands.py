"""What ``coopgym data`` does: list, show, verify, export, import and release corpora."""

from __future__ import annotations

import os
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.plan import expand
from benchmarks.progress import duration
from benchmarks.provenance import package_version
from benchmarks.study import Study
from coopgym.corpus.export import FORMS, encode
from coopgym.corpus.integrity import Fault, check_corpus
from coopgym.corpus.inventory import Inventory
from coopgym.corpus.publication import publish
from coopgym.corpus.reader import STUDY_FILE, Corpus, CorpusError, load_corpus, locate
from coopgym.corpus.reference import import_shards
from coopgym.corpus.release import Release
from coopgym.corpus.released import explain_absence, released_corpora
from coopgym.corpus.schema import TABLES, TableName
from coopgym.corpus.writer import write_atomically, write_table

IMPORTED = "imported"
"""Study hash of runs that no study of ours made."""
SHOWN_VALUES = 8
_CELL = ("environment", "algorithm", "reward_mode")


def list_corpora(console: Console) -> None:
    """List the released corpora, one line each."""
    known = released_corpora()
    if not known:
        console.print(explain_absence(""), highlight=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("corpus", no_wrap=True)
    table.add_column("runs", justify="right", no_wrap=True)
    table.add_column("what it is", no_wrap=True, overflow="ellipsis", ratio=1)
    for name, folder in known.items():
        corpus = load_corpus(folder)
        table.add_row(name, f"{corpus.sizes()['runs']:,}", (corpus.croissant or {}).get("description", ""))
    console.print(table)


def print_corpus(console: Console, corpus: Corpus) -> None:
    """Say what is in a corpus, on one screen."""
    inventory, facts = Inventory(corpus), corpus.croissant or {}
    first, last = (f"{moment:%Y-%m-%d}" for moment in inventory.started)
    when = first if first == last else f"{first} to {last}"
    metadata = {name: ", ".join(found) for name, found in corpus.metadata.items()}
    lines = {
        "corpus": facts.get("name", corpus.path.name) + (f" {facts['version']}" if "version" in facts else ""),
        "about": facts.get("description") or (corpus.study or {}).get("description", ""),
        "licence": facts.get("license", "none stated: not a released corpus"),
        "made": f"{when}, {duration(inventory.computing_seconds)} of computing, coopgym {metadata['package_version']}",
        "with": ", ".join(f"{name} {_some(found)}" for name, found in list(inventory.versions.items())[1:]),
        "schema": f"version {metadata['schema_version']}; study hash {metadata['study_hash'][:16]}",
        "rows": ", ".join(f"{name} {size:,}" for name, size in inventory.rows.items()),
        "status": ", ".join(f"{count:,} {status}" for status, count in inventory.statuses.items()),
    }
    for name in ("study", "environment", "reward_mode", "protocol", "seed"):
        lines[name.replace("_", " ")] = _some(inventory.values(name))
    for name, text in lines.items():
        if text:
            console.print(f"[bold]{name:12}[/bold] {text}", highlight=False, soft_wrap=True)
    console.print(_factorial(inventory))


def _factorial(inventory: Inventory) -> Table:
    holes = [f"{group.kind}: {line}" for group in inventory.groups for line in group.describe_holes()]
    table = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        collapse_padding=True,
        caption="\n".join(["cells: algorithm × game × reward mode", *holes]),
        caption_justify="left",
    )
    table.add_column("kind", no_wrap=True)
    table.add_column("algorithms", overflow="fold")
    for name in ("games", "modes", "cells", "runs per cell", "runs"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in inventory.groups:
        cells = f"{group.cells:,}" + ("" if group.cells == group.all_cells else f" of {group.all_cells:,}")
        seeds = {group.fewest_seeds, group.most_seeds}
        table.add_row(
            group.kind,
            _some(group.algorithms, 4),
            str(len(group.environments)),
            str(len(group.reward_modes)),
            cells,
            "–".join(map(str, sorted(seeds))),
            f"{group.runs:,}",
        )
    return table


def verify(name: str) -> list[Fault]:
    """Find everything that is wrong with a corpus, in itself and held against its study.

    Raises:
        CorpusError: there is nothing at all at this place.
    """
    place = locate(name)
    return [*check_corpus(place), *_matrix_faults(Corpus(place))]


def _matrix_faults(corpus: Corpus) -> Iterator[Fault]:
    """Compare the runs with those that their study expects."""
    where = str(corpus.path / STUDY_FILE)
    try:
        description = corpus.study
        if description is None or (not isinstance(corpus.path, Path) and _names_modules(description)):
            return
        expected = {spec.place: spec.run_id for spec in expand(Study.model_validate(description))}
    except ValueError as error:
        yield Fault(where, f"not a study that this coopgym knows: {error}")
        return
    columns = ("environment", "env_parameters", "algorithm", "reward_mode", "seed", "protocol", "scenario")
    try:
        rows = corpus.read("runs", [*columns, "run_id"]).to_pylist()
    except CorpusError:
        return  # found before; without these shards nobody can say what is missing
    found: Counter[tuple[Any, ...]] = Counter()
    ids: dict[tuple[Any, ...], str] = {}
    for row in rows:
        place = tuple("self_play" if name == "protocol" and row[name] is None else row[name] for name in columns)
        found[place] += 1
        ids[place] = row["run_id"]
    other = (place for place, run_id in ids.items() if place in expected and expected[place] != run_id)
    for what, places in {
        "missing": expected.keys() - found.keys(),
        "extra: the study does not ask for it": found.keys() - expected.keys(),
        "there more than once": (place for place, count in found.items() if count > 1),
        "of another specification than the study's": other,
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


def export(corpus: Corpus, table: str, form: str | None, out: Path) -> int:
    """Write a table to a file that appears whole or not at all.

    Args:
        corpus: where from.
        table: name of the table.
        form: a form of `coopgym.corpus.export`; None to go by the ending of the file's name.
        out: the file.

    Returns:
        The number of rows.

    Raises:
        ValueError: there is no such table or form.
    """
    if table not in TABLES:
        raise ValueError(f"table {table!r}; expected one of {', '.join(TABLES)}")
    chosen = form or out.suffix.removeprefix(".")
    if chosen not in FORMS:
        raise ValueError(f"format {chosen!r}; expected --format {' or '.join(FORMS)}, or a file name that ends so")
    rows: pa.Table = corpus.read(_table_name(table)).arrow
    write_atomically(out, encode(rows, chosen))
    return len(rows)


def _table_name(text: str) -> TableName:
    return next(name for name in TABLES if name == text)


def import_records(source: Path, out: Path, reward_mode: str | None) -> dict[TableName, int]:
    """Import the published study's records into a new folder, all or nothing.

    Returns:
        Rows by table.

    Raises:
        CorpusError: records cannot be read, or the folder exists.
    """
    if out.exists():
        raise CorpusError(f"{out}: exists already; choose another folder")
    building = out.with_name(f".{out.name}.partial")
    shutil.rmtree(building, ignore_errors=True)  # left by an import that was interrupted
    sizes: Counter[TableName] = Counter()
    try:
        for number, tables in enumerate(import_shards(source, reward_mode)):
            for name in reversed(TABLES):  # runs last, as always
                if name in tables:
                    path = building / name / f"{number:05d}.parquet"
                    write_table(name, tables[name], path, study_hash=IMPORTED, package_version=package_version())
                    sizes[name] += len(tables[name])
        os.replace(building, out)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    return {name: sizes[name] for name in TABLES if sizes[name]}


def release(source: Path, out: Path, description: str | None, version: str, published: date, url: str) -> None:
    """Make a released corpus of a folder of runs.

    Raises:
        CorpusError: the folder holds no sound corpus, or the release exists.
        ValueError: its name is not one.
    """
    corpus = load_corpus(source)
    faults = check_corpus(corpus.path)
    if faults:
        listed = "\n".join(map(str, faults))
        raise CorpusError(f"{source}: has {len(faults)} faults; only sound corpora are released:\n{listed}")
    told = (
        description or (corpus.study or {}).get("description") or f"Runs of {_some(Inventory(corpus).values('study'))}."
    )
    publish(source, out, Release(out.name, told, version, published, url=url))


def _some(values: Iterable[str], shown: int = SHOWN_VALUES) -> str:
    names = list(values)
    return ", ".join(names[:shown]) + (f" … ({len(names)})" if len(names) > shown else "")
