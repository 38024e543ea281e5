"""How often intervals hold the truth, from the kept simulation."""

from __future__ import annotations

import json

from coopgym.benchmarks.documentation.kept import RESULTS
from coopgym.benchmarks.documentation.wording import table

KEPT = RESULTS / "coverage.json"


def coverage_table() -> str:
    """Return the simulated coverage by kind of chance, seeds and games, one column per method."""
    rows: dict[tuple[str, str, str], dict[str, str]] = {}
    for each in json.loads(KEPT.read_text(encoding="utf-8")):
        place = each["chance"], str(each["seeds"]), str(each["games"])
        rows.setdefault(place, {})[each["method"]] = f"{each['share']:.2f}"
    methods = list(next(iter(rows.values())))
    cells = ((*place, *(shares[method] for method in methods)) for place, shares in rows.items())
    return table(("errors", "seeds", "games", *methods), cells)
