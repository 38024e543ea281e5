"""MASAC: critics see everybody's level, and a policy is taught by its own critic alone."""

from __future__ import annotations

import torch

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.off_policy.masac import MASAC, MASACSeats


def seats_of() -> MASACSeats:
    settings = MASAC(hidden=(16,), num_envs=16, batch_size=32, learning_starts=64)
    make = environment_factory("TeamProduction-v1", None, None)
    trainer = Trainer(settings, make, cross(["private"], [0, 1]), torch.device("cpu"))
    trainer.learn(0.0)
    assert isinstance(trainer.seats, MASACSeats)
    return trainer.seats


def test_critics_see_the_levels_of_all_seats() -> None:
    levels = torch.rand(2, 4, 5)
    seen = seats_of().actions(levels)
    assert seen.shape == (2, 4, 5, 4)
    assert torch.equal(seen, levels.transpose(1, 2).unsqueeze(1).expand_as(seen))


def test_a_policy_is_taught_by_its_own_critic_alone() -> None:
    seats = seats_of()
    batch = seats.batch(torch.arange(8).expand(2, -1))
    level, _ = seats.draw(batch.observation, torch.randn(*batch.level.shape))
    situation, _ = seats.situation(batch)
    value = seats.critics.least(torch.cat([situation, seats.actions(level)], dim=-1))
    taught = seats.actor.parameters.gradient(value[:, 2].sum()).abs().sum(-1) > 0.0
    assert taught.tolist() == [[False, False, True, False]] * 2


def test_other_critics_than_the_own_see_samples_too() -> None:
    """What a seat's critic is told of another seat moves with that seat's policy, not with its observation alone."""
    seats = seats_of()
    batch = seats.batch(torch.arange(8).expand(2, -1))
    one, other = (seats.draw(batch.observation, torch.randn(*batch.level.shape))[0] for _ in range(2))
    assert not torch.equal(seats.actions(one)[:, 0, :, 1], seats.actions(other)[:, 0, :, 1])
