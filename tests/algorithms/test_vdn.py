"""VDN: values add up, so each seat's best level is part of the best joint one."""

from __future__ import annotations

import itertools

import pytest
import torch

from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.discrete_actions import picked
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.value_based.vdn import VDN, VDNSeats
from tests.algorithms.stag_hunt import shares, stag_hunt

CPU = torch.device("cpu")


def test_it_is_defined_for_the_team_only() -> None:
    with pytest.raises(ValueError, match="expected one of team"):
        VDN(objective="individual")


def test_the_best_joint_action_is_everyones_best_level() -> None:
    settings = VDN(hidden=(16,), num_envs=8, levels=3)
    trainer = Trainer(settings, environment_factory("TrustDilemma-v1", None, None), cross(["private"], [0]), CPU)
    seats = trainer.seats
    assert isinstance(seats, VDNSeats)
    values = seats.values(trainer.collect().observation[:, :, 0])  # (1, 2, B, K)
    joint = torch.stack(
        [
            seats.joint_value(picked(values, torch.tensor(pair).view(1, 2, 1).expand(1, 2, 8)), None)
            for pair in itertools.product(range(3), repeat=2)
        ]
    )
    greedy = seats.joint_value(picked(values, values.argmax(-1)), None)
    assert torch.equal(greedy, joint.amax(0))


def test_the_team_hunts_the_stag(quadratic: type) -> None:
    settings = VDN(hidden=(16,), levels=2, batch_size=64, learning_starts=500)
    assert shares(settings.train(stag_hunt(quadratic), ["private"], [0, 1], 6000)) == [[1.0, 1.0]] * 2
