"""The trainer: what it repeats, where it stops, how it goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from coopgym.algorithms.llm.method.minibatch import minibatch, totals
from coopgym.algorithms.llm.method.registry import make_method
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.models import SmallModel
from coopgym.algorithms.llm.play.trajectories import Batch, Group, Trajectory
from coopgym.algorithms.llm.training.scoring import in_parts, rows
from coopgym.algorithms.llm.training.trainer import Trainer, TrainerSettings

SETTINGS = TrainerSettings(prompts=3, group_size=4, learning_rate=1e-3, n_minibatches=2, n_epochs=2)
STEP = SETTINGS.prompts * SETTINGS.group_size


class StoppedError(Exception):
    """Somebody pulled the plug."""


@pytest.fixture
def begin(tasks, pupil) -> Callable[..., Trainer]:
    def trainer(method: str = "grpo", seed: int = 3, options: dict | None = None, **settings: object) -> Trainer:
        changed = dataclasses.replace(SETTINGS, **settings)
        return Trainer(pupil(), make_method(method, tasks, seed, options), changed, seed=seed)

    return trainer


def weights(trainer: Trainer) -> np.ndarray:
    return torch.cat([tensor.ravel() for tensor in trainer.model.state().values()]).numpy().copy()


def memories(trainer: Trainer) -> dict[str, dict]:
    return {name: slot.state_dict() for name, slot in trainer.method.slots.items()}


def sampled(trainer: Trainer) -> list[Trajectory]:
    services = Services(trainer.model, trainer.settings.decoding, trainer.dialect, trainer.seed, trainer.critic)
    tasks = trainer.method.curriculum.tasks(SETTINGS.prompts, 0)
    return Batch(trainer.method.sampler.sample(tasks, SETTINGS.group_size, services, 0), 0).trajectories


def stop_after(steps: int) -> Callable[[int, int], None]:
    calls = []

    def progress(done: int, planned: int) -> None:
        calls.append(done)
        if len(calls) == steps:
            raise StoppedError

    return progress


@pytest.mark.parametrize("method", ["ppo", "decs", "obe", "h1", "treeps_rag"])
def test_a_stopped_and_resumed_training_equals_one_that_was_not_stopped(method: str, begin, tmp_path: Path) -> None:
    options = {"Horizons": {"least_steps": 0, "most_steps": 1}} if method == "h1" else None
    straight = begin(method, options=options, recorded_rollouts=2)
    straight.train(2 * STEP + 1)
    stopped = begin(method, options=options, recorded_rollouts=2)
    with pytest.raises(StoppedError):
        stopped.train(2 * STEP + 1, checkpoint=tmp_path, checkpoint_seconds=0.0, progress=stop_after(1))
    resumed = begin(method, options=options, recorded_rollouts=2)
    resumed.train(2 * STEP + 1, checkpoint=tmp_path, checkpoint_seconds=0.0)
    assert resumed.steps == straight.steps > stopped.steps
    assert np.array_equal(weights(resumed), weights(straight))
    assert resumed.history == straight.history
    assert resumed.rollouts == straight.rollouts
    assert {row["episode"] for row in straight.rollouts} == set(range(2 * straight.steps))
    assert (resumed.tokens, resumed.updates) == (straight.tokens, straight.updates)
    assert memories(resumed) == memories(straight)
    if method in ("obe", "h1"):
        assert memories(straight) != memories(begin(method, options=options))


def test_a_finished_training_has_nothing_to_resume(begin, tmp_path: Path) -> None:
    done = begin()
    done.train(STEP, checkpoint=tmp_path)
    again = begin()
    again.train(STEP, checkpoint=tmp_path)
    assert again.steps == done.steps == 1
    assert np.array_equal(weights(again), weights(done))


@pytest.mark.parametrize(
    ("changed", "message"),
    [({"seed": 4}, r"seed=3 \(now 4\)"), ({"learning_rate": 2e-3}, r"learning_rate=0.001 \(now 0.002\)")],
)
def test_a_checkpoint_of_another_training_is_refused(changed: dict, message: str, begin, tmp_path: Path) -> None:
    begin().train(1, checkpoint=tmp_path, identity={"game": "x"})
    with pytest.raises(ValueError, match=message):
        begin(**changed).train(1, checkpoint=tmp_path, identity={"game": "x"})
    with pytest.raises(ValueError, match=r"game='x' \(now 'y'\)"):
        begin().train(1, checkpoint=tmp_path, identity={"game": "y"})


def test_checkpoints_come_every_so_many_steps(begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at: list[int] = []
    trainer = begin()
    monkeypatch.setattr("coopgym.algorithms.llm.training.trainer.write_checkpoint", lambda *_: at.append(trainer.steps))
    trainer.train(5 * STEP, checkpoint=tmp_path, checkpoint_every=2, checkpoint_seconds=0.0)
    assert at == [2, 4, 5]


def test_equal_seeds_say_and_learn_the_same(begin) -> None:
    first, second, other = begin(seed=1), begin(seed=1), begin(seed=2)
    for trainer in (first, second, other):
        trainer.step()
    assert np.array_equal(weights(first), weights(second))
    assert first.history == second.history
    assert not np.array_equal(weights(first), weights(other))
    said, again, differently = (sampled(trainer) for trainer in (first, second, other))
    assert [member.ids.tolist() for member in said] == [member.ids.tolist() for member in again]
    assert [member.ids.tolist() for member in said] != [member.ids.tolist() for member in differently]


@pytest.mark.parametrize("method", ["grpo", "copo", "vstar"])
def test_gradients_of_parts_add_up_to_the_minibatch_s(method: str, begin) -> None:
    whole, parts = begin(method, micro_batch=64), begin(method, micro_batch=3)
    for trainer in (whole, parts):
        trainer.step()
    assert np.allclose(weights(whole), weights(parts), atol=2e-5)
    assert not np.allclose(weights(whole), weights(begin(method)), atol=2e-5)
    assert whole.history[0].keys() == parts.history[0].keys()
    for name, value in whole.history[0].items():
        assert parts.history[0][name] == pytest.approx(value, abs=1e-3, rel=1e-3), name


def test_totals_count_the_whole_minibatch(begin) -> None:
    trainer = begin()
    members = sampled(trainer)
    credit = trainer.method.main.credit.assign(Batch([Group(trainer.method.curriculum.tasks(1, 0)[0], members)], 0))
    credit.weight["main"][1][:] = 0.0
    counted = totals(credit, [0, 1, 4])
    written = [members[place].written for place in (0, 1, 4)]
    assert (counted.sequences, counted.tokens) == (3, sum(written))
    assert counted.weighted == {"main": written[0] + written[2]}
    part = minibatch(members, credit, [0, 4], counted)
    assert part.totals == counted
    assert part.mask.sum(1).tolist() == [written[0], written[2]]


def test_a_step_takes_an_update_per_minibatch_and_epoch(begin) -> None:
    trainer = begin(n_minibatches=3, n_epochs=2)
    trainer.step()
    assert trainer.updates == 6


def test_learning_raises_the_likelihood_of_what_was_better(begin) -> None:
    trainer = begin(n_minibatches=1, n_epochs=1, learning_rate=3e-3)
    before = sampled(trainer)
    trainer.step()
    after = rows([part.logp for part in in_parts(trainer.model, before, 64)], before)
    groups = np.array([member.outcome for member in before]).reshape(-1, SETTINGS.group_size)
    advantage = (groups - groups.mean(1, keepdims=True)).ravel()
    change = [(new - member.logp_old)[member.mask].sum() for new, member in zip(after, before, strict=True)]
    assert advantage.any()
    assert np.dot(advantage, change) > 0.0


def test_what_was_sampled_scores_as_it_was_sampled(begin) -> None:
    trainer = begin()
    members = sampled(trainer)
    scored = rows([part.logp for part in in_parts(trainer.model, members, 5)], members)
    for member, logp in zip(members, scored, strict=True):
        assert np.allclose(logp[member.mask], member.logp_old[member.mask], atol=1e-4)


def test_a_diverging_training_is_caught(begin) -> None:
    trainer = begin()
    with torch.no_grad():
        trainer.model.parameters()[0].fill_(float("nan"))
    with pytest.raises(FloatingPointError, match="diverged"):
        trainer.step()


def test_a_loss_that_is_not_finite_changes_no_weight(begin, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = begin()
    objective = type(trainer.method.main.objective)
    monkeypatch.setattr(objective, "loss", lambda self, logp, batch: (logp.sum() * float("nan"), {}))
    before = weights(trainer)
    with pytest.raises(FloatingPointError, match="step 0: loss nan"):
        trainer.step()
    assert np.array_equal(weights(trainer), before)


def test_budgets_end_training(begin) -> None:
    trainer, told = begin(), []
    trainer.train(2 * STEP + 1, progress=lambda *done: told.append(done))
    assert trainer.steps == 3
    assert told == [(STEP, 2 * STEP + 1), (2 * STEP, 2 * STEP + 1), (2 * STEP + 1, 2 * STEP + 1)]
    short = begin()
    short.train(100 * STEP, tokens=int(trainer.history[0]["tokens"]) + 1)
    assert short.steps == 2
    assert short.tokens == trainer.history[1]["tokens"]


def test_decisions_that_never_come_to_an_end_use_up_the_budget_too(begin) -> None:
    trainer = begin("treeps_rag", options={"BreadthTree": {"tokens_per_rollout": 1, "branches": 1}}, max_tokens=1)
    trainer.train(2, tokens=1000)
    assert trainer.decisions >= 2
    assert trainer.history[-1]["answered"] == 0.0


def test_help_counts_as_tokens(begin) -> None:
    plain, helped = begin("grpo"), begin("igpo")
    plain.step()
    helped.step()
    assert helped.history[0]["extra_tokens"] > 0.0 == plain.history[0]["extra_tokens"]
    assert helped.tokens - helped.history[0]["extra_tokens"] == plain.tokens


def test_a_step_without_anything_to_learn_is_taken(begin) -> None:
    trainer = begin("spae", temperature=1e-6)  # all members of a group say the same, so every group is left out
    before = weights(trainer)
    assert "loss" not in trainer.step()
    assert (trainer.steps, trainer.updates) == (1, 0)
    assert np.array_equal(weights(trainer), before)


def test_minibatches_without_tokens_do_not_count(begin, monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = begin(n_minibatches=SETTINGS.prompts * SETTINGS.group_size, n_epochs=1)
    assign = trainer.method.main.credit.assign

    def without_the_first(batch: Batch):
        credit = assign(batch)
        return dataclasses.replace(credit, mask=[mask & (place > 0) for place, mask in enumerate(credit.mask)])

    monkeypatch.setattr(type(trainer.method.main.credit), "assign", lambda self, batch: without_the_first(batch))
    assert "kl_to_old" in trainer.step()
    assert trainer.updates == STEP - 1


def test_frozen_copies_stay_what_they_were(begin) -> None:
    trainer = begin()
    assert isinstance(trainer.reference, SmallModel)
    before = {name: tensor.clone() for name, tensor in trainer.reference.state().items()}
    trainer.step()
    assert all(torch.equal(tensor, before[name]) for name, tensor in trainer.reference.state().items())
    assert begin("grpo", options={"Clip": {"kl": 0.0}}).reference is None
