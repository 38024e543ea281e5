"""MATD3: two critics, targets that are smoothed, policies that wait."""

from __future__ import annotations

from typing import Any

import torch

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.off_policy.matd3 import MATD3, MATD3Seats


def seats_of(**changes: Any) -> MATD3Seats:
    settings = MATD3(
        hidden=(16,), num_envs=16, batch_size=32, learning_starts=64, steps_per_update=1_000_000, **changes
    )
    make = environment_factory("TeamProduction-v1", None, None)
    trainer = Trainer(settings, make, cross(["private"], [0, 1]), torch.device("cpu"))
    trainer.learn(0.0)
    assert isinstance(trainer.seats, MATD3Seats)
    return trainer.seats


def test_policies_and_targets_move_every_other_time() -> None:
    seats = seats_of()
    batch = seats.batch(torch.arange(32).expand(2, -1))
    networks = (seats.critics.online, seats.actor, seats.actor_target, seats.critics.trailing)
    moved = []
    for _ in range(4):
        before = [network.parameters["weight_0"].detach().clone() for network in networks]
        seats.improve(batch, 0.0)
        after = [network.parameters["weight_0"] for network in networks]
        moved.append([not torch.equal(old, new) for old, new in zip(before, after, strict=True)])
    assert moved == [[True, False, False, False], [True] * 4] * 2


def test_targets_are_smoothed_within_limits() -> None:
    seats = seats_of(target_policy_noise=5.0, target_noise_clip=0.25)
    batch = seats.batch(torch.arange(32).expand(2, -1))
    with torch.no_grad():
        plain = seats.levels(seats.actor_target, batch.next_observation)
        smoothed = seats.following(batch.next_observation)
    distance = (smoothed - plain).abs()
    assert distance.max() <= 0.25 + 1e-6
    assert (distance > 0.2).float().mean() > 0.5
    assert smoothed.abs().max() <= 1.0


def test_there_are_two_critics_and_policies_climb_the_first() -> None:
    seats = seats_of()
    critics, first = seats.critics, seats.critics.online.parameters.part(1, 0)
    assert critics.online.parameters.lead == (2, 2, 4)
    seen = torch.rand(2, 4, 6, critics.online.parameters["weight_0"].shape[-2])
    alone = critics.scale.denormalise(critics.online(seen, first).squeeze(-1))
    assert torch.equal(critics.first(seen), alone)
    assert (critics.least(seen) <= alone + 1e-6).all()
