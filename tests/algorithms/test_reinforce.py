"""REINFORCE: returns stay within episodes, and it comes close to what the games have to offer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.on_policy.reinforce import IndependentREINFORCE, REINFORCESeats


def test_returns_stop_at_the_end_of_an_episode(quadratic: Any) -> None:
    settings = IndependentREINFORCE(gamma=0.9, num_envs=3, rollout_steps=4)
    make = environment_factory(quadratic, {"horizon": 2}, None)
    trainer = Trainer(settings, make, cross(["private"], [0]), torch.device("cpu"))
    block, seats = trainer.collect(), trainer.seats
    assert isinstance(seats, REINFORCESeats)
    found = seats.advantages(block)

    signal = block.signal.unflatten(2, (2, 2))  # (R, n, episode, step, B)
    returns = torch.stack([signal[:, :, :, 0] + 0.9 * signal[:, :, :, 1], signal[:, :, :, 1]], dim=3)
    centred = (returns - returns.mean((2, 4), keepdim=True)).flatten(2)
    expected = centred / centred.square().mean(-1, keepdim=True).sqrt()
    torch.testing.assert_close(found.flatten(2), expected, rtol=1e-4, atol=1e-4)


def test_a_cut_episode_is_completed_by_the_mean_return(quadratic: Any) -> None:
    settings = IndependentREINFORCE(num_envs=3, rollout_steps=2)
    make = environment_factory(quadratic, {"horizon": 4}, None)
    trainer = Trainer(settings, make, cross(["private"], [0]), torch.device("cpu"))
    trainer.collect()
    seats = trainer.seats
    assert isinstance(seats, REINFORCESeats)
    seats.baseline.mean[:, :, 2] = 1000.0
    seats.baseline.seen.fill_(True)
    seats.advantages(trainer.collector.rollout)
    assert (seats.baseline.mean[:, :, :2] > 250.0).all()  # three new samples against a memory of eight
    assert (seats.baseline.mean[:, :, 3] == 0.0).all()


@pytest.mark.parametrize("seats", [pytest.param(2, marks=pytest.mark.slow), 3])
def test_finds_the_optimum_of_a_one_step_game(quadratic: Any, seats: int) -> None:
    result = IndependentREINFORCE().train(
        quadratic, ["private", "cooperative"], [0], 20_000, game_parameters={"agents": seats}, evaluations=0
    )
    for replica in result.replicas:
        for seat, agent in enumerate(result.agents(replica)):
            observation = np.full((1, len(agent.policy.gain)), 0.5)
            observation[:, 1:3] = seat, 0.0
            assert agent.act(observation) == pytest.approx(0.37, abs=0.02)
