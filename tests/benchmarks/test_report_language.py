"""The sections about language models: methods at equal tokens, and transcripts that are read as text."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.benchmarks.report.content.blocks import Chart, Fold, Section, Table, Text, Transcripts
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.data.token_curves import WINDOW, MethodComparison, TokenCurve, method_comparisons
from coopgym.benchmarks.report.data.transcripts import (
    MOST_CHARACTERS,
    MOST_DECISIONS,
    MOST_RUNS,
    Transcript,
    embedded_transcripts,
    selected,
)
from coopgym.benchmarks.report.data.transcripts import talks as find_talks
from coopgym.benchmarks.report.page import render
from coopgym.benchmarks.report.sections.language_methods import language_methods
from coopgym.benchmarks.report.sections.transcripts import transcripts
from coopgym.benchmarks.score import Estimate, Setting
from coopgym.corpus import Corpus
from tests.benchmarks.report_corpora import SEEDS, Row, scripted, written
from tests.benchmarks.report_language import BATCHES, HOSTILE, METHODS, course, entered, said, spoken

COMMON = min(METHODS.values()) * (BATCHES - 1)
"""Tokens that the most frugal method spent before its last batch."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return written(tmp_path_factory.mktemp("spoken"), spoken())


@pytest.fixture(scope="module")
def compared(corpus: Corpus) -> MethodComparison:
    (found,) = method_comparisons(corpus.runs.arrow, corpus.curves.arrow)
    return found


def table_of(section: Section | None) -> Table:
    assert section is not None
    folds = [block for block in section.blocks if isinstance(block, Fold)]
    (table,) = (block for fold in folds for block in fold.blocks if isinstance(block, Table))
    return table


def value(estimate: Estimate | None) -> float:
    assert estimate is not None
    return estimate.value


def test_methods_are_compared_at_the_largest_budget_that_all_reached(compared: MethodComparison) -> None:
    assert compared.budget == COMMON
    # Every method gains the same per token; so at equal tokens, though not at the end, they are alike.
    expected = 0.2 + 0.03 + 0.00004 * COMMON * (1 - WINDOW / 2)
    for name in compared.curves:
        assert value(compared.reached(name, "outcome")) == pytest.approx(expected, abs=1e-6)
    assert value(compared.against_plain("LLM-igpo")) == pytest.approx(0.0, abs=1e-6)
    assert compared.against_plain("LLM-grpo") is None
    assert value(compared.start("outcome")) == pytest.approx(0.23, abs=1e-6)
    assert compared.start("oracle_gap") is None, "nobody answered in a first batch"
    assert value(compared.reached("LLM-bnpo", "oracle_gap")) < value(compared.reached("LLM-igpo", "oracle_gap"))


@given(
    st.lists(st.tuples(st.floats(1, 100), st.floats(-1, 1)), min_size=2, max_size=8),
    st.floats(0, 1),
    st.floats(0.01, 1),
)
def test_a_mean_over_tokens_stays_between_the_batches_and_is_theirs_where_the_curve_is_level(
    batches: list[tuple[float, float]], place: float, window: float
) -> None:
    costs, values = np.array(batches).T
    spent = np.concatenate([[0.0], np.cumsum(costs)[:-1]])
    run = TokenCurve(
        1, spent, {"outcome": values, "welfare": np.full_like(values, 0.5), "none": np.full_like(values, np.nan)}
    )
    tokens = [place * run.reach]
    (found,) = run.at("outcome", tokens, window * run.reach)
    assert values.min() - 1e-9 <= found <= values.max() + 1e-9
    assert run.at("welfare", tokens, window * run.reach) == pytest.approx([0.5])
    assert np.isnan(run.at("none", tokens, window)).all()
    assert run.at("outcome", spent, 0.0) == pytest.approx(values)


def test_the_table_has_scores_and_the_model_before_training(corpus: Corpus) -> None:
    section = language_methods(ReportData(corpus))
    table = table_of(section)
    names = [row[0].text for row in table.rows]
    assert sorted(names[:-1]) == sorted(f"LLM-{method}" for method in METHODS)
    assert names[-1] == "LLM-warm_up"
    scores = {row[0].text: row[3].order for row in table.rows}
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert table.columns[3].name == "score"
    assert scores["LLM-warm_up"] < scores["LLM-grpo"] < scores["LLM-igpo"]  # type: ignore[operator]  # all have one
    assert section is not None
    assert section.finding.startswith("In 3 of 3 cases")


def test_of_many_methods_the_curves_of_the_best_are_drawn_and_of_the_plain_one(tmp_path: Path) -> None:
    gains = {f"m{number}": 60.0 + number for number in range(9)} | {"grpo": 50.0}
    runs = [entered(method, 1, 15.0) for method in gains]
    curves = [row for run, gain in zip(runs, gains.values(), strict=True) for row in course(run["run_id"], gain, 1)]
    for row in curves:
        if row["metric"] == "tokens":
            row["value"] = float(row["step"])
    section = language_methods(ReportData(written(tmp_path, {"runs": runs, "curves": curves})))
    assert section is not None
    assert section.finding == "", "a single seed calls nobody better"
    (fold,) = (block for block in section.blocks if isinstance(block, Fold))
    chart = next(block for block in fold.blocks if isinstance(block, Chart))
    assert chart.caption.startswith("8 of 10 methods: the best, LLM-grpo.")
    named = [text.get_text() for text in chart.draw().axes[0].texts]
    assert sorted(named) == sorted([*(f"LLM-m{number}" for number in range(2, 9)), "LLM-grpo", "before training"])


