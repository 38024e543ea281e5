"""IQL: the level taken is what is learned about, every seat explores for itself and answers for its own reward."""

from __future__ import annotations

import dataclasses

import pytest
import torch

import coopgym
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.discrete_actions import level_of, picked, share_of
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.value_based.iql import IQL, IQLSeats
from coopgym.play.episodes import play
from tests.algorithms.stag_hunt import shares, stag_hunt

CPU = torch.device("cpu")
SMALL = IQL(hidden=(16,), num_envs=32, levels=5, batch_size=32, learning_starts=64, n_steps=1)


def seats_of(settings: IQL = SMALL) -> tuple[Trainer, IQLSeats]:
    trainer = Trainer(settings, environment_factory("TeamProduction-v1", None, None), cross(["private"], [0, 1]), CPU)
    assert isinstance(trainer.seats, IQLSeats)
    return trainer, trainer.seats


@pytest.mark.parametrize("levels", [2, 5, 26])
def test_shares_and_levels_are_inverse(levels: int) -> None:
    level = torch.arange(levels)
    assert torch.equal(level_of(share_of(level, levels), levels), level)
    assert torch.equal(level_of(0.5 * ((2.0 * share_of(level, levels) - 1.0) + 1.0), levels), level)


def test_the_loss_looks_at_the_level_taken_and_at_no_other() -> None:
    trainer, seats = seats_of()
    trainer.learn(0.0)
    batch = seats.batch(torch.zeros(2, 1, dtype=torch.int64))
    level = level_of(0.5 * (batch.level + 1.0), SMALL.levels)
    bias = seats.values.last_layer()[1]
    slope = torch.autograd.grad(seats.loss(batch).sum(), bias)[0].reshape(2, SMALL.levels)
    taken = torch.zeros(2, SMALL.levels).scatter(1, level[:, :, 0], 1.0) > 0.0
    assert torch.equal(slope != 0.0, taken)
    moved = dataclasses.replace(batch, level=-batch.level)
    assert (seats.loss(moved) != seats.loss(batch)).all()


def test_an_update_lowers_errors_and_targets_trail_behind() -> None:
    trainer, seats = seats_of()
    trainer.learn(0.0)
    trainer.learn(0.0)
    batch = seats.batch(torch.arange(64).expand(2, -1))
    before = seats.target_values.parameters.flat.clone()
    losses = [seats.improve(batch, 0.0)["value_loss"] for _ in range(100)]
    assert (losses[-1] < 0.9 * losses[0]).all()  # what the others do stays noise to a seat
    way = (seats.target_values.parameters.flat - before).norm()
    assert 0.0 < way < 0.5 * (seats.values.parameters.flat - before).norm()


def test_targets_take_the_level_that_the_online_network_likes_best() -> None:
    trainer, seats = seats_of()
    trainer.learn(0.0)
    batch = seats.batch(torch.arange(8).expand(2, -1))
    with torch.no_grad():
        seats.values.last_layer()[1][..., 3] += 100.0
        seats.target_values.last_layer()[1][..., 1] += 50.0
        following = picked(seats.target_values(batch.next_observation), torch.full_like(batch.level, 3).long())
        goal = seats.target(batch, following)
        value = picked(seats.values(batch.observation), level_of(0.5 * (batch.level + 1.0), SMALL.levels))
    assert torch.allclose(seats.loss(batch), (value - goal).square().mean(-1).sum(-1))


def test_every_seat_explores_for_itself() -> None:
    settings = dataclasses.replace(
        SMALL, exploration_initial_eps=0.5, exploration_final_eps=0.5, learning_starts=0, num_envs=2000
    )
    trainer, seats = seats_of(settings)
    trainer.collect()
    explores = seats.explores.float()  # (R, n, T, B)
    both = (explores[:, 0] * explores[:, 1]).mean()
    assert explores.mean().item() == pytest.approx(0.5, abs=0.02)
    assert both.item() == pytest.approx(0.25, abs=0.02)


def test_a_seat_plays_the_level_it_values_most() -> None:
    settings = dataclasses.replace(SMALL, exploration_initial_eps=0.0, exploration_final_eps=0.0, learning_starts=0)
    trainer, seats = seats_of(settings)
    block = trainer.collect()
    best = seats.values(block.observation.flatten(2, 3)).argmax(-1)
    assert torch.equal(level_of(block.share.flatten(2), settings.levels), best)


def test_alone_the_hare_is_safe_together_the_stag_is_better(quadratic: type) -> None:
    settings = IQL(hidden=(16,), levels=2, batch_size=64, learning_starts=500, exploration_final_eps=1.0)
    assert shares(settings.train(stag_hunt(quadratic), ["private"], [0, 1], 6000)) == [[0.0, 0.0]] * 2
    team = dataclasses.replace(settings, objective="team")
    assert shares(team.train(stag_hunt(quadratic), ["private"], [0, 1], 6000)) == [[1.0, 1.0]] * 2


@pytest.mark.slow
def test_private_reward_leads_to_the_stage_equilibrium_of_slcd() -> None:
    result = IQL().train("SLCD-v0", ["private"], range(2), 300_000)
    for replica in result.replicas:
        episodes = play(coopgym.make_game("SLCD-v0"), result.agents(replica), reward="private")
        assert abs(100.0 * episodes.cooperation - 23.0).max() < 2.0 + 2.0, replica
