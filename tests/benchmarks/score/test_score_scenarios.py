"""Focal agents among others, and cross-play."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from coopgym.benchmarks.score import cross_play, scenario_scores
from tests.benchmarks.score.run_rows import GAME, OTHER, anchored, row, table


def met(algorithm: str, among: str, payoff: float, seed: int = 99, **facts: Any) -> dict[str, Any]:
    return row(algorithm, seed, protocol="scenario", scenario=f"among:{among}", focal_payoff=payoff, **facts)


def test_focal_and_background_stand_side_by_side() -> None:
    runs = table(
        met("IPPO", "TitForTat", 4.0, background_payoff=5.0, focal_return=6.0, focal_cooperation=0.3),
        met("IPPO", "TitForTat", 6.0, seed=100, background_payoff=8.0),
        met("VDN", "TitForTat", 9.0, background_payoff=3.0),
        row("IPPO", welfare=1.0),
        row("IPPO", protocol="scenario", scenario="a mixed crowd", focal_payoff=1.0),
    )
    mixed, ippo, vdn = scenario_scores(runs)
    assert (mixed.scenario, ippo.scenario, ippo.algorithm.name) == ("a mixed crowd", "among:TitForTat", "IPPO")
    assert (ippo.focal_payoff.value, ippo.background_payoff.value, ippo.focal_payoff.n) == (5.0, 6.5, 2)
    assert ippo.advantage.value == -1.5
    assert (vdn.advantage.value, vdn.advantage.low) == (6.0, None)
    assert (ippo.focal_return.n, mixed.background_payoff) == (1, None)
    assert scenario_scores(table(row("IPPO"))) == ()


def test_two_meetings_under_one_seed_are_refused() -> None:
    with pytest.raises(ValueError, match="two runs"):
        scenario_scores(table(met("IPPO", "VDN", 1.0), met("IPPO", "VDN", 2.0)))


def test_cross_play_holds_everybody_against_everybody() -> None:
    runs = table(
        anchored("welfare"),
        *(row("IPPO", 99, welfare=16.0), row("IPPO", 100, welfare=20.0), row("TitForTat", welfare=14.0)),
        *(met("IPPO", "TitForTat", 10.0), met("IPPO", "TitForTat", 12.0, seed=100), met("TitForTat", "IPPO", 6.0)),
    )
    found = cross_play(runs, "private")
    assert (found.names, [task.game for task in found.tasks]) == (("IPPO", "TitForTat"), [GAME])
    np.testing.assert_allclose(found.payoffs[..., 0], [[9.0, 11.0], [6.0, 7.0]])
    # Anchors per seat: Random earns 5, the best constant 10.
    np.testing.assert_allclose(found.matrix, [[0.8, 1.2], [0.2, 0.4]])
    assert found.scale == "0 = Random, 1 = best constant"


def test_pairs_average_over_the_same_games_or_not_at_all() -> None:
    other = {"environment": OTHER}
    runs = table(
        *(anchored("welfare"), anchored("welfare", **other)),
        *(row(name, welfare=15.0, **facts) for name in ("IPPO", "VDN") for facts in ({}, other)),
        *(met("IPPO", "VDN", 10.0), met("IPPO", "VDN", 5.0, **other), met("VDN", "IPPO", 7.5)),
        met("IPPO", "VDN", 99.0, reward_mode="integrated"),
    )
    found = cross_play(runs, "private")
    assert [task.game for task in found.tasks] == [GAME, OTHER]
    assert found.payoffs[1, 0].tolist() == pytest.approx([7.5, np.nan], nan_ok=True)
    np.testing.assert_allclose(found.matrix, [[0.5, 0.5], [np.nan, 0.5]])


def test_games_without_anchors_keep_their_payoffs_and_leave_the_mean() -> None:
    other = {"environment": OTHER}
    runs = table(
        anchored("welfare"), met("IPPO", "VDN", 10.0), met("VDN", "IPPO", 10.0), met("IPPO", "VDN", 5.0, **other)
    )
    found = cross_play(runs, "private")
    assert found.payoffs[0, 1].tolist() == [10.0, 5.0]
    np.testing.assert_allclose(found.matrix, [[np.nan, 1.0], [1.0, np.nan]])
    bare = cross_play(table(met("IPPO", "VDN", 10.0)), "private")
    assert np.isnan(bare.matrix).all()


def test_cross_play_needs_encounters() -> None:
    with pytest.raises(ValueError, match="no encounters among:<name> under integrated reward"):
        cross_play(table(met("IPPO", "VDN", 10.0)), "integrated")
