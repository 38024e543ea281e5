"""Every game passes the checks that Gymnasium, stable-baselines3 and PettingZoo ship, in every mode and every view."""

from __future__ import annotations

import contextlib
import copy
import itertools
import pickle
import warnings
from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np
import pettingzoo
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit

import coopgym
from tests.interfaces.playing import (
    GAMES,
    VIEWS,
    by_agent,
    every_game,
    every_game_mode_and_view,
    joint_env,
    seat_env,
    vector_env,
)

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # PettingZoo's tests import its games the deprecated way
    from pettingzoo.test import api_test, parallel_api_test, parallel_seed_test, render_test, seed_test

SHORT = 5
"""Steps per episode, so that a few cycles of a check see the end of one."""
BOTH_CONTROLS = pytest.mark.parametrize("make", [seat_env, joint_env], ids=["seat", "joint"])


# Gymnasium and stable-baselines3


@every_game_mode_and_view
def test_gymnasium_and_stable_baselines_accept_the_environments(game_id: str, mode: str, view: str) -> None:
    sb3 = pytest.importorskip("stable_baselines3.common.env_checker")
    for make in (seat_env, joint_env):
        env = make(game_id, actions="symmetric", reward=mode, view=view, max_steps=SHORT)
        check_env(env, skip_render_check=True)
        sb3.check_env(env, skip_render_check=True)


@every_game
def test_the_plain_call_warns_of_nothing(game_id: str) -> None:
    env = gymnasium.make(f"coopgym/{game_id}", max_steps=SHORT)
    env.reset(seed=0)
    for _ in range(SHORT):
        _, reward, _, truncated, _ = env.step(0.5 * env.action_space.high)
    assert isinstance(reward, float)
    assert truncated
    assert env.spec.id == f"coopgym/{game_id}"


@BOTH_CONTROLS
def test_wrappers_find_what_they_need(make: Any) -> None:
    env = RecordEpisodeStatistics(TimeLimit(make("TeamProduction-v1"), 3))
    env.reset(seed=0)
    rewards = []
    for _ in range(3):
        _, reward, terminated, truncated, info = env.step(0.5 * env.action_space.high)
        rewards.append(reward)
    assert (terminated, truncated) == (False, True)
    assert info["episode"]["r"] == pytest.approx(sum(rewards))
    assert info["episode"]["l"] == 3


def test_a_vector_of_rewards_can_be_asked_for() -> None:
    env = joint_env("PublicGoods-v1", scalar_reward=False)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.full(5, 25.0))
    np.testing.assert_array_equal(reward, info["rewards"])


@BOTH_CONTROLS
@every_game
def test_copies_and_pickles_go_on_independently(make: Any, game_id: str) -> None:
    env = make(game_id, max_steps=SHORT)
    env.reset(seed=1)
    action = 0.4 * env.action_space.high
    env.step(action)
    twins = [copy.deepcopy(env), pickle.loads(pickle.dumps(env))]
    expected = env.step(action)
    for twin in twins:
        observation, reward, *_ = twin.step(action)
        np.testing.assert_array_equal(observation, expected[0])
        assert reward == expected[1]
        assert twin.unwrapped.game.parameters == env.unwrapped.game.parameters


def test_two_instances_do_not_touch_each_other() -> None:
    one, other = joint_env("CoalitionFormation-v1", view="full"), joint_env("CoalitionFormation-v1", view="full")
    one.reset(seed=0)
    first, _ = other.reset(seed=0)
    for _ in range(3):
        one.step(np.zeros(6))
    np.testing.assert_array_equal(other.reset(seed=0)[0], first)


@every_game
def test_reset_in_the_middle_of_an_episode_starts_anew(game_id: str) -> None:
    env = joint_env(game_id, view="full")
    first, info = env.reset(seed=0, options=None)
    env.step(env.action_space.high)
    again, info_again = env.reset(seed=0, options={})
    np.testing.assert_array_equal(again, first)
    assert info["step"] == info_again["step"] == 0
    assert info.keys() == info_again.keys()


def test_options_reach_the_game() -> None:
    options = {"initial_trust": 0.9, "initial_reputation": 0.1}
    _, info = joint_env("TrustDilemma-v1").reset(options=options)
    assert info["mean_trust"] == pytest.approx(0.9)
    assert info["mean_reputation_damage"] == pytest.approx(0.1)
    _, info = joint_env("SynergySearch-v1", privileged=True).reset(options={"gamma": 2.25})
    assert info["gamma"] == 2.25
    _, info = joint_env("PartnerHoldUp-v1").reset(options={"initial_state": {"asset": 0.75}})
    assert info["asset"] == 0.75


# Vector environments


