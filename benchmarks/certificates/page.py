"""The page of solved games: one HTML file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from coopgym.benchmarks.certificates.files import Solved
from coopgym.benchmarks.certificates.record_text import COLUMNS, FOLLOWED, overview, search_troubles, settling
from coopgym.benchmarks.drawing.game_figure import inline_panels
from coopgym.benchmarks.drawing.template import page_template
from coopgym.benchmarks.provenance import package_version
from coopgym.games.registry import make_game

INDEX_FILE = "index.html"
INDEX_BEGINNING = "<!doctype html>\n<!-- coopgym certificates -->\n"
"""How our page begins, and nobody else's."""


def render_index(solved: Sequence[Solved], faults: Mapping[str, str]) -> str:
    """Return the page of some solved games. The same games give the same bytes.

    Args:
        solved: in the order of the page.
        faults: games that could not be solved, and why.
    """
    return INDEX_BEGINNING + page_template("certificates/page.html.j2").render(
        columns=COLUMNS,
        games=[
            {
                "record": each.record,
                "spec": make_game(each.record["game"]).spec,
                "cells": overview(each.record),
                "troubles": search_troubles(each.record),
                "settling": [
                    row for mode, basins in each.record["constant"]["basins"].items() for row in settling(mode, basins)
                ],
                "followed": FOLLOWED[each.record["constant"]["basins"]["private"]["followed"]],
                "panels": [Markup(panel) for panel in inline_panels(each.svg)],
            }
            for each in solved
        ],
        faults=faults,
        version=package_version(),
    )
