"""Experts who advise, the bandit that shows their advice, and the agents that learn from rewards of any kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym import make_game
from coopgym.agents import Seat, Strategy, make_agent
from coopgym.benchmarks.study.agent_info import agent_info
from coopgym.oracles.agents import ADVERSARIAL_BANDITS, BanditAgent, PortfolioPolicy
from coopgym.oracles.bandits import EXP4, Experts, PortfolioBandit, play_bandit, spread_over_levels, square_root_grid
from coopgym.play import play
from coopgym.testing import check_agent

GAME = make_game("TrustDilemma-v1", max_steps=20)


@given(shares=st.lists(st.floats(0.0, 1.0), min_size=1, max_size=10), levels=st.integers(2, 12))
@settings(max_examples=40, deadline=None)
def test_advice_has_the_mean_that_the_expert_named(shares: list[float], levels: int) -> None:
    grid = square_root_grid(levels)
    spread = spread_over_levels(np.array(shares), grid)
    np.testing.assert_allclose(spread.sum(-1), 1.0)
    np.testing.assert_allclose(spread @ grid, shares, atol=1e-12)
    assert (spread >= 0.0).all()
    assert ((spread > 0.0).sum(-1) <= 2).all()


def test_experts_are_asked_once_a_round_and_begin_anew_with_every_episode() -> None:
    class Counting(Strategy):
        def cooperate(self, observation: np.ndarray) -> np.ndarray:
            return np.minimum(self.round, 19) / 19.0

    expert = Counting()
    bandit = PortfolioBandit(GAME, experts=[expert, "Constant_50"], levels=square_root_grid(20))
    learner = EXP4(experts=2)
    bandit.reset(50, 3, np.random.default_rng(0))
    learner.reset(20, 50, 3)
    for t in range(50):
        advice = bandit.context()
        np.testing.assert_array_equal(bandit.context(), advice)
        np.testing.assert_allclose(advice[:, 0] @ bandit.levels, (t % 20) / 19.0, atol=1e-12)
        bandit.pull(learner.act(np.full((3, 1), 0.5), advice))
    assert not hasattr(expert, "round"), "the expert that was given is left alone"


def test_what_is_held_throughout_asks_no_expert() -> None:
    bandit = PortfolioBandit(GAME, experts=["Constant_00", "TitForTat"], levels=3)
    ledger = play_bandit(EXP4(experts=2), bandit, 30, replicas=2, resimulate=True)
    assert ledger.always is not None
    assert ledger.always.shape == (2, 3)
    assert (ledger.policy_regret >= 0.0).all()
    assert ledger.declared is None, "its bound is to the best expert"


@pytest.mark.parametrize("name", ADVERSARIAL_BANDITS)
def test_they_are_agents_that_compete(name: str) -> None:
    agent = make_agent(name)
    assert isinstance(agent, BanditAgent)
    assert agent.citation
    assert agent_info(name).kind == "heuristic", "a learning baseline competes; it is no oracle"
    played = play(GAME, [agent, make_agent("TitForTat")], reward="private", episodes=2, record=True).trajectory
    assert played is not None
    assert np.isfinite(played.logprobs[:, :, 0]).all()
    assert set(np.unique(played.shares[:, :, 0].round(9))) <= set(square_root_grid(6).round(9))


@pytest.mark.slow
@pytest.mark.parametrize("name", ADVERSARIAL_BANDITS)
def test_they_pass_the_battery_of_agents(name: str) -> None:
    check_agent(name, games=("TrustDilemma-v1",))


def test_a_portfolio_of_one_expert_plays_what_it_says() -> None:
    # A quarter is a level of this grid, so that what mirrors it is one as well.
    alone = play(GAME, [make_agent("TitForTat"), make_agent("Constant_25")], record=True).trajectory
    portfolio = PortfolioPolicy(["TitForTat"], levels=21)
    followed = play(GAME, [portfolio, make_agent("Constant_25")], record=True).trajectory
    assert alone is not None
    assert followed is not None
    np.testing.assert_allclose(alone.shares[1:, 0, 0], 0.25)
    np.testing.assert_allclose(followed.shares[1:], alone.shares[1:], atol=1e-6)
    # It opens with one half, which is none: with one of the two levels beside it.
    assert abs(float(followed.shares[0, 0, 0]) - float(alone.shares[0, 0, 0])) < 0.07


def test_portfolios_of_equal_experts_are_known_by_the_same() -> None:
    first, second = (PortfolioPolicy(experts=["TitForTat", make_agent("Constant", level=0.3)]) for _ in range(2))
    assert first.identity() == second.identity()
    assert first.identity() != PortfolioPolicy(experts=["TitForTat", make_agent("Constant", level=0.4)]).identity()


def test_bad_input_is_told() -> None:
    with pytest.raises(ValueError, match="at least one agent"):
        PortfolioPolicy(experts=[])
    with pytest.raises(TypeError, match="is no agent"):
        Experts([Strategy], square_root_grid(3))  # type: ignore[list-item]

    class Endless:
        def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
            pass

        def act(self, observation: np.ndarray) -> np.ndarray:
            return np.zeros(len(observation))

    bandit = PortfolioBandit(GAME, experts=[Endless()], levels=3)
    with pytest.raises(ValueError, match=r"Endless has no restart\(rows\)"):
        play_bandit(EXP4(experts=1), bandit, 21)
