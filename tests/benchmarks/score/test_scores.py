"""From runs to scores: axes, anchors, diverged runs, agents without chance."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.benchmarks.score import both_tables, run_grid, score_table
from tests.benchmarks.score.run_rows import GAME, OTHER, anchored, row, seeded, table


def scores_of(runs: Any, name: str, **options: Any) -> list[float]:
    found = score_table(runs, **options)
    return found.scores[found.index(name)].ravel().tolist()


def test_axes_are_algorithms_tasks_and_seeds() -> None:
    found = score_table(
        table(anchored(), anchored(environment=OTHER), seeded("IPPO", "return_mode", (15.0, 20.0, 10.0)))
    )
    assert found.names == ("Constant_00", "Constant_60", "IPPO", "Random")
    assert [(task.game, task.mechanism_class) for task in found.tasks] == [(GAME, "TR-2"), (OTHER, "TR-3")]
    assert found.seeds == (99, 100, 101)
    np.testing.assert_allclose(found.scores[2], [[0.5, 1.0, 0.0], [np.nan] * 3])
    assert found.masked_scores.mask[2].tolist() == [[False] * 3, [True] * 3]
    assert found.scale.label == "0 = Random, 1 = best constant"
    assert found.anchors[0].best == "Constant_60"


def test_other_protocols_are_passed_over_and_a_missing_one_is_self_play() -> None:
    runs = table(
        anchored(),
        row("IPPO", return_mode=15.0, protocol=None),
        row("IPPO", return_mode=0.0, protocol="scenario", scenario="among:Random"),
        row("IPPO", return_mode=0.0, protocol="surface"),
    )
    assert scores_of(runs, "IPPO")[0] == pytest.approx(0.5)


def test_by_the_return_the_best_constant_scores_one_whoever_else_played() -> None:
    others = [row("Oracle_Planner", return_mode=30.0), row("Oracle_SocialOptimum", return_mode=25.0)]
    found = score_table(table(anchored(), others))
    assert (found.scale.one, found.anchors[0].one) == ("best constant", 20.0)
    assert scores_of(table(anchored(), others), "Oracle_SocialOptimum")[0] == pytest.approx(1.5)


def test_where_a_game_draws_numbers_only_seeds_under_which_all_anchors_played_are_compared() -> None:
    drawn = {"environment": "SynergySearch-v1"}
    constants = [
        row("Constant_00", return_mode=5.0, **drawn),
        *seeded("Constant_60", "return_mode", (20.0, 30.0), **drawn),
    ]
    random = seeded("Random", "return_mode", (8.0, 12.0), **drawn)
    found = score_table(table(random, constants, seeded("IPPO", "return_mode", (14.0, 20.0), **drawn)))
    assert scores_of(table(random, constants, seeded("IPPO", "return_mode", (14.0, 20.0), **drawn)), "IPPO") == (
        pytest.approx([0.5, np.nan], nan_ok=True)
    ), "under the second seed nobody knows what a constant of 0 % earns"
    assert not found.deterministic.any(), "a constant meets other draws under another seed"


def test_welfare_stands_between_private_nash_and_the_best_of_any_mode() -> None:
    runs = table(
        anchored("welfare"),
        row("Oracle_CommitmentNash", welfare=12.0),
        row("Oracle_CommitmentNash", welfare=18.0, reward_mode="integrated"),
        row("Oracle_Planner", welfare=32.0),
        row("Oracle_Planner", welfare=25.0, reward_mode="integrated"),
        row("IPPO", welfare=22.0, reward_mode="integrated"),
    )
    found = score_table(runs, "welfare")
    assert found.scale.label == "0 = private Nash, 1 = best known plan"
    assert found.modes == ("private", "integrated"), "both modes share the anchors of their game"
    assert found.scores[found.index("IPPO"), 1, 0] == pytest.approx(0.5)


def test_the_nash_oracle_counts_under_any_mode_because_it_always_plays_privately() -> None:
    found = score_table(table(anchored("welfare"), row("Oracle_Nash", welfare=15.0)), "welfare")
    assert (found.scale.zero, found.anchors[0].zero) == ("private Nash", 15.0)
    assert found.reference_score("Oracle_Nash") == pytest.approx([0.0])
    assert found.reference_score("Constant_50") is None


def test_returns_in_the_own_mode_do_not_share_anchors_between_modes() -> None:
    runs = table(
        anchored(), anchored(reward_mode="integrated"), row("Constant_60", 7, return_mode=1e6, reward_mode="svo=45")
    )
    found = score_table(runs)
    assert [(task.reward_mode, anchors.one) for task, anchors in zip(found.tasks, found.anchors, strict=True)] == [
        ("private", 20.0),
        ("integrated", 20.0),
    ]
    assert [task.reward_mode for task in found.unscored] == ["svo=45"]


def test_anchors_the_wrong_way_round_give_no_scale() -> None:
    found = score_table(table(row("Random", return_mode=10.0), row("Constant_00", return_mode=9.0)))
    assert (found.tasks, len(found.unscored)) == ((), 1)
    with pytest.raises(ValueError, match="no tasks"):
        found.replicates("Random")


def test_a_diverged_run_counts_as_the_worst_seen_or_random_or_not_at_all() -> None:
    runs = table(
        anchored(),
        row("IPPO", 99, return_mode=20.0),
        row("IPPO", 100, status="diverged", diverged_at_step=5),
        row("IPPO", 101, status="failed", error="boom"),
    )
    assert scores_of(runs, "IPPO") == pytest.approx([1.0, -0.5, np.nan], nan_ok=True)
    assert scores_of(runs, "IPPO", diverged="random") == pytest.approx([1.0, 0.0, np.nan], nan_ok=True)
    assert scores_of(runs, "IPPO", diverged="excluded") == pytest.approx([1.0, np.nan, np.nan], nan_ok=True)
    counted, excluded = both_tables(runs)
    assert [counted.replicates("IPPO").sizes.tolist(), excluded.replicates("IPPO").sizes.tolist()] == [[2], [1]]
    assert counted.diverged.sum() == excluded.diverged.sum() == 1


def test_what_leaves_nothing_to_chance_counts_once() -> None:
    everywhere = seeded("Constant_60", "return_mode", (20.0, 20.0, 20.0))
    runs = table(
        anchored()[:3], everywhere, seeded("IPPO", "return_mode", (15.0, 15.0)), row("TitForTat", return_mode=12.0)
    )
    found = score_table(runs)
    sizes = {name: int(found.replicates(name).sizes[0]) for name in found.names}
    assert sizes == {"Constant_00": 1, "Constant_60": 1, "IPPO": 2, "Random": 2, "TitForTat": 1}
    assert {name for name in found.names if found.surely(name)} == {"Constant_00", "Constant_60", "TitForTat"}
    assert found.by_seed("TitForTat") == pytest.approx([0.2, 0.2, 0.2]), "its run stands for every seed"


def test_stochastic_metrics_take_the_only_evaluation_of_the_untrained() -> None:
    runs = table(anchored("welfare"), row("IPPO", welfare=20.0, sto_welfare=15.0), row("IA2C", welfare=20.0))
    assert scores_of(runs, "IPPO", metric="sto_welfare")[0] == pytest.approx(0.5)
    assert np.isnan(scores_of(runs, "IA2C", metric="sto_welfare")).all()


def test_two_runs_under_one_seed_are_refused_with_what_differs() -> None:
    episodes = [row("IPPO", return_mode=1.0, episodes=1), row("IPPO", return_mode=2.0, episodes=8, run_id="x")]
    with pytest.raises(
        ValueError, match=r"IPPO in TrustDilemma-v1 .* they differ in episodes.*average episodes within"
    ):
        score_table(table(anchored(), episodes))
    with pytest.raises(ValueError, match="nothing tells them apart"):
        run_grid(table(row("IPPO"), row("IPPO")))


def test_tables_say_who_lacks_which_task_and_offer_two_ways_out() -> None:
    runs = table(anchored(), anchored(environment=OTHER), row("IPPO", return_mode=15.0))
    found = score_table(runs)
    with pytest.raises(ValueError, match=r"IPPO has no score in 1 of 2 tasks, first PublicGoods-v1 .*covering.*shared"):
        found.replicates("IPPO")
    assert "IPPO" not in found.covering().names
    assert [task.game for task in found.shared().tasks] == [GAME]
    assert found.of_class("TR-3").games == (OTHER,)
    assert found.only(["IPPO", "Random"]).of_kinds(["learner"]).names == ("IPPO",)
    with pytest.raises(ValueError, match="no algorithm 'Nobody'"):
        found.only(["Nobody"])


def test_unknown_options_are_refused() -> None:
    with pytest.raises(ValueError, match="metric='profit'"):
        score_table(table(anchored()), "profit")  # type: ignore[arg-type]  # the mistake under test
    runs = table(row("Oracle_Nash", welfare=1.0), row("Constant_00", welfare=2.0), row("IPPO", status="diverged"))
    with pytest.raises(ValueError, match="needs runs of Random"):
        score_table(runs, "welfare", "random")


@given(st.permutations(range(9)))
def test_the_order_of_rows_does_not_matter(order: list[int]) -> None:
    runs = table(
        anchored(), seeded("IPPO", "return_mode", (15.0, 18.0, 11.0)), seeded("VDN", "return_mode", (9.0, 8.0))
    )
    first, second = score_table(runs), score_table(runs.take(order))
    assert (first.names, first.tasks, first.seeds) == (second.names, second.tasks, second.seeds)
    np.testing.assert_array_equal(first.scores, second.scores)
