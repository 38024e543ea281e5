"""One owner per agent object: a second game that lets it begin is told apart from the first."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium
import numpy as np
import pytest

import coopgym
from coopgym.agents.heuristics import GrimTrigger, TitForTat
from coopgym.play import play

GAME = "coopgym/TrustDilemma-v1"
MESSAGE = "a GrimTrigger object plays in several environments at once"


def seat_env(partner: Any) -> Any:
    env = gymnasium.make(GAME, actions="units", partners=partner, disable_env_checker=True).unwrapped
    env.reset(seed=0)
    return env


def test_environments_that_share_a_partner_object_are_refused() -> None:
    envs = gymnasium.make_vec(GAME, 2, vectorization_mode="sync", partners=GrimTrigger())
    envs.reset(seed=0)
    with pytest.raises(RuntimeError, match=MESSAGE):
        envs.step(np.full((2, 1), 0.5, dtype=np.float32))
    gymnasium.make_vec(GAME, 2, partners=GrimTrigger()).reset(seed=0)


def test_an_evaluation_between_two_steps_of_a_training_is_told() -> None:
    partner = GrimTrigger()
    training = seat_env(partner)
    training.step([10.0])
    seat_env(partner).step([10.0])
    with pytest.raises(RuntimeError, match=MESSAGE):
        training.step([10.0])
    training.reset()
    training.step([10.0])
    play(coopgym.make_game("TrustDilemma-v1"), [TitForTat(), partner])
    with pytest.raises(RuntimeError, match=MESSAGE):
        training.step([10.0])


def test_matches_do_not_share_what_a_factory_lends_twice() -> None:
    partner = GrimTrigger()
    one, other = (coopgym.text_env("TrustDilemma-v1", partners=lambda: partner) for _ in range(2))
    other.abort(0)
    with pytest.raises(RuntimeError, match=MESSAGE):
        one.abort(0)


def test_a_copied_environment_plays_with_copied_partners() -> None:
    env = seat_env(GrimTrigger())
    env.step([10.0])
    twin = copy.deepcopy(env)
    assert [twin.step([10.0])[1], twin.step([10.0])[1]] == [env.step([10.0])[1], env.step([10.0])[1]]
