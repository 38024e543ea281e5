"""Playing episodes with an agent in every seat."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.testing as npt
import pytest

from coopgym.agents import Agent, Seat, make_agent
from coopgym.agents.heuristics import Constant, TitForTat
from coopgym.games.registry import make_game
from coopgym.games.step import Step
from coopgym.play import play
from coopgym.play.engine import Engine
from coopgym.play.partners import Partners
from coopgym.rewards import MODES, reward_layer


class Answers:
    """Answers whatever it is told to."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        pass

    def act(self, observation: Any) -> Any:
        return self.answer


class RowByRow:
    """Defects in even rows and cooperates in odd ones."""

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        self.shares = np.arange(episodes) % 2

    def act(self, observation: Any) -> Any:
        return self.shares


class Meddler:
    """Writes over what it is shown and over all that the array leads to, and lends out its own answer."""

    lent: Any = None

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        Meddler.lent = None

    def act(self, observation: Any) -> Any:
        reached = observation
        while reached is not None:
            reached[...] = 1.0
            reached = reached.base
        if Meddler.lent is not None:
            Meddler.lent[...] = 7.0
        Meddler.lent = np.zeros(len(observation))
        return Meddler.lent


def seated(name: str, n_agents: int) -> list[Agent]:
    return [make_agent(name) for _ in range(n_agents)]


@pytest.mark.parametrize("id", ["SynergySearch-v1", "SynergySearch-v0", "AppleAppStore-v0", "CoalitionFormation-v1"])
def test_a_batch_of_episodes_equals_single_episodes(id: str) -> None:
    game = make_game(id, max_steps=20)
    names = ["TitForTat", "Gradual", "GrimTrigger", "WinStayLoseShift", "Constant_60", "Constant_10"][: game.n_agents]
    together = play(game, [make_agent(name) for name in names], episodes=3, seed=5)
    for k in range(3):
        alone = play(game, [make_agent(name) for name in names], seed=5 + k)
        npt.assert_allclose(together.payoffs[k], alone.payoffs[0], rtol=1e-9)
        npt.assert_allclose(together.returns["integrated"][k], alone.returns["integrated"][0], rtol=1e-9)
        npt.assert_allclose(together.cooperation[k], alone.cooperation[0], rtol=1e-9)
        assert together.lengths[k] == alone.lengths[0]


def test_play_adds_up_what_the_engine_pays() -> None:
    game = make_game("GraduatedSanction-v1", max_steps=10)
    result = play(game, seated("Constant_50", 6), reward="svo=30")
    engine = Engine(game, "svo=30")
    engine.reset(0)
    payoffs, returns = np.zeros(6), {name: np.zeros(6) for name in (*MODES, "svo=30")}
    for _ in range(10):
        before, actions = engine.state, 0.5 * game.spec.endowments
        transition, _ = engine.step(actions)
        payoffs += transition.payoffs
        for name in returns:
            returns[name] += reward_layer(name)(Step(game, 0, before, actions, transition))
    npt.assert_allclose(result.payoffs[0], payoffs, rtol=1e-12)
    assert set(result.returns) == set(returns)
    for name, total in returns.items():
        npt.assert_allclose(result.returns[name][0], total, rtol=1e-12)
    assert result.final["mean_trust"][0] == pytest.approx(float(game.diagnostics(engine.state)["mean_trust"]))
    assert result.trajectory is None


def test_agents_own_what_they_are_shown_and_what_they_answer() -> None:
    game = make_game("PublicGoods-v1", max_steps=12)
    others = game.n_agents - 2
    honest: list[Agent] = [Constant(0.0), Constant(0.0), *seated("TitForTat", others)]
    meddling: list[Agent] = [Meddler(), Meddler(), *seated("TitForTat", others)]
    expected, got = (play(game, agents, episodes=2, record=True) for agents in (honest, meddling))
    assert expected.trajectory is not None
    assert got.trajectory is not None
    npt.assert_array_equal(got.payoffs, expected.payoffs)
    npt.assert_array_equal(got.trajectory.observations, expected.trajectory.observations)

    def conducted(partner: Agent) -> Any:
        engine, partners = (
            Engine(game, batch=(2,)),
            Partners(game, 0, [partner, *seated("TitForTat", others)], MODES["private"]),
        )
        engine.reset(0)
        partners.begin([np.random.default_rng(row) for row in range(2)])
        for _ in range(5):
            engine.step(partners.fill(np.full(2, 1.0), engine.state))
        return engine.state.last_action

    npt.assert_array_equal(conducted(Meddler()), conducted(Constant(0.0)))


