"""Metrics of runs against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.benchmarks.metrics import evaluation_metrics, gini, normalised_score
from coopgym.play import Episodes


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
