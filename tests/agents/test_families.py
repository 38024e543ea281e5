"""Exploiters, forgiving and unforgiving strategies, and agents around agents."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from coopgym.agents import Agent, Seat, make_agent
from coopgym.agents.agent_text import AgentText, parse_agent
from coopgym.agents.families import Exploiter, Forgiver, TitsForTats
from coopgym.agents.heuristics import Constant, GrimTrigger, Random, TitForTat
from coopgym.agents.streams import EpisodeDraws, RecurringGenerator
from coopgym.agents.wrappers import Changing, Noisy
from coopgym.games.registry import games, make_game
from coopgym.play import play
from coopgym.testing import check_agent

BAD, GOOD = 0.1, 0.6
"""What partners play below and above the norm of 0.3."""


def moves(agent: Agent, script: list[float], id: str = "TrustDilemma-v1") -> list[float]:
    """Shares that an agent plays against a partner who follows a script."""

    class Scripted:
        def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
            self.left = list(script)

        def act(self, observation: Any) -> Any:
            return np.full(len(observation), self.left.pop(0))

    trajectory = play(make_game(id, max_steps=len(script)), [agent, Scripted()], record=True).trajectory
    assert trajectory is not None
    return trajectory.shares[:, 0, 0].round(6).tolist()


@pytest.mark.parametrize(
    ("tits", "tats", "answers"),
    [(1, 1, [0.5, 0, 0, 0, 0.5, 0.5]), (1, 2, [0.5, 0.5, 0, 0.5, 0.5, 0.5]), (3, 1, [0.5, 0, 0, 0, 0, 0])],
)
def test_tits_are_counted_for_tats(tits: int, tats: int, answers: list[float]) -> None:
    assert moves(TitsForTats(tits=tits, tats=tats), [BAD, BAD, BAD, GOOD, GOOD, GOOD]) == answers


def test_a_forgiver_looks_at_the_share_of_defections() -> None:
    assert moves(Forgiver(tolerance=0.3), [GOOD, BAD, GOOD, GOOD, GOOD]) == [0.5, 0.5, 0.0, 0.0, 0.5]


@pytest.mark.parametrize("id", games("formal"))
def test_an_exploiter_builds_trust_in_every_game_and_then_defects_until_it_is_spent(id: str) -> None:
    game = make_game(id)
    seats = [Exploiter(trust=0.75, rebuild=0.4), *(Constant(0.8) for _ in range(game.n_agents - 1))]
    trajectory = play(game, seats, record=True).trajectory
    assert trajectory is not None
    shares, trust = trajectory.shares[:, 0, 0], trajectory.trust[:, 0, 1:, 0].mean(-1)
    struck = int((shares == 0.0).argmax())
    assert 0 < struck < game.spec.horizon / 2
    assert trust[struck - 1] >= 0.75
    assert (shares[struck:] > 0.0).any()  # and begins anew


def test_noise_is_drawn_episode_by_episode_and_has_the_stated_size() -> None:
    game = make_game("TrustDilemma-v1", max_steps=40)

    def shares(episodes: int) -> Any:
        played = play(game, [Noisy(Constant(0.5), noise=0.1), Constant(0.5)], episodes=episodes, record=True)
        assert played.trajectory is not None
        return played.trajectory.shares[:, :, 0]

    many = shares(50)
    assert many.std() == pytest.approx(0.1, abs=0.005)
    assert many.mean() == pytest.approx(0.5, abs=0.01)
    np.testing.assert_array_equal(many[:, :3], shares(3))


def test_agents_inside_draw_from_streams_of_their_own() -> None:
    game = make_game("TrustDilemma-v1", max_steps=30)

    def shares(agent: Agent, episodes: int) -> Any:
        played = play(game, [agent, Constant(0.5)], episodes=episodes, record=True)
        assert played.trajectory is not None
        return played.trajectory.shares[:, :, 0]

    inner = shares(Noisy(Random(), noise=0.0), 4)
    np.testing.assert_array_equal(inner[:, :2], shares(Noisy(Random(), noise=0.0), 2))
    assert (inner != shares(Random(), 4)).all()


@pytest.mark.parametrize(("at", "last_of_the_first"), [(0.4, 4), (0.7, 7), (0.0, 0), (1.0, 10)])
def test_an_agent_changes_at_its_part_of_the_horizon(at: float, last_of_the_first: int) -> None:
    played = moves(Changing(Constant(0.6), Constant(0.2), at=at), [GOOD] * 10)
    assert played == [0.6] * last_of_the_first + [0.2] * (10 - last_of_the_first)


def test_who_takes_over_has_watched_from_the_beginning() -> None:
    script = [BAD, GOOD, GOOD, GOOD, GOOD]
    assert moves(Changing(Constant(0.6), GrimTrigger(), at=0.5), script) == [0.6] * 3 + [0.0] * 2


@pytest.mark.parametrize("text", ["Noisy(agent=Gradual, noise=0.2)", "Changing(first=Forgiver, second=Random, at=0.7)"])
def test_agents_around_agents_keep_the_promises_of_agents(text: str) -> None:
    check_agent(lambda: make_agent(text))


def test_texts_name_agents_with_settings_which_may_be_agents() -> None:
    agent = make_agent("Noisy(agent=GrimTrigger(opening_level=0.8), noise=0.05)")
    assert isinstance(agent, Noisy)
    assert agent.identity() == {
        "noise": 0.05,
        "agent": {"agent": "GrimTrigger", "version": 1, "settings": {"opening_level": 0.8}},
    }
    assert parse_agent("TitForTat(mode='min')") == AgentText("TitForTat", {"mode": "min"})
    tit_for_tat = make_agent("TitForTat(mode='min')", opening_level=0.9)
    assert isinstance(tit_for_tat, TitForTat)
    assert (tit_for_tat.mode, tit_for_tat.opening_level) == ("min", 0.9)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("TitForTat(0.5)", "expected a name with settings"),
        ("TitForTat(opening_level=open('x'))", "expected a name with settings"),
        ("TitForTat(**{})", "expected a name with settings"),
        ("Noisy(agent=1 + 1)", "expected a name with settings"),
        ("Noisy(agent=TitForTit)", "did you mean 'TitForTat'"),
        ("Exploiter(trust=0.4, rebuild=0.5)", "rebuild=0.5: expected less than trust=0.4"),
        ("TitsForTats(tats=0)", "tats=0: expected a whole number of at least 1"),
    ],
)
def test_texts_that_say_something_else_are_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("(", r"\(").replace(")", r"\)")):
        make_agent(text)


def test_settings_given_twice_are_refused() -> None:
    with pytest.raises(TypeError, match="opening_level is given twice"):
        make_agent("GrimTrigger(opening_level=0.8)", opening_level=0.9)


@pytest.mark.parametrize("kind", ["random", "standard_normal"])
def test_recurring_episodes_draw_what_the_same_episodes_draw_elsewhere(kind: str) -> None:
    once = EpisodeDraws(np.random.default_rng(7), 3)
    thrice = EpisodeDraws(RecurringGenerator(np.random.default_rng(7), period=3), 9)
    for _ in range(70):
        np.testing.assert_array_equal(getattr(thrice, kind)(), np.tile(getattr(once, kind)(), 3))
