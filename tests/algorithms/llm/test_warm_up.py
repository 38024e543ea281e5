"""Warm-up: what is demonstrated, what is learned from it, and what is kept for the next time."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from coopgym.algorithms.llm.models import SmallModel, SmallSettings
from coopgym.algorithms.llm.play.reference_actions import correct
from coopgym.algorithms.llm.play.tasks import TaskSettings
from coopgym.algorithms.llm.training.demonstrations import GOLD_SHARE, demonstrations
from coopgym.algorithms.llm.training.warm_up import WarmUp, imitate, warmed_up
from coopgym.interfaces.text import Rules

SIZE = SmallSettings(layers=1, width=16, heads=2, context=384)
BRIEF = WarmUp(steps=3, batch=4, pool=6)
TASKS = TaskSettings("TrustDilemma-v1", reward="cooperative", partners=("Constant_25", "TitForTat"), decisions=2)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COOPGYM_CACHE", str(tmp_path))
    return tmp_path / "warm-up"


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Seeds of the models that were trained, not found."""
    seeds: list[int] = []

    def noted(model: SmallModel, tasks: TaskSettings, warm_up: WarmUp, seed: int, progress=None) -> list[float]:
        seeds.append(seed)
        return imitate(model, tasks, warm_up, seed, progress)

    monkeypatch.setattr("coopgym.algorithms.llm.training.warm_up.imitate", noted)
    return seeds


def same(one: SmallModel, other: SmallModel) -> bool:
    return all(torch.equal(tensor, other.state()[name]) for name, tensor in one.state().items())


def test_demonstrations_play_legally_in_many_ways() -> None:
    model = SmallModel(SIZE)
    shown = demonstrations(TASKS, model, 60, np.random.default_rng(0))
    assert all(member.format_ok and member.ended_by == "answer" for member in shown)
    assert all(len(member.levels) == 2 for member in shown)
    calls = Counter(call.name for member in shown for turn in member.turns for call in turn.calls)
    assert set(calls) == {"submit", "payoff", "partner_history"}
    assert calls["submit"] == 120
    assert len({level for member in shown for level in member.levels}) > 40


@pytest.mark.parametrize("turns", [1, 2])
def test_demonstrations_answer_within_few_turns(turns: int) -> None:
    brief = dataclasses.replace(TASKS, rules=Rules(max_turns=turns))
    shown = demonstrations(brief, SmallModel(SIZE), 20, np.random.default_rng(0))
    assert all(member.format_ok and member.ended_by == "answer" for member in shown)
    assert max(len(member.turns) for member in shown) == 2 * turns


def test_demonstrations_seldom_show_what_is_right() -> None:
    one = dataclasses.replace(TASKS, decisions=1, partners=("Constant_25",))
    shown = demonstrations(one, SmallModel(SIZE), 120, np.random.default_rng(1))
    right = np.mean([correct(member.levels[0], one.reference_action(0, 0)) for member in shown])
    assert GOLD_SHARE < right < 3 * GOLD_SHARE


def test_imitation_lowers_the_loss_and_reports_what_it_has_read() -> None:
    told: list[int] = []
    losses = imitate(SmallModel(SIZE), TASKS, WarmUp(steps=30, batch=4, pool=16), 0, told.append)
    assert np.mean(losses[-5:]) < 0.8 * losses[0]
    assert told == list(range(4, 124, 4))


def test_no_steps_leave_the_model_as_it_is() -> None:
    model = SmallModel(SIZE, seed=1)
    assert imitate(model, TASKS, WarmUp(steps=0), 0) == []
    assert same(model, SmallModel(SIZE, seed=1))


def test_a_model_is_made_once(cache: Path, trainings: list[int]) -> None:
    first = warmed_up(SIZE, TASKS, BRIEF, seed=0)
    assert same(first, warmed_up(SIZE, TASKS, BRIEF, seed=0))
    assert trainings == [0]
    assert len(list(cache.iterdir())) == 1


def test_another_start_is_another_model(cache: Path, trainings: list[int]) -> None:
    models = [
        warmed_up(SIZE, TASKS, BRIEF, seed=0),
        warmed_up(SIZE, TASKS, BRIEF, seed=1),
        warmed_up(SIZE, TASKS, dataclasses.replace(BRIEF, steps=2), seed=0),
        warmed_up(SIZE, dataclasses.replace(TASKS, reward="private"), BRIEF, seed=0),
    ]
    assert trainings == [0, 1, 0, 0]
    assert len(list(cache.iterdir())) == 4
    assert not any(same(models[0], other) for other in models[1:])


@pytest.mark.parametrize("file", ["model.json", "model.safetensors"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_model_is_made_again_and_kept(file: str, damage: str, cache: Path, trainings: list[int]) -> None:
    first = warmed_up(SIZE, TASKS, BRIEF, seed=0)
    (place,) = cache.iterdir()
    whole = (place / file).read_bytes()
    if damage == "cut":
        (place / file).write_bytes(whole[: len(whole) // 2])
    else:
        (place / file).unlink()
    assert same(first, warmed_up(SIZE, TASKS, BRIEF, seed=0))
    assert same(first, warmed_up(SIZE, TASKS, BRIEF, seed=0))
    assert trainings == [0, 0]
    assert (place / file).read_bytes() == whole


def test_a_model_of_another_size_in_its_place_is_not_used(cache: Path, trainings: list[int]) -> None:
    warmed_up(SIZE, TASKS, BRIEF, seed=0)
    (place,) = cache.iterdir()
    SmallModel(SmallSettings(layers=1, width=8, heads=2, context=384)).save(place)
    assert warmed_up(SIZE, TASKS, BRIEF, seed=0).width == SIZE.width
    assert trainings == [0, 0]
    assert json.loads((place / "model.json").read_text())["settings"]["width"] == SIZE.width
