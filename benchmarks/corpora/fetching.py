"""Fetching with a bar on the terminal."""

from __future__ import annotations

from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from coopgym.benchmarks.drawing.terminal import TerminalConsole
from coopgym.corpus.download import fetch


def fetch_with_bar(name: str, address: str | None, console: TerminalConsole) -> Path:
    """Fetch a released corpus and show how much has arrived, where the console is a terminal.

    Raises:
        DownloadError, OSError: as `fetch`.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(name, total=None)
        return fetch(name, address, lambda done, planned: bar.update(task, completed=done, total=planned))
