"""Infos: one schema from the reset to the last step, and in batches what single environments tell, row by row."""

from __future__ import annotations

import copy
import pickle
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import coopgym
from coopgym.interfaces.deferred import DeferredInfo
from tests.interfaces.playing import GAMES, every_game, joint_env, seat_env, vector_env

STEPS = 5
WAYS = [(mode, control) for control in ("seat", "joint") for mode in AutoresetMode]


def schema(info: dict[str, Any]) -> dict[str, Any]:
    """Shape and type of every value; texts may be of any length."""
    return {name: (np.shape(value), np.asarray(value).dtype.str.rstrip("0123456789")) for name, value in info.items()}


def conduct(env: Any, steps: int, seed: int = 7) -> Any:
    """Actions ``(steps, ...)`` in which some defect, so that relations end where they can."""
    low, high = env.action_space.low, env.action_space.high
    share = np.random.default_rng(seed).choice([0.0, 0.1, 0.6], size=(steps, *low.shape))
    return (low + (high - low) * share).astype(np.float32)


@every_game
@pytest.mark.parametrize("make", [seat_env, joint_env], ids=["seat", "joint"])
def test_infos_of_an_episode_have_one_schema_of_numpy_values(make: Any, game_id: str) -> None:
    env = make(game_id, max_steps=STEPS)
    _, first = env.reset(seed=0)
    for action in conduct(env, STEPS):
        _, _, terminated, truncated, info = env.step(action)
        assert type(info) is dict, "what walks over trees of dictionaries takes heirs of them for leaves"
        assert all(isinstance(value, np.ndarray | np.generic) for value in info.values())
        assert schema(info) == schema(first)
        if terminated or truncated:
            break
    assert schema(env.reset()[1]) == schema(first)
    for name in ("payoffs", "rewards", "units", "shares", "welfare", "cumulative_rewards", "reward_variance"):
        assert not first[name].any()


def test_running_sums_cover_the_episode() -> None:
    env = joint_env("TrustDilemma-v1", max_steps=3)
    env.reset(seed=0)
    paid: list[Any] = []
    for action in conduct(env, 3):
        *_, info = env.step(action)
        paid.append(info["rewards"])
        np.testing.assert_allclose(info["cumulative_rewards"], np.sum(paid, axis=0))
        assert info["reward_variance"] == pytest.approx(np.var(paid))
    _, info = env.reset()
    assert not info["cumulative_rewards"].any()


def assert_same(value: Any, expected: Any) -> None:
    """The same type, shape and, up to rounding, value."""
    value, expected = np.asarray(value), np.asarray(expected)
    assert (value.dtype, value.shape) == (expected.dtype, expected.shape)
    if value.dtype.kind == "f":
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-12)
    else:
        np.testing.assert_array_equal(value, expected)


def same_infos(batch: dict[str, Any], single: dict[str, Any]) -> None:
    """Every key with its mask, and the same values where the mask holds."""
    assert batch.keys() == single.keys()
    for name, expected in single.items():
        if isinstance(expected, dict):
            same_infos(batch[name], expected)
        elif not name.startswith("_"):
            rows = single[f"_{name}"]
            np.testing.assert_array_equal(batch[f"_{name}"], rows)
            for row in np.flatnonzero(rows):
                assert_same(batch[name][row], expected[row])
            nothing = batch[name][~rows]
            assert not nothing.astype(bool).any(), name


def batch_beside_singles(game_id: str, mode: AutoresetMode, control: str, **keywords: Any) -> tuple[Any, SyncVectorEnv]:
    make = joint_env if control == "joint" else seat_env
    singles = SyncVectorEnv([partial(make, game_id, **keywords)] * 3, autoreset_mode=mode)
    return vector_env(game_id, 3, control=control, autoreset_mode=mode, **keywords), singles


EVERY_WAY = [(game_id, *way) for game_id in ("TrustDilemma-v1", "TrustDilemma-v0") for way in WAYS]
EVERY_GAME_SOME_WAY = [(game_id, *WAYS[k % len(WAYS)]) for k, game_id in enumerate(GAMES)]


