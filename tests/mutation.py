"""Do the tests notice? Thirty small mistakes, made one at a time in a copy of this checkout: ``make mutants``.

Each one flips a sign, swaps an order or leaves a line out, in mechanisms, rewards, scores, kernels or the store
(`tests/data/mutants.toml`), and is caught when the tests of its room fail. Prints what came through, and fails then.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "tests" / "data" / "mutants.toml"
LIMIT = 900.0
"""Seconds for the tests of one mistake; code that does not end counts as caught."""
CAUGHT = (1, 2)
"""What pytest exits with when tests fail, or cannot even be collected."""


@dataclass(frozen=True)
class Mutant:
    """One mistake: code that stands once in a file, what takes its place, and the tests of its room."""

    name: str
    file: str
    before: str
    after: str
    tests: Sequence[str]

    def source(self, root: Path) -> str:
        """Return the file with the mistake in it.

        Raises:
            ValueError: the code to change is not there exactly once.
        """
        text = (root / self.file).read_text(encoding="utf-8")
        if (found := text.count(self.before)) != 1:
            raise ValueError(f"{self.name}: {self.before!r} occurs {found} times in {self.file}, not once")
        return text.replace(self.before, self.after)

    def is_caught(self, root: Path) -> bool:
        """Make the mistake in a copy of the checkout, run the tests, and take it back.

        Raises:
            RuntimeError: pytest could not run them.
        """
        file = root / self.file
        sound, spoiled = file.read_text(encoding="utf-8"), self.source(root)
        file.write_text(spoiled, encoding="utf-8")
        try:
            return _fails(root, self.tests)
        finally:
            file.write_text(sound, encoding="utf-8")


def mutants() -> list[Mutant]:
    """Return all mistakes of the table."""
    return [Mutant(**entry) for entry in tomllib.loads(TABLE.read_text(encoding="utf-8"))["mutant"]]


def _fails(root: Path, tests: Sequence[str]) -> bool:
    """Whether any of some tests of a checkout fails."""
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-m", "not slow", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # tests keep bytecode in spite of it, but not in spite of -B
    try:
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return True
    if done.returncode not in (0, *CAUGHT):
        raise RuntimeError(f"pytest exits with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.returncode in CAUGHT


def _copy_of_the_checkout(folder: Path) -> Path:
    """Copy what git tracks, links as links."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
    return folder


def main() -> None:
    """Make the mistakes that are named, or all, and tell which came through."""
    known = {mutant.name: mutant for mutant in mutants()}
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description="Which small mistakes do tests catch?"
    )
    parser.add_argument("name", nargs="*", help="a mistake of tests/data/mutants.toml; all of them if none is named")
    names = parser.parse_args().name or list(known)
    if unknown := [name for name in names if name not in known]:
        parser.error(f"no mistake is called {unknown[0]!r}; there are: {', '.join(known)}")
    console = Console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    survivors = []
    with tempfile.TemporaryDirectory() as place, Progress(*columns, console=console) as progress:
        checkout = _copy_of_the_checkout(Path(place))
        rooms = sorted({path for name in names for path in known[name].tests})
        task = progress.add_task("without a mistake", total=len(names))
        if _fails(checkout, rooms):
            sys.exit(f"tests fail without any mistake: pytest {' '.join(rooms)}")
        for name in names:
            progress.update(task, description=name)
            caught = known[name].is_caught(checkout)
            console.print(f"{'caught ' if caught else 'MISSED '} {name}")
            survivors += [] if caught else [name]
            progress.advance(task)
    console.print(f"{len(names) - len(survivors)} of {len(names)} caught")
    sys.exit(1 if survivors else 0)


if __name__ == "__main__":
    main()