@every_game
def test_vector_environments_stay_in_their_spaces(game_id: str) -> None:
    for control, view in itertools.product(("seat", "joint"), VIEWS):
        env = vector_env(game_id, 3, control=control, view=view, max_steps=2)
        single = seat_env(game_id, control=control, view=view, max_steps=2)
        assert env.single_observation_space == single.observation_space, (control, view)
        assert env.single_action_space == single.action_space, (control, view)
        observation, _ = env.reset(seed=0)
        env.action_space.seed(0)
        for _ in range(4):
            assert observation in env.observation_space, (control, view)
            observation, reward, terminated, truncated, _ = env.step(env.action_space.sample())
            assert reward.shape == terminated.shape == truncated.shape == (3,), (control, view)
            assert (reward.dtype, terminated.dtype) == (np.float64, np.bool_), (control, view)
        env.close()


def dissolving(mode: AutoresetMode, control: str = "joint") -> Any:
    """Two rows of which the first can be ended by defection."""
    return vector_env(
        "TrustDilemma-v1",
        2,
        control=control,
        end_on_dissolution=True,
        autoreset_mode=mode,
    )


DEFECT_FIRST = np.array([[0.0, 0.0], [60.0, 60.0]])


def until_the_first_ends(env: Any) -> tuple[Any, ...]:
    env.reset(seed=0)
    for _ in range(3):
        assert not env.step(DEFECT_FIRST)[2].any()
    return tuple(env.step(DEFECT_FIRST))


def test_autoreset_at_the_next_step() -> None:
    env = dissolving(AutoresetMode.NEXT_STEP)
    assert env.metadata["autoreset_mode"] is AutoresetMode.NEXT_STEP
    first, _ = env.reset(seed=0)
    _, _, terminated, _, _ = until_the_first_ends(env)
    assert terminated.tolist() == [True, False]
    observation, reward, terminated, truncated, _ = env.step(DEFECT_FIRST)
    np.testing.assert_array_equal(observation[0], first[0])
    assert reward[0] == 0.0 != reward[1]
    assert not (terminated | truncated).any()


def test_autoreset_in_the_same_step() -> None:
    env = dissolving(AutoresetMode.SAME_STEP)
    first, _ = env.reset(seed=0)
    observation, reward, terminated, _, info = until_the_first_ends(env)
    assert terminated.tolist() == info["_final_obs"].tolist() == [True, False]
    np.testing.assert_array_equal(observation[0], first[0])
    assert (info["final_obs"][0] != first[0]).any()
    assert reward[0] > 50.0  # the settlement is part of the last reward


def test_autoreset_by_the_caller() -> None:
    env = dissolving(AutoresetMode.DISABLED)
    first, _ = env.reset(seed=0)
    last, _, terminated, _, _ = until_the_first_ends(env)
    with pytest.raises(RuntimeError, match=r"rows \[0\] are over: reset\(options="):
        env.step(DEFECT_FIRST)
    observation, _ = env.reset(options={"reset_mask": terminated})
    np.testing.assert_array_equal(observation[0], first[0])
    np.testing.assert_array_equal(observation[1], last[1])
    assert not env.step(DEFECT_FIRST)[2].any()


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_partners_start_anew_with_their_row(mode: AutoresetMode) -> None:
    """Grim triggers that defect for ever in one row cooperate again in its next episode, and only there."""
    env = vector_env(
        "TrustDilemma-v1",
        2,
        partners="GrimTrigger",
        end_on_dissolution=True,
        autoreset_mode=mode,
    )
    env.reset(seed=0)
    own, ended = np.array([[0.0], [60.0]]), False
    partner_actions = []
    for _ in range(12):
        observation, _, terminated, _, _ = env.step(own)
        partner_actions.append(observation[0, 1])
        ended = ended or bool(terminated[0])
        if ended:
            own = np.array([[60.0], [60.0]])
    assert ended
    assert 0.0 in partner_actions[:5]
    assert partner_actions[-1] > 0.0


def test_standard_wrappers_of_vector_environments() -> None:
    env = gymnasium.wrappers.vector.RecordEpisodeStatistics(vector_env("TeamProduction-v1", 2, max_steps=2))
    env.reset(seed=0)
    for _ in range(2):
        _, _, _, truncated, info = env.step(env.action_space.sample())
    assert truncated.all()
    assert (info["episode"]["l"] == 2).all()


# Stable-baselines3


def few_steps(env: Any) -> Any:
    ppo = pytest.importorskip("stable_baselines3").PPO
    return ppo("MlpPolicy", env, n_steps=8, batch_size=8, n_epochs=1, device="cpu", seed=0).learn(16)


def test_stable_baselines_learns_on_a_seat() -> None:
    model = few_steps(gymnasium.make("coopgym/GiftExchange-v1"))
    assert model.num_timesteps >= 16


