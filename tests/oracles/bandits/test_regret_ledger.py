"""What a ledger can tell, and what it says where it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.oracles.bandits import (
    EXP3,
    UCB1,
    EpsilonGreedy,
    ExploreFirst,
    NoisyReward,
    OnlineHedge,
    RegretLedger,
    RewardTable,
    StochasticArms,
    play_bandit,
)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 4))
def test_regrets_are_what_their_definitions_say(seed: int, horizon: int, arms: int) -> None:
    table = np.random.default_rng(seed).random((horizon, arms))
    ledger = play_bandit(EpsilonGreedy(), RewardTable(table), horizon, 2, rng=seed, record=True, resimulate=True)
    assert ledger.arms is not None
    assert ledger.rewards is not None
    for row in range(2):
        chosen = ledger.arms[:, row]
        earned = table[np.arange(horizon), chosen]
        np.testing.assert_allclose(ledger.rewards[:, row], earned)
        external = table.sum(0).max() - earned.sum()
        assert ledger.external_regret[row] == pytest.approx(external)
        assert ledger.policy_regret[row] == pytest.approx(external)
        swap = sum(table[chosen == arm].sum(0).max() - earned[chosen == arm].sum() for arm in set(chosen.tolist()))
        assert ledger.swap_regret[row] == pytest.approx(swap)
        assert ledger.best_fixed_arm[row] == table.sum(0).argmax()
        assert ledger.counts[row].tolist() == np.bincount(chosen, minlength=arms).tolist()
        assert ledger.curve[-1, row] == pytest.approx(external)
    assert (ledger.swap_regret >= ledger.external_regret - 1e-9).all()


def test_what_play_cannot_show_is_said() -> None:
    coins = play_bandit(UCB1(), StochasticArms([0.8, 0.2]), 50)
    for name in ("external_regret", "swap_regret", "policy_regret"):
        with pytest.raises(ValueError, match=r"UCB1: .* cannot be told from this play; it takes"):
            getattr(coins, name)
    table = play_bandit(UCB1(), RewardTable(np.ones((50, 2))), 50)
    with pytest.raises(ValueError, match="expected regret cannot be told"):
        _ = table.expected_regret
    assert table.of_declared is None
    assert table.of_lower_bound is None
    assert coins.best_fixed_arm.tolist() == [0]


def test_where_nothing_can_be_lost_nothing_is_lost_of_what_is_declared() -> None:
    for learner in (OnlineHedge(), EXP3()):
        assert play_bandit(learner, RewardTable(np.full((5, 1), 0.5)), 5).of_declared == 0.0
    assert play_bandit(UCB1(anytime=True), StochasticArms([0.5, 0.5]), 20).of_declared == 0.0


def test_the_curve_of_expected_regret_grows_to_its_end() -> None:
    ledger = play_bandit(ExploreFirst(), StochasticArms([0.8, 0.4]), 500, 5, curve=10)
    assert len(ledger.rounds) == 10
    assert ledger.rounds[-1] == 500
    assert (np.diff(ledger.curve, axis=0) >= 0.0).all()
    np.testing.assert_allclose(ledger.curve[-1], ledger.expected_regret)


def test_equal_seeds_make_equal_plays() -> None:
    def play(seed: int) -> RegretLedger:
        return play_bandit(EpsilonGreedy(), StochasticArms([0.6, 0.5]), 100, 3, rng=seed)

    np.testing.assert_array_equal(play(1).earned, play(1).earned)
    assert (play(1).earned != play(2).earned).any()


def test_noise_is_the_same_for_all_arms_and_leaves_means_alone() -> None:
    arms = NoisyReward(RewardTable(np.full((400, 2), [0.5, 0.6])), sigma=0.05)
    arms.reset(400, 500, np.random.default_rng(0))
    outcome = arms.pull(np.zeros(500, dtype=np.int64))
    assert outcome.all_rewards is not None
    np.testing.assert_allclose(outcome.all_rewards[:, 0], outcome.rewards)
    np.testing.assert_allclose(outcome.all_rewards[:, 1] - outcome.all_rewards[:, 0], 0.1)
    assert outcome.rewards.std() == pytest.approx(0.05, rel=0.15)
    with pytest.raises(ValueError, match="sigma"):
        NoisyReward(arms, sigma=-0.1)
