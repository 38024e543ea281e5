"""MeanFieldAC: the mean field is that of the others, and policies play as they were trained."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import coopgym
from coopgym.agents.base import Seat
from coopgym.agents.heuristics import Constant
from coopgym.algorithms.common.random_streams import cross
from coopgym.algorithms.marl.core.environment import environment_factory, observation_map
from coopgym.algorithms.marl.core.trainer import Trainer
from coopgym.algorithms.marl.on_policy.mean_field_ac import MeanFieldAC, MeanFieldSeats
from coopgym.play.episodes import play

LARGER = [
    "PlatformEcosystem",
    "DynamicPartnerSelection",
    "ReputationMarket",
    "TeamProduction",
    "LoyaltyTeam",
    "CoalitionFormation",
    "PublicGoods",
    "IndirectReciprocity",
    "GraduatedSanction",
    "AppleAppStore",
]


def trainer(game: Any, **parameters: Any) -> Trainer:
    settings = MeanFieldAC(hidden=(8,), num_envs=4, rollout_steps=3)
    make = environment_factory(game, parameters, None)
    return Trainer(settings, make, cross(["private"], [0, 1]), torch.device("cpu"))


@pytest.mark.parametrize("edition", ["v0", "v1"])
@pytest.mark.parametrize("name", LARGER)
def test_the_mean_field_is_the_mean_share_of_the_others(name: str, edition: str) -> None:
    run = trainer(f"{name}-{edition}")
    block, seats = run.collect(), run.seats
    assert isinstance(seats, MeanFieldSeats)
    level = seats.inputs(block.observation[:, :, 1])[..., -1]  # (R, N, B) before the second step
    played = block.joint_share[:, :, 0]
    others = (played.sum(1, keepdim=True) - played) / (played.shape[1] - 1)
    goes_on = ~block.ended[:, :, 0].expand_as(level)
    torch.testing.assert_close(level[goes_on], 2.0 * others[goes_on] - 1.0, rtol=1e-4, atol=1e-4)


def test_it_is_what_agents_see_as_partners_cooperation() -> None:
    run = trainer("GraduatedSanction-v1")
    game, environment = coopgym.make_game("GraduatedSanction-v1"), run.collector.environment
    assert isinstance(run.seats, MeanFieldSeats)
    low, high = game.observation_bounds(environment.view)
    raw = low + (high - low) * np.random.default_rng(0).random(low.shape)
    gain, offset = observation_map(environment)
    seen = torch.as_tensor(gain * raw + offset, dtype=torch.float32).unsqueeze(1).unsqueeze(0)
    level = run.seats.inputs(seen)[0, :, 0, -1]
    for index in range(game.n_agents):
        shares = Seat.of(game, index, environment.view, "private").partners_cooperation(raw[index][None])
        assert float(level[index]) == pytest.approx(2.0 * shares.mean() - 1.0, abs=1e-5)


def test_exported_policies_fold_the_mean_field_in(quadratic: Any) -> None:
    run = trainer(quadratic, agents=3, horizon=4)
    for block in range(3):
        run.learn(block / 3)
    seats = run.seats
    assert isinstance(seats, MeanFieldSeats)
    observation = torch.rand(2, 3, 5, run.collector.inputs) * 2.0 - 1.0
    tensors = seats.policy_tensors()
    hidden = torch.tanh(torch.matmul(observation, tensors["weight_0"]) + tensors["bias_0"])
    exported = torch.matmul(hidden, tensors["weight_1"]) + tensors["bias_1"]
    torch.testing.assert_close(exported, seats.policies(seats.inputs(observation)), rtol=1e-4, atol=1e-5)


def test_the_critic_judges_the_action_taken(quadratic: Any) -> None:
    """In a one-step game that pays 1 - (c - 0.37)², Q falls from there to 1."""
    settings = MeanFieldAC(hidden=(16,), n_minibatches=2)
    make = environment_factory(quadratic, {"agents": 3}, None)
    run = Trainer(settings, make, cross(["private"], [0]), torch.device("cpu"))
    for _ in range(12):
        run.learn(0.0)
    seats = run.seats
    assert isinstance(seats, MeanFieldSeats)
    share = torch.tensor([0.4, 0.7, 0.95])
    inputs = seats.inputs(run.collector.rollout.observation[:, :, 0, :1]).expand(-1, -1, 3, -1)
    value = seats.value(inputs, (2.0 * share - 1.0).expand(1, 3, -1))
    assert (value.diff(dim=-1) < 0.0).all()


def test_dyads_and_views_without_partners_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 3 seats, but TrustDilemma-v1 has 2"):
        MeanFieldAC().train("TrustDilemma-v1")
    with pytest.raises(ValueError, match="'minimal' view of LoyaltyTeam-v1 does not show"):
        MeanFieldAC().train("LoyaltyTeam-v1", view="minimal")


@pytest.mark.slow
def test_a_team_comes_close_to_the_best_constant() -> None:
    game = coopgym.make_game("LoyaltyTeam-v0")
    everybody = ([Constant(level / 100) for _ in range(game.n_agents)] for level in range(101))
    constants = [play(game, agents).returns["integrated"].sum() for agents in everybody]
    result = MeanFieldAC(objective="team").train("LoyaltyTeam-v0", ["integrated"], [0], 500_000, evaluations=0)
    reached = play(game, result.agents(0)).returns["integrated"].sum()
    assert reached >= 0.95 * max(constants)
    assert reached > constants[50]
