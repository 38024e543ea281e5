"""Rewards from preferences between trajectories, and policies from sampled comparisons."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.testing as npt
import pytest
import torch

from coopgym.algorithms import IPPO
from coopgym.algorithms.preferences.bradley_terry import BradleyTerry
from coopgym.algorithms.preferences.comparators import COMPARATORS, FEATURES
from coopgym.algorithms.preferences.nash_policy_gradient import NashMPPolicyGradient
from coopgym.algorithms.preferences.win_rate import WinRate
from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.oracles.preferences.nash_mirror_prox import NashMirrorProx
from coopgym.oracles.preferences.preference_matrix import PreferenceMatrix
from coopgym.play.draws import NOMINAL
from coopgym.play.unroll import open_loop, unroll
from coopgym.rewards import RunningRewards, reward_layer
from coopgym.testing import check_transform
from coopgym.typing import FloatArray

GAME = "TrustDilemma-v1"
CYCLIC = PreferenceMatrix.of([[0.5, 0.9, 0.2], [0.1, 0.5, 0.8], [0.8, 0.2, 0.5]])


def played(game: AnyGame, rewards: RunningRewards, levels: FloatArray) -> Iterator[FloatArray]:
    """Rewards ``(B, N)`` of every step of episodes in which all seats play a level ``(B,)`` all the time."""
    plan = levels[:, None].repeat(game.n_agents, axis=1)[None].repeat(game.spec.horizon, axis=0)
    rewards.reset()
    for step in unroll(game, open_loop(game, plan), batch=levels.shape, draws=NOMINAL):
        yield np.asarray(rewards(step))


@pytest.mark.parametrize("transform", [WinRate("cycle", error=0.25), BradleyTerry(queue=4, episodes=8)])
def test_transforms_are_what_they_declare(transform: WinRate | BradleyTerry) -> None:
    check_transform(transform, games=("PartnerHoldUp-v0",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cooperative + spo(welfar)", "unknown comparator 'welfar'; did you mean 'welfare'"),
        ("cooperative + spo(queue=0)", "queue=0: expected at least 1"),
        ("cooperative + spo(error=0.5)", "error=0.5: expected a share of at least 0 and below 0.5"),
        ("cooperative + spo(weight=0)", "weight=0.0: expected a number above 0"),
        ("cooperative + bradley_terry(ridge=0)", "ridge=0.0: expected a number above 0"),
        ("cooperative + bradley_terry(episodes=0)", "episodes=0: expected at least 1"),
        ("private + spo", "under private reward an agent has its own"),
    ],
)
def test_what_makes_no_sense_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reward_layer(text)


@pytest.mark.parametrize("name", COMPARATORS)
def test_swapped_trajectories_have_the_complement(name: str) -> None:
    drawn = torch.from_numpy(np.random.default_rng(0).integers(0, 3, (2, 50, len(FEATURES))) / 2.0)
    first, second = drawn
    npt.assert_allclose(COMPARATORS[name](first, second) + COMPARATORS[name](second, first), 1.0, atol=1e-12)
    npt.assert_allclose(COMPARATORS[name](first, first), 0.5)


def test_win_rates_are_shares_of_the_latest_trajectories_and_ties_count_half() -> None:
    game = make_game(GAME, max_steps=3)
    rewards = reward_layer("cooperative + spo(welfare, queue=2, weight=6)").running(game, (3,))
    first = list(played(game, rewards, np.array([0.1, 0.3, 0.5])))
    npt.assert_array_equal(first[:2], 0.0)
    npt.assert_array_equal(first[2], 3.0)  # nobody to compare with: as a tie, weighed
    *_, last = played(game, rewards, np.array([0.2, 0.3, 0.6]))
    # Compared with the latest two, 0.3 and 0.5; welfare rises up to 0.6.
    npt.assert_allclose(last[:, 0], 6.0 * np.array([0.0, 0.25, 1.0]))


def test_both_ask_equally_often_and_a_quarter_errs_where_it_should() -> None:
    game, levels = make_game(GAME, max_steps=2), np.linspace(0.05, 0.6, 64)
    asked, paid = [], {}
    for text in (
        "spo(welfare, error=0.25, queue=64)",
        "bradley_terry(welfare, error=0.25, queue=64)",
        "spo(welfare, queue=64)",
    ):
        rewards = reward_layer(f"cooperative + {text}").running(game, (64,))
        for _ in range(3):
            *_, paid[text] = played(game, rewards, levels)
        asked.append(int(rewards.state()["0.asked"][0]))
    assert asked == [2 * 64 * 64] * 3
    noisy, _, clean = paid.values()
    # A win rate p becomes 0.25 + p / 2.
    slope, offset = np.polyfit(clean[:, 0], noisy[:, 0], 1)
    assert slope == pytest.approx(0.5, abs=0.08)
    assert offset == pytest.approx(0.25, abs=0.05)


def test_a_reward_model_cannot_tell_early_from_late() -> None:
    game = make_game(GAME, max_steps=4)
    early, late = np.array([0.6, 0.6, 0.1, 0.1]), np.array([0.1, 0.1, 0.6, 0.6])
    plan = np.stack([early, late] * 8, axis=1)[..., None].repeat(2, axis=-1)
    totals = {}
    for text in ("spo(rise, queue=16)", "bradley_terry(rise, queue=16)"):
        rewards = reward_layer(f"cooperative + {text}").running(game, (16,))
        for _ in range(3):
            rewards.reset()
            steps = unroll(game, open_loop(game, plan), batch=(16,), draws=NOMINAL)
            totals[text] = np.sum([np.asarray(rewards(step)) for step in steps], axis=0)[:, 0]
    rates, model = totals.values()
    npt.assert_allclose(rates[:2], [0.25, 0.75])
    spread = np.ptp(model)
    assert np.isfinite(model).all()
    assert spread > 0.0  # trust on the way differs, by which it guesses


def test_a_learner_is_paid_win_rates() -> None:
    reward = "cooperative + spo(cycle)"
    result = IPPO(num_envs=4).train(GAME, [reward], [0, 1], 40, game_parameters={"max_steps": 5}, evaluations=0)
    assert [replica["diverged_at"] for replica in result.record["replicas"]] == [None, None]


def test_sampled_comparisons_lead_to_the_regularised_equilibrium() -> None:
    found = NashMPPolicyGradient(beta=0.1, steps=600, learning_rate=0.04).solve(CYCLIC)
    npt.assert_allclose(found, NashMirrorProx(beta=0.1).solve(CYCLIC), atol=0.06)
    assert found.sum() == pytest.approx(1.0)


def test_only_sampled_comparisons_are_asked_for_and_answers_may_be_verdicts() -> None:
    asked = []
    rng = np.random.default_rng(1)

    def verdict(own: np.ndarray, other: np.ndarray) -> np.ndarray:
        asked.append((own, other))
        return rng.random(len(own)) < CYCLIC.probabilities[own, other]

    solver = NashMPPolicyGradient(steps=20, batch=8)
    found = solver.train(verdict, 3)
    assert {each.shape for pair in asked for each in pair} == {(8,)}
    assert len(asked) == 20
    npt.assert_allclose(found, 1 / 3, atol=0.15)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"beta": 0.0}, "beta=0.0"),
        ({"learning_rate": float("inf")}, "learning_rate=inf"),
        ({"batch": 1}, "batch=1: expected at least 1 step and a batch of 2"),
        ({"decay": 1.0}, "decay=1.0"),
    ],
)
def test_settings_of_the_policy_gradient_are_checked(settings: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NashMPPolicyGradient(**settings)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="options=1"):
        NashMPPolicyGradient().train(lambda own, other: np.full(len(own), 0.5), 1)
