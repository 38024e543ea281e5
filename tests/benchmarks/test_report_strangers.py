"""The section about strangers: what it ranks, compares and says, and that it is there only where strangers were met."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from coopgym.benchmarks.report import render
from coopgym.benchmarks.report.content.blocks import Beside, Block, Fold, Heatmap, Section, Table, Text, charts
from coopgym.benchmarks.report.data.report_data import ReportData
from coopgym.benchmarks.report.sections.strangers import NUMBER, strangers
from coopgym.benchmarks.score import strangers_table
from coopgym.benchmarks.score.partner_training import gains_of_partners
from tests.benchmarks import report_corpora
from tests.benchmarks.report_corpora import learned_among_strangers, met_strangers, written
from tests.benchmarks.score.test_first_table import anchored


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> ReportData:
    rows = [*anchored(), *report_corpora.learned("IPPO", 20.0), *report_corpora.strangers()]
    return ReportData(written(tmp_path_factory.mktemp("strangers"), {"runs": rows}))


@pytest.fixture(scope="module")
def section(corpus: ReportData) -> Section:
    found = strangers(corpus)
    assert found is not None
    return found


def inside(blocks: list[Block]) -> Iterator[Block]:
    for block in blocks:
        yield block
        if isinstance(block, Fold | Beside):
            yield from inside(list(block.blocks) if isinstance(block, Fold) else [block.left, block.right])


def tables(section: Section) -> list[Table]:
    return [block for block in inside(list(section.blocks)) if isinstance(block, Table)]


def heatmaps(section: Section) -> dict[str, Heatmap]:
    return {block.name: block for block in inside(list(section.blocks)) if isinstance(block, Heatmap)}


def test_it_ranks_whoever_met_strangers_the_best_first(section: Section, corpus: ReportData) -> None:
    ranking, _ = tables(section)
    names = [row[0].text for row in ranking.rows]
    values = [row[1].order for row in ranking.rows]
    assert names[0] == "IPPO-strangers, private"
    assert values == sorted(values, reverse=True)
    assert set(names) == set(strangers_table(corpus.runs).names)
    groups = {row[0].text: row[2].text for row in ranking.rows}
    assert groups["IPPO, private"]
    assert not groups["Constant_50"], "constants are there to be compared with"
    assert dict(zip(names, (row[3].text for row in ranking.rows), strict=True))["Random"].startswith("−")


def test_partners_in_training_are_compared_to_self_play(section: Section, corpus: ReportData) -> None:
    _, gains = tables(section)
    assert [[cell.text for cell in row[:2]] for row in gains.rows] == [["IPPO-strangers, private", "IPPO, private"]]
    (compared,) = gains_of_partners(strangers_table(corpus.runs), corpus.runs)
    assert compared.test.difference is not None
    assert gains.rows[0][2].order == compared.test.difference.value == pytest.approx(1.0)
    assert compared.different()


def test_the_same_learner_has_the_same_settings_and_reward(tmp_path: Path) -> None:
    recurrent, taught = (
        {"hyperparameters": '{"memory":"gru"}'},
        {"hyperparameters": '{"memory":"gru","partners":"any"}'},
    )
    rows = [
        *learned_among_strangers("IPPO", 7.0),
        *learned_among_strangers("IPPO-gru", 7.5, **recurrent),
        *learned_among_strangers("MAPPO-gru", 7.5, **recurrent),
        *learned_among_strangers("IPPO-strangers", 8.0, **taught),
        *learned_among_strangers("IPPO-strangers", 8.0, reward_mode="integrated", **taught),
        *met_strangers("TitForTat", 7.0),
    ]
    runs = written(tmp_path, {"runs": rows}).runs.arrow
    found = gains_of_partners(strangers_table(runs), runs)
    assert [(each.first, each.second) for each in found] == [("IPPO-strangers, private", "IPPO-gru, private")]


def test_kinds_stand_beside_the_best_single_number(section: Section) -> None:
    returns, scores = heatmaps(section)["strangers-kinds"], heatmaps(section)["strangers-kind-scores"]
    assert returns.matrix.rows[0] == NUMBER
    assert returns.matrix.columns == scores.matrix.columns == ("grim", "noisy")
    assert returns.matrix.values[0] == pytest.approx(0.8)
    for agent, own in zip(returns.matrix.rows[1:], returns.matrix.values[1:], strict=True):
        score = scores.matrix.values[scores.matrix.rows.index(agent)]
        assert score == pytest.approx((own - 0.8) / 0.2)
    assert set(heatmaps(section)["strangers-games"].matrix.columns) == set(returns.matrix.rows[1:])


def test_it_says_how_far_self_play_tells(section: Section) -> None:
    assert section.finding.startswith("Ranks with itself and with strangers correlate by ")
    assert section.finding.endswith(" over 4 rows of agents.")


def test_runs_that_met_others_are_told(section: Section, tmp_path: Path) -> None:
    older = [
        row | {"stranger_ceilings": [11.0] * 12} for row in met_strangers("Copycat", 8.0, algorithm_kind="heuristic")
    ]
    found = strangers(ReportData(written(tmp_path, {"runs": [*older, *report_corpora.strangers()]})))
    assert found is not None
    said = [block.text for block in found.blocks if isinstance(block, Text)]
    assert said == ["Not compared: 2 runs that met others than most runs of the same game did."]
    assert not [block for block in section.blocks if isinstance(block, Text)]


def test_its_figures_are_on_the_page(section: Section, corpus: ReportData) -> None:
    page = render(corpus.corpus)
    for chart in charts(section.blocks):
        assert f'aria-label="{chart.label}"' in page
    assert page.index('id="first"') < page.index('id="strangers"')
    assert "<dt>audits</dt>" not in page, "meeting strangers is no audit"


def test_where_nobody_was_met_there_is_no_such_section(tmp_path: Path) -> None:
    page = render(written(tmp_path / "plain", {"runs": [*anchored(), *report_corpora.learned("IPPO", 20.0)]}))
    assert "stranger" not in page.lower()
    assert "exploited by" not in page
