"""Terminal, CSV files and page tell the same numbers about the same corpus."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import pytest
from rich.console import Console

from coopgym.benchmarks.cli.tables import print_rankings
from coopgym.benchmarks.drawing.formatting import game_title, mode_title
from coopgym.benchmarks.report import page as page_module
from coopgym.benchmarks.report import render
from coopgym.benchmarks.report.sections.ranking import ranking
from coopgym.benchmarks.report.sections.results import results
from coopgym.benchmarks.score import Leaderboards, cells_csv, rankings, rankings_csv
from coopgym.corpus import Corpus, load_corpus
from tests.benchmarks.report_corpora import everything, learned, played, run_row, scripted, written

Row = dict[str, str]


@dataclass(frozen=True)
class PageTable:
    """A table of the page: the titles above it, its columns, and by row name what the cells are sorted by."""

    fold: str
    heading: str
    nearest: str
    """The last title before it, of a fold or a heading."""
    columns: list[str]
    rows: dict[str, list[str]]


def text_of(markup: str) -> str:
    return unescape(re.sub(r"<svg.*?</svg>|<small.*?</small>|<[^>]+>", "", markup, flags=re.DOTALL)).strip()


def tables_of(page: str) -> list[PageTable]:
    found, titles, nearest = [], {"summary": "", "h3": ""}, ""
    for part in re.finditer(r"<(summary|h3)\b[^>]*>(.*?)</\1>|<table\b.*?</table>", page, re.DOTALL):
        if part[1]:
            titles[part[1]] = nearest = text_of(part[2])
            continue
        cells = [re.findall(r"<t[hd]\b([^>]*)>(.*?)</t[hd]>", row, re.DOTALL) for row in part[0].split("<tr")[1:]]
        head, *rows = [
            [
                order[1] if (order := re.search(r'data-order="([^"]*)"', marks)) else text_of(inside)
                for marks, inside in row
            ]
            for row in cells
        ]
        found.append(
            PageTable(titles["summary"], titles["h3"], nearest, head, {name: values for name, *values in rows})
        )
    return found


def lines(text: str) -> list[Row]:
    return list(csv.DictReader(io.StringIO(text)))


def number(text: str) -> float:
    return float(text.replace("−", "-"))


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return load_corpus("learners-v1")


@pytest.fixture(scope="module")
def leaderboards(corpus: Corpus) -> Leaderboards:
    return Leaderboards(corpus.runs.arrow)


@pytest.fixture(scope="module")
def page(corpus: Corpus) -> Iterator[list[PageTable]]:
    with pytest.MonkeyPatch.context() as patch:  # its tables, without the figures, which take most of the time
        patch.setattr(page_module, "sections", lambda evidence: [ranking(evidence), results(evidence)])
        patch.setattr(page_module, "svg", lambda figure, label: "")
        patch.setattr(page_module.Chart, "draw", lambda chart: None, raising=False)
        yield tables_of(render(corpus))


def test_all_cells_are_equal_in_the_table_the_csv_and_the_page(
    leaderboards: Leaderboards, page: list[PageTable]
) -> None:
    cells = lines(cells_csv(leaderboards))
    assert len(cells) == 1202
    shown = {(table.fold, table.heading, name): row for table in page for name, row in table.rows.items()}
    for cell in cells:
        place = game_title(cell["environment"]), mode_title(cell["reward_mode"])
        on_page = shown[*place, cell["algorithm"]]
        estimates = [
            leaderboard.table().cell(cell["algorithm"], task)
            for leaderboard in leaderboards.found
            for task in leaderboard.table().tasks
            if (task.game, task.reward_mode) == (cell["environment"], cell["reward_mode"])
        ]
        computed = [estimate.value for estimate in estimates if estimate]
        if cell["score"]:
            assert computed == pytest.approx([float(cell["score"])] * len(computed))
            assert number(on_page[1]) == pytest.approx(float(cell["score"]), rel=1e-5, abs=1e-9)
        else:
            assert not computed
            assert not on_page[1] or number(on_page[1]) < -1e100
        assert number(on_page[2]) == pytest.approx(float(cell["welfare"]), rel=1e-5)


def test_every_ranking_is_equal_in_the_terminal_the_csv_and_the_page(
    leaderboards: Leaderboards, page: list[PageTable]
) -> None:
    written_down: dict[str, dict[str, list[Row]]] = {}
    for line in lines(rankings_csv(leaderboards)):
        written_down.setdefault(line["ranking"], {}).setdefault(line["algorithm"], []).append(line)
    terminal = Console(width=200, record=True, file=io.StringIO())
    print_rankings(terminal, leaderboards)
    printed = terminal.export_text()
    fields = [field for leaderboard in leaderboards.found for field in rankings(leaderboard)]
    assert len(fields) == len(written_down), "every ranking has a heading of its own"
    for field in fields:
        on_terminal = printed.partition(f"Ranking: {field.heading}\n")[2]
        (table,) = [table for table in page if table.nearest == field.heading]
        head, on_page = table.columns, table.rows
        assert list(on_page) == [row.algorithm.name for row in field.ranks.rows] == list(written_down[field.heading])
        for name, rows in written_down[field.heading].items():
            first, *others = rows
            assert first["measure"] == head[2]
            assert number(on_page[name][0]) == float(first["rank"])
            assert number(on_page[name][1]) == pytest.approx(float(first["value"]), rel=1e-5, abs=1e-12)
            for line in others:
                at = head.index(line["measure"]) - 1
                assert number(on_page[name][at]) == pytest.approx(float(line["value"]), rel=1e-5, abs=1e-12)
            shown = re.search(rf"^ *{re.escape(name)}  +([−\d.]+)", on_terminal, re.MULTILINE)
            assert shown is not None
            assert number(shown[1]) == pytest.approx(float(first["value"]), abs=0.00501)


def told(corpus: Corpus) -> str:
    terminal = Console(width=200, record=True, file=io.StringIO())
    print_rankings(terminal, Leaderboards(corpus.runs.arrow))
    return terminal.export_text()


def test_agents_whose_runs_failed_are_listed_with_what_they_said(tmp_path: Path) -> None:
    failed = [
        run_row("mine:Agent", status="failed", error="Traceback\nValueError: no such level", reward_mode=mode)
        for mode in ("private", "integrated")
    ]
    corpus = written(tmp_path, {"runs": [*scripted(), *failed]})
    assert "mine:Agent (2 of 2 runs failed: ValueError: no such level)" in told(corpus)
    cells = [line for line in lines(cells_csv(Leaderboards(corpus.runs.arrow))) if line["algorithm"] == "mine:Agent"]
    assert [(line["failed"], line["error"], line["score"]) for line in cells] == [
        ("1", "ValueError: no such level", "")
    ] * 2
    assert "mine:Agent (2 of 2 runs failed: ValueError: no such level)" in render(corpus)


def test_an_agent_of_the_user_is_no_learner(tmp_path: Path) -> None:
    rows = [*scripted(), *learned("IPPO", 15.0), *learned("IA2C", 16.0)]
    mine = [row | {"algorithm": "mine:Agent", "algorithm_kind": "plugin", "objective": None, "run_id": f"m{i}"}
            for i, row in enumerate(learned("mine", 24.0))]  # fmt: skip
    leaderboards = Leaderboards(written(tmp_path, {"runs": [*rows, *mine]}).runs.arrow)
    (field,) = [field for leaderboard in leaderboards.found for field in rankings(leaderboard)]
    assert field.ranks.rows[0].algorithm.name != "IPPO"
    assert set(field.learners) == {"IPPO", "IA2C"}
    assert "mine:Agent is the best of 5 agents" in field.verdict


def test_private_play_is_ranked_by_what_could_be_gained_and_not_by_its_return(tmp_path: Path) -> None:
    steady = [row | {"exploitability": 0.1 * row["return_mode"]} for row in learned("IPPO", 12.0)]
    rich = [row | {"exploitability": 0.5 * row["return_mode"]} for row in learned("IA2C", 20.0)]
    team = [row | {"exploitability": 0.0, "objective": "team"} for row in learned("COMA", 22.0)]
    leaderboards = Leaderboards(written(tmp_path, {"runs": [*scripted(), *steady, *rich, *team]}).runs.arrow)
    ranked = {field.heading: [row.algorithm.name for row in field.ranks.rows]
              for leaderboard in leaderboards.found for field in rankings(leaderboard)}  # fmt: skip
    private = {heading: names for heading, names in ranked.items() if heading.startswith("Private reward")}
    assert list(private.values()) == [["IPPO", "IA2C"]], "the team's learner ignores private reward"
    by_return = ranked["All 2 games, individual objective"]
    assert by_return.index("IA2C") < by_return.index("IPPO")
    (field,) = [field for field in rankings(leaderboards.found[0]) if field.table.lower_is_better]
    assert field.verdict.endswith("IPPO is the hardest to exploit of 2 agents: 0.10.")
    assert "welfare" not in field.numbers("IPPO"), "which the table that stands first tells, on its own scale"
    assert set(field.table.modes) == {"private"}


def test_play_that_nobody_searched_for_deviations_is_not_ranked_privately(tmp_path: Path) -> None:
    corpus = written(tmp_path, {"runs": [*scripted(), *learned("IPPO", 15.0)]})
    assert "Private reward" not in told(corpus)
    assert "Play under private reward is not ranked" in render(corpus)


def test_a_few_games_do_not_read_like_wins(tmp_path: Path) -> None:
    rows = [*everything()["runs"], *(row for row in learned("LOLA", 30.0) if row["environment"] == "TrustDilemma-v1")]
    leaderboards = Leaderboards(written(tmp_path, {"runs": rows}).runs.arrow)
    verdicts = [field.verdict for leaderboard in leaderboards.found for field in rankings(leaderboard)]
    assert any(verdict.startswith("On 1 game (of 2), LOLA is the best of") for verdict in verdicts)
    assert not any(verdict.startswith("Averaged over all 2 games, LOLA") for verdict in verdicts)


def test_two_runs_in_one_place_are_told_instead_of_ranked(tmp_path: Path) -> None:
    corpus = written(tmp_path, {"runs": [played("IPPO", 1.0), played("IPPO", 2.0, run_id="other", view="full")]})
    assert "two runs, they differ in" in told(corpus)
    assert lines(cells_csv(Leaderboards(corpus.runs.arrow))) == []
