"""Studies in worlds: everybody meets the same test draws, and scores stand between what was played on these."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from rich.console import Console

from coopgym.agents import make_agent
from coopgym.benchmarks.cli.tables import print_rankings
from coopgym.benchmarks.metrics import AFTER_CHANGE, WelfareInTime
from coopgym.benchmarks.report import render
from coopgym.benchmarks.score import Leaderboards, cells_csv, rankings_csv, score_table
from coopgym.benchmarks.score.estimates import linearised_ratios
from coopgym.benchmarks.score.first_table import IN_WORLDS
from coopgym.benchmarks.score.worlds import AFTER_CHANGES, INFORMED, UNINFORMED, regret_curves
from coopgym.benchmarks.study import Study, StudyError, expand, load_study
from coopgym.corpus import Corpus, check_corpus, load_corpus
from coopgym.games.registry import make_game
from coopgym.oracles.dynamic.informed import welfare_score
from coopgym.play import Seeded, play, unroll
from coopgym.worlds import TEST_SEEDS, scored_draws
from tests.benchmarks.report_corpora import SEEDS, played, written

GAME = "TrustDilemma-v1"
SHORT: dict[str, Any] = {
    "name": "short",
    "rewards": ["private"],
    "seeds": [0, 1, 2, 3, 4],
    "episodes": 2,
    "blocks": [
        {
            "games": [GAME],
            "parameters": {"max_steps": 12},
            "worlds": ["fixed", "common", "shifting"],
            "agents": ["Random", "TitForTat", "Constant_50", "Constant_75", UNINFORMED, INFORMED],
        }
    ],
}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    from coopgym.benchmarks.execute.executors import InProcess
    from coopgym.benchmarks.execute.runner import run_study
    from tests.support.quiet import Silence

    folder, study = tmp_path_factory.mktemp("worlds") / "short", Study.model_validate(SHORT)
    assert run_study(study, expand(study), folder, InProcess(), Silence()).failed == 0
    return load_corpus(folder)


def rows_of(corpus: Corpus, **facts: Any) -> list[dict[str, Any]]:
    return [row for row in corpus.runs.to_pylist() if all(row[name] == value for name, value in facts.items())]


class TestDraws:
    def test_everybody_meets_the_same_and_every_seed_others(self) -> None:
        runs = [run for run in expand(Study.model_validate(SHORT)) if run.world == "common"]
        by_seed = {run.seed: {other.evaluation_seed for other in runs if other.seed == run.seed} for run in runs}
        assert by_seed == {seed: {TEST_SEEDS[2 * seed]} for seed in range(5)}
        assert {run.seed for run in runs if run.algorithm == "TitForTat"} == {0, 1, 2, 3, 4}

    def test_they_are_none_of_the_fixed_world(self) -> None:
        fixed = [run for run in expand(Study.model_validate(SHORT)) if run.world == "fixed"]
        assert not {run.evaluation_seed for run in fixed} & set(TEST_SEEDS)

    def test_other_episodes_are_another_run(self) -> None:
        first, second = (
            next(run for run in expand(Study.model_validate(SHORT | {"episodes": count})) if run.world == "common")
            for count in (2, 3)
        )
        assert first.run_id != second.run_id

    @pytest.mark.parametrize("count", [0, 257])
    def test_there_are_256(self, count: int) -> None:
        assert scored_draws(0, 256) == TEST_SEEDS
        with pytest.raises(ValueError, match=f"{count} episodes: expected 1 to 256"):
            scored_draws(0, count)

    def test_a_study_of_more_is_refused(self, tmp_path: Path) -> None:
        file = tmp_path / "many.toml"
        block = f'[[blocks]]\ngames = ["{GAME}"]\nagents = ["Random"]\n'
        file.write_text(f'name = "many"\nepisodes = 300\n{block}worlds = ["common"]\n', encoding="utf-8")
        with pytest.raises(StudyError, match="episodes=300: worlds have 256 test draws"):
            load_study(str(file))
        file.write_text(f'name = "many"\nepisodes = 300\n{block}', encoding="utf-8")
        assert load_study(str(file)).episodes == 300


class TestRuns:
    def test_they_say_their_world(self, corpus: Corpus) -> None:
        assert {row["world"] for row in corpus.runs.to_pylist()} == {"fixed", "common", "shifting"}
        assert check_corpus(corpus.path) == []

    def test_welfare_in_time_adds_up(self, corpus: Corpus) -> None:
        for row in rows_of(corpus):
            if row["world"] == "fixed":
                assert (row["step_welfare"], row["welfare_after_change"]) == (None, None)
            else:
                assert len(row["step_welfare"]) == 12
                assert sum(row["step_welfare"]) == pytest.approx(row["welfare"], rel=1e-6)
                assert (row["welfare_after_change"] is None) == (row["world"] == "common")

    def test_who_is_told_the_draws_sees_everything_among_others_who_do_not(self, corpus: Corpus) -> None:
        assert {row["view"] for row in rows_of(corpus, algorithm=INFORMED)} == {"full"}
        assert {row["view"] for row in rows_of(corpus, algorithm="TitForTat")} == {"own"}

    def test_parts_are_asked_for_by_game_and_world(self) -> None:
        study = Study.model_validate(SHORT)
        assert {run.world for run in expand(study, f"{GAME}@common/*")} == {"common"}
        chosen = expand(study, ["*@common/Random/*/0", "*@shifting/*/*/1"])
        assert {(run.world, run.seed) for run in chosen} == {("common", 0), ("shifting", 1)}
        assert all(run.algorithm == "Random" for run in chosen if run.world == "common")


def test_steps_after_changes_are_the_ten_from_a_change_on() -> None:
    game, watch = make_game(GAME, world="shifting", max_steps=60), WelfareInTime("shifting")
    play(game, [make_agent("Constant_40") for _ in range(2)], episodes=4, seed=5, watch=watch)
    steps = list(unroll(game, lambda *_: 0.4 * game.endowments, batch=(4,), draws=Seeded(range(5, 9))))
    costs = np.stack([step.before.cost_factor for step in steps])
    welfare = np.stack([step.transition.payoffs.sum(-1) for step in steps])
    expected = 0.0
    for episode in range(4):
        changes = [t for t in range(1, 60) if (costs[t, episode] != costs[t - 1, episode]).any()]
        late = {t + k for t in changes for k in range(AFTER_CHANGE) if t + k < 60}
        assert changes, "an episode of sixty steps without a change teaches nothing here; take another seed"
        expected += sum(welfare[t, episode] for t in late) / 4
    found = watch.columns()
    assert found["welfare_after_change"] == pytest.approx(expected)
    assert found["step_welfare"] == pytest.approx(welfare.mean(1).tolist())


class TestScores:
    def test_they_are_ratios_of_sums_over_all_draws(self, corpus: Corpus) -> None:
        (board,) = Leaderboards(corpus.runs.arrow).worlds
        table = board.scores.of_world("shifting")
        welfare = {
            name: np.array([row["welfare"] for row in rows_of(corpus, algorithm=name, world="shifting")])
            for name in ("TitForTat", UNINFORMED, INFORMED)
        }
        found = table.estimate("TitForTat")
        assert found is not None
        assert found.value == pytest.approx(welfare_score(*welfare.values()))
        assert found.low is not None
        assert found.low < found.value

    def test_both_ends_are_certain(self, corpus: Corpus) -> None:
        (board,) = Leaderboards(corpus.runs.arrow).worlds
        assert board.scores.every_seed(UNINFORMED) == pytest.approx(0.0)
        assert board.scores.every_seed(INFORMED) == pytest.approx(1.0)
        assert board.scores.of_changes().every_seed(INFORMED) == pytest.approx(1.0)

    def test_mean_regret_is_one_minus_the_score(self, corpus: Corpus) -> None:
        (board,) = Leaderboards(corpus.runs.arrow).worlds
        for curve in regret_curves(board.scores):
            score = board.scores.estimate(curve.algorithm)
            assert score is not None
            assert curve.regret.mean() == pytest.approx(1.0 - score.value, abs=1e-4)

    def test_they_are_a_column_of_the_table_that_stands_first(self, corpus: Corpus) -> None:
        found = Leaderboards(corpus.runs.arrow).first_table
        own = {each.name: row.answers[IN_WORLDS] for row in found.rows for each in row.agents}
        assert (own[UNINFORMED].value, own[INFORMED].value) == pytest.approx((0.0, 1.0))
        (question,) = [each for each in found.questions if each.name == IN_WORLDS]
        assert {task.setting.world for task in question.table.tasks}.isdisjoint({"fixed"})

    def test_the_fixed_world_is_scored_as_if_there_were_no_other(self, corpus: Corpus) -> None:
        runs = corpus.runs.arrow
        alone = runs.filter(pc.equal(runs.column("world"), "fixed"))
        mixed, pure = score_table(runs), score_table(alone)
        assert mixed.tasks == pure.tasks
        assert np.array_equal(mixed.scores, pure.scores, equal_nan=True)

    def test_spreads_are_those_of_a_ratio(self) -> None:
        gains, spans = np.array([1.0, 2.0, 4.0, np.nan]), np.array([2.0, 5.0, 6.0, 7.0])
        found = linearised_ratios(gains, spans)
        assert np.isnan(found[3])
        assert found[:3].mean() == pytest.approx(7.0 / 13.0)
        assert found[:3] - found[:3].mean() == pytest.approx((gains[:3] - 7.0 / 13.0 * spans[:3]) * 3 / 13)
        assert np.isnan(linearised_ratios(gains, -spans)).all(), "where the plan earns less there is no scale"


def by_hand(algorithm: str, welfare: float, world: str = "common", **facts: Any) -> list[dict[str, Any]]:
    """Runs of ten steps under all seeds, the better the higher the seed."""
    place = {"env_parameters": f'{{"max_steps":10,"world":"{world}"}}', "world": world, "episodes": 4, **facts}
    after = None if world == "common" else welfare / 2
    return [
        played(algorithm, welfare + seed, seed=seed, step_welfare=[(welfare + seed) / 10] * 10, **place)
        | {"welfare_after_change": after}
        for seed in SEEDS
    ]


ENDS = [*by_hand(UNINFORMED, 10.0, algorithm_kind="oracle"), *by_hand(INFORMED, 20.0, algorithm_kind="oracle")]


class TestEverywhereTheSame:
    def test_terminal_csv_and_page_agree(self, corpus: Corpus) -> None:
        boards = Leaderboards(corpus.runs.arrow)
        ((ranking,),) = (board.rankings for board in boards.worlds)
        found = ranking.numbers("TitForTat")
        assert list(found) == ["welfare score", "common", "shifting", AFTER_CHANGES]
        terminal = Console(width=200, file=io.StringIO(), record=True)
        print_rankings(terminal, boards)
        text, page = terminal.export_text(), render(corpus)
        assert f"Ranking: {ranking.heading}" in text
        assert f"{AFTER_CHANGES}: score of the {AFTER_CHANGE} steps" in text
        for measure, estimate in found.items():
            shown = f"{estimate.value:.2f}".replace("-", "−")
            assert re.search(rf"TitForTat .*{re.escape(shown)}", text)
            assert f",{measure},{estimate.value}," in rankings_csv(boards)
            assert shown in page
        assert ranking.verdict in text.replace("\n", " ")
        cell = board_cell(corpus, "common")
        assert any(
            line.startswith(f"{GAME},common,") and f",{cell}," in line for line in cells_csv(boards).splitlines()
        )

    def test_what_lacks_an_end_is_not_scored_and_said(self, tmp_path: Path) -> None:
        runs = [*by_hand("mine:Agent", 15.0), *ENDS[: len(SEEDS)]]
        made = written(tmp_path, {"runs": runs})
        (board,) = Leaderboards(made.runs.arrow).worlds
        assert board.rankings == ()
        assert "Not scored in worlds: 1 of 1 tasks; scores need runs of Oracle_Uninformed" in board.remark
        assert board.remark in render(made)

    def test_other_draws_than_those_of_the_ends_do_not_count(self, tmp_path: Path) -> None:
        runs = [*by_hand("mine:Agent", 15.0), *by_hand("IPPO", 15.0, episodes=5), *ENDS]
        (board,) = Leaderboards(written(tmp_path, {"runs": runs}).runs.arrow).worlds
        estimate = board.scores.estimate("mine:Agent")
        assert estimate is not None
        assert estimate.value == pytest.approx(0.5)
        assert board.scores.estimate("IPPO") is None

    def test_who_lacks_a_game_is_named(self, tmp_path: Path) -> None:
        other = {"environment": "SLCD-v1"}
        runs = [*ENDS, *by_hand("TitForTat", 12.0), *by_hand("mine:Agent", 15.0)]
        for name, welfare in ((UNINFORMED, 10.0), (INFORMED, 20.0), ("TitForTat", 14.0)):
            kind = {"algorithm_kind": "oracle"} if name != "TitForTat" else {}
            runs += by_hand(name, welfare, **other, **kind)
        made = written(tmp_path, {"runs": runs})
        ((ranking,),) = (board.rankings for board in Leaderboards(made.runs.arrow).worlds)
        assert ranking.absences == {"not scored in all of 2 games in 1 world": ["mine:Agent"]}
        found = ranking.numbers("TitForTat")["welfare score"]
        assert found.value == pytest.approx(0.3)
        assert "Not in this table: mine:Agent" in render(made)

    def test_runs_of_before_there_were_test_draws_are_not_scored(self, tmp_path: Path) -> None:
        old = [row | {"world": None} for row in ENDS]
        assert Leaderboards(written(tmp_path, {"runs": old}).runs.arrow).boards == ()

    def test_a_run_that_diverged_counts_as_the_worst(self, tmp_path: Path) -> None:
        lost = {"welfare": None, "step_welfare": None, "status": "diverged", "diverged_at_step": 3}
        runs = [*ENDS, *by_hand("Random", 5.0), *(row | lost for row in by_hand("IPPO", 0.0))]
        (board,) = Leaderboards(written(tmp_path, {"runs": runs}).runs.arrow).worlds
        estimate = board.scores.estimate("IPPO")
        assert estimate is not None
        assert estimate.value == pytest.approx((6.0 - 13.0) / 10.0)


def board_cell(corpus: Corpus, world: str) -> str:
    (board,) = Leaderboards(corpus.runs.arrow).worlds
    (task,) = board.scores.of_world(world).tasks
    cell = board.scores.cell("TitForTat", task)
    assert cell is not None
    return str(cell.value)
