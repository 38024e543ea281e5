"""MADDPG: critics judge joint actions, each policy climbs its own."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.common.value_normalisation import SteadyValue, TargetNormaliser
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.rollout_buffer import needed
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.off_policy.maddpg import MADDPG, MADDPGSeats

CPU = torch.device("cpu")


def seats_of(game: str = "TeamProduction-v1") -> tuple[Trainer, MADDPGSeats]:
    settings = MADDPG(hidden=(16,), num_envs=16, batch_size=32, learning_starts=64, n_steps=1)
    trainer = Trainer(settings, environment_factory(game, None, None), cross(["private"], [0, 1]), CPU)
    assert isinstance(trainer.seats, MADDPGSeats)
    return trainer, trainer.seats


def test_a_critic_sees_the_levels_of_all_seats() -> None:
    trainer, seats = seats_of()
    trainer.learn(0.0)
    batch = seats.batch(torch.arange(8).expand(2, -1))
    played = seats.joint(batch.level).clone().requires_grad_()
    value = seats.value(seats.critics.first, needed(batch.state), played)
    (slope,) = torch.autograd.grad(value.sum(), played)
    assert (slope.abs().amax(2) > 0.0).all()  # (R, critics, seats)


def test_a_policy_is_taught_by_its_own_critic_alone() -> None:
    trainer, seats = seats_of()
    trainer.learn(0.0)
    batch = seats.batch(torch.arange(8).expand(2, -1))
    own = seats.levels(seats.actor, batch.observation).unsqueeze(-1)
    chosen = torch.where(seats.own, own, seats.joint(batch.level))
    assert torch.equal(chosen[:, 1, :, 1], own[:, 1, :, 0])
    assert torch.equal(chosen[:, 1, :, 0], batch.level[:, 0])
    value = seats.value(seats.critics.first, needed(batch.state), chosen)
    gradient = seats.actor.parameters.gradient(value[:, 2].sum())
    taught = gradient.abs().sum(-1) > 0.0
    assert taught.tolist() == [[False, False, True, False]] * 2


def test_an_update_lowers_the_critics_errors_and_raises_the_policies_values() -> None:
    trainer, seats = seats_of()
    for _ in range(2):
        trainer.learn(0.0)
    metrics = [seats.improve(seats.batch(torch.arange(64).expand(2, -1)), 0.0) for _ in range(150)]
    assert (metrics[-1]["value_loss"] < 0.5 * metrics[0]["value_loss"]).all()
    assert (metrics[-1]["value"] > metrics[20]["value"]).all()


def test_targets_trail_behind() -> None:
    trainer, seats = seats_of()
    before = seats.actor_target.parameters.flat.clone()
    trainer.learn(0.0)
    moved = (seats.actor_target.parameters.flat - before).abs().sum()
    ahead = (seats.actor.parameters.flat - before).abs().sum()
    assert 0.0 < moved < 0.1 * ahead


def test_a_steady_signal_leaves_critics_nothing_to_learn() -> None:
    for gamma, endless in ((0.9, False), (1.0, False), (0.9, True)):
        steady = SteadyValue((1, 1), gamma, 4, CPU, endless=endless)
        steady.calibrate(torch.full((1, 1, 3), 2.0))
        value = steady(torch.arange(5).view(1, 5))[0, 0]
        following = value[1:] if endless else torch.cat([value[1:4], torch.zeros(1)])
        assert torch.allclose(2.0 + gamma * following, value[:4])


def test_the_steady_signal_is_the_mean_of_what_was_earned() -> None:
    trainer, seats = seats_of()
    earned = []
    for progress in (0.0, 0.3, 0.6):
        block = trainer.collect(progress)
        seats.update(block, progress)
        earned.append(block.signal.flatten(2).mean(-1))
    assert seats.replay.pushed < seats.replay.capacity
    assert torch.allclose(seats.steady.signal, torch.stack(earned).mean(0), rtol=1e-4)


@given(samples=st.integers(2, 6), size=st.floats(0.01, 1000.0), seed=st.integers(0, 2**31))
def test_a_scale_is_the_deviation_of_the_first_minibatch_however_small(samples: int, size: float, seed: int) -> None:
    scale = TargetNormaliser((2, 3), 0.5, CPU)
    targets = size * torch.randn(2, 3, samples, generator=torch.Generator().manual_seed(seed))
    scale.update(targets, [])
    torch.testing.assert_close(scale.std, targets.std(-1).clamp(min=1e-3))


def test_a_scale_that_moves_leaves_answers_where_they_were() -> None:
    scale = TargetNormaliser((2, 3), 0.5, CPU)
    weight, twins = torch.ones(2, 3, 4, 1), torch.ones(2, 2, 3, 1, 1)
    targets = torch.randn(2, 3, 50)
    scale.update(targets, [weight, twins])
    assert torch.allclose(scale.normalise(targets).std(-1), torch.ones(2, 3))
    assert weight.unique().item() == 1.0  # the first minibatch keeps the layers
    before = scale.denormalise(weight[..., 0, :])
    scale.update(10.0 * targets, [weight, twins])
    assert torch.allclose(scale.denormalise(weight[..., 0, :]), before)
    assert torch.allclose(scale.denormalise(twins[:, 1, :, 0]), before)
    kept = scale.std.clone()
    scale.update(torch.where(torch.arange(3).view(3, 1) == 1, torch.nan, targets), [])
    assert torch.equal(scale.std[:, 1], kept[:, 1])
    assert (scale.std[:, 0] < kept[:, 0]).all()
