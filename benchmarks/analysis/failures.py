"""Runs that raised, by algorithm: nobody drops out of a comparison without a word."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

LONGEST = 200
"""Characters of an error that are told."""


@dataclass(frozen=True)
class Failure:
    """What became of an algorithm of which runs failed."""

    algorithm: str
    failed: int
    runs: int
    error: str
    """Last line of the error that most of them ended with."""

    @property
    def reason(self) -> str:
        """The same in a clause."""
        return f"{self.failed} of {self.runs} runs failed" + (f": {self.error}" if self.error else "")


def failures(runs: pa.Table) -> dict[str, Failure]:
    """Return the algorithms with failed runs, by name."""
    names, statuses, errors = (runs.column(name).to_pylist() for name in ("algorithm", "status", "error"))
    counts = Counter(names)
    said: dict[str, Counter[str]] = {}
    for name, status, error in zip(names, statuses, errors, strict=True):
        if status == "failed":
            said.setdefault(name, Counter())[last_line(error)] += 1
    return {
        name: Failure(name, lines.total(), counts[name], lines.most_common(1)[0][0])
        for name, lines in sorted(said.items())
    }


def last_line(error: str | None) -> str:
    """Return the last line of an error's text that says something, shortened."""
    lines = [line.strip() for line in (error or "").splitlines() if line.strip()]
    text = lines[-1] if lines else ""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
