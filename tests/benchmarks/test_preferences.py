"""Preferences among agents of a corpus: shares of criteria counted by hand, cycles, and the command that shows them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from coopgym.benchmarks.cli.main import app
from coopgym.benchmarks.cli.preference_page import preference_rows
from coopgym.benchmarks.execute.exploit import Selection
from coopgym.benchmarks.experiments.preferences import plan_preferences, solver_queries
from coopgym.benchmarks.experiments.preferences.agent_preferences import AgentPreferences, agent_preferences
from coopgym.benchmarks.experiments.rewards.kept import kept
from coopgym.corpus import Corpus
from tests.benchmarks.report_corpora import GAMES, SEEDS, learned_among_strangers, met_strangers, played, written

Row = dict[str, Any]
ROUND = {"Fair": (1.0, 2.0, 3.0), "Rich": (3.0, 1.0, 2.0), "Trusting": (2.0, 3.0, 1.0)}
"""Welfare, trust and cooperation of three agents each of which beats the next by two criteria of three."""
BY = ("welfare", "trust", "cooperation")


def runs(worth: Mapping[str, tuple[float, float, float]], **facts: Any) -> Iterator[Row]:
    """Learners with these values in every game, the same under every seed but for welfare, which rises a little."""
    for name, (welfare, trust, cooperation) in worth.items():
        for game, mechanism_class in GAMES.items():
            for seed in SEEDS:
                row = played(name, welfare + 0.01 * seed, environment=game, mechanism_class=mechanism_class, seed=seed)
                shares = {"mean_trust_final": trust / 4.0, "cooperation_rate": cooperation / 4.0}
                yield row | {"run_id": f"{name}/{game}/{seed}", "objective": "individual"} | shares | facts


def found(corpus: Corpus, *criteria: str, **options: Any) -> AgentPreferences:
    return agent_preferences(corpus.runs, criteria, **options)


@pytest.fixture(scope="module")
def cyclic(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return written(tmp_path_factory.mktemp("cyclic"), {"runs": list(runs(ROUND))})


def test_criteria_that_disagree_make_a_cycle(cyclic: Corpus) -> None:
    game = found(cyclic, *BY)
    assert game.agents == tuple(f"{name}, private" for name in ROUND)
    fair, rich, trusting = range(3)
    for winner, loser in ((fair, rich), (rich, trusting), (trusting, fair)):
        assert game.between(winner, loser).value == pytest.approx(2 / 3)
    assert [cycle.options for cycle in game.cycles] == [(fair, rich, trusting)]
    assert game.certainty(game.cycles[0]) == 1.0
    assert game.top == (0, 1, 2)
    assert game.winner.distribution == pytest.approx([1 / 3] * 3)
    assert game.regularised == pytest.approx([1 / 3] * 3)
    assert game.by_criterion[BY.index("trust")][trusting] == pytest.approx([1.0, 1.0, 0.5])


def test_every_pair_of_seeds_counts_and_ties_count_half(tmp_path: Path) -> None:
    worth = {"One": (1.0, 1.0, 1.0), "Same": (1.0, 1.0, 1.0), "Above": (1.025, 1.0, 1.0)}
    game = found(written(tmp_path, {"runs": list(runs(worth))}), "welfare")
    above, one, same = map(game.agents.index, ("Above, private", "One, private", "Same, private"))
    # Welfare of seeds 1 to 5 is 0.01 apart: of 25 pairs of seeds, 10 are ahead and 5 tie.
    assert game.preferences.probabilities[one, same] == pytest.approx(0.5)
    # 0.025 more: a run is behind where its seed is at least 3 lower, in 3 of 25 pairs.
    assert game.preferences.probabilities[above, one] == pytest.approx(22 / 25)
    low, value, high = (getattr(game.between(above, one), name) for name in ("low", "value", "high"))
    assert low < value < high <= 1.0 + 1e-9


def test_payoff_is_what_is_earned_among_strangers_where_anybody_met_some(tmp_path: Path, cyclic: Corpus) -> None:
    rows = [
        *runs({"IPPO": (1.0, 1.0, 1.0), "IA2C": (2.0, 1.0, 1.0)}),
        *(row for name, value in (("IPPO", 8.5), ("IA2C", 7.0)) for row in learned_among_strangers(name, value)),
    ]
    among = found(written(tmp_path, {"runs": rows}), "payoff", "welfare")
    assert among.by_criterion[:, 0, 1].tolist() == [0.0, 1.0]  # IA2C earns less among strangers and more among copies
    assert not among.remarks
    alone = found(cyclic, "payoff", "welfare")
    assert "nobody met strangers" in alone.remarks[0]
    np.testing.assert_array_equal(alone.by_criterion[0], alone.by_criterion[1])


def test_all_are_compared_in_the_same_games_and_who_lacks_most_is_left_out(tmp_path: Path) -> None:
    rows = [*runs(ROUND), *(row for row in met_strangers("TitForTat", 8.0))]
    extra = [row | {"environment": "PublicGoods-v1", "run_id": f"x{row['run_id']}"} for row in runs(ROUND)]
    more = [row for row in extra if row["algorithm"] != "Rich" and row["mechanism_class"] == "TR-3"]
    lone = [row for row in runs({"Once": (1.0, 1.0, 1.0)}) if row["mechanism_class"] == "TR-2"]
    game = found(written(tmp_path, {"runs": [*rows, *more, *lone]}), *BY)
    assert len(game.agents) == 3
    assert len(game.games) == 2
    assert "Once, private (1)" in game.remarks[0]
    assert "compared in the 2 games of 3" in game.remarks[1]


def test_few_seeds_have_no_intervals(tmp_path: Path) -> None:
    few = [row for row in runs(ROUND) if row["seed"] < 4]
    game = found(written(tmp_path, {"runs": few}), *BY)
    assert game.resampled is None
    assert game.between(0, 1).low is None
    assert game.certainty(game.cycles[0]) is None
    assert "3 seeds with everything, fewer than 5" in game.remarks[0]


def test_who_leaves_nothing_to_chance_stands_under_every_seed(tmp_path: Path) -> None:
    scripted = [
        played("TitForTat", 3.0, environment=game, mechanism_class=mechanism_class)
        for game, mechanism_class in GAMES.items()
    ]
    game = found(written(tmp_path, {"runs": [*runs(ROUND), *scripted]}), "welfare")
    assert game.seeds == 5
    assert game.preferences.probabilities[game.agents.index("TitForTat"), 0] == 1.0


def test_constants_compete_only_where_they_are_asked_for(tmp_path: Path) -> None:
    constant = [played("Constant_50", 9.0, environment=g, mechanism_class=m) for g, m in GAMES.items()]
    corpus = written(tmp_path, {"runs": [*runs(ROUND), *constant]})
    assert len(found(corpus, "welfare").agents) == 3
    asked = found(corpus, "welfare", selection=Selection(["Constant_50", "Rich"]))
    assert asked.agents == ("Constant_50", "Rich, private")
    assert asked.preferences.condorcet_winner == 0
    with pytest.raises(ValueError, match="do not compete unless they are named by --agent; here are: Constant_50"):
        found(written(tmp_path / "constant", {"runs": constant}), "welfare")


def test_a_corpus_of_other_worlds_is_told_to_have_no_preferences(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="among its own copies in the fixed world"):
        found(written(tmp_path, {"runs": list(runs(ROUND, world="common"))}), "welfare")


def test_rows_hold_every_ordered_pair(cyclic: Corpus) -> None:
    rows = list(preference_rows(found(cyclic, *BY)))
    assert len(rows) == 6
    for row in rows:
        assert row["preferred"] == pytest.approx(np.mean([row[name] for name in BY]))


def called(corpus: Corpus, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["prefer", str(corpus.path), *arguments])


def test_the_command_shows_the_cycle_and_writes_a_page_numbers_and_json(tmp_path: Path, cyclic: Corpus) -> None:
    page, told = tmp_path / "page.html", tmp_path / "told.json"
    result = called(cyclic, "--criteria", ",".join(BY), "-o", str(page), "--json", str(told))
    assert result.exit_code == 0, result.output
    around = "Fair, private > Rich, private > Trusting, private > Fair, private"
    assert around in result.output
    assert "minimax winner: Fair, private 33.3" in result.output
    html = page.read_text(encoding="utf-8")
    assert "the strongest cycle of majorities" in html
    assert "66.7\N{NO-BREAK SPACE}%" in html
    rows = list(csv.DictReader(page.with_suffix(".csv").read_text(encoding="utf-8").splitlines()))
    assert {row["agent"] for row in rows} == {f"{name}, private" for name in ROUND}
    everything = json.loads(told.read_text(encoding="utf-8"))
    assert everything["cycles"][0]["agents"] == [f"{name}, private" for name in ROUND]
    assert everything["minimax_winner"]["exploitability"] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--criteria", "welfare,equalty"], "did you mean 'equality'"),
        (["--criteria", " ,"], "expected at least one of payoff"),
        (["--criteria", "robustness"], "fewer than two agents are known by robustness"),
        (["--criteria", "welfare", "--agent", "Nobody"], "agent"),
        (["--criteria", "welfare", "--beta", "0"], "the minimax winner is its limit"),
        (["--criteria", "welfare", "-o", "x.csv"], "expected the name of an HTML file"),
    ],
)
def test_mistakes_are_told_in_one_message(cyclic: Corpus, arguments: list[str], message: str) -> None:
    result = called(cyclic, *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.output.split())


def test_kept_queries_are_what_is_counted_and_divergences_shrink_as_stated() -> None:
    found = kept(solver_queries.KEPT)
    assert list(found["parts"]) == solver_queries.parts()
    again = solver_queries.measured("queries/0.1")
    assert again == found["parts"]["queries/0.1"]
    for beta in solver_queries.SETTINGS["contraction_betas"]:
        assert max(found["parts"][f"contraction/{beta}"]["ratio"]) <= 1.0
    ratios = [solver_queries.ratio(found, target) for target in solver_queries.TARGETS]
    assert all(ratio is not None and ratio.low is not None and ratio.low > 1.0 for ratio in ratios)


def test_both_learners_ask_for_the_same_comparisons_of_plans() -> None:
    settings = plan_preferences.SETTINGS | {"rounds": 30, "seeds": 1, "levels": 3}
    found = plan_preferences.measured("noisy", settings)
    asked = [found[learner]["queries"] for learner in plan_preferences.LEARNERS]
    assert asked == [30 * 28 + 8 * (8 + 16 + 24) + 8 * 32 * 26] * 2  # pairs of a batch, and with a queue that fills
    for learner in plan_preferences.LEARNERS:
        assert all(0.0 <= value <= 0.5 for name in ("last", "mean") for value in found[learner][name])


def test_a_reward_model_recovers_weights_that_comparisons_follow() -> None:
    rng = np.random.default_rng(0)
    apart, weights = rng.normal(size=(20_000, 3)), np.array([1.0, -0.5, 0.0])
    answers = (rng.random(20_000) < 1.0 / (1.0 + np.exp(-apart @ weights))).astype(np.float64)
    np.testing.assert_allclose(plan_preferences.fitted(apart, answers), weights, atol=0.06)
