"""Pages that commands write, and beside each its numbers as CSV."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from coopgym.benchmarks.cli.standard_streams import say
from coopgym.benchmarks.score.csv_files import csv_text
from coopgym.corpus.writer import write_atomically

NUMBERS = ".csv"
"""How the name of the file with a page's numbers ends."""


def require_page(path: Path | None) -> None:
    """Make sure, before anything is computed for it, that a page can have this place.

    Raises:
        ValueError: its numbers would take the same place.
        IsADirectoryError: there is a folder.
    """
    if path is not None and path.suffix == NUMBERS:
        raise ValueError(f"{path}: expected the name of an HTML file; its numbers go into a CSV file beside it")
    if path is not None and path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))


def write_page(path: Path | None, page: Callable[[], str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a page and, under the same name, its numbers as CSV, and say where; do nothing where nobody wants it.

    Raises:
        OSError: a file cannot be written.
    """
    if path is None:
        return
    table, lines = path.with_suffix(NUMBERS), list(rows)
    write_atomically(table, csv_text(list(lines[0]), [list(line.values()) for line in lines]).encode())
    write_atomically(path, page().encode())
    say(f"numbers: {table}")
    say(f"page:    {path}")
