"""The documentation's table of methods: ``python -m benchmarks.method_table docs/language-training.md``."""

from __future__ import annotations

import sys
from pathlib import Path

from algorithms.llm.registry import methods
from benchmarks.learner_table import with_table

KIND = "methods"


def method_table() -> str:
    """Return the table in Markdown, one row per method."""
    columns = ("method", "idea", "slot", "needs", "source", "stand-in for a part of it")
    rows = [columns, ("---",) * len(columns)]
    for each in methods():
        needs = ", ".join(each["needs"])
        rows.append((f"`{each['name']}`", each["idea"], each["slot"], needs, each["source"], each["stands_in"]))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


if __name__ == "__main__":
    page = Path(sys.argv[1])
    page.write_text(with_table(page.read_text(), method_table(), KIND))
