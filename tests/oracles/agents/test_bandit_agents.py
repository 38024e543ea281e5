"""Bandits in seats of games: what they see, what they are paid, and when they forget."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from coopgym import make_game
from coopgym.agents import Agent, Strategy, make_agent
from coopgym.benchmarks.study.agent_info import agent_info
from coopgym.oracles.agents import BANDITS, BanditAgent, ThompsonModels
from coopgym.oracles.bandits import UCB1, OnlineLearner, RewardTable, play_bandit
from coopgym.oracles.bandits.reward_bounds import reward_bounds
from coopgym.play import play
from coopgym.play.partners import Partners
from coopgym.rewards import reward_layer
from coopgym.testing import check_agent
from coopgym.typing import FloatArray, IntArray


class Recording(OnlineLearner):
    """Chooses arms in turn and remembers what it is shown."""

    def __init__(self) -> None:
        self.rewards: list[FloatArray] = []
        self.tables: list[FloatArray | None] = []

    def prepare(self) -> None:
        pass

    def probabilities(self, context: FloatArray | None = None) -> FloatArray:
        return np.full((self.replicas, self.arms), 1.0 / self.arms)

    def act(self, uniforms: FloatArray, context: FloatArray | None = None) -> IntArray:
        return (self.round + self.rows) % self.arms

    def learn(self, arms: IntArray, rewards: FloatArray, feedback: FloatArray | None) -> None:
        self.rewards.append(rewards)
        self.tables.append(feedback)


class ToldAll(Recording):
    full_feedback = True


class RecordingAgent(BanditAgent):
    learner = Recording


class ToldAgent(BanditAgent):
    learner = ToldAll


def others(agent: Agent, n_agents: int, partner: str = "TitForTat") -> list[Agent]:
    return [agent, *(make_agent(partner) for _ in range(n_agents - 1))]


@pytest.mark.parametrize("name", BANDITS)
def test_bandits_are_agents_that_compete(name: str) -> None:
    agent = make_agent(name)
    if name in ("Bandit_UCB1", "Bandit_ThompsonBeta"):
        check_agent(name, games=("TrustDilemma-v1",))
    assert isinstance(agent, Strategy)
    assert agent.citation
    assert agent_info(name).kind == "heuristic", "a learning baseline competes; it is no oracle"


@pytest.mark.parametrize("reward", ["private", "cooperative"])
@pytest.mark.parametrize("kind", [RecordingAgent, ToldAgent])
def test_rewards_are_those_of_the_seat_between_fixed_bounds(kind: type[BanditAgent], reward: str) -> None:
    game, agent = make_game("TrustDilemma-v1", max_steps=6), kind(levels=3)
    played = play(game, others(agent, 2), reward=reward, episodes=2, record=True).trajectory
    assert played is not None
    low, high = reward_bounds(game, reward_layer(reward).evaluated, agent._shares)[0]
    expected = np.clip((played.rewards[:-1, :, 0] - low) / (high - low), 0.0, 1.0)
    learner = agent._learner
    assert isinstance(learner, Recording)
    np.testing.assert_allclose(learner.rewards, expected, atol=1e-6)
    if kind is RecordingAgent:
        assert all(table is None for table in learner.tables)
    else:
        tables = np.array(learner.tables)
        chosen = np.searchsorted(agent._shares, played.shares[:-1, :, 0] - 1e-9)
        np.testing.assert_allclose(np.take_along_axis(tables, chosen[..., None], -1)[..., 0], expected, atol=1e-6)


def test_what_is_drawn_is_seen_as_a_payoff_and_never_reckoned() -> None:
    game = make_game("SynergySearch-v1", max_steps=5)
    agent = RecordingAgent(levels=3)
    played = play(game, others(agent, 2), reward="private", episodes=2, record=True).trajectory
    assert played is not None
    learner = agent._learner
    assert isinstance(learner, Recording)
    shown = played.observations[1:, :, 0, agent.seat.columns["last_payoff"][0]]
    np.testing.assert_allclose(learner.rewards, shown)
    with pytest.raises(ValueError, match="learns from what every share would have paid"):
        play(game, others(ToldAgent(), 2), reward="private")


@pytest.mark.parametrize("lasting", [False, True])
def test_an_episode_that_is_restarted_is_forgotten_unless_learning_lasts(lasting: bool) -> None:
    game = make_game("TrustDilemma-v1", max_steps=50)
    agent = make_agent("Bandit_UCB1", levels=3, lasting=lasting)
    assert isinstance(agent, BanditAgent)
    partners = Partners(game, 1, agent, reward_layer("private").evaluated)
    partners.begin([np.random.default_rng(k) for k in range(2)])
    state = game.initial_state((2,))
    for _ in range(5):
        partners.fill(np.full(2, 50.0), state)
    partners.restart(np.array([True, False]))
    partners.fill(np.full(2, 50.0), state)
    learned = agent._learner.round
    assert learned.tolist() == ([4, 5] if lasting else [0, 5])
    partners.fill(np.full(2, 50.0), state)
    assert agent._learner.round.tolist() == ([5, 6] if lasting else [1, 6])


def test_probabilities_are_told_where_a_formula_has_them() -> None:
    game = make_game("PublicGoods-v1", n_agents=2, max_steps=12)
    for name, told in (("Bandit_EpsilonGreedy", True), ("Bandit_UCB1", True), ("Bandit_ThompsonBeta", False)):
        played = play(game, others(make_agent(name), 2), episodes=3, record=True).trajectory
        assert played is not None
        assert np.isfinite(played.logprobs[:, :, 0]).all() == told
        assert not told or (played.logprobs[:, :, 0] <= 0.0).all()


def test_an_own_learner_is_an_agent_by_one_line() -> None:
    class Slow(BanditAgent):
        learner = UCB1

    assert Slow.citation == UCB1.citation
    assert Slow(constant=0.5).identity() == {"levels": 6, "lasting": False, "anytime": False, "constant": 0.5}
    with pytest.raises(TypeError):
        make_agent("Bandit_UCB1", epsilon=0.1)
    with pytest.raises(ValueError, match="levels=1"):
        make_agent("Bandit_UCB1", levels=1)


def test_updating_some_replicas_leaves_the_others_as_they_were() -> None:
    whole, part = UCB1(), UCB1()
    for learner in (whole, part):
        play_bandit(learner, RewardTable(np.random.default_rng(0).random((9, 3))), 9, 3)
    chosen, rewards = np.array([0, 1, 2]), np.array([0.1, 0.5, 0.9])
    kept = part.index.copy()
    whole.update(chosen, rewards)
    part.update_where(np.array([True, False, True]), chosen, rewards)
    np.testing.assert_array_equal(part.index[[0, 2]], whole.index[[0, 2]])
    np.testing.assert_array_equal(part.index[1], kept[1])
    assert part.round.tolist() == [10, 9, 10]


def test_sampling_models_comes_to_know_the_factors_and_plays_what_is_best_for_them() -> None:
    game = make_game("SLCD-v1", world="common", max_steps=8)
    agents: list[Any] = [make_agent("ThompsonModels") for _ in range(2)]
    played = play(game, agents, reward="private", episodes=6, record=True).trajectory
    assert played is not None
    assert all(isinstance(agent, ThompsonModels) for agent in agents)
    assert np.ptp(played.shares[0, :, 0]) > 0.05, "the first level is drawn"
    assert not agents[0].estimate.cost_is_unknown.any()
    np.testing.assert_allclose(played.shares[-1, :, 0], agents[0].best_level(), atol=1e-3)
