"""Episodic rewards: everything at the end, once, in the right place of the pipeline."""

from __future__ import annotations

import gymnasium
import numpy as np
import numpy.testing as npt
import pytest

import coopgym
from coopgym.games.registry import make_game
from coopgym.play.engine import Engine
from coopgym.rewards import reward_layer
from coopgym.testing import check_transform

GAME = make_game("TrustDilemma-v1", max_steps=4)


def test_it_is_what_it_declares() -> None:
    check_transform("episodic")


@pytest.mark.parametrize("mode", ["private", "integrated", "cooperative + shaping(trust)"])
def test_the_sum_comes_at_the_end_and_nothing_before(mode: str) -> None:
    plain, held = (Engine(GAME, reward, (3,), actions="share") for reward in (mode, f"{mode} + episodic"))
    for engine in (plain, held):
        engine.reset(seed=0)
    plan = np.random.default_rng(0).random((4, 3, 2))
    paid, kept_back = (np.array([engine.step(shares)[1] for shares in plan]) for engine in (plain, held))
    npt.assert_array_equal(kept_back[:-1], 0.0)
    npt.assert_allclose(kept_back[-1], paid.sum(0), rtol=1e-12)


def test_an_episode_that_is_over_is_not_paid_twice() -> None:
    rewards = Engine(GAME, "private + episodic", actions="share")
    rewards.reset(seed=0)
    paid = [rewards.step(np.array([0.5, 0.5]))[1] for _ in range(6)]
    assert paid[3].all()
    assert not np.any(paid[4:])


def test_an_episode_that_starts_anew_owes_nothing() -> None:
    engine = Engine(GAME, "private + episodic", (2,), actions="share")
    engine.reset(seed=0)
    shares = np.full((2, 2), 0.5)
    engine.step(shares)
    engine.reset_where(np.array([True, False]))
    ends = np.array([engine.step(shares)[1][:, 0] for _ in range(4)])
    assert (ends != 0.0).tolist() == [[False, False], [False, False], [False, True], [True, False]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("episodic + private", "'episodic' is a transform, and a mode comes first: 'cooperative \\+ episodic'"),
        ("private + episodic + episodic", "episodic after episodic would hold back again what that pays"),
        ("private + episodic(2)", "is no setting of it"),
    ],
)
def test_it_has_one_place(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        reward_layer(text)


def test_every_interface_takes_it() -> None:
    pytest.importorskip("torch")
    text, steps = "cooperative + episodic", 3
    single = gymnasium.make("coopgym/TrustDilemma-v1", reward=text, max_steps=steps)
    single.reset(seed=0)
    returned = [float(single.step(single.action_space.high)[1]) for _ in range(steps)]
    env = coopgym.torch_env("TrustDilemma-v1", (2, 2), reward=[text, "private"], actions="units", max_steps=steps)
    env.reset(seed=0)
    paid = [float(env.step(env.game.endowments.expand(2, 2, 2))[1][0].sum()) for _ in range(2 * steps)]
    for held in (returned, paid[:steps], paid[steps:]):
        assert [reward != 0.0 for reward in held] == [False, False, True]
