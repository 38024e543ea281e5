"""Self-play: who plays where, that snapshots are taken and met, and that only the learner's slots teach."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import coopgym
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.populations.self_play_ppo import SelfPlayPPO, SelfPlaySeats

SMALL = SelfPlayPPO(hidden=(16,), num_envs=16, n_minibatches=2, snapshot_every=1600, snapshots=4)


def trained(learner: SelfPlayPPO = SMALL, game: str = "TeamProduction-v1") -> tuple[Trainer, SelfPlaySeats]:
    trainer = Trainer(learner, environment_factory(game, None, None), cross(["private"], [0, 1]), torch.device("cpu"))
    seats = trainer.seats
    assert isinstance(seats, SelfPlaySeats)
    return trainer, seats


@pytest.mark.parametrize(("learning_seats", "expected"), [(0.0, 1), (0.5, 2), (0.8, 3), (1.0, 4)])
def test_every_place_is_played_once_and_every_copy_has_its_share_of_learners(
    learning_seats: float, expected: int
) -> None:
    trainer, seats = trained(SelfPlayPPO(hidden=(16,), num_envs=16, n_minibatches=2, learning_seats=learning_seats))
    trainer.collect()
    own, others = seats.own.flatten(), [players.slots.flatten() for players in seats.players]
    assert torch.equal(torch.cat([own, *others]).sort().values, seats.slots.numbers.flatten())
    per_copy = torch.zeros(2, 4, 16).flatten().index_fill(0, own, 1.0).view(2, 4, 16).sum(1)
    assert (per_copy == expected).all()


def test_the_learning_seats_change_and_are_the_replicas_own() -> None:
    trainer, seats = trained()
    trainer.collect()
    first = seats.own.clone()
    trainer.collect()
    assert not torch.equal(first, seats.own)
    assert not torch.equal(first[0], first[1] - 4 * 16)


def test_slots_see_what_their_seats_see_and_are_told_the_seat() -> None:
    trainer, seats = trained()
    block = trainer.collect()
    placed = seats.slots.block(block, seats.own)
    assert placed.signal.shape == (2, 1, block.signal.shape[2], 2 * 16)
    width = block.observation.shape[-1]
    for replica, position in [(0, 0), (1, 17)]:
        number = int(seats.own[replica, 0, position]) - replica * 4 * 16
        seat, copy = divmod(number, 16)
        assert torch.equal(
            placed.observation[replica, 0, :, position, :width], block.observation[replica, seat, :, copy]
        )
        features = seats.context.features[seat].expand(block.signal.shape[2], -1)
        assert torch.equal(placed.observation[replica, 0, :, position, width:], features)
        assert torch.equal(placed.signal[replica, 0, :, position], block.signal[replica, seat, :, copy])
        assert torch.equal(placed.time[replica, :, position] - seat * 101, block.time[replica, :, copy])


def test_snapshots_are_taken_on_time_and_the_oldest_make_room() -> None:
    trainer, seats = trained()  # a block has 1600 steps
    policies = [seats.learner.networks.policy()["bias_0"]]
    for block in range(6):
        trainer.learn(block / 6)
        policies.append(seats.learner.networks.policy()["bias_0"])
    assert (len(seats.past), seats.past.taken, seats.past.latest) == (4, 7, 2)
    kept = seats.past.take(torch.arange(4).expand(2, -1))["bias_0"]
    for slot, snapshot in enumerate([4, 5, 6, 3]):
        assert torch.equal(kept[:, slot], policies[snapshot][:, 0])


def test_snapshots_are_met_and_play_as_they_did() -> None:
    trainer, seats = trained(SelfPlayPPO(hidden=(16,), num_envs=16, n_minibatches=2, latest=0.0, snapshot_every=1600))
    for block in range(3):
        trainer.learn(block / 3)
    trainer.collect()
    (players,) = seats.players
    met = {tuple(row) for row in players.policy["bias_0"][0].flatten(1).tolist()}
    assert 1 < len(met) <= 4
    seen = torch.rand(2 * 4 * 16, seats.learner.context.inputs)
    shares = players.act(3, seen)
    for copy in (0, 5):
        policy = {name: tensor[:, copy : copy + 1] for name, tensor in players.policy.items()}
        mean = seats.learner.networks.means(seen[players.slots[:, copy : copy + 1]], policy)
        pre_tanh = mean + policy["log_sigma"].exp() * players.noise[:, copy : copy + 1, 3]
        assert torch.allclose(shares[:, copy : copy + 1], 0.5 * (torch.tanh(pre_tanh) + 1.0), atol=1e-6)


def test_opponents_experience_teaches_nothing() -> None:
    """Whatever the slots of others earned and saw, the learner's step is the same."""
    policies = []
    for spoilt in (False, True):
        trainer, seats = trained(SelfPlayPPO(hidden=(16,), num_envs=16, n_minibatches=2))
        block = trainer.collect()
        if spoilt:
            others = torch.ones(2, 4, 16).flatten().index_fill(0, seats.own.flatten(), 0.0).view(2, 4, 1, 16)
            block.signal.add_(100.0 * others)
            block.observation.mul_(1.0 - others.unsqueeze(-1))
        seats.update(block, 0.0)
        policies.append(seats.learner.networks.policy()["weight_0"])
    assert torch.equal(*policies)


def test_one_policy_is_exported_for_every_seat() -> None:
    result = SMALL.train("PlatformEcosystem-v1", seeds=[0], env_steps=3200, evaluations=0)
    weights, biases = result.tensors["policy.weight_0"], result.tensors["policy.bias_0"]
    assert weights.shape[1] == coopgym.make_game("PlatformEcosystem-v1").n_agents
    assert np.ptp(weights, axis=1).max() == 0.0
    assert np.ptp(biases, axis=1).max() > 0.0


def test_resumed_self_play_remembers_its_past() -> None:
    whole, seats = trained()
    half, _ = trained()
    for block in range(4):
        whole.learn(block / 4)
    for block in range(2):
        half.learn(block / 4)
    again, resumed = trained()
    again.restore(half.state())
    for block in range(2, 4):
        again.learn(block / 4)
    assert (resumed.past.taken, resumed.past.env_steps) == (seats.past.taken, seats.past.env_steps)
    for name, tensor in seats.past.tensors.items():
        assert torch.equal(tensor, resumed.past.tensors[name])
