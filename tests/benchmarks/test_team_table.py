"""The documentation's table of what learners reach of the best constant says what the released corpus says."""

from __future__ import annotations

from pathlib import Path

from benchmarks.learner_table import with_table
from benchmarks.team_table import KIND, YARDSTICK, team_table
from coopgym.corpus.reader import load_corpus

PAGE = Path(__file__).parents[2] / "docs" / "learners.md"


def test_the_table_is_up_to_date() -> None:
    page = PAGE.read_text()
    table = team_table(load_corpus("team-v0"))
    assert with_table(page, table, KIND) == page, "run python -m benchmarks.team_table team-v0 docs/learners.md"


def test_no_learner_stays_below_half_of_the_endowment() -> None:
    _, _, yardstick, *learners = team_table(load_corpus("team-v0")).splitlines()
    assert YARDSTICK in yardstick
    for row in learners:
        for reached, bar in zip(row.split("|")[2:-1], yardstick.split("|")[2:-1], strict=True):
            assert all(float(share) >= float(bar) for share in reached.split(",") if share.strip()), row
