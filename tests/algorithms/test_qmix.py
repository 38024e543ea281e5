"""QMIX: the common value rises with every seat's, and VDN is the special case of unit weights."""

from __future__ import annotations

import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.rollout_buffer import needed
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.value_based.qmix import QMIX, Mixer, QMIXSeats
from tests.algorithms.stag_hunt import shares, stag_hunt

CPU = torch.device("cpu")


def seats_of(units: int = 8, game: str = "TeamProduction-v1") -> tuple[Trainer, QMIXSeats]:
    learner = QMIX(hidden=(16,), num_envs=16, levels=5, batch_size=32, learning_starts=64, mixer_units=units)
    trainer = Trainer(learner, environment_factory(game, None, None), cross(["private"], [0, 1]), CPU)
    assert isinstance(trainer.seats, QMIXSeats)
    return trainer, trainer.seats


@functools.cache
def any_mixer() -> Mixer:
    """A mixer whose weights a test overwrites."""
    return seats_of()[1].mixer


@given(st.integers(0, 2**31 - 1), st.floats(0.1, 3.0))
@settings(max_examples=30, deadline=None)
def test_the_common_value_never_falls_when_a_seats_value_rises(seed: int, spread: float) -> None:
    mixer = any_mixer()
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> torch.Tensor:
        return spread * torch.randn(shape, generator=generator)

    mixer.parameters.flat.copy_(draw(*mixer.parameters.flat.shape))
    values, state = draw(2, 4, 6).requires_grad_(), draw(2, 6, 21)
    (slope,) = torch.autograd.grad(mixer(values, state).sum(), values)
    assert (slope >= 0.0).all()


@torch.no_grad()
def test_with_unit_weights_it_is_vdn() -> None:
    mixer = seats_of(units=1)[1].mixer
    assert isinstance(mixer, Mixer)
    mixer.parameters.flat.zero_()
    first, bias, second, _ = mixer.parameters["bias_0"].split(mixer.sizes, dim=-1)
    first.fill_(-1.0)  # absolute values count
    second.fill_(1.0)
    bias.fill_(100.0)  # where the exponential linear unit is linear
    mixer.parameters["bias_1"].fill_(-100.0)
    values = torch.linspace(-3.0, 3.0, 2 * 4 * 6).view(2, 4, 6)
    assert torch.allclose(mixer(values, torch.randn(2, 6, 21)), values.sum(1, keepdim=True), atol=1e-4)


def test_the_mixer_sees_the_state_and_learns_with_the_values() -> None:
    trainer, seats = seats_of()
    trainer.learn(0.0)
    trainer.learn(0.0)
    batch = seats.batch(torch.arange(32).expand(2, -1))
    state = needed(batch.state).clone().requires_grad_()
    (slope,) = torch.autograd.grad(seats.joint_value(torch.ones(2, 4, 32), state).sum(), state)
    assert slope.abs().sum() > 0.0
    before = [stack.flat.clone() for stack, _ in seats.followers.values()]
    losses = [seats.improve(batch, 0.0)["value_loss"] for _ in range(100)]
    assert (losses[-1] < 0.5 * losses[0]).all()
    moved = [not torch.equal(stack.flat, old) for (stack, _), old in zip(seats.followers.values(), before, strict=True)]
    assert moved == [True, True]


def test_it_is_defined_for_the_team_only() -> None:
    with pytest.raises(ValueError, match="expected one of team"):
        QMIX(objective="individual")


def test_the_team_hunts_the_stag(quadratic: type) -> None:
    learner = QMIX(hidden=(16,), levels=2, batch_size=64, learning_starts=500, mixer_units=8)
    assert shares(learner.train(stag_hunt(quadratic), ["private"], [0, 1], 6000)) == [[1.0, 1.0]] * 2


@pytest.mark.slow
def test_forty_seats_train() -> None:
    learner = QMIX(
        hidden=(8,),
        num_envs=4,
        levels=3,
        batch_size=8,
        learning_starts=16,
        buffer_size=128,
        mixer_units=4,
        rollout_steps=4,
    )
    result = learner.train("ApacheProject-v0", ["integrated"], [0], 64, evaluations=1)
    assert result.status(0) == "trained"
