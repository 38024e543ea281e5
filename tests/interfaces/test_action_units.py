"""What is sent as an action: symmetric numbers, shares or units stand for the same levels in every interface."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import numpy.testing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

import coopgym
from coopgym.agents import Seat, make_agent
from coopgym.games.actions import ACTION_UNITS, ActionScale
from coopgym.play import play
from coopgym.play.engine import Engine
from tests.interfaces.playing import GAMES, PLAYERS, every_game, every_view, joint_env, seat_env, vector_env

UNEQUAL = tuple(id for id in GAMES if len(set(coopgym.spec(id).endowments)) > 1)


def sent(unit: str, shares: Any, endowments: Any) -> Any:
    """What a controller sends for shares of the endowments."""
    return {"units": shares * endowments, "share": shares, "symmetric": 2.0 * shares - 1.0}[unit]


@pytest.mark.parametrize("interface", PLAYERS)
@pytest.mark.parametrize("game_id", ["GiftExchange-v1", "AppleAppStore-v0", "PublicGoods-v1"])
def test_the_same_levels_are_the_same_play(interface: str, game_id: str) -> None:
    spec = coopgym.spec(game_id)
    shares = np.random.default_rng(2).random((6, spec.n_agents))
    played = [
        PLAYERS[interface](game_id, sent(unit, shares, spec.endowments), actions=unit).rewards for unit in ACTION_UNITS
    ]
    npt.assert_allclose(played[0], played[2], rtol=1e-9)
    npt.assert_allclose(played[1], played[2], rtol=1e-9)


@every_game
def test_the_formal_edition_takes_symmetric_actions_and_the_released_one_units(game_id: str) -> None:
    pytest.importorskip("torch")
    formal = coopgym.spec(game_id).edition == "formal"
    spec = coopgym.spec(game_id)
    low, high = (-1.0, 1.0) if formal else (0.0, float(spec.endowments[0]))
    seat = gymnasium.make(f"coopgym/{game_id}").action_space
    joint = gymnasium.make(f"coopgym/{game_id}", control="joint").action_space
    rows = gymnasium.make_vec(f"coopgym/{game_id}", num_envs=2).single_action_space
    pettingzoo = [make(game_id).action_space("agent_0") for make in (coopgym.parallel_env, coopgym.aec_env)]
    for space in (seat, rows, *pettingzoo):
        npt.assert_array_equal([space.low, space.high], [[low], [high]])
    npt.assert_array_equal(joint.high, np.ones(spec.n_agents) if formal else spec.endowments.astype(np.float32))
    env = coopgym.torch_env(game_id, 1)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"the action 1000\.0 of agent_0"):
        env.step(np.full((1, spec.n_agents), 1000.0))  # type: ignore[arg-type]  # anything like an array will do


@every_view
@pytest.mark.parametrize("unit", ["symmetric", "share"])
@pytest.mark.parametrize("game_id", UNEQUAL)
def test_seats_share_their_spaces_unless_they_act_in_units(game_id: str, unit: str, view: str) -> None:
    for make in (coopgym.parallel_env, coopgym.aec_env):
        env = make(game_id, view=view, actions=unit)
        actions = [env.action_space(agent) for agent in env.possible_agents]
        seen = [env.observation_space(agent) for agent in env.possible_agents]
        assert all(space == actions[0] for space in actions)
        assert all(space == seen[0] for space in seen)
    in_units = coopgym.parallel_env(game_id, view=view, actions="units")
    assert len({float(in_units.action_space(agent).high[0]) for agent in in_units.possible_agents}) > 1


@pytest.mark.parametrize("game_id", UNEQUAL)
def test_what_seats_see_lies_in_the_space_they_share(game_id: str) -> None:
    env = coopgym.parallel_env(game_id, actions="symmetric", view="full")
    seen, _ = env.reset(seed=0)
    for _ in range(3):
        assert all(seen[agent] in env.observation_space(agent) for agent in env.possible_agents)
        seen, *_ = env.step({agent: [1.0] for agent in env.possible_agents})


def test_info_names_what_was_played() -> None:
    env = gymnasium.make("coopgym/GiftExchange-v1", control="joint")
    env.reset(seed=0)
    info = env.step(np.array([0.2, -0.5]))[4]
    npt.assert_allclose(info["shares"], [0.6, 0.25])
    npt.assert_allclose(info["units"], [60.0, 20.0])
    assert "actions" not in info
    parallel = coopgym.parallel_env("GiftExchange-v1")
    parallel.reset(seed=0)
    infos = parallel.step({"agent_0": [0.2], "agent_1": [-0.5]})[4]
    assert infos["agent_1"]["own_action"] == pytest.approx(20.0)
    assert infos["agent_1"]["cooperation_rate"] == pytest.approx(0.25)


@given(st.floats(0.0, 1.0), st.sampled_from(ACTION_UNITS), st.sampled_from(UNEQUAL))
def test_levels_are_affine_and_end_at_nothing_and_the_endowment(share: float, unit: str, game_id: str) -> None:
    game = coopgym.make_game(game_id)
    scale, endowments = ActionScale(game, unit), game.spec.endowments
    npt.assert_array_equal(scale.levels(scale.low), np.zeros_like(endowments))
    npt.assert_array_equal(scale.levels(scale.high), endowments)
    npt.assert_allclose(scale.levels(sent(unit, share, endowments)), share * endowments, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("unit", "number", "message"),
    [
        ("symmetric", 60.0, r"outside \[-1, 1\]; expected numbers from -1, nothing, to 1, .* need actions='units'"),
        ("symmetric", -1.1, r"outside \[-1, 1\]; .*clip or rescale"),
        ("share", 60.0, r"outside \[0, 1\]; expected shares of endowment .* need actions='units' .* up to 100"),
        ("share", 101.0, r"outside \[0, 1\]; .*clip or rescale"),
        ("units", -0.5, r"outside \[0, 100\]; expected units of endowment in \[0, 100\]"),
    ],
)
def test_what_is_out_of_range_says_in_which_unit(unit: str, number: float, message: str) -> None:
    engine = Engine(coopgym.make_game("TrustDilemma-v1"), actions=unit)
    engine.reset(0)
    with pytest.raises(ValueError, match=message):
        engine.step([number, 0.0])


@pytest.mark.parametrize("unit", ["percent", "", 1, True, ["share"]])
def test_other_units_are_refused(unit: Any) -> None:
    makers: list[Callable[..., Any]] = [
        coopgym.parallel_env,
        coopgym.aec_env,
        seat_env,
        joint_env,
        partial(vector_env, num_envs=2),
    ]
    for make in makers:
        with pytest.raises(ValueError, match=r"actions=.*expected one of 'symmetric', 'share', 'units', or None"):
            make("SLCD-v1", actions=unit)


def test_slots_of_stable_baselines_act_on_one_scale() -> None:
    sb3 = pytest.importorskip("coopgym.interfaces.sb3")
    for id in ("GiftExchange-v0", "GiftExchange-v1"):
        assert sb3.seat_vec_env(id, 2).action_space == gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)
        assert sb3.seat_vec_env(id, 2, actions="share").action_space.low == [0.0]
        with pytest.raises(ValueError, match=r"different endowments.*expected 'symmetric' or 'share'"):
            sb3.seat_vec_env(id, 2, actions="units")
    assert sb3.seat_vec_env("TrustDilemma-v0", 2, actions="units").action_space.high == [100.0]


class Answers:
    """Plays what it is told."""

    def __init__(self, answer: float) -> None:
        self.answer = answer

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        self.episodes = episodes

    def act(self, observation: Any) -> Any:
        return np.full(self.episodes, self.answer)


def test_agents_play_shares_in_every_edition() -> None:
    for id in ("GiftExchange-v0", "GiftExchange-v1"):
        game = coopgym.make_game(id)
        played = play(game, [Answers(0.6), Answers(0.25)], record=True).trajectory
        assert played is not None
        npt.assert_allclose(played.shares[0, 0], [0.6, 0.25])
        npt.assert_allclose(played.actions[0, 0], [0.6, 0.25] * game.spec.endowments)


def test_an_agent_that_still_answers_in_units_is_told_so() -> None:
    game = coopgym.make_game("TrustDilemma-v1")
    with pytest.raises(ValueError, match=r"Answers in seat 1 .* returned 60 in .* no longer in endowment units"):
        play(game, [Answers(0.6), Answers(60.0)])
    env = gymnasium.make("coopgym/TrustDilemma-v1", partners=Answers(60.0), disable_env_checker=True)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="no longer in endowment units"):
        env.step(np.array([0.0]))
    with pytest.raises(
        ValueError, match=r"returned 101 in episode 0; expected shares of the endowment in \[0, 1\]: clip"
    ):
        play(game, [Answers(0.6), Answers(101.0)])


def test_shipped_agents_answer_in_shares() -> None:
    game = coopgym.make_game("GiftExchange-v1")
    for name in ("Random", "TitForTat", "Constant_60"):
        agent = make_agent(name)
        agent.begin(Seat.of(game, 1, "own", "private"), 3, np.random.default_rng(0))
        shares = np.asarray(agent.act(game.observe(game.initial_state((3,)), "own")[:, 1]))
        assert ((shares >= 0.0) & (shares <= 1.0)).all()
