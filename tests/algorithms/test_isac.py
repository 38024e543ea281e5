"""ISAC: twin critics believe the lesser, policies draw from a density, temperatures hold the entropy."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.common.squashed_gaussian import log_prob
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.off_policy.isac import ISAC, ISACSeats

CPU = torch.device("cpu")


def seats_of(**changes: Any) -> ISACSeats:
    settings = ISAC(hidden=(16,), num_envs=16, batch_size=32, learning_starts=64, **changes)
    trainer = Trainer(settings, environment_factory("TeamProduction-v1", None, None), cross(["private"], [0, 1]), CPU)
    trainer.learn(0.0)
    assert isinstance(trainer.seats, ISACSeats)
    return trainer.seats


@pytest.mark.parametrize(("mean", "log_sigma"), [(0.0, -0.7), (0.8, -2.0), (-1.5, 0.3)])
def test_the_density_of_shares_integrates_to_one(mean: float, log_sigma: float) -> None:
    z = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    u = torch.atanh(2.0 * z - 1.0)
    density = torch.exp(log_prob(u, torch.tensor(mean), torch.tensor(log_sigma, dtype=torch.float64)))
    assert density.mean() == pytest.approx(1.0, abs=1e-4)


def test_draws_carry_the_density_of_the_share_they_play() -> None:
    seats = seats_of()
    batch = seats.batch(torch.arange(8).expand(2, -1))
    noise = torch.randn(*batch.level.shape)
    level, density = seats.draw(batch.observation, noise)
    mean, log_sigma = seats.moments(batch.observation)
    expected = log_prob(torch.atanh(level.double()), mean.double(), log_sigma.double())
    assert torch.allclose(density.double(), expected, atol=1e-3)


def test_the_lesser_of_two_critics_is_believed() -> None:
    critics = seats_of().critics
    seen = torch.rand(2, 4, 10, critics.online.parameters["weight_0"].shape[-2])
    first, second = (critics.scale.denormalise(value) for value in critics.online(seen).squeeze(-1).unbind(1))
    assert torch.allclose(critics.least(seen), torch.minimum(first, second), atol=1e-5)
    assert torch.allclose(critics.first(seen), first, atol=1e-5)
    assert not torch.allclose(first, second)


def test_a_critic_is_taught_by_the_level_played() -> None:
    seats = seats_of()
    batch = seats.batch(torch.arange(8).expand(2, -1))
    level = batch.level.clone().requires_grad_()
    value = seats.critics.first(torch.cat([batch.observation, seats.actions(level)], dim=-1))
    (slope,) = torch.autograd.grad(value.sum(), level)
    assert (slope.abs().amax(-1) > 0.0).all()


@pytest.mark.parametrize(("wanted", "sign"), [(0.0, 1.0), (-8.0, -1.0)])
def test_temperature_rises_where_entropy_is_missing(wanted: float, sign: float) -> None:
    """No policy reaches the entropy of uniform play, none starts as narrow as -8."""
    seats = seats_of(target_entropy=wanted)
    before = seats.temperature["log"].detach().clone()
    batch = seats.batch(torch.arange(32).expand(2, -1))
    for _ in range(3):
        seats.improve(batch, 0.0)
    assert (sign * (seats.temperature["log"] - before) > 0.0).all()


def test_temperatures_start_where_they_are_told() -> None:
    seats = seats_of(temperature=0.3, steps_per_update=1_000_000)
    assert seats.temperature["log"].detach().tolist() == [[[pytest.approx(math.log(0.3))]] * 4] * 2