def test_stable_baselines_learns_on_all_seats() -> None:
    sb3 = pytest.importorskip("coopgym.interfaces.sb3")
    env = sb3.seat_vec_env("TeamProduction-v1", 2, reward="cooperative", max_steps=4)
    assert env.num_envs == 8
    assert few_steps(env).num_timesteps >= 16


def test_slots_of_a_stable_baselines_batch_end_together_by_copy() -> None:
    sb3 = pytest.importorskip("coopgym.interfaces.sb3")
    env = sb3.seat_vec_env("TrustDilemma-v1", 2, end_on_dissolution=True)
    env.seed(0)
    first = env.reset()
    actions = np.array([-1.0, -1.0, 0.2, 0.2])[:, None]
    for _ in range(4):
        observation, _, done, infos = env.step(actions)
    assert done.tolist() == [True, True, False, False]
    np.testing.assert_array_equal(observation[:2], first[:2])
    assert (infos[0]["terminal_observation"] != first[0]).any()
    assert infos[0]["TimeLimit.truncated"] is False
    assert infos[2].keys() == {"payoff"}
    assert env.get_attr("render_mode") == [None] * 4
    assert env.env_is_wrapped(TimeLimit, indices=[0, 3]) == [False, False]


def test_a_stable_baselines_batch_takes_seeds_and_options() -> None:
    sb3 = pytest.importorskip("coopgym.interfaces.sb3")
    env = sb3.seat_vec_env("SynergySearch-v1", 2, view="full")
    env.seed(3)
    seeded = env.reset()
    env.seed(3)
    np.testing.assert_array_equal(env.reset(), seeded)
    env.set_options({"gamma": 2.1})
    column = env.game.observation_columns("full", 0)["gamma"]
    assert (env.reset()[:, column] == 0.0).all()
    assert (env.reset()[:, column] != 0.0).all()  # options count once, like seeds


# PettingZoo


@every_game_mode_and_view
def test_pettingzoo_accepts_the_environments(game_id: str, mode: str, view: str) -> None:
    keywords = {"reward": mode, "view": view, "actions": "symmetric", "max_steps": SHORT}
    n_agents = coopgym.spec(game_id).n_agents
    with contextlib.redirect_stdout(None):
        parallel_api_test(coopgym.parallel_env(game_id, **keywords), num_cycles=2 * SHORT)
        api_test(coopgym.aec_env(game_id, **keywords), num_cycles=(SHORT + 1) * n_agents)


@every_game_mode_and_view
def test_pettingzoo_environments_follow_their_seed(game_id: str, mode: str, view: str) -> None:
    keywords = {"reward": mode, "view": view, "max_steps": SHORT}
    cycles = 3 if coopgym.spec(game_id).n_agents > 6 else SHORT + 1
    parallel_seed_test(lambda: coopgym.parallel_env(game_id, **keywords), num_cycles=cycles)
    seed_test(lambda: coopgym.aec_env(game_id, **keywords), num_cycles=cycles)


@pytest.mark.parametrize(
    ("make", "game_id"),
    [
        pytest.param(coopgym.parallel_env, "PublicGoods-v0", id="parallel"),
        pytest.param(coopgym.aec_env, "TrustDilemma-v1", id="aec"),
    ],
)
def test_pettingzoo_renders(make: Any, game_id: str, capsys: pytest.CaptureFixture[str]) -> None:
    def for_mode(render_mode: str) -> Any:
        env = make(game_id, render_mode=render_mode, max_steps=SHORT)
        return pettingzoo.utils.parallel_to_aec(env) if make is coopgym.parallel_env else env

    render_test(for_mode, custom_tests={"human": lambda result: result is None})


@pytest.mark.skipif(find_spec("pettingzoo.env_registry") is None, reason="PettingZoo before 1.27 has no registry")
@every_game
def test_pettingzoo_finds_every_game(game_id: str) -> None:
    parallel = pettingzoo.make("parallel", f"coopgym/{game_id}", reward="private", max_steps=3)
    alternating = pettingzoo.make("aec", f"coopgym/{game_id}", view="minimal")
    assert parallel.metadata["name"] == alternating.metadata["name"] == game_id
    assert parallel.reset(seed=0)[0].keys() == {*parallel.agents}
    alternating.reset(seed=0)
    assert alternating.agent_selection == "agent_0"


def test_pettingzoo_spaces_are_the_same_objects_every_time() -> None:
    for env in (coopgym.parallel_env("SLCD-v1"), coopgym.aec_env("SLCD-v0")):
        for agent in env.possible_agents:
            assert env.observation_space(agent) is env.observation_space(agent)
            assert env.action_space(agent) is env.action_space(agent)


@every_game
def test_pettingzoo_episodes_end_for_all_agents_at_once(game_id: str) -> None:
    env = coopgym.parallel_env(game_id, max_steps=2)
    env.reset(seed=0)
    half = by_agent(env, [0.5] * env.game.n_agents)
    assert not any(env.step(half)[3].values())
    _, _, _, truncated, infos = env.step(half)
    assert all(truncated.values())
    assert env.agents == []
    assert infos.keys() == {*env.possible_agents}


