"""The written standard says what the code does."""

from __future__ import annotations

from coopgym.corpus.schema import COLUMNS, TABLES
from coopgym.corpus.standard import describe_columns


def test_every_column_is_described() -> None:
    described = describe_columns()
    for name in TABLES:
        section = described.partition(f"### `{name}`")[2].partition("### ")[0]
        lines = [line for line in section.splitlines() if line.startswith("| `")]
        assert [line.split("`")[1] for line in lines] == [column.name for column in COLUMNS[name]]
    assert "| `horizon` | int32 | steps | never | 1.0 | longest episode |" in described
    assert "| `class_metrics` | map of string to double |" in described
    assert "| `seat_payoffs` | list of double | payoff | may be | 1.0 |" in described
