"""Fifty kinds of things that are no action: every interface refuses them in a sentence, and the episode goes on."""

from __future__ import annotations

import datetime
import enum
import re
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import coopgym
from tests.interfaces.playing import aec_env, joint_env, parallel_env, seat_env, torch_env, vector_env

GAME = "GiftExchange-v1"
GOOD = [40.0, 30.0]


class Level(enum.Enum):
    HALF = 0.5


KINDS: dict[str, Any] = {
    **{f"text {text!r}": text for text in ("", "30", "half", "nan", "1e3", "0x10", "３０", "\ud800")},
    **{f"bytes {value!r}": value for value in (b"", b"1", b"30", bytearray(b"7"), np.bytes_(b"1"))},
    **{f"complex {value!r}": value for value in (1j, 30 + 0j, complex("nan"), np.complex64(3), np.array([1j]))},
    **{f"date {i}": value for i, value in enumerate((datetime.date(2030, 1, 2), datetime.datetime(2030, 1, 2)))},
    **{f"time {i}": value for i, value in enumerate((datetime.time(1), datetime.timedelta(1)))},
    **{f"numpy time {i}": value for i, value in enumerate((np.datetime64("2030-01-02"), np.timedelta64(30, "s")))},
    **{f"huge {sign}": sign * 10**400 for sign in (1, -1)},
    **{f"large {value:g}": value for value in (1e300, -1e300, 2.0**63, 81.0, -1.0)},
    "whole number beyond 64 bits": 10**30,
    **{f"not finite {value}": value for value in (float("nan"), float("inf"), -float("inf"), np.float32("nan"))},
    **{f"decimal {i}": value for i, value in enumerate((Decimal(30), Decimal("NaN"), Fraction(61, 2)))},
    **{f"object {type(value).__name__}": value for value in (None, object(), print, Level.HALF, GAME.split, ...)},
    **{f"collection {type(value).__name__}": value for value in ({}, {"action": 1.0}.keys(), {1.0}, slice(3))},
    "masked constant": np.ma.masked,
    "masked array": np.ma.masked_array([30.0], mask=[True]),
    "structured array": np.array([(30.0, 1)], dtype=[("level", float), ("seat", int)]),
    "array of objects": np.array([Decimal(30)], dtype=object),
    "array of texts": np.array(["30"]),
    "array of nothing": np.zeros((0,)),
    "two numbers": [30.0, 30.0],
    "numbers of numbers": [[30.0, [1.0]]],
    "generator": (each for each in (30.0,)),
}


def joint() -> Callable[[Any], Any]:
    env = joint_env(GAME)
    env.reset(seed=0)
    return lambda action: env.step([GOOD[0], action])


def parallel() -> Callable[[Any], Any]:
    env = parallel_env(GAME)
    env.reset(seed=0)
    return lambda action: env.step({"agent_0": GOOD[0], "agent_1": action})


def alternating() -> Callable[[Any], Any]:
    env = aec_env(GAME)
    env.reset(seed=0)

    def play(action: Any) -> None:
        if env.agent_selection == "agent_0":
            env.step(GOOD[0])
        env.step(action)

    return play


def seat() -> Callable[[Any], Any]:
    env = seat_env(GAME, seat=1, partners="Gradual")
    env.reset(seed=0)
    return env.step


def vector() -> Callable[[Any], Any]:
    env = vector_env(GAME, 2, control="joint")
    env.reset(seed=0)
    return lambda action: env.step([GOOD, [GOOD[0], action]])


def seat_rows() -> Callable[[Any], Any]:
    env = vector_env(GAME, 2, seat=1, partners="Gradual")
    env.reset(seed=0)
    return lambda action: env.step([GOOD[1], action])


def torch_rows() -> Callable[[Any], Any]:
    pytest.importorskip("torch")
    env = torch_env(GAME, 2)
    env.reset(seed=0)
    return lambda action: env.step([GOOD, [GOOD[0], action]])  # type: ignore[arg-type]  # what a beginner passes


def stable_baselines() -> Callable[[Any], Any]:
    env = pytest.importorskip("coopgym.interfaces.sb3").seat_vec_env(GAME, 1)
    env.reset()
    return lambda action: env.step([0.0, action] if action is GOOD[1] else [[0.0], [action]])


def refusal(play: Callable[[Any], Any], action: Any) -> str | None:
    """What an interface says of an action that it refuses, without any warning; None if it plays it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            play(action)
        except ValueError as error:
            return str(error)
    return None


@pytest.mark.parametrize("interface", [joint, parallel, alternating, seat, vector, seat_rows, torch_rows])
def test_what_is_no_action_is_refused_in_every_interface(interface: Callable[[], Callable[[Any], Any]]) -> None:
    assert len(KINDS) >= 50
    play = interface()
    for name, action in KINDS.items():
        said = refusal(play, action)
        assert said is not None, f"{name} was played"
        assert re.match(f"{GAME}: .*(expected|must be)", said), (name, said)
        assert len(said) < 500, name
    play(GOOD[1])


def test_stable_baselines_batches_refuse_what_is_no_number() -> None:
    play = stable_baselines()
    for action in (1j, b"1", "0", None, Decimal(0), np.datetime64("2030-01-02"), 10**400):
        with pytest.raises(ValueError, match=GAME):
            play(action)


@pytest.mark.parametrize("action", [30, np.float32(30), np.int8(30), np.uint64(30), np.float16(30), np.array(30.0)])
def test_real_numbers_of_any_type_are_played(action: Any) -> None:
    for interface in (joint, parallel, alternating, seat, vector, seat_rows, torch_rows):
        interface()(action)


@pytest.mark.parametrize("options", [[], (), 0, "", False, 0.0, "gamma", [("gamma", 1.0)]])
def test_reset_options_are_none_or_a_mapping(options: Any) -> None:
    environments = [joint_env(GAME), parallel_env(GAME), aec_env(GAME), torch_env(GAME, 2)]
    environments.append(vector_env(GAME, 2, control="joint"))
    for env in environments:
        with pytest.raises(TypeError, match="expected a mapping"):
            env.reset(seed=0, options=options)
        env.reset(seed=0, options={})
        env.reset(seed=0, options=None)


@pytest.mark.parametrize(
    "parameters",
    [{"max_steps": 10**13}, {"max_steps": 10**400}, {"lambda_plus": 10**400}, {"max_steps": -(10**400)}],
)
def test_parameters_beyond_what_can_be_held_are_refused(parameters: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        coopgym.make_game(GAME, **parameters)


def test_more_agents_than_can_be_held_are_refused() -> None:
    with pytest.raises(ValueError, match=r"n_agents=1000000000: expected at most 10,000"):
        coopgym.make_game("PublicGoods-v0", n_agents=10**9)
    with pytest.raises(ValueError, match="num_envs"):
        torch_env(GAME, 10**12)
