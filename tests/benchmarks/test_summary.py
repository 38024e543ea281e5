"""Metrics, scores, intervals and rankings against numbers worked out by hand."""

from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from benchmarks.summary import Interval, summarise, to_csv
from scipy import stats

from benchmarks.metrics import evaluation_metrics, gini, normalised_score
from coopgym.agents import Episodes
from coopgym.corpus.schema import SCHEMAS


def test_metrics_are_sums_over_seats_and_means_over_episodes() -> None:
    payoffs = np.array([[1.0, 3.0], [2.0, 6.0]])
    returns = {name: factor * payoffs for name, factor in (("private", 1), ("integrated", 2), ("cooperative", 3))}
    final = {name: np.array([0.2, 0.4]) for name in ("mean_trust", "mean_effective_trust", "mean_reputation_damage")}
    final |= {"loyalty": np.array([0.5, 1.0]), "recovery_step": np.array([np.inf, 3.0])}
    cooperation = np.array([[0.0, 1.0], [0.5, 1.0]])
    lengths, terminated = np.array([10.0, 20.0]), np.array([1.0, 0.0])
    found = evaluation_metrics(Episodes(returns, payoffs, cooperation, lengths, terminated, final, None), "integrated")
    seats = {name: found.pop(name) for name in ("seat_payoffs", "seat_returns", "seat_cooperation")}
    assert seats == {"seat_payoffs": [1.5, 4.5], "seat_returns": [3.0, 9.0], "seat_cooperation": [0.25, 1.0]}
    assert found.pop("termination_cause") == "mixed"
    assert found.pop("class_metrics") == {"loyalty": 0.75}
    assert found == pytest.approx(
        {
            "welfare": 6.0,
            "return_private": 6.0,
            "return_integrated": 12.0,
            "return_cooperative": 18.0,
            "return_mode": 12.0,
            "episode_length": 15.0,
            "terminated_share": 0.5,
            "mean_trust_final": 0.3,
            "mean_effective_trust": 0.3,
            "mean_reputation_damage": 0.3,
            "cooperation_rate": 0.625,
            "gini_payoff": 0.25,
        }
    )


@pytest.mark.parametrize(
    ("amounts", "expected"),
    [([1, 1, 1], 0.0), ([0, 0, 0, 1], 0.75), ([1, 3], 0.25), ([0, 0], 0.0), ([-1, 2], None)],
)
def test_gini(amounts: list[float], expected: float | None) -> None:
    assert gini(np.array(amounts, dtype=float)) == expected


def test_scores_stand_between_their_anchors() -> None:
    assert normalised_score(5.0, 5.0, 9.0) == 0.0
    assert normalised_score(9.0, 5.0, 9.0) == 1.0
    assert normalised_score(3.0, 5.0, 9.0) == -0.5
    assert normalised_score(3.0, 5.0, 5.0) is None
    assert normalised_score(3.0, 5.0, 4.0) is None


def test_intervals_are_students() -> None:
    values = [1.0, 2.0, 4.0, 8.0]
    low, high = stats.t.interval(0.95, 3, np.mean(values), stats.sem(values))
    found = Interval.of(values)
    assert (found.mean, found.low, found.high, found.n) == pytest.approx((3.75, low, high, 4))
    assert Interval.of([2.0]) == Interval(2.0, None, None, 1)


def row(algorithm: str, value: float | None, **changes: Any) -> dict[str, Any]:
    kind = "constant" if algorithm.startswith("Constant") else "heuristic"
    facts = {
        "algorithm": algorithm,
        "algorithm_kind": kind,
        "environment": "Game-v1",
        "env_parameters": "{}",
        "mechanism_class": "TR-1",
        "reward_mode": "private",
        "protocol": "self_play",
        "seed": 1,
        "status": "completed",
        "return_mode": value,
        "cooperation_rate": None if value is None else 0.5,
    }
    return facts | changes


