"""Minari records episodes with all that infos tell, and reads them back."""

from __future__ import annotations

from pathlib import Path

import gymnasium
import minari
import numpy as np
import pytest

import coopgym

STEPS = 5


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINARI_DATASETS_PATH", str(tmp_path))


@pytest.mark.parametrize("game_id", coopgym.games())
def test_a_dataset_holds_every_info_of_every_step(game_id: str) -> None:
    env = gymnasium.make(
        f"coopgym/{game_id}", control="joint", actions="share", reward="mutuality=0.5", max_steps=STEPS
    )
    collector = minari.DataCollector(env, record_infos=True)
    told = []
    _, info = collector.reset(seed=0)
    told.append(info)
    for _ in range(STEPS):
        _, _, terminated, truncated, info = collector.step(np.full(env.action_space.shape, 0.6, dtype=np.float32))
        told.append(info)
        assert not terminated
    assert truncated
    name = f"coopgym/{game_id.lower().removesuffix('-v0').removesuffix('-v1')}/test-v0"
    collector.create_dataset(name, algorithm_name="constant", author="tests", author_email="-", code_permalink="-")

    dataset = minari.load_dataset(name)
    (episode,) = dataset.iterate_episodes()
    assert episode.infos.keys() == told[0].keys()
    for key, column in episode.infos.items():
        assert len(column) == STEPS + 1
        for value, expected in zip(column, told, strict=True):
            text = value.decode() if isinstance(value, bytes) else value
            np.testing.assert_array_equal(text, expected[key], err_msg=key)
    again = dataset.recover_environment()
    assert again.unwrapped.game.parameters == env.unwrapped.game.parameters
    assert again.spec.max_episode_steps == STEPS
