"""The documentation's table of what learners reach of the best constant says what the released corpus says."""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

from benchmarks.learner_table import with_table
from benchmarks.team_table import KIND, YARDSTICK, team_table
from coopgym.corpus.reader import load_corpus

PAGE = Path(__file__).parents[2] / "docs" / "learners.md"


def test_the_table_is_up_to_date() -> None:
    page = PAGE.read_text()
    table = team_table(load_corpus("team-v0"))
    assert with_table(page, table, KIND) == page, "run python -m benchmarks.team_table team-v0 docs/learners.md"


def test_every_learner_is_within_its_bound_and_above_half_of_the_endowment() -> None:
    _, _, yardstick, *learners = team_table(load_corpus("team-v0")).splitlines()
    assert YARDSTICK in yardstick
    for row in learners:
        name, *cells = (cell.strip() for cell in row.split("|")[1:-1])
        bound = 98.0 if name in ("MAPPO", "MASAC") else 95.0
        for reached, half in zip(cells, yardstick.split("|")[2:-1], strict=True):
            shares = [float(share) for share in reached.split(",") if share]
            assert not shares or (min(shares) >= bound and fmean(shares) > float(half)), row