@pytest.mark.parametrize(("game_id", "mode", "control"), [*EVERY_WAY, *EVERY_GAME_SOME_WAY])
def test_infos_of_batches_are_those_of_single_environments(game_id: str, mode: AutoresetMode, control: str) -> None:
    batch, singles = batch_beside_singles(game_id, mode, control, max_steps=4)
    same_infos(batch.reset(seed=3)[1], singles.reset(seed=3)[1])
    for action in conduct(singles, 10):
        observation, reward, terminated, truncated, info = batch.step(action)
        expected = singles.step(action)
        np.testing.assert_allclose(observation, expected[0], rtol=1e-6)
        np.testing.assert_array_equal((terminated, truncated), expected[2:4])
        np.testing.assert_allclose(reward, expected[1], rtol=1e-12)
        same_infos(info, expected[4])
        over = terminated | truncated
        if mode is AutoresetMode.DISABLED and over.any():
            started, told = batch.reset(options={"reset_mask": over})
            restarted, expected_told = singles.reset(options={"reset_mask": over})
            np.testing.assert_array_equal(started, restarted)
            same_infos(told, expected_told)


@pytest.mark.parametrize(("mode", "control"), WAYS)
def test_a_limit_cuts_episodes_of_a_batch_as_it_cuts_single_ones(mode: AutoresetMode, control: str) -> None:
    batch = gymnasium.make_vec("coopgym/TrustDilemma-v1", 3, control=control, max_episode_steps=3, autoreset_mode=mode)
    singles = gymnasium.make_vec(
        "coopgym/TrustDilemma-v1",
        3,
        "sync",
        control=control,
        max_episode_steps=3,
        vector_kwargs={"autoreset_mode": mode},
    )
    batch.reset(seed=0)
    singles.reset(seed=0)
    cut = []
    for action in conduct(singles, 7):
        observation, _, _, truncated, info = batch.step(action)
        expected = singles.step(action)
        np.testing.assert_allclose(observation, expected[0], rtol=1e-6)
        np.testing.assert_array_equal(truncated, expected[3])
        same_infos(info, expected[4])
        cut.append(bool(truncated.all()))
        if mode is AutoresetMode.DISABLED and truncated.any():
            batch.reset(options={"reset_mask": truncated})
            singles.reset(options={"reset_mask": truncated.copy()})
    assert cut.index(True) == 2


@pytest.mark.parametrize("limit", [0, -2, 2.5, True, "3"])
def test_a_limit_that_is_none_is_refused(limit: Any) -> None:
    with pytest.raises(ValueError, match=r"max_episode_steps=.*expected a whole number of at least 1"):
        vector_env("TrustDilemma-v1", 2, max_episode_steps=limit)


def test_infos_of_a_batch_tell_of_their_own_step_however_late_they_are_read() -> None:
    late, soon = (vector_env("TrustDilemma-v0", 2, control="joint", max_steps=3) for _ in range(2))
    late.reset(seed=0)
    soon.reset(seed=0)
    actions = conduct(soon, 6)
    kept = [late.step(action)[-1] for action in actions]
    late.reset()
    for info, action in zip(kept, actions, strict=True):
        expected = dict(soon.step(action)[-1])
        assert info.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_array_equal(info[name], value)


def test_readers_own_what_they_read() -> None:
    for env in (joint_env("TrustDilemma-v1", reward="private"), vector_env("TrustDilemma-v1", 2, reward="private")):
        env.reset(seed=0)
        info = env.step(conduct(env, 1)[0])[-1]
        before = {name: np.copy(value) for name, value in info.items() if isinstance(value, np.ndarray)}
        for name in before:
            assert info[name].flags.writeable
            assert not any(np.shares_memory(info[name], value) for other, value in info.items() if other != name)


# Dictionaries that are filled when they are read


def deferred(calls: list[int]) -> DeferredInfo:
    def reckon() -> dict[str, Any]:
        calls.append(1)
        return {"a": 1, "b": 2}

    return DeferredInfo(reckon)


READINGS = {
    "item": lambda info: info["a"] == 1,
    "get": lambda info: info.get("b") == 2,
    "in": lambda info: "a" in info,
    "iteration": lambda info: [*info] == ["a", "b"],
    "length": lambda info: len(info) == 2,
    "truth": bool,
    "equality": lambda info: info == {"a": 1, "b": 2},
    "inequality": lambda info: info != {"a": 1},
    "keys": lambda info: {*info.keys()} == {"a", "b"},
    "items": lambda info: dict(info.items()) == {"a": 1, "b": 2},
    "values": lambda info: [*info.values()] == [1, 2],
    "text": lambda info: repr(info) == "{'a': 1, 'b': 2}",
    "unpacking": lambda info: {**info} == {"a": 1, "b": 2},
    "as keywords": lambda info: dict(**info) == {"a": 1, "b": 2},
    "dict": lambda info: dict(info) == {"a": 1, "b": 2},
    "update of another": lambda info: (other := {}).update(info) is None and other == {"a": 1, "b": 2},
    "union": lambda info: info | {"c": 3} == {"a": 1, "b": 2, "c": 3} == {"c": 3} | info,
    "copy": lambda info: info.copy() == copy.copy(info) == copy.deepcopy(info) == {"a": 1, "b": 2},
    "pickle": lambda info: pickle.loads(pickle.dumps(info)) == {"a": 1, "b": 2},
    "pop": lambda info: info.pop("a") == 1 and [*info] == ["b"],
    "clear": lambda info: info.clear() is None and not info,
    "reversed": lambda info: [*reversed(info)] == ["b", "a"],
}


