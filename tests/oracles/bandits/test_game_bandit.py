"""Games seen from one seat as bandits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from coopgym import make_game
from coopgym.agents import make_agent
from coopgym.oracles.bandits import EXP3, UCB1, EpsilonGreedy, GameBandit, NoisyReward, play_bandit, square_root_grid
from coopgym.oracles.bandits.reward_bounds import reward_bounds
from coopgym.play import play
from coopgym.rewards import reward_layer

SHORT: dict[str, Any] = {"max_steps": 6}


def held_return(game: Any, seat: int, share: float, partner: str, reward: str) -> float:
    """Mean reward of a step of an episode in which a seat holds a share."""
    agents = [make_agent(partner) for _ in range(game.n_agents)]
    agents[seat] = make_agent("Constant", level=share)
    return float(play(game, agents, reward=reward).returns[reward][0, seat]) / game.spec.horizon


@pytest.mark.parametrize("reward", ["private", "cooperative"])
@pytest.mark.parametrize("id", ["TrustDilemma-v1", "TeamProduction-v1", "PartnerHoldUp-v0"])
def test_an_episode_round_pays_what_an_episode_of_that_share_pays(id: str, reward: str) -> None:
    game = make_game(id, **SHORT)
    bandit = GameBandit(game, 1, "TitForTat", levels=[0.1, 0.6], reward=reward, round="episode")
    bandit.reset(3, 2, np.random.default_rng(0))
    low, high = bandit.bounds[1]
    for chosen in ([0, 1], [1, 1]):
        outcome = bandit.pull(np.array(chosen))
        expected = [held_return(game, 1, share, "TitForTat", reward) for share in (0.1, 0.6)]
        scaled = (np.array(expected) - low) / (high - low)
        np.testing.assert_allclose(outcome.rewards, scaled[chosen])
        assert outcome.all_rewards is not None
        np.testing.assert_allclose(outcome.all_rewards, np.tile(scaled, (2, 1)))
    np.testing.assert_allclose(bandit.always(), 2.0 * np.tile(scaled, (2, 1)))


@pytest.mark.parametrize("world", ["fixed", "shifting"])
def test_step_rounds_replay_an_episode_and_know_what_other_shares_would_have_paid(world: str) -> None:
    game = make_game("TrustDilemma-v1", max_steps=4, world=world)
    bandit = GameBandit(game, 0, "GenerousTitForTat", levels=[0.0, 0.5, 1.0])
    chosen = np.array([[1, 1, 2], [2, 0, 2], [0, 0, 2], [1, 0, 2], [1, 2, 2]])

    def rewards(last: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bandit.reset(5, 3, np.random.default_rng(1))
        for row in (*chosen[:-1], last):
            outcome = bandit.pull(row)
        assert outcome.all_rewards is not None
        return outcome.rewards, outcome.all_rewards

    for arm in range(3):
        paid, table = rewards(np.full(3, arm))
        np.testing.assert_allclose(table[:, arm], paid)
    _, kept = rewards(chosen[-1])
    np.testing.assert_allclose(kept, table)


def test_policy_regret_lets_others_answer_and_external_regret_does_not() -> None:
    game = make_game("TrustDilemma-v1", max_steps=20)
    bandit = GameBandit(game, 0, "TitForTat", levels=5)
    ledger = play_bandit(UCB1(), bandit, 60, 2, rng=0, resimulate=True)
    assert ledger.always is not None
    for arm, share in enumerate(bandit.levels):
        low, high = bandit.bounds[0]
        expected = 60 * (held_return(game, 0, float(share), "TitForTat", "private") - low) / (high - low)
        np.testing.assert_allclose(ledger.always[:, arm], expected)
    assert (ledger.policy_regret > 2.0 * ledger.external_regret).all()
    assert ledger.declared is None


def test_where_nothing_moves_arms_are_stochastic_and_bounds_hold() -> None:
    game = make_game("PublicGoods-v1", max_steps=10)
    bandit = GameBandit(game, 0, "Constant_50", levels=6, process="stochastic")
    ledger = play_bandit(UCB1(), NoisyReward(bandit, sigma=0.05), 500, 4)
    assert ledger.instance.means is not None
    assert ledger.of_declared is not None
    assert 0.0 < ledger.of_declared < 1.0
    assert bandit.levels[int(ledger.best_fixed_arm[0])] == bandit.levels[int(np.argmax(ledger.instance.means))]


def test_a_claim_that_nothing_moves_is_checked() -> None:
    bandit = GameBandit(make_game("TrustDilemma-v1"), 0, "TitForTat", process="stochastic")
    with pytest.raises(ValueError, match=r"arm \d+ brought .* so they are not stochastic"):
        play_bandit(UCB1(), bandit, 20)


def test_a_schedule_answers_to_nobody() -> None:
    shares = np.random.default_rng(0).random((12, 1))
    bandit = GameBandit(make_game("PublicGoods-v1", n_agents=2), 0, shares, levels=4)
    assert bandit.instance.process == "oblivious"
    ledger = play_bandit(EpsilonGreedy(), bandit, 24, 2, resimulate=True)
    # Payoffs of public goods move with nothing but what is played, so both regrets are one.
    np.testing.assert_allclose(ledger.policy_regret, ledger.external_regret)


def test_a_game_with_a_state_answers_where_the_schedule_does_not() -> None:
    game, shares = make_game("TrustDilemma-v1", max_steps=20), np.full((1, 1), 0.5)
    step = GameBandit(game, 0, shares, levels=3)
    assert step.instance.process == "adaptive"  # its trust in the seat follows what the seat plays
    assert play_bandit(EXP3(), step, 10).declared is None
    assert GameBandit(game, 0, shares, levels=3, round="episode").instance.process == "oblivious"
    assert GameBandit(game, 0, shares, levels=3, process="oblivious").instance.process == "oblivious"


@pytest.mark.parametrize("round", ["step", "episode"])
def test_learners_in_all_seats_learn_beside_each_other(round: Any) -> None:
    game = make_game("TrustDilemma-v1", **SHORT)
    bandit = GameBandit(game, 0, UCB1(), levels=4, round=round)
    ledger = play_bandit(UCB1(), bandit, 30, 3, resimulate=True, record=True)
    assert (ledger.external_regret >= -1e-9).all()
    assert ledger.always is not None
    # Playing one arm only comes to what playing it again comes to.
    alone = GameBandit(game, 0, UCB1(), levels=[0.0, 1.0], round=round)
    alone.reset(30, 2, np.random.default_rng(3))
    earned = np.zeros(2)
    for _ in range(30):
        earned += alone.pull(np.array([1, 1])).rewards
    np.testing.assert_allclose(alone.always()[:, 1], earned)


def test_replicas_of_random_partners_differ_and_are_repeated() -> None:
    bandit = GameBandit(make_game("TrustDilemma-v1", **SHORT), 0, "Random", levels=3)

    def earned(seed: int) -> np.ndarray:
        return play_bandit(UCB1(), bandit, 18, 4, rng=seed).earned

    first = earned(0)
    assert len(set(first.tolist())) == 4
    np.testing.assert_array_equal(first, earned(0))


def test_early_ends_begin_new_episodes_and_pay_nothing_more() -> None:
    game = make_game("TrustDilemma-v0")
    assert game.may_end_early
    bandit = GameBandit(game, 0, "Constant_00", levels=3)
    bandit.reset(150, 2, np.random.default_rng(0))
    times = []
    for _ in range(150):
        bandit.pull(np.full(2, 0))
        times.append(float(bandit.context()[0, -1]))
    assert min(times[1:]) == 0.0
    episodes = GameBandit(game, 0, "Constant_00", levels=3, round="episode")
    assert (episodes.bounds[:, 0] <= 0.0).all()


def test_contexts_show_trust_last_shares_and_time() -> None:
    game = make_game("PublicGoods-v1")
    bandit = GameBandit(game, 2, "Constant_70")
    bandit.reset(10, 3, np.random.default_rng(0))
    assert bandit.context().shape == (3, 2 * game.n_agents - 1)
    bandit.pull(np.zeros(3, dtype=np.int64))
    seen = bandit.context()
    np.testing.assert_allclose(seen[:, 4:8], 0.7, atol=1e-6)
    np.testing.assert_allclose(seen[:, -1], 1.0 / game.spec.horizon)


@pytest.mark.parametrize("reward", ["private", "integrated", "cooperative"])
@pytest.mark.parametrize("id", ["RecoveryRace-v1", "SynergySearch-v1"])
def test_bounds_are_fixed_and_hardly_anything_is_clipped(id: str, reward: str) -> None:
    game = make_game(id)
    bandit = GameBandit(game, 0, "Random", levels=5, reward=reward, counterfactuals=False)
    before = bandit.bounds.copy()
    play_bandit(EpsilonGreedy(), bandit, game.spec.horizon, 2)
    np.testing.assert_array_equal(bandit.bounds, before)
    assert bandit.clipped < 0.02


def test_what_bounds_do_not_hold_is_clipped_and_counted() -> None:
    # Gifts under cooperative reward reach states that neither held nor alternating shares do.
    bandit = GameBandit(make_game("GiftExchange-v1"), 0, "Random", levels=5, reward="cooperative")
    bandit.reset(100, 4, np.random.default_rng(0))
    at_an_end = 0.0
    for t in range(100):
        rewards = bandit.pull(np.full(4, t % 5)).rewards
        at_an_end += np.isin(rewards, [0.0, 1.0]).mean() / 100
    assert bandit.clipped == pytest.approx(at_an_end)
    assert bandit.clipped > 0.0


def test_bounds_hold_everything_in_a_game_without_a_state() -> None:
    game, rewards = make_game("PublicGoods-v1"), reward_layer("private").evaluated
    bounds = reward_bounds(game, rewards, square_root_grid(11))
    paid = [play(game, [make_agent("Random") for _ in range(5)], episodes=3, seed=s).payoffs / 100 for s in range(2)]
    assert (np.array(paid) >= bounds[:, 0]).all()
    assert (np.array(paid) <= bounds[:, 1]).all()


def test_the_grid_is_even_in_square_roots() -> None:
    grid = square_root_grid(21, least=0.01)
    assert (grid[0], grid[-1]) == (pytest.approx(0.01), 1.0)
    np.testing.assert_allclose(np.diff(np.sqrt(grid)), 0.9 / 20)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seat": 2}, "seat=2"),
        ({"round": "game"}, "round='game'"),
        ({"levels": 1}, "levels=1"),
        ({"levels": [0.5, 0.2]}, "ascending"),
        ({"levels": [0.5, 1.2]}, "ascending"),
        ({"others": np.zeros((5, 2))}, "schedule of shape"),
        ({"others": np.full((5, 1), 2.0)}, "shares of the endowment"),
        ({"others": [UCB1(), UCB1()]}, "expected 1 learners"),
        ({"others": "Nobody"}, "unknown agent"),
        ({"process": "stochastic", "counterfactuals": False}, "needs counterfactuals"),
        (
            {"process": "adversarial"},
            "process='adversarial': expected one of stochastic, bayesian, oblivious, adaptive",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GameBandit(make_game("TrustDilemma-v1"), **settings)
    with pytest.raises(ValueError, match="least"):
        square_root_grid(5, least=1.0)