def test_early_ends_are_handled_row_by_row() -> None:
    game = make_game("TrustDilemma-v0")
    result = play(game, [RowByRow(), RowByRow()], episodes=4, record=True)
    defectors = play(game, seated("Constant_00", 2))
    cooperators = play(game, seated("Constant_100", 2))
    short = int(defectors.lengths[0])
    assert short < 20
    npt.assert_array_equal(result.lengths, [short, 100, short, 100])
    npt.assert_array_equal(result.terminated, [1, 0, 1, 0])
    npt.assert_allclose(result.payoffs[0], defectors.payoffs[0])
    npt.assert_allclose(result.payoffs[1], cooperators.payoffs[0])
    npt.assert_allclose(result.final["mean_trust"][:2], [defectors.final["mean_trust"][0], 1.0], atol=0.01)
    npt.assert_allclose(result.cooperation, [[0, 0], [1, 1], [0, 0], [1, 1]])
    record = result.trajectory
    assert record is not None
    npt.assert_array_equal(record.alive.sum(axis=0), result.lengths)
    npt.assert_array_equal(record.terminated[short - 1], [1, 0, 1, 0])
    npt.assert_array_equal(record.truncated[-1], [0, 1, 0, 1])
    for values in (record.actions, record.payoffs, record.rewards, record.trust, record.damage, record.observations):
        assert not values[short:, 0].any()
    npt.assert_allclose(record.payoffs.sum(axis=0), result.payoffs)


def test_games_stop_when_all_episodes_have_ended() -> None:
    result = play(make_game("TrustDilemma-v0"), seated("Constant_00", 2), episodes=2, record=True)
    assert result.trajectory is not None
    assert len(result.trajectory.actions) == result.lengths.max() < 20


def test_records_show_what_was_seen_before_acting() -> None:
    game = make_game("PartnerHoldUp-v1", max_steps=4)
    record = play(game, [Constant(0.25), Constant(0.75)], views=["own", "full"], record=True).trajectory
    assert record is not None
    assert record.observations.shape == (4, 1, 2, 10)
    npt.assert_allclose(record.observations[0, 0, :, 0], [0.2, 0.2])
    npt.assert_allclose(record.observations[1, 0, :, 0], [0.25, 0.75])
    npt.assert_allclose(record.actions[:, 0], [[30.0, 60.0]] * 4)
    npt.assert_allclose(record.observations[:, 0, 0, -1], [0.0, 0.25, 0.5, 0.75])


def test_seeds_decide_about_games_and_agents() -> None:
    game = make_game("SynergySearch-v1", max_steps=5)
    one, same, other = (play(game, seated("Random", 2), seed=seed, episodes=2) for seed in (3, 3, 4))
    npt.assert_array_equal(one.payoffs, same.payoffs)
    assert not np.allclose(one.payoffs, other.payoffs)
    assert not np.allclose(one.cooperation[:, 0], one.cooperation[:, 1])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (0.5, r"act\(\) must return 2 shares, one per episode, .*got shape \(\)"),
        ([[0.5], [0.5]], r"got shape \(2, 1\)"),
        ([0.1, 0.2, 0.3], r"got shape \(3,\)"),
        ("cooperate", r"act\(\) must return numbers, .* got 'cooperate'"),
        (["much", "little"], r"act\(\) must return numbers"),
        ([0.5, np.nan], r"act\(\) returned nan in episode 1; expected shares .* finite ones"),
        ([np.inf, 0.5], r"act\(\) returned inf in episode 0; expected shares .* finite ones"),
        ([0.5, 1.005], r"act\(\) returned 1.005 in episode 1; .* no longer in endowment units"),
        ([-0.1, 0.5], r"act\(\) returned -0.1 in episode 0; expected shares of the endowment in \[0, 1\]: clip"),
    ],
)
def test_an_unplayable_answer_names_the_agent_and_its_seat(answer: Any, message: str) -> None:
    with pytest.raises(ValueError, match=rf"Answers in seat 1 of TrustDilemma-v1: .*{message}"):
        play(make_game("TrustDilemma-v1"), [Constant(0.5), Answers(answer)], episodes=2)


def test_an_answer_off_by_rounding_is_clipped() -> None:
    game = make_game("TrustDilemma-v1", max_steps=1)
    result = play(game, [Answers([np.float64(1.0000001)]), Answers([-1e-7])], record=True)
    assert result.trajectory is not None
    npt.assert_array_equal(result.trajectory.actions[0, 0], [100.0, 0.0])


def test_the_number_of_agents_and_views_must_fit() -> None:
    game = make_game("TrustDilemma-v1")
    with pytest.raises(ValueError, match="expected 2 agents, one per seat, got 1"):
        play(game, [Constant()])
    with pytest.raises(ValueError, match="expected one view or 2 views, got 1"):
        play(game, [Constant(), Constant()], views=["own"])
    with pytest.raises(ValueError, match="view='all'"):
        play(game, [Constant(), Constant()], views="all")  # type: ignore[arg-type]


def test_one_object_cannot_sit_in_two_seats() -> None:
    agent = TitForTat()
    with pytest.raises(ValueError, match="the same TitForTat object sits in several seats; make one agent per seat"):
        play(make_game("TrustDilemma-v1"), [agent, agent])
    with pytest.raises(ValueError, match="the same TitForTat object sits in several seats"):
        Partners(make_game("TeamProduction-v1"), 0, agent, MODES["private"])
    Partners(make_game("TrustDilemma-v1"), 0, agent, MODES["private"])


def test_a_scripted_partner_that_breaks_the_protocol_is_named() -> None:
    game = make_game("TrustDilemma-v1")
    partners = Partners(game, 0, Answers(0.5), MODES["private"])
    partners.begin([np.random.default_rng(row) for row in range(2)])
    with pytest.raises(ValueError, match="Answers in seat 1 of TrustDilemma-v1"):
        partners.fill(np.array([50.0, 50.0]), game.initial_state((2,)))
