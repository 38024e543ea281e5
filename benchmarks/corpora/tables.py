"""Corpora in the terminal."""

from __future__ import annotations

from rich.table import Table

from coopgym.benchmarks.drawing.formatting import first_of
from coopgym.benchmarks.drawing.terminal import TerminalConsole, ruled_table, styled
from coopgym.benchmarks.progress import duration
from coopgym.corpus.catalogue import catalogue
from coopgym.corpus.inventory import Inventory
from coopgym.corpus.reader import Corpus, load_corpus
from coopgym.corpus.released import absent_corpora, explain_absence, released_corpora
from coopgym.worlds import FIXED


def list_corpora(console: TerminalConsole) -> None:
    """List the released corpora, one line each: those that are here, then those that can be fetched."""
    known, absent = released_corpora(), absent_corpora()
    if not known and not absent:
        console.print(explain_absence(""), highlight=False, soft_wrap=True)
        return
    table = Table(box=None, pad_edge=False, expand=True)
    table.add_column("corpus", no_wrap=True)
    table.add_column("runs", justify="right", no_wrap=True)
    table.add_column("what it is", no_wrap=True, overflow="ellipsis", ratio=1)
    for name, folder in known.items():
        corpus = load_corpus(folder)
        table.add_row(name, f"{corpus.sizes()['runs']:,}", (corpus.croissant or {}).get("description", ""))
    for name in absent:
        table.add_row(name, "not here", catalogue()[name].description)
    console.print(table)
    if absent:
        console.print("coopgym data get NAME fetches one that is not here", soft_wrap=True)


def print_corpus(console: TerminalConsole, corpus: Corpus) -> None:
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
        "with": ", ".join(f"{name} {first_of(found)}" for name, found in list(inventory.versions.items())[1:]),
        "schema": f"version {metadata['schema_version']}; study hash {metadata['study_hash'][:16]}",
        "rows": ", ".join(f"{name} {size:,}" for name, size in inventory.rows.items()),
        "status": ", ".join(f"{count:,} {status}" for status, count in inventory.statuses.items()),
    }
    for name in ("study", "environment", "reward_mode", "protocol", "seed"):
        lines[name.replace("_", " ")] = first_of(inventory.values(name))
    if set(inventory.worlds) != {FIXED}:
        lines["worlds"] = ", ".join(f"{world} {count:,}" for world, count in inventory.worlds.items())
    for name, text in lines.items():
        if text:
            console.print(styled(f"{name:12}", "bold"), text, highlight=False, soft_wrap=True)
    console.print(_factorial(inventory))


def _factorial(inventory: Inventory) -> Table:
    holes = [f"{group.kind}: {line}" for group in inventory.groups for line in group.describe_holes()]
    table = ruled_table(collapse_padding=True, caption="\n".join(["cells: algorithm × game × reward mode", *holes]))
    table.add_column("kind", no_wrap=True)
    table.add_column("algorithms", overflow="fold")
    for name in ("games", "modes", "cells", "runs per cell", "runs"):
        table.add_column(name, justify="right", no_wrap=True)
    for group in inventory.groups:
        cells = f"{group.cells:,}" + ("" if group.cells == group.all_cells else f" of {group.all_cells:,}")
        seeds = {group.fewest_seeds, group.most_seeds}
        table.add_row(
            group.kind,
            first_of(group.algorithms, 4),
            str(len(group.environments)),
            str(len(group.reward_modes)),
            cells,
            "–".join(map(str, sorted(seeds))),
            f"{group.runs:,}",
        )
    return table
