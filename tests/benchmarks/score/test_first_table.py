"""The table that stands first: who has a row, what stands in it, and that everybody is told the same."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from coopgym.benchmarks.cli.tables import print_first_table
from coopgym.benchmarks.report import render, render_leaderboard
from coopgym.benchmarks.score import FirstTable, Leaderboards, first_table, first_table_csv, pool, score_table
from coopgym.benchmarks.score.first_table import REGRET, WITH_ITSELF
from coopgym.benchmarks.score.scored_agents import by_agent
from coopgym.corpus import load_corpus
from tests.benchmarks.report_corpora import Row, learned, played, scripted, written


def anchored() -> Iterator[Row]:
    """What every study plays, and the two oracles that welfare stands between."""
    for row in scripted():
        yield row
        if row["algorithm"] == "TitForTat":
            for name, value in (("Oracle_CommitmentNash", 10.0), ("Oracle_Planner", 30.0), ("Copycat", 18.0)):
                facts = {key: row[key] for key in ("environment", "mechanism_class", "reward_mode")}
                kind = "oracle" if name.startswith("Oracle") else "heuristic"
                yield played(name, value, algorithm_kind=kind, **facts)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    steady = [row | {"exploitability": 0.1 * row["return_mode"]} for row in learned("IPPO", 20.0)]
    shaky = [row | {"exploitability": 0.4 * row["return_mode"]} for row in learned("IA2C", 22.0)]
    return [*anchored(), *steady, *shaky]


@pytest.fixture(scope="module")
def leaderboards(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Leaderboards:
    return Leaderboards(written(tmp_path_factory.mktemp("corpus"), {"runs": rows}).runs.arrow)


@pytest.fixture(scope="module")
def found(leaderboards: Leaderboards) -> FirstTable:
    return leaderboards.first_table


def titles(found: FirstTable) -> dict[str, list[str]]:
    return {part: [row.title for row in rows] for part, rows in found.parts.items()}


def test_a_learner_is_a_row_for_each_reward_and_others_are_one(leaderboards: Leaderboards) -> None:
    laid_out = by_agent(score_table(leaderboards.runs, "welfare"))
    names = laid_out.names
    assert {"IPPO, private", "IPPO, integrated", "TitForTat"} <= set(names)
    assert "TitForTat, private" not in names
    assert laid_out.games == tuple(dict.fromkeys(laid_out.games))
    table = score_table(leaderboards.runs, "welfare")
    (game,) = [place for place, task in enumerate(laid_out.tasks) if task.game == table.games[0]]
    integrated = next(
        place
        for place, task in enumerate(table.tasks)
        if (task.game, task.reward_mode) == (table.games[0], "integrated")
    )
    own = laid_out.scores[laid_out.index("IPPO, integrated"), game]
    assert own == pytest.approx(table.scores[table.index("IPPO"), integrated])


def test_private_learners_stand_by_themselves_and_go_by_regret(found: FirstTable) -> None:
    assert titles(found) == {
        "agents": ["IA2C, integrated", "IPPO, integrated", "Copycat and 1 other", "Random"],
        "learners of private reward": ["IPPO, private", "IA2C, private"],
        "for reference": ["Oracle_Planner", "Constant_100", "Constant_50", "Oracle_CommitmentNash", "Oracle_Nash",
                          "Constant_00"],
    }  # fmt: skip


def test_welfare_stands_between_the_private_equilibrium_and_the_best_plan(found: FirstTable) -> None:
    own = {each.name: row.answers[WITH_ITSELF] for row in found.rows for each in row.agents}
    assert own["Oracle_CommitmentNash"].value == pytest.approx(0.0, abs=1e-12)
    assert own["Oracle_Planner"].value == pytest.approx(1.0)
    assert own["TitForTat"].value == own["Copycat"].value == pytest.approx(0.4)
    assert found.questions[0].table.scale.label == "0 = private Nash, 1 = best known plan"


def test_only_games_that_learners_fill_set_the_scale(rows: list[Row], tmp_path: Path) -> None:
    elsewhere = [played(name, value, environment="SLCD-v1") for name, value in (("TitForTat", 3.0), ("Random", 1.0))]
    more = [*elsewhere, *(played(f"Constant_{level:02d}", float(level), environment="SLCD-v1") for level in (0, 100))]
    found = first_table(written(tmp_path, {"runs": [*rows, *more]}).runs.arrow)
    (question,) = [each for each in found.questions if each.name == WITH_ITSELF]
    assert question.scope == "2 of 3 games"
    assert question.table.scale.one == "best known plan", "no planner played the third game"


def test_nobody_is_called_best_who_may_be_equalled(rows: list[Row], tmp_path: Path) -> None:
    twin = [row | {"algorithm": "MAPPO", "run_id": f"twin/{row['run_id']}"} for row in learned("IA2C", 22.0)]
    found = first_table(written(tmp_path, {"runs": [*rows, *twin]}).runs.arrow)
    assert found.verdicts[0].startswith(
        "With itself on all 2 games, IA2C, integrated and MAPPO, integrated come first and cannot be told apart"
    )


@pytest.mark.parametrize("kind", ["report", "leaderboard"])
def test_terminal_file_and_pages_tell_the_same(
    kind: str, leaderboards: Leaderboards, rows: list[Row], tmp_path: Path
) -> None:
    lines = list(csv.DictReader(io.StringIO(first_table_csv(leaderboards))))
    terminal = Console(width=160, record=True, file=io.StringIO())
    print_first_table(terminal, leaderboards.first_table)
    printed = terminal.export_text()
    corpus = written(tmp_path, {"runs": rows})
    page = render(corpus) if kind == "report" else render_leaderboard(pool([str(corpus.path)]))
    table = re.search(r'id="first".*?(<table\b.*?</table>)', page, re.DOTALL)[1]
    shown = {
        unescape(re.sub(r"<svg.*?</svg>|<[^>]+>", "", cells[0][1])).strip(): cells
        for cells in (re.findall(r"<t[hd]\b([^>]*)>(.*?)</t[hd]>", row, re.DOTALL) for row in table.split("<tr")[2:])
    }
    assert len(lines) == len(shown) == len(leaderboards.first_table.rows)
    for row, line in zip((row for part in leaderboards.first_table.parts.values() for row in part), lines, strict=True):
        assert line["algorithm"] == row.agents[0].name
        for column, name in enumerate((WITH_ITSELF, REGRET), start=2):
            value, answer = line[name.replace(" ", "_")], row.answers[name]
            assert (value == "") == (answer is None)
            if answer is None:
                assert "not entered" in shown[row.title][column][1]
                continue
            order = re.search(r'data-order="([^"]*)"', shown[row.title][column][0])
            assert float(value) == pytest.approx(answer.value) == pytest.approx(float(order[1]), rel=1e-5, abs=1e-9)
            text = f"{answer.value:.2f}".replace("-", "−")
            assert re.search(rf"^ *{re.escape(row.title)} .*{re.escape(text)}", printed, re.MULTILINE)


def test_a_corpus_without_anchors_has_no_table() -> None:
    assert first_table(load_corpus("audit-v1").runs.arrow).rows == ()
    assert first_table(pa.Table.from_batches([], load_corpus("audit-v1").runs.arrow.schema)).rows == ()