@pytest.mark.parametrize("reading", READINGS)
def test_every_way_to_read_fills_the_dictionary_once(reading: str) -> None:
    calls: list[int] = []
    info = deferred(calls)
    assert not calls
    assert READINGS[reading](info)
    assert calls == [1]


def test_what_wrappers_write_unread_stays() -> None:
    calls: list[int] = []
    info = deferred(calls)
    info["b"] = "mine"
    info["episode"] = {"r": 1.0}
    assert not calls
    assert info == {"a": 1, "b": "mine", "episode": {"r": 1.0}}


# What Gymnasium notes about an environment


@every_game
def test_specifications_tell_the_horizon_and_make_the_same_environment_again(game_id: str) -> None:
    keywords = {"reward": coopgym.rewards.Mutuality(0.25), "max_steps": 7, "control": "joint"}
    env = gymnasium.make(f"coopgym/{game_id}", **keywords)
    assert env.spec is not None
    assert env.spec.max_episode_steps == 7
    again = gymnasium.make(gymnasium.envs.registration.EnvSpec.from_json(env.spec.to_json()))
    assert again.unwrapped.game.parameters == env.unwrapped.game.parameters
    assert again.unwrapped.spec == env.unwrapped.spec
    env.reset(seed=0)
    again.reset(seed=0)
    for action in conduct(env, 7):
        ours, theirs = env.step(action), again.step(action)
        assert ours[1:4] == theirs[1:4]
        if ours[2]:
            return
    assert ours[3]


def test_specifications_of_batches_make_the_same_batch_again() -> None:
    matrix = np.array([[0.0, 0.5], [0.25, 0.0]])
    env = gymnasium.make_vec(
        "coopgym/SLCD-v1",
        2,
        reward="svo=45",
        dependence=matrix,
        max_episode_steps=9,
        autoreset_mode=AutoresetMode.SAME_STEP,
    )
    text = env.spec.to_json()
    again = gymnasium.make_vec(gymnasium.envs.registration.EnvSpec.from_json(text))
    assert again.autoreset_mode is AutoresetMode.SAME_STEP
    assert again.num_envs == 2
    assert again.spec.max_episode_steps == 9
    assert again.game.parameters == env.game.parameters
    assert again.spec.to_json() == text


def test_wrappers_read_the_horizon() -> None:
    env = gymnasium.wrappers.TimeAwareObservation(gymnasium.make("coopgym/TrustDilemma-v1", max_steps=7))
    observation, _ = env.reset(seed=0)
    assert observation in env.observation_space
    assert env.max_timesteps == 7


def test_an_edition_is_no_outdated_version() -> None:
    for game_id in ("TrustDilemma-v0", "TrustDilemma-v1"):  # a warning would fail this test
        assert gymnasium.make(f"coopgym/{game_id}").spec.id == f"coopgym/{game_id}"
        assert gymnasium.make_vec(f"coopgym/{game_id}", 2).spec.id == f"coopgym/{game_id}"
    with pytest.raises(gymnasium.error.NameNotFound, match="Did you mean: `TrustDilemma-v1`"):
        gymnasium.make("coopgym/TrustDilemma")


@pytest.mark.parametrize("keyword", ["frameskip", "max_cycle"])
def test_unknown_keywords_are_refused_in_the_words_that_clients_look_for(keyword: str) -> None:
    makers = (
        partial(gymnasium.make, "coopgym/TrustDilemma-v1"),
        partial(gymnasium.make_vec, "coopgym/TrustDilemma-v1", 2),
        partial(coopgym.parallel_env, "TrustDilemma-v1"),
        partial(coopgym.make_game, "TrustDilemma-v1"),
    )
    for make in makers:
        with pytest.raises(TypeError, match=f"got an unexpected keyword argument '{keyword}'.*Known parameters"):
            make(**{keyword: 4})