def test_the_registry_knows_all_games_everywhere() -> None:
    registered = {id for id in gymnasium.registry if id.startswith("coopgym/")}
    assert registered == {f"coopgym/{game_id}" for game_id in GAMES}


@pytest.mark.parametrize("make", [coopgym.parallel_env, coopgym.aec_env], ids=["parallel", "aec"])
def test_pettingzoo_knows_the_horizon_by_its_own_name(make: Any) -> None:
    env = make("TrustDilemma-v1", max_cycles=7)
    assert env.max_cycles == env.game.spec.horizon == 7
    assert make("TrustDilemma-v1").max_cycles == 100
    with pytest.raises(TypeError, match="max_cycles and max_steps are two names of the horizon"):
        make("TrustDilemma-v1", max_cycles=7, max_steps=7)


def test_pettingzoo_episodes_can_be_cut_short() -> None:
    env, cut = coopgym.parallel_env("TrustDilemma-v1", view="own"), coopgym.parallel_env("TrustDilemma-v1", view="own")
    cut.max_cycles = 2
    for each in (env, cut):
        each.reset(seed=0)
    for last in (False, True):
        whole, short = (each.step(by_agent(each, [0.5, 0.5])) for each in (env, cut))
        assert all(short[3].values()) == last
        assert not any(whole[3].values())
        np.testing.assert_array_equal(short[0]["agent_0"], whole[0]["agent_0"])  # the time that agents see stays


@every_game
def test_pettingzoo_tells_every_agent_the_same_from_the_reset_to_the_last_step(game_id: str) -> None:
    env = coopgym.parallel_env(game_id, max_steps=2)
    _, first = env.reset(seed=0)
    _, _, _, _, later = env.step(by_agent(env, [0.1] * env.game.n_agents))
    for agent in env.possible_agents:
        schema = [{name: type(value) for name, value in infos[agent].items()} for infos in (first, later)]
        assert schema[0] == schema[1] == {**dict.fromkeys(schema[0], np.float64), "step": np.int64}
        assert first[agent]["payoff"] == 0.0
    assert env.state() in env.state_space


# Slots of stable-baselines3, further


def test_slots_tell_payoffs_and_episodes_as_a_monitor_does() -> None:
    sb3 = pytest.importorskip("coopgym.interfaces.sb3")
    from stable_baselines3.common.monitor import Monitor

    env = sb3.seat_vec_env("TrustDilemma-v1", 2, reward="cooperative", max_steps=3)
    single = joint_env("TrustDilemma-v1", reward="cooperative", max_steps=3)
    assert env.env_is_wrapped(Monitor) == [True] * 4
    env.reset()
    single.reset()
    assert env.reset_infos == [{"payoff": 0.0}] * 4
    returns = np.zeros(4)
    for _ in range(3):
        _, rewards, done, infos = env.step(np.full((4, 1), 0.5))
        payoffs = single.step(np.full(2, 75.0))[-1]["payoffs"]
        returns += rewards
        assert [info["payoff"] for info in infos] == pytest.approx([*payoffs, *payoffs])
    assert done.all()
    assert [info["episode"]["r"] for info in infos] == pytest.approx(returns.tolist(), rel=1e-6)
    assert {info["episode"]["l"] for info in infos} == {3}
    assert "episode" not in env.step(np.full((4, 1), 0.5))[3][0]


def test_slots_are_changed_and_asked_together() -> None:
    sb3 = pytest.importorskip("coopgym.interfaces.sb3")
    env = sb3.seat_vec_env("TrustDilemma-v1", 2, reward=coopgym.rewards.Mutuality(0.5), max_steps=3)
    env.set_attr("note", "kept")
    assert env.get_attr("note") == ["kept"] * 4
    assert env.env_method("get_attr", "copies", indices=[0, 1, 2, 3]) == [[2] * 4] * 4
    (spec,) = {each.to_json() for each in env.get_attr("spec")}
    again = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(spec))
    assert again.unwrapped.game.parameters == env.game.parameters
    assert env.spec.max_episode_steps == 3


def test_slots_show_a_picture_of_every_copy() -> None:
    sb3 = pytest.importorskip("coopgym.interfaces.sb3")
    env = sb3.seat_vec_env("TrustDilemma-v1", 2, render_mode="rgb_array", max_steps=2)
    env.reset()
    first, second = env.get_images()
    assert np.array_equal(first, second)
    for _ in range(2):
        env.step(np.full((4, 1), 0.5))
    assert np.array_equal(env.get_images()[0], first)  # a new episode has begun
    assert env.render().shape[2] == 3
