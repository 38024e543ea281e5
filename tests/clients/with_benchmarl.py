"""BenchMARL runs its algorithms on a game as on its own PettingZoo tasks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from benchmarl.algorithms import IppoConfig, MappoConfig, MasacConfig
from benchmarl.environments.pettingzoo.common import PettingZooClass
from benchmarl.experiment import Experiment, ExperimentConfig
from benchmarl.models.mlp import MlpConfig
from torchrl.envs import EnvBase, PettingZooWrapper

import coopgym

CYCLES = 8


class CoopTask(PettingZooClass):
    """A game under BenchMARL's rules for tasks."""

    def get_env_fun(
        self, num_envs: int, continuous_actions: bool, seed: int | None, device: Any
    ) -> Callable[[], EnvBase]:
        return lambda: PettingZooWrapper(
            coopgym.parallel_env(**self.config), return_state=True, categorical_actions=True, device=device, seed=seed
        )

    def supports_continuous_actions(self) -> bool:
        return True

    def supports_discrete_actions(self) -> bool:
        return False

    def has_state(self) -> bool:
        return True

    @staticmethod
    def env_name() -> str:
        return "coopgym"


def settings(folder: Path) -> ExperimentConfig:
    config = ExperimentConfig.get_from_yaml()
    config.save_folder, config.loggers, config.render, config.evaluation = str(folder), [], False, False
    config.max_n_iters, config.max_n_frames = 1, None
    config.on_policy_collected_frames_per_batch = config.off_policy_collected_frames_per_batch = 4 * CYCLES
    config.on_policy_minibatch_size = config.off_policy_train_batch_size = 2 * CYCLES
    config.on_policy_n_minibatch_iters = config.off_policy_n_optimizer_steps = 1
    config.on_policy_n_envs_per_worker = config.off_policy_n_envs_per_worker = 1
    config.create_json = False
    return config


@pytest.mark.parametrize("algorithm", [IppoConfig, MappoConfig, MasacConfig])
@pytest.mark.parametrize("game_id", ["TeamProduction-v1", "PublicGoods-v0"])
def test_an_iteration_of_an_algorithm(algorithm: Any, game_id: str, tmp_path: Path) -> None:
    task = CoopTask(name=game_id, config={"id": game_id, "max_cycles": CYCLES, "actions": "symmetric"})
    experiment = Experiment(
        task=task,
        algorithm_config=algorithm.get_from_yaml(),
        model_config=MlpConfig(num_cells=[8], layer_class=torch.nn.Linear, activation_class=torch.nn.Tanh),
        critic_model_config=MlpConfig(num_cells=[8], layer_class=torch.nn.Linear, activation_class=torch.nn.Tanh),
        seed=0,
        config=settings(tmp_path),
    )
    experiment.run()
    assert experiment.total_frames == 4 * CYCLES
