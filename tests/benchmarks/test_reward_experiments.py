"""Experiments on rewards: regrets against policies by hand, and kept results against what is computed anew."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.testing as npt
import pytest

from coopgym.benchmarks.documentation import reward_distances
from coopgym.benchmarks.experiments.rewards import mutuality_axis, shaping_speed, worst_case_regret
from coopgym.benchmarks.experiments.rewards.kept import keep, kept
from coopgym.benchmarks.experiments.rewards.worst_case_regret import DESIGN, KINDS, MEASURES, TELLING, Design, Pair
from coopgym.games.registry import games
from coopgym.oracles.tabular import TabularMDP
from coopgym.typing import FloatArray


def returns(process: TabularMDP) -> FloatArray:
    """What every deterministic policy of a process earns, from uniform first states."""
    states, actions = process.reward.shape
    policies = (np.eye(actions)[list(chosen)] for chosen in itertools.product(range(actions), repeat=states))
    return np.array([(policy * process.action_values(policy)).sum(-1).mean() for policy in policies])


@pytest.mark.parametrize("kind", KINDS)
def test_worst_case_regret_is_at_least_what_any_two_policies_lose_and_no_more_than_everything(kind: str) -> None:
    rng = np.random.default_rng(5)
    for _ in range(4):
        pair = Pair.drawn(kind, Design(states=3, actions=2), rng)
        own, proxy = (
            TabularMDP(pair.transition, (pair.transition * reward).sum(-1), pair.gamma)
            for reward in (pair.first, pair.second)
        )
        earned, preferred = returns(own), returns(proxy)
        lost = np.where(np.subtract.outer(preferred, preferred) <= 0.0, np.subtract.outer(earned, earned), 0.0)
        regret = pair.regret()
        assert lost.max() / np.ptp(earned) <= regret + 1e-9
        assert regret <= 1.0 + 1e-9


def test_opposite_rewards_may_lose_everything_and_equal_ones_nothing() -> None:
    pair = Pair.drawn("mixed", DESIGN, np.random.default_rng(1))
    assert Pair(pair.transition, pair.first, -pair.first, pair.gamma).regret() == pytest.approx(1.0)
    assert Pair(pair.transition, pair.first, 3.0 * pair.first, pair.gamma).regret() == pytest.approx(0.0, abs=1e-9)


def test_telling_pairs_are_ranked_by_starc_as_by_regret_and_by_the_others_not() -> None:
    measured = worst_case_regret.measured(TELLING)
    regret = np.array(measured["regret"])
    npt.assert_allclose(measured["STARC"], regret, atol=1e-6)
    for measure in ("EPIC", "DARD"):
        assert measured[measure][1] > measured[measure][3]  # the harmless one is called further than the opposite


def test_kept_regrets_are_what_is_computed() -> None:
    found = kept(worst_case_regret.KEPT)
    small = worst_case_regret.measured(KINDS[2], Design(pairs=5))
    for column, values in small.items():
        npt.assert_allclose(found["parts"][KINDS[2]][column][:5], values, atol=2e-6)


def test_starc_ranks_pairs_by_regret_better_than_epic_and_dard() -> None:
    correlations = worst_case_regret.rank_correlations(kept(worst_case_regret.KEPT))
    least = correlations["STARC"].low
    assert least is not None
    assert all(least > (correlations[other].high or 0.0) for other in MEASURES[1:])


def test_the_kept_axis_has_every_game_and_begins_at_private() -> None:
    found = kept(mutuality_axis.KEPT)
    assert tuple(found["parts"]) == games("formal")
    for game, measured in found["parts"].items():
        heights = [np.mean(measured[mutuality_axis.reward_of(degree)]["distance"]) for degree in mutuality_axis.DEGREES]
        assert (np.diff([0.0, *heights]) > 0.0).all(), game


def test_a_kept_game_is_what_is_computed() -> None:
    found = kept(mutuality_axis.KEPT)["parts"]["CooperativeNegotiation-v1"]
    again = mutuality_axis.measured("CooperativeNegotiation-v1")
    for reward in ("mutuality=0.5", "integrated", "cooperative"):
        npt.assert_allclose(again[reward]["distance"], found[reward]["distance"], atol=2e-3)


def test_kept_results_go_on_where_they_ended_and_begin_anew_with_other_settings(tmp_path: Path) -> None:
    path, asked = tmp_path / "kept.json", []

    def measure(part: str) -> dict[str, Any]:
        asked.append(part)
        return {"part": part}

    keep(path, "command", {"n": (1, 2)}, ["a"], measure)
    found = keep(path, "command", {"n": (1, 2)}, ["a", "b"], measure)
    assert asked == ["a", "b"]
    assert found["parts"] == json.loads(path.read_text())["parts"] == {"a": {"part": "a"}, "b": {"part": "b"}}
    keep(path, "command", {"n": 3}, ["b"], measure)
    assert asked == ["a", "b", "b"]
    assert list(kept(path)["parts"]) == ["b"]


def curves(**by_reward: list[list[float]]) -> dict[str, Any]:
    names = {"plain": shaping_speed.MODE, "shaped": shaping_speed.SHAPED[0]}
    parts = {names[key]: {"steps": [0, 150, 300], "values": values} for key, values in by_reward.items()}
    return {"settings": {"game": shaping_speed.GAME}, "parts": parts}


def test_episodes_are_counted_seed_by_seed_up_to_the_level_of_the_unshaped_mean() -> None:
    plain = [[0.0, 5.0, 10.0]] * 5
    shaped = [[0.0, 10.0, 10.0]] * 4 + [[0.0, 5.0, 10.0]]
    taken, fewer = shaping_speed.saved(curves(plain=plain, shaped=shaped), shaping_speed.SHAPED[0], 0.8)
    assert taken is not None
    assert fewer is not None
    assert taken.value == pytest.approx(1.6)  # of 150 steps each
    assert fewer.value == pytest.approx((4 * 0.8 + 0.0) / 5)


def test_levels_that_are_never_reached_count_for_no_seed() -> None:
    plain = [[0.0, 5.0, 10.0]] * 5
    _, fewer = shaping_speed.saved(curves(plain=plain, shaped=[[0.0, 1.0, 2.0]] * 5), shaping_speed.SHAPED[0], 0.8)
    assert fewer is None


def test_the_page_says_what_was_kept() -> None:
    assert "LoyaltyTeam" in reward_distances.axis_table()
    assert len(reward_distances.telling_table().splitlines()) == 2 + len(worst_case_regret.telling())
    assert len(reward_distances.shaping_table().splitlines()) == 2 + len(shaping_speed.LEVELS)
