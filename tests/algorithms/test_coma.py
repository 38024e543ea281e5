"""COMA: counterfactual advantages, behaviour policies that know their exploration, critics of others' levels."""

from __future__ import annotations

import dataclasses

import pytest
import torch

import coopgym
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.discrete_actions import level_of
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.rollout_buffer import needed
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.on_policy.coma import COMA, COMASeats, counterfactual
from coopgym.play.episodes import play
from tests.algorithms.stag_hunt import shares, stag_hunt

CPU = torch.device("cpu")
SMALL = COMA(hidden=(16,), num_envs=16, levels=5, n_minibatches=2)


def seats_of(settings: COMA = SMALL) -> tuple[Trainer, COMASeats]:
    trainer = Trainer(settings, environment_factory("TeamProduction-v1", None, None), cross(["private"], [0, 1]), CPU)
    assert isinstance(trainer.seats, COMASeats)
    return trainer, trainer.seats


def test_the_advantage_averages_to_zero_under_the_policy() -> None:
    values, probabilities = torch.randn(2, 4, 6, 5), torch.randn(2, 4, 6, 5).softmax(-1)
    every = torch.stack([counterfactual(values[..., k], values, probabilities) for k in range(5)], dim=-1)
    assert torch.allclose((every * probabilities).sum(-1), torch.zeros(2, 4, 6), atol=1e-6)
    shift = torch.randn(2, 4, 6)
    assert torch.allclose(
        counterfactual(values[..., 1] + shift, values + shift.unsqueeze(-1), probabilities),
        every[..., 1],
        atol=1e-5,
    )


def test_policies_play_levels_as_often_as_they_say() -> None:
    trainer, seats = seats_of(dataclasses.replace(SMALL, exploration_initial_eps=0.4))
    seats.begin(0.0)
    observation = trainer.collect().observation[:, :, 0]
    likely = seats.probabilities(seats.actor(observation))
    assert torch.allclose(likely.sum(-1), torch.ones(2, 4, 16))
    assert (likely >= 0.4 / 5 - 1e-7).all()
    chances = torch.linspace(0.0, 0.9999, 1000)
    drawn = torch.stack([seats.drawn(observation, chance.expand(2, 4, 16)) for chance in chances])
    for k in range(5):
        assert torch.allclose((drawn == k).float().mean(0), likely[..., k], atol=5e-3)


def test_seats_draw_for_themselves() -> None:
    trainer, _ = seats_of(dataclasses.replace(SMALL, num_envs=2000, exploration_initial_eps=1.0))
    level = level_of(trainer.collect().share, 5)[:, :, 0]  # (R, n, B)
    assert (level[:, 0] == level[:, 1]).float().mean().item() == pytest.approx(0.2, abs=0.03)


def test_a_critic_sees_the_others_levels_but_not_the_own_one() -> None:
    trainer, seats = seats_of()
    block = trainer.collect()
    state, level = needed(block.state)[:, 0], level_of(block.share, 5)[:, :, 0]
    other = level.clone()
    other[:, 2] = (other[:, 2] + 1) % 5
    changed = (seats.action_values(state, level) != seats.action_values(state, other)).flatten(2).any(-1)
    assert changed.tolist() == [[True, True, False, True]] * 2


def test_an_update_teaches_critics_and_policies() -> None:
    trainer, seats = seats_of()
    before = [network.parameters.flat.clone() for network in (seats.actor, seats.critic)]
    block = trainer.collect()
    seats.update(block, 0.0)
    after = [network.parameters.flat for network in (seats.actor, seats.critic)]
    assert all((one != other).any(-1).all() for one, other in zip(before, after, strict=True))


@pytest.mark.slow
def test_critics_come_to_know_the_returns() -> None:
    trainer, seats = seats_of(dataclasses.replace(SMALL, learning_rate=1e-9, td_lambda=1.0))
    block = trainer.collect()
    level = level_of(block.share, 5)

    def error() -> torch.Tensor:
        value = seats.value(needed(block.state), level, block.time).flatten(2)
        return (value - seats.returns(block, level, lam=1.0)).square().mean((1, 2))

    seats.update(block, 0.0)
    before = error()
    for _ in range(30):
        seats.update(block, 0.0)
    assert (error() < 0.9 * before).all()


def test_td_returns_bootstrap_from_the_critic() -> None:
    trainer, seats = seats_of()
    block = trainer.collect()
    level = level_of(block.share, 5)
    value = seats.value(needed(block.state), level, block.time)
    following = seats.next_value(block, value)
    one_step = block.signal + SMALL.gamma * following * ~block.terminal
    assert torch.allclose(seats.returns(block, level, lam=0.0), one_step.flatten(2), atol=1e-5)


def test_critics_are_shared_where_the_reward_is() -> None:
    _, team = seats_of()
    _, individual = seats_of(dataclasses.replace(SMALL, objective="individual"))
    assert team.critic.parameters.lead == (2, 1)
    assert individual.critic.parameters.lead == (2, 4)
    assert individual.actor.parameters.lead == (2, 1)


@pytest.mark.parametrize("bootstrap", [False, True])
def test_blocks_may_end_in_mid_episode(bootstrap: bool) -> None:
    settings = dataclasses.replace(SMALL, rollout_steps=7, bootstrap_truncation=bootstrap)
    trainer, _ = seats_of(settings)
    for _ in range(3):
        metrics = trainer.learn(0.0)
    assert all(torch.isfinite(values).all() for values in metrics.values())


def test_the_team_hunts_the_stag_and_individuals_do_not(quadratic: type) -> None:
    settings = COMA(hidden=(16,), levels=2, n_minibatches=2)
    assert shares(settings.train(stag_hunt(quadratic), ["private"], [0, 1], 6000)) == [[1.0, 1.0]] * 2
    individual = dataclasses.replace(settings, objective="individual")
    assert shares(individual.train(stag_hunt(quadratic), ["private"], [0, 1], 6000)) == [[0.0, 0.0]] * 2


@pytest.mark.slow
def test_private_reward_leads_to_the_stage_equilibrium_of_slcd() -> None:
    result = COMA(objective="individual").train("SLCD-v0", ["private"], range(2), 300_000)
    for replica in result.replicas:
        episodes = play(coopgym.make_game("SLCD-v0"), result.agents(replica), reward="private")
        assert abs(100.0 * episodes.cooperation - 23.0).max() < 2.0 + 2.0, replica