def table(*rows: dict[str, Any]) -> pa.Table:
    columns = {field.name: pa.array([row.get(field.name) for row in rows], field.type) for field in SCHEMAS["runs"]}
    return pa.table(columns)


ANCHORS = (row("Random", 8.0, seed=1), row("Random", 12.0, seed=2), row("Constant_00", 5.0), row("Constant_60", 20.0))


def scores(runs: pa.Table) -> dict[str, float]:
    return {cell.algorithm: cell.score.mean for cell in summarise(runs).cells if cell.score}


def test_scores_use_random_and_the_best_constant_of_the_same_game_and_mode() -> None:
    elsewhere = [row("Constant_60", 1e6, reward_mode="integrated"), row("Constant_60", 1e6, environment="Other-v1")]
    assert scores(table(*ANCHORS, row("TitForTat", 15.0), *elsewhere)) == pytest.approx(
        {"Random": 0.0, "Constant_00": -0.5, "Constant_60": 1.0, "TitForTat": 0.5}
    )


def test_without_anchors_there_is_no_score() -> None:
    assert scores(table(*ANCHORS[2:], row("TitForTat", 15.0))) == {}
    assert scores(table(*ANCHORS[:2], row("TitForTat", 15.0))) == {}
    assert summarise(table(row("TitForTat", 15.0))).rankings() == []


def test_a_diverged_run_scores_zero_and_a_failed_one_not_at_all() -> None:
    runs = table(
        *ANCHORS,
        row("IPPO", 20.0, seed=1),
        row("IPPO", None, seed=2, status="diverged"),
        row("IPPO", None, seed=3, status="failed"),
    )
    (cell,) = [cell for cell in summarise(runs).cells if cell.algorithm == "IPPO"]
    assert cell.scores == {1: 1.0, 2: 0.0}
    assert (cell.diverged, cell.failed) == (1, 1)


def test_rankings_compare_only_what_played_the_same_games() -> None:
    other = [dict(each, environment="Other-v1") for each in ANCHORS]
    learner = [row("IPPO", 18.0, seed=1), row("IPPO", 22.0, seed=2)]
    everything, common = summarise(table(*ANCHORS, *other, *learner, row("TitForTat", 15.0))).rankings()
    assert everything.games == ("Game-v1", "Other-v1")
    assert [entry.algorithm for entry in everything.rows] == ["Constant_60", "Random", "Constant_00"]
    assert common.games == ("Game-v1",)
    assert [entry.algorithm for entry in common.rows] == ["Constant_60", "IPPO", "TitForTat", "Random", "Constant_00"]


def test_seeds_are_the_unit_of_a_ranking() -> None:
    other = [dict(each, environment="Other-v1") for each in ANCHORS]
    learner = [
        row("IPPO", value, seed=seed, environment=game)
        for game, values in (("Game-v1", (10.0, 20.0)), ("Other-v1", (20.0, 10.0)))
        for seed, value in enumerate(values, start=1)
    ]
    (ranking,) = summarise(table(*ANCHORS, *other, *learner)).rankings()
    (ippo,) = [entry for entry in ranking.rows if entry.algorithm == "IPPO"]
    assert ippo.score == Interval(0.5, 0.5, 0.5, 2), "each seed averages to one half over the games"


def test_the_order_of_rows_does_not_matter() -> None:
    runs = table(*ANCHORS, row("TitForTat", 15.0), row("TitForTat", 16.0, reward_mode="mutuality=0.5"))
    backwards = runs.take(list(range(len(runs)))[::-1])
    assert to_csv(summarise(backwards)) == to_csv(summarise(runs))


def test_csv_has_a_line_per_cell() -> None:
    lines = list(csv.DictReader(io.StringIO(to_csv(summarise(table(*ANCHORS))))))
    assert [line["algorithm"] for line in lines] == ["Constant_00", "Constant_60", "Random"]
    assert float(lines[2]["return_mode"]) == 10.0
    assert float(lines[2]["return_mode_high"]) > 10.0
    assert lines[0]["return_mode_low"] == ""
