"""Win rates of rollouts, and the objective that holds a policy near its slow copy."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from coopgym.algorithms.llm.method.objectives import Clip, NashProx
from coopgym.algorithms.llm.method.registry import make_method
from coopgym.algorithms.llm.method.signals import WinRates
from coopgym.algorithms.llm.method.training_services import Services
from coopgym.algorithms.llm.play.trajectories import Batch, Group
from coopgym.algorithms.llm.training.trainer import Trainer, TrainerSettings
from tests.algorithms.llm.test_objectives import drawn, value

SETTINGS = TrainerSettings(prompts=2, group_size=3, learning_rate=1e-2)


@pytest.fixture
def groups(tasks, pupil) -> list[Group]:
    trainer = Trainer(pupil(), make_method("grpo", tasks, 0), SETTINGS)
    services = Services(trainer.model, SETTINGS.decoding, "compact", 0)
    return trainer.method.sampler.sample(trainer.method.curriculum.tasks(2, 0), 4, services, 0)


def test_win_rates_count_pairs_and_ties_half(groups: list[Group]) -> None:
    table = np.repeat(np.array([3.0, 1.0, 3.0, 0.0])[:, None], 4, axis=1)
    WinRates(comparator=lambda group: table).annotate(Batch(groups, 0), None)  # type: ignore[arg-type]
    assert [member.signals["win_rate"] for member in groups[0].members] == pytest.approx([2.5 / 3, 1 / 3, 2.5 / 3, 0])


def test_a_lone_rollout_ties(groups: list[Group]) -> None:
    alone = replace(groups[0], members=groups[0].members[:1])
    WinRates().annotate(Batch([alone], 0), None)  # type: ignore[arg-type]
    assert alone.members[0].signals["win_rate"] == 0.5


def test_an_unknown_comparator_is_told() -> None:
    with pytest.raises(ValueError, match="comparator"):
        WinRates(comparator="beauty")


def test_leaving_the_slow_copy_costs_its_divergence_summed_over_rollouts() -> None:
    logp, batch = drawn(4)
    slow = torch.tensor(np.random.default_rng(5).normal(-1.0, 0.5, tuple(logp.shape)))
    batch = replace(batch, logp_slow=slow)
    gap = np.where(batch.mask.numpy(), (slow - logp.detach()).numpy(), 0.0)
    penalty = (np.expm1(gap) - gap).sum() / batch.totals.sequences
    plain = Clip(kl=0.0, dual_clip=None, aggregation="seq_mean_token_sum")
    held = NashProx(kl=0.0, proximity=0.5)
    assert value(held, logp, batch) == pytest.approx(value(plain, logp, batch) + 0.5 * penalty)
    with pytest.raises(ValueError, match="log-probabilities of a slow copy"):
        held.loss(logp, replace(batch, logp_slow=None))


def test_the_slow_copy_follows_the_policy_and_is_resumed(tasks, pupil, tmp_path) -> None:
    def trainer() -> Trainer:
        options = {"NashProx": {"decay": 0.75}}
        return Trainer(pupil(), make_method("nash_mp", tasks, 0, options), SETTINGS, seed=1)

    first = trainer()
    before = {name: weight.clone() for name, weight in first.model.state().items()}
    first.step()
    assert first.slow is not None
    for name, weight in first.model.state().items():
        expected = 0.75 * before[name] + 0.25 * weight
        torch.testing.assert_close(first.slow[name], expected)
    whole, resumed = trainer(), trainer()
    whole.train(12)
    resumed.train(6, checkpoint=tmp_path)
    again = trainer()
    again.train(12, checkpoint=tmp_path)
    for name, weight in whole.model.state().items():
        torch.testing.assert_close(again.model.state()[name], weight)
    assert again.history == whole.history
