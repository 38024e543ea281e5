"""What on-policy actor-critics have in common: densities, surrogates, and passes over a block."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.common.squashed_gaussian import pre_tanh_log_prob
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.algorithms.marl.core.trainer import ReplicaLearner, Trainer
from coopgym.algorithms.marl.on_policy.actor_critic import ActorCriticSeats
from coopgym.algorithms.marl.on_policy.ia2c import IA2C
from coopgym.algorithms.marl.on_policy.ippo import IPPO
from coopgym.algorithms.marl.on_policy.joint_ppo import JointPPO
from coopgym.algorithms.marl.on_policy.mappo import MAPPO
from coopgym.algorithms.marl.on_policy.ppo import PPOSeats
from coopgym.algorithms.marl.populations.fcp import FCP
from coopgym.algorithms.marl.populations.self_play_ppo import SelfPlayPPO
from coopgym.algorithms.marl.populations.shared_policy_ppo import SharedPolicySeats

FAMILY = [
    IA2C(hidden=(16,), num_envs=16),
    IPPO(hidden=(16,), n_minibatches=2),
    JointPPO(hidden=(16,), n_minibatches=2),
    MAPPO(hidden=(16,)),
    SelfPlayPPO(hidden=(16,), n_minibatches=2),
    FCP(hidden=(16,), n_minibatches=2),
]


def named(learner: ReplicaLearner) -> str:
    return type(learner).__name__


def collected(
    learner: ReplicaLearner, progress: float, game: str = "TrustDilemma-v1"
) -> tuple[ActorCriticSeats, Rollout]:
    """Play one block and return the actor-critic that learns from it, and the block as it sees it."""
    make = environment_factory(game, {"max_steps": 25}, None)
    trainer = Trainer(learner, make, cross(["private"], [0, 1]), torch.device("cpu"))
    trainer.learn(0.0)
    block, seats = trainer.collect(progress), trainer.seats
    if isinstance(seats, SharedPolicySeats):
        return seats.learner, seats.slots.block(block, seats.own)
    assert isinstance(seats, ActorCriticSeats)
    return seats, block


@pytest.mark.parametrize("progress", [0.1, 0.9])
@pytest.mark.parametrize("learner", FAMILY, ids=named)
def test_ratio_is_one_before_the_first_step(learner: ReplicaLearner, progress: float) -> None:
    seats, block = collected(learner, progress)
    mean, _ = seats.networks.outputs(*seats.inputs(block))
    again = pre_tanh_log_prob(seats.pre_tanh.flatten(2), mean, seats.networks.log_sigma)
    ratio = torch.exp(again - seats.log_prob().flatten(2))
    rounding = 1e-6 / float(seats.sigma.min())  # of a value before tanh, in units of the noise
    assert torch.allclose(ratio, torch.ones(1), atol=rounding, rtol=0.0)


@pytest.mark.parametrize("learner", FAMILY, ids=named)
def test_the_values_before_tanh_are_what_was_played(learner: ReplicaLearner) -> None:
    seats, block = collected(learner, 0.9)
    assert torch.equal(block.share, 0.5 * (torch.tanh(seats.pre_tanh) + 1.0))


def test_without_clip_and_passes_the_surrogate_is_the_policy_gradient() -> None:
    seats, _ = collected(IA2C(hidden=(16,)), 0.0)
    log_prob = torch.tensor([-0.3, 0.2, 1.1], requires_grad=True)
    advantage = torch.tensor([2.0, -1.0, 0.5])
    (gradient,) = torch.autograd.grad(
        seats.surrogate(torch.exp(log_prob - log_prob.detach()), advantage).sum(), log_prob
    )
    assert torch.equal(gradient, advantage)


def test_the_clip_takes_away_what_would_be_gained_outside() -> None:
    seats, _ = collected(IPPO(hidden=(16,), clip_range=0.2), 0.0)
    assert isinstance(seats, PPOSeats)
    ratio, advantage = torch.tensor([1.5, 1.5, 0.5, 0.5, 1.1]), torch.tensor([1.0, -1.0, 1.0, -1.0, 1.0])
    assert torch.allclose(seats.surrogate(ratio, advantage), torch.tensor([1.2, -1.5, 0.5, -0.8, 1.1]))


def test_every_sample_is_seen_once_per_pass() -> None:
    seats, block = collected(IPPO(hidden=(16,), n_epochs=3, n_minibatches=4), 0.0)
    numbers = torch.arange(block.time[0].numel()).expand(2, 2, -1)
    for batches in seats.batches([numbers]):
        assert len(batches) == 4
        seen: Tensor = torch.cat([batch[0] for batch in batches], dim=-1)
        assert torch.equal(seen.sort(dim=-1).values, numbers)


def test_a_joint_action_has_one_ratio_and_one_clip() -> None:
    seats, _ = collected(JointPPO(hidden=(16,), clip_range=0.2), 0.0)
    ratio = torch.tensor([[[1.1, 1.2], [1.0, 1.05]]])  # of the joint actions: 1.1 and 1.26
    advantage = torch.tensor([[[1.0, 2.0], [1.0, 2.0]]])
    assert torch.allclose(seats.surrogate(ratio, advantage).sum(1), torch.tensor([[1.1, 2.4]]))


def test_the_bound_on_noise_falls_by_equal_factors_and_holds() -> None:
    seats, _ = collected(IA2C(hidden=(16,), final_sigma=0.05, sigma_decay=0.8), 0.0)
    bounds = [seats.highest_log_sigma(progress) for progress in (0.0, 0.2, 0.4, 0.8, 1.0)]
    assert bounds[0] == pytest.approx(math.log(0.5))
    assert bounds[1] - bounds[0] == pytest.approx(bounds[2] - bounds[1])
    assert bounds[3] == bounds[4] == pytest.approx(math.log(0.05))
    seats.begin(0.4)
    assert float(seats.sigma.max()) <= math.exp(bounds[2]) * (1.0 + 1e-6)
    assert torch.equal(seats.policy["log_sigma"], seats.networks.log_sigma)
