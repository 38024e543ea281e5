"""The table that stands first: who has a row, what stands in it, and that everybody is told the same."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from coopgym.benchmarks.cli.tables import print_first_table
from coopgym.benchmarks.report import render, render_leaderboard
from coopgym.benchmarks.report.sections.first_table import first_table as section
from coopgym.benchmarks.score import FirstTable, Leaderboards, first_table, first_table_csv, pool, score_table
from coopgym.benchmarks.score.first_table import EXPLOITED_BY, REGRET, WITH_ITSELF, WITH_STRANGERS
from coopgym.benchmarks.score.scored_agents import by_agent
from coopgym.corpus import load_corpus
from tests.benchmarks.report_corpora import Row, learned, met_strangers, played, scripted, strangers, written


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


@pytest.fixture(scope="module")
def met(rows: list[Row], tmp_path_factory: pytest.TempPathFactory) -> FirstTable:
    corpus = written(tmp_path_factory.mktemp("strangers"), {"runs": [*rows, *strangers()]})
    return Leaderboards(corpus.runs.arrow).first_table


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
    kind: str, rows: list[Row], tmp_path: Path, only: Callable[..., None]
) -> None:
    only(section)
    corpus = written(tmp_path, {"runs": [*rows, *strangers()]})
    leaderboards = Leaderboards(corpus.runs.arrow)
    lines = list(csv.DictReader(io.StringIO(first_table_csv(leaderboards))))
    terminal = Console(width=160, record=True, file=io.StringIO())
    print_first_table(terminal, leaderboards.first_table)
    printed = terminal.export_text()
    page = render(corpus) if kind == "report" else render_leaderboard(pool([str(corpus.path)]))
    table = re.search(r'id="first".*?(<table\b.*?</table>)', page, re.DOTALL)[1]
    shown = {
        unescape(re.sub(r"<svg.*?</svg>|<[^>]+>", "", cells[0][1])).strip(): cells
        for cells in (re.findall(r"<t[hd]\b([^>]*)>(.*?)</t[hd]>", row, re.DOTALL) for row in table.split("<tr")[2:])
    }
    assert len(lines) == len(shown) == len(leaderboards.first_table.rows)
    for row, line in zip((row for part in leaderboards.first_table.parts.values() for row in part), lines, strict=True):
        assert line["algorithm"] == row.agents[0].name
        worst = row.exploited_by
        told = {
            **{
                name: (line[name.replace(" ", "_")], row.answers[name])
                for name in (WITH_ITSELF, WITH_STRANGERS, REGRET)
            },
            EXPLOITED_BY: (line["exploited_by_normalised"], worst.normalised if worst else None),
        }
        assert line["exploited_by"] == (worst.partner if worst else "")
        if worst is not None:
            assert worst.partner in shown[row.title][-2][1]
            assert re.search(rf"^ *{re.escape(row.title)} .*{re.escape(worst.partner)}", printed, re.MULTILINE)
        for column, (value, answer) in enumerate(told.values(), start=1):
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


class TestStrangers:
    def test_whoever_met_none_is_not_entered(self, met: FirstTable) -> None:
        entered = {each.name for row in met.rows for each in row.agents if row.answers[WITH_STRANGERS]}
        assert {"IPPO-strangers, private", "IPPO, integrated", "TitForTat", "Constant_50"} <= entered
        assert not entered & {"Copycat", "Constant_00", "IA2C, integrated"}
        assert all((row.exploited_by is not None) == (row.agents[0].name in entered) for row in met.rows)

    def test_who_was_trained_with_partners_is_the_best(self, met: FirstTable) -> None:
        (question,) = [each for each in met.questions if each.name == WITH_STRANGERS]
        assert question.verdict == (
            "With strangers on all 2 games, IPPO-strangers, private is the best of 6 agents: 0.67."
        )

    def test_equals_among_themselves_may_differ_among_strangers(self, rows: list[Row], tmp_path: Path) -> None:
        more = [*met_strangers("Copycat", 8.0, algorithm_kind="heuristic"), *strangers()]
        found = first_table(written(tmp_path, {"runs": [*rows, *more]}).runs.arrow)
        assert {"Copycat", "TitForTat"} <= {row.title for row in found.rows}

    def test_equal_scores_with_other_worst_partners_are_two_rows(self, tmp_path: Path) -> None:
        one, other = (list(met_strangers(name, 8.5, spread, algorithm_kind="heuristic"))
                      for name, spread in (("One", 0.0), ("Other", 0.0)))  # fmt: skip
        for row in other:
            row["stranger_returns"] = [7.5, 9.5, *row["stranger_returns"][2:]]
        found = first_table(written(tmp_path, {"runs": [*one, *other, *met_strangers("Random", 0.0)]}).runs.arrow)
        assert [row.title for row in found.rows] == ["One", "Other", "Random"]
        assert [row.exploited_by.normalised.value for row in found.rows[:2]] == pytest.approx([0.85, 0.75])

    def test_ranks_with_itself_and_with_strangers_correlate_over_rows_that_compete(self, met: FirstTable) -> None:
        both = [row for row in met.rows if row.answers[WITH_ITSELF] and row.answers[WITH_STRANGERS]]
        correlation = met.rank_correlation(WITH_ITSELF, WITH_STRANGERS)
        assert correlation.n == sum(not row.is_reference for row in both) < len(both)
        assert -1.0 <= correlation.low <= correlation.value <= correlation.high <= 1.0
        assert met.rank_correlation(WITH_ITSELF, "in unknown worlds") is None

    @pytest.mark.parametrize("width", [80, 60])
    def test_a_narrow_terminal_shows_every_number(self, met: FirstTable, width: int) -> None:
        terminal = Console(width=width, record=True, file=io.StringIO())
        print_first_table(terminal, met)
        printed = terminal.export_text()
        assert "…" not in printed
        for row in met.rows:
            for answer in filter(None, row.answers.values()):
                assert f"{answer.value:.2f}".replace("-", "−") in printed
