"""M3DDPG: others are moved against the seat that judges, and only they."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.rollout_buffer import needed
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.off_policy.m3ddpg import M3DDPG, M3DDPGSeats
from coopgym.algorithms.marl.off_policy.maddpg import MADDPGSeats


def seats_of() -> M3DDPGSeats:
    settings = M3DDPG(hidden=(16,), num_envs=16, batch_size=32, learning_starts=64)
    make = environment_factory("TeamProduction-v1", None, None)
    trainer = Trainer(settings, make, cross(["private"], [0, 1]), torch.device("cpu"))
    for _ in range(3):
        trainer.learn(0.0)
    assert isinstance(trainer.seats, M3DDPGSeats)
    return trainer.seats


def test_the_perturbation_lowers_what_seats_expect() -> None:
    seats = seats_of()
    batch = seats.batch(torch.arange(64).expand(2, -1))
    state, played = needed(batch.state), seats.joint(batch.level)
    for critics in (seats.critics.first, seats.critics.foreseen):
        plain, feared = MADDPGSeats.value(seats, critics, state, played), seats.value(critics, state, played)
        assert (feared.mean(-1) < plain.mean(-1)).all()  # (R, n)
        assert (feared < plain).float().mean() > 0.95


@given(st.integers(0, 2**31 - 1))
def test_a_linear_value_falls_by_its_slopes(seed: int) -> None:
    """Away from the bounds the step is ε per other level, whatever the slopes, and the own level stays."""
    seats = SEATS
    torch.manual_seed(seed)
    slopes = torch.randn(4, 4)  # of seat i's value in seat j's level
    levels = 0.5 * torch.rand(2, 4, 3, 4) - 0.25
    moved = seats.worst(
        lambda seen: (seen[..., -4:] * slopes.unsqueeze(1)).sum(-1), torch.zeros(2, 3, seats.context.state_size), levels
    )
    own = torch.eye(4, dtype=torch.bool).unsqueeze(1).expand_as(levels[0])
    assert torch.equal(moved[:, own], levels[:, own])
    step = torch.where(own, 0.0, 0.05 * slopes.sign().unsqueeze(1))
    assert torch.allclose(levels - moved, step.expand_as(levels), atol=1e-6)


def test_levels_stay_within_bounds() -> None:
    levels = torch.full((2, 4, 3, 4), -0.99)
    state = torch.zeros(2, 3, SEATS.context.state_size)
    assert SEATS.worst(lambda seen: seen.sum(-1), state, levels).min() == -1.0


SEATS = seats_of()