def test_outcomes_of_different_kinds_are_never_in_one_comparison(tmp_path: Path) -> None:
    runs = [
        entered(method, seed, 15.0, outcome)
        for method, outcome in (("grpo", "graded"), ("igpo", "payoff"))
        for seed in SEEDS
    ]
    curves = [row for run in runs for row in course(run["run_id"], 50.0, run["seed"])]
    found = written(tmp_path, {"runs": runs, "curves": curves})
    fields = method_comparisons(found.runs.arrow, found.curves.arrow)
    assert [(each.outcome, list(each.curves)) for each in fields] == [
        ("graded", ["LLM-grpo"]),
        ("payoff", ["LLM-igpo"]),
    ]
    section = language_methods(ReportData(found))
    assert section is not None
    assert section.finding == "", "a method alone is the best of nothing"
    page = render(found)
    assert page.count('aria-label="Outcome at equal tokens') == 2
    assert 'aria-label="Score after' not in page, "without anchors there are no scores"


def test_runs_that_were_not_trained_to_an_end_are_not_compared(tmp_path: Path) -> None:
    runs = [entered("grpo", 1, 15.0), entered("igpo", 1, 15.0, status="diverged"), entered("bnpo", 1, 15.0)]
    batches = {"LLM-grpo": 5, "LLM-igpo": 3, "LLM-bnpo": 1}
    curves = [row for run in runs for row in course(run["run_id"], 50.0, 1, batches[run["algorithm"]])]
    found = written(tmp_path, {"runs": runs, "curves": curves})
    (compared,) = method_comparisons(found.runs.arrow, found.curves.arrow)
    assert list(compared.curves) == ["LLM-grpo"]
    assert compared.budget == 200.0


def test_counts_of_a_run(corpus: Corpus) -> None:
    talk = find_talks(corpus.runs.arrow, corpus.turns.arrow)[0]
    assert (talk.algorithm, talk.seed, talk.decisions) == ("LLM-bnpo", 1, 3 * 2 * 6)
    assert (talk.messages, talk.legal) == (2 * 36, 27), "seat 1 gives no legal answer in every second decision"
    assert talk.answered == 27
    assert talk.calls == {"payoff": 36, "submit": 36}
    assert (talk.read, talk.written) == (60 * 72, 10 * 72)
    assert (talk.cut, talk.paid, talk.cost) == (72 // 3, 70 * 72 // 3, 0.5 * 72)


def test_what_is_embedded_is_bounded_and_what_is_left_out_is_said(corpus: Corpus) -> None:
    section = transcripts(ReportData(corpus))
    assert section is not None
    bound, viewer, _ = section.blocks
    assert isinstance(bound, Text)
    assert isinstance(viewer, Transcripts)
    assert len(viewer.transcripts) == 4 * 2 * 2
    assert {len(each.decisions) for each in viewer.transcripts} == {MOST_DECISIONS}
    assert "48 decisions of 720" in bound.text
    fallback = viewer.transcripts[1].decisions[1]
    assert fallback.title == "Step 1: no legal answer, so the fallback was played"
    assert fallback.note == "2 messages, 20 tokens written"


def test_many_algorithms_share_the_room_evenly() -> None:
    games = [Setting(f"Game{number:02d}-v1", "{}", "private") for number in range(MOST_RUNS)]
    found = [
        Transcript(f"{name}{game}{seed}", name, game, seed, None, 1, 1, 1, 1, {}, None, None)
        for name in ("a", "b", "c", "d")
        for game in games
        for seed in SEEDS
    ]
    chosen = selected(found)
    assert len(chosen) == MOST_RUNS
    assert {name: sum(each.algorithm == name for each in chosen) for name in "abcd"} == dict.fromkeys(
        "abcd", MOST_RUNS // 4
    )
    assert {each.seed for each in chosen} == {SEEDS[0]}


def test_what_a_model_says_is_text(tmp_path: Path) -> None:
    run = entered("grpo", 1, 15.0, scenario="<b>among</b>", protocol="scenario")
    long = "x" * (MOST_CHARACTERS + 1)
    turns = [*said(run["run_id"], 0, 0, 0, HOSTILE, tool="<i>,submit"), *said(run["run_id"], 0, 0, 1, long)]
    page = render(written(tmp_path, {"runs": [run], "turns": turns}))
    assert page.count("<script>") == 1, "only the page's own"
    assert "&lt;script&gt;alert(&#34;said&#34;)&lt;/script&gt;&#10;&#10;&lt;/pre&gt;&amp;amp;␀" in page
    assert "<code>&lt;i&gt;, submit</code>" in page
    assert "<b>among" not in page
    assert "\x00" not in page
    assert re.search(rf">x{{{MOST_CHARACTERS}}}…</blockquote>", page)
    assert "the first 2,000 of 2,001 characters" in page
    assert "All 2 decisions can be read here." in page


def test_nothing_is_shown_where_no_model_speaks_or_learns(tmp_path: Path) -> None:
    rows: list[Row] = list(scripted())
    report_data = ReportData(written(tmp_path, {"runs": rows}))
    assert language_methods(report_data) is None
    assert transcripts(report_data) is None
    assert embedded_transcripts([], report_data.corpus.turns.arrow) == []
