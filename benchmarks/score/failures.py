"""Runs that raised, by algorithm: nobody drops out of a comparison without a word."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa

from coopgym.user_code import shortened

LONGEST = 400
"""Characters of an error that are told."""


@dataclass(frozen=True)
class Failure:
    """What became of an algorithm of which runs failed."""

    algorithm: str
    failed: int
    runs: int
    errors: tuple[tuple[str, int], ...]
    """Last lines of what they raised and how many ended so, the most frequent first."""

    @property
    def reason(self) -> str:
        """The same in a clause, with the most frequent error."""
        error, _ = self.errors[0]
        return f"{self.failed} of {self.runs} runs failed" + (f": {error}" if error else "")


def failures(runs: pa.Table) -> dict[str, Failure]:
    """Return the algorithms with failed runs, by name."""
    names, statuses, errors = (runs.column(name).to_pylist() for name in ("algorithm", "status", "error"))
    counts = Counter(names)
    said: dict[str, Counter[str]] = {}
    for name, status, error in zip(names, statuses, errors, strict=True):
        if status == "failed":
            said.setdefault(name, Counter())[last_line(error)] += 1
    return {
        name: Failure(name, lines.total(), counts[name], tuple(lines.most_common()))
        for name, lines in sorted(said.items())
    }


def last_line(error: str | None) -> str:
    """Return the last line of an error's text that says something, shortened."""
    lines = [line.strip() for line in (error or "").splitlines() if line.strip()]
    return shortened(lines[-1], LONGEST) if lines else ""
