"""TorchRL's wrappers find in every environment what its specification promises."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torchrl.envs import GymEnv, PettingZooWrapper
from torchrl.envs.utils import check_env_specs

import coopgym

every_game = pytest.mark.parametrize("game_id", coopgym.games())
pytestmark = pytest.mark.filterwarnings("ignore:PettingZoo in TorchRL is tested using version:UserWarning")


@pytest.mark.parametrize("control", ["seat", "joint"])
@every_game
def test_gym_environments_keep_their_specs(game_id: str, control: str) -> None:
    env = GymEnv(f"coopgym/{game_id}", control=control, max_steps=4)
    check_env_specs(env)
    assert env.rollout(10)["next", "truncated"][-1] or env.rollout(10)["next", "terminated"].any()


TELL_TEXTS = ("SLCD", "RenaultNissan", "ApacheProject")
"""Games whose infos hold texts (names, phases), for which TorchRL's reader of infos has no tensors."""


@pytest.mark.parametrize("game_id", [id for id in coopgym.games() if not id.startswith(TELL_TEXTS)])
def test_infos_are_read_into_tensors(game_id: str) -> None:
    env = GymEnv(f"coopgym/{game_id}", control="joint", max_steps=4).auto_register_info_dict()
    check_env_specs(env)
    played = env.rollout(4)
    assert played["payoffs"].shape == (*played.batch_size, env.unwrapped.game.n_agents)
    assert not played["payoffs"][0].any()
    torch.testing.assert_close(played["payoffs"][1:], played["next", "payoffs"][:-1])


@pytest.mark.parametrize("make", [coopgym.parallel_env, coopgym.aec_env], ids=["parallel", "aec"])
@every_game
def test_pettingzoo_environments_keep_their_specs(game_id: str, make: Any) -> None:
    env = PettingZooWrapper(make(game_id, max_cycles=3), use_mask=make is coopgym.aec_env, return_state=True)
    check_env_specs(env)


@pytest.mark.parametrize("game_id", ["PlatformEcosystem-v1", "CoalitionFormation-v1"])
def test_newcomers_take_seats_of_a_joint_controller(game_id: str) -> None:
    """TorchRL's wrapper of PettingZoo reads at a reset what every possible agent is told, who is not yet there too."""
    env = GymEnv(f"coopgym/{game_id}", control="joint", entry=True, norm=1.0, max_steps=40).auto_register_info_dict()
    check_env_specs(env)
    played = env.rollout(40)
    assert played.batch_size == (40,)
    assert played["next", "entries"][-1].any()


def test_unknown_keywords_are_refused_as_such() -> None:
    with pytest.raises(TypeError, match="got an unexpected keyword argument 'gama'; did you mean 'gamma'"):
        GymEnv("coopgym/TrustDilemma-v1", gama=2.0)
