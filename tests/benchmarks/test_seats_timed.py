"""Timing of games of many seats: every game and size is kept, and memory stays bounded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coopgym.benchmarks.documentation import speeds
from coopgym.benchmarks.perf import many_seats
from coopgym.benchmarks.perf.many_seats import KEPT, ROWS, SEATS, Cell, measured, resizable


def test_a_cell_tells_its_size_speed_and_memory() -> None:
    cell = measured("PlatformEcosystem-v1", 10, 3)
    assert (cell["game"], cell["seats"], cell["rows"]) == ("PlatformEcosystem-v1", 10, 3)
    assert cell["steps_per_second"] > 100
    assert 30 < cell["peak_mebibytes"] < 10_000


def test_every_game_and_size_is_kept_and_a_thousand_seats_fit() -> None:
    kept = json.loads(KEPT.read_text())
    sizes = [(cell["game"], cell["seats"], cell["rows"]) for cell in kept["cells"]]
    assert sorted(sizes) == sorted((game, seats, rows) for game in resizable() for seats in SEATS for rows in ROWS)
    assert max(cell["peak_mebibytes"] for cell in kept["cells"] if cell["rows"] == 1) < 1024
    assert {"date", "command", "machine"} < set(kept)


def test_cells_take_the_place_of_earlier_ones_of_their_game(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(many_seats, "KEPT", tmp_path / "kept.json")

    def cell(game: str, speed: float) -> Cell:
        return Cell(game=game, seats=10, rows=1, steps_per_second=speed, peak_mebibytes=1.0)

    many_seats._keep([cell("A-v1", 1.0)])
    many_seats._keep([cell("B-v1", 2.0)])
    many_seats._keep([cell("A-v1", 3.0)])
    kept = json.loads((tmp_path / "kept.json").read_text())["cells"]
    assert {each["game"]: each["steps_per_second"] for each in kept} == {"A-v1": 3.0, "B-v1": 2.0}


def test_the_table_has_a_row_per_game_and_both_sizes_of_batches_per_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = [
        Cell(game="A-v1", seats=seats, rows=rows, steps_per_second=1000.0 * rows / seats, peak_mebibytes=seats * rows)
        for seats in (10, 1000)
        for rows in (1, 8)
    ]
    content = {"date": "2026-01-01", "command": "this", "machine": "that", "cells": cells}
    (tmp_path / "kept.json").write_text(json.dumps(content))
    monkeypatch.setattr(speeds, "MANY_SEATS", tmp_path / "kept.json")
    assert speeds.many_seats_table().splitlines()[-1] == "| A | 100 / 800 | 1 / 8 | 1,000 / 8,000 |"
    assert "a batch of 8" in speeds.many_seats_caption()
