"""``coopgym leaderboard``: the page and its picture, the table in the terminal and the file, and what goes wrong."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest
from matplotlib.lines import Line2D
from typer.testing import CliRunner, Result

from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.drawing.series_style import SeriesStyle, styles
from coopgym.benchmarks.drawing.theme import KIND_COLOURS
from coopgym.benchmarks.report import render_leaderboard
from coopgym.benchmarks.report.content.blocks import Chart, Table
from coopgym.benchmarks.report.sections.first_table import SHOWN, first_section, picture
from coopgym.benchmarks.score import Algorithm, Estimate, FirstTable, first_table_csv, pool
from coopgym.benchmarks.score.first_table import WITH_ITSELF, WITH_STRANGERS
from tests.benchmarks.report_corpora import learned, written
from tests.benchmarks.score.test_pooling import reference


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["leaderboard", *map(str, arguments)], env={"COLUMNS": "120"})


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("corpora")
    two = {"first": [*reference(), *learned("IPPO", 20.0)], "second": [*reference(), *learned("IA2C", 22.0)]}
    return [str(written(folder / name, {"runs": rows}).path) for name, rows in two.items()]


@pytest.fixture(scope="module")
def found(corpora: list[str]) -> FirstTable:
    return pool(corpora).table


@pytest.fixture
def shown(found: FirstTable) -> dict[str, SeriesStyle]:
    return styles(Algorithm(each.algorithm, each.kind) for row in found.rows for each in row.agents)


def among_strangers(found: FirstTable, numbers: dict[str, float]) -> FirstTable:
    """The same table with a column of a few numbers by row."""
    asked = replace(found.questions[0], name=WITH_STRANGERS)
    rows = []
    for row in found.rows:
        number = numbers.get(row.title)
        answer = None if number is None else Estimate(number, number - 0.1, number + 0.1, 5)
        rows.append(replace(row, answers={**row.answers, asked.name: answer}, groups={**row.groups, asked.name: "a"}))
    return FirstTable((*found.questions, asked), tuple(rows))


def test_the_page_needs_nothing_else_and_says_what_it_is_made_of_and_how_to_take_part(
    corpora: list[str], tmp_path: Path
) -> None:
    made = call(*corpora, "-o", tmp_path / "board.html", "--csv", tmp_path / "board.csv")
    assert made.exit_code == 0, made.output
    page, pooled = (tmp_path / "board.html").read_text(encoding="utf-8"), pool(corpora)
    assert page == render_leaderboard(pooled), "the same corpora give the same bytes"
    assert (tmp_path / "board.csv").read_text() == first_table_csv(pooled.leaderboards)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["board.csv", "board.html"]
    assert "default-src 'none'" in page
    assert not re.search(r"(?:src|href)=\"(?!#)", page)
    text = unescape(re.sub(r"<[^>]+>", " ", page))
    for source in pooled.sources:
        assert re.search(
            rf"{source.name}\s+{source.digest[:16]}\s+2030-01-02\s+1\.2\.3\s+{source.runs}\s+{source.counted}\s", text
        )
    for command in ("run strangers", "run worlds", "data release", "data verify", "leaderboard my-agent-v1"):
        assert f"coopgym {command}" in text
    for sentence in pooled.table.verdicts:
        assert sentence in text
    assert tmp_path.parent.name not in page, "where corpora lie is nobody's business"


def test_without_a_file_the_table_is_printed(corpora: list[str], found: FirstTable) -> None:
    printed = call(*corpora).output
    for row in found.rows:
        assert re.search(rf"^ *{re.escape(row.title)} ", printed, re.MULTILINE)
    for sentence in found.verdicts:
        assert sentence in " ".join(printed.split())
    for source in pool(corpora).sources:
        assert f"{source.name}: {source.runs} runs, {source.counted} counted, {source.repeated} repeated" in printed


def test_what_does_not_count_is_told_everywhere(corpora: list[str], tmp_path: Path) -> None:
    other = [row | {"run_id": f"other/{row['run_id']}", "view": "full"} for row in learned("IPPO", 5.0)]
    third = str(written(tmp_path / "third", {"runs": other}).path)
    remark = f"third: {len(other)} runs of IPPO left out, for first, named before, holds other runs in their places"
    assert f"note: {remark}" in " ".join(call(*corpora, third).output.split())
    assert f"{remark}." in unescape(render_leaderboard(pool([*corpora, third])))


def test_mistakes_are_one_message_and_leave_nothing(corpora: list[str], tmp_path: Path) -> None:
    files = ("-o", tmp_path / "board.html", "--csv", tmp_path / "board.csv")
    for wrong, message in {
        str(tmp_path / "nowhere"): "no such folder",
        str(tmp_path): "only sound corpora stand in a leaderboard",
        "leaners-v1": "did you mean 'learners-v1'",
    }.items():
        result = call(*corpora, wrong, *files)
        assert result.exit_code == 2
        assert message in " ".join(result.output.split())
    alone = call("audit-v1", *files)
    assert (alone.exit_code, "no leaderboard of audit-v1" in alone.output) == (2, True)
    assert list(tmp_path.iterdir()) == []


class TestPicture:
    NUMBERS = {"IA2C, integrated": 0.4, "IPPO, integrated": 0.6, "TitForTat": -12.0, "Oracle_Planner": 0.9}

    def test_who_answered_both_questions_has_a_mark_and_references_are_grey(
        self, found: FirstTable, shown: dict[str, SeriesStyle]
    ) -> None:
        (chart,) = picture(among_strangers(found, self.NUMBERS), shown, WITH_ITSELF, WITH_STRANGERS)
        (axes,) = chart.draw().axes
        marks = {line.get_ydata()[0]: line for line in axes.get_lines() if line.get_marker() not in ("None", None)}
        assert set(marks) == {0.4, 0.6, SHOWN.low, 0.9}
        assert marks[SHOWN.low].get_marker() == "v", "what lies beyond the edge is an arrow there"
        grey = {height for height, line in marks.items() if line.get_color() == KIND_COLOURS["constant"]}
        assert grey == {0.9}
        assert {text.get_text() for text in axes.texts} <= set(self.NUMBERS)
        assert (axes.get_xlabel(), axes.get_ylabel()) == (WITH_ITSELF, WITH_STRANGERS)

    def test_zero_and_one_of_both_are_dashed(self, found: FirstTable, shown: dict[str, SeriesStyle]) -> None:
        (chart,) = picture(among_strangers(found, self.NUMBERS), shown, WITH_ITSELF, WITH_STRANGERS)
        dashed = [line for line in chart.draw().axes[0].get_lines() if line.get_linestyle() == "--"]
        assert sorted(map(ends, dashed)) == [("x", 0.0), ("x", 1.0), ("y", 0.0), ("y", 1.0)]

    def test_it_stands_below_the_table_and_nowhere_without_the_column(
        self, found: FirstTable, shown: dict[str, SeriesStyle]
    ) -> None:
        section = first_section(among_strangers(found, self.NUMBERS), shown)
        assert section is not None
        assert [type(block) for block in section.blocks[:2]] == [Table, Chart]
        without = first_section(found, shown)
        assert without is not None
        assert not [block for block in without.blocks if isinstance(block, Chart)]
        assert not list(picture(among_strangers(found, {}), shown, WITH_ITSELF, WITH_STRANGERS))


def ends(line: Line2D) -> tuple[str, float]:
    """Which axis a line across the frame stands on, and where."""
    (left, right), (low, _) = line.get_xdata(), line.get_ydata()
    return ("x", float(left)) if left == right else ("y", float(low))


def test_letters_stand_with_their_numbers_and_references_in_grey_rows(
    found: FirstTable, shown: dict[str, SeriesStyle]
) -> None:
    section = first_section(found, shown)
    assert section is not None
    table = section.blocks[0]
    assert isinstance(table, Table)
    rows = [row for part in found.parts.values() for row in part]
    assert table.references == {place for place, row in enumerate(rows) if row.is_reference} != frozenset()
    for row, cells in zip(rows, table.rows, strict=True):
        for question, cell in zip(found.questions, cells[1:-1], strict=True):
            assert cell.note.endswith(row.groups[question.name])
    assert any(row.groups[WITH_ITSELF] for row in rows)
