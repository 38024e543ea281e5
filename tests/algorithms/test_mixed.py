"""Different learners in different seats: each learns as its own kind, in its own seats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import coopgym
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl import IPPO, load_agents
from coopgym.algorithms.marl.core.environment import environment_factory
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.off_policy.maddpg import MADDPG
from coopgym.algorithms.marl.populations.mixed import Member, Mixed
from coopgym.play.episodes import play

FIRST = IPPO(hidden=(8,), num_envs=16, n_epochs=1, n_minibatches=2)
SECOND = MADDPG(hidden=(8,), num_envs=16, batch_size=16, learning_starts=100)
TEAM = Mixed(num_envs=16, rollout_steps=20, members=(Member(FIRST, (0, 2)), Member(SECOND, (1, 3))))


def test_members_learn_in_their_seats_and_play_there(tmp_path: Path) -> None:
    result = TEAM.train("TeamProduction-v1", ["private", "cooperative"], [0], 1280)
    kinds = [type(agent.policy).__name__ for agent in result.agents(0)]
    assert kinds == ["SquashedGaussian", "Deterministic", "SquashedGaussian", "Deterministic"]
    assert {name for _, name, _ in result.curves(0)} >= {"kl/0", "value/1", "reward"}
    result.save(tmp_path)
    game = coopgym.make_game("TeamProduction-v1")
    first, second = (play(game, agents).payoffs for agents in (result.agents(1), load_agents(tmp_path, 1)))
    assert np.array_equal(first, second)


def test_settings_survive_as_json() -> None:
    assert Mixed(**Mixed.current(json.loads(json.dumps(TEAM.values())))) == TEAM


def test_every_member_sees_its_own_seats() -> None:
    make = environment_factory("TeamProduction-v1", None, None)
    trainer = Trainer(TEAM, make, cross(["private"], [0]), torch.device("cpu"))
    block = trainer.collect()
    part = block.of((1, 3))
    assert torch.equal(part.signal, block.signal[:, [1, 3]])
    assert torch.equal(part.observation, block.observation[:, [1, 3]])
    assert part.joint_share is block.share
    assert torch.equal(
        part.next_values(lambda seen, time: seen[..., 0], part.observation[..., 0])[:, 1],
        block.next_values(lambda seen, time: seen[..., 0], block.observation[..., 0])[:, 3],
    )
    assert block.of(range(4)) is block


@pytest.mark.parametrize(
    ("keywords", "error", "message"),
    [
        ({"members": [(FIRST, [0]), (SECOND, [0])]}, ValueError, r"members play seats \[0, 0\]"),
        ({"members": [(FIRST, [0])], "num_envs": 8}, ValueError, "num_envs=16 of IPPO differs from the mixture's 8"),
        ({"members": [(FIRST, [0])], "objective": "team"}, ValueError, "objective='individual' of IPPO differs"),
        ({"members": [{"learner": "PIPO", "seats": [0]}]}, ValueError, "learner='PIPO': expected one of .*IPPO"),
        ({"members": [{"learner": "IPPO"}]}, TypeError, "seats=None: expected a list of seat numbers"),
        ({"members": [{"learner": "IPPO", "seats": [0], "num_envs": 3}]}, TypeError, "num_envs"),
        ({"members": ["IPPO"]}, TypeError, "member 'IPPO': expected a pair"),
    ],
)
def test_bad_members(keywords: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Mixed(**{"num_envs": 16} | keywords)


def test_every_seat_needs_a_learner() -> None:
    with pytest.raises(ValueError, match=r"members play seats \[0, 1, 2, 3\], but TrustDilemma-v1 has seats 0 to 1"):
        TEAM.train("TrustDilemma-v1")
