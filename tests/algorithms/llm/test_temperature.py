"""Learning from samples at any temperature follows the gradient of what they earn: exactly, over all messages."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from coopgym.algorithms.llm.method.minibatch import minibatch, totals
from coopgym.algorithms.llm.method.objectives import Clip
from coopgym.algorithms.llm.models import SmallModel, SmallSettings
from coopgym.algorithms.llm.play.trajectories import Credit, Trajectory, Turn
from coopgym.algorithms.llm.training.scoring import scored

PROMPT = np.frombuffer(b"level?", dtype=np.uint8).astype(np.int64)


@pytest.fixture
def model() -> SmallModel:
    torch.set_num_threads(1)
    return SmallModel(SmallSettings(layers=1, width=16, heads=2, context=16), seed=0)


class Chosen:
    """Gives the random number that draws a certain token."""

    def __init__(self, uniform: float) -> None:
        self.uniform = uniform

    def random(self, count: int) -> np.ndarray:
        return np.full(count, self.uniform)


def probabilities(model: SmallModel, temperature: float) -> Tensor:
    """Return the distribution of the next token, differentiable."""
    size = model.tokenizer.size
    sequences = [np.append(PROMPT, token) for token in range(size)]
    last = np.arange(len(PROMPT) + 1) == len(PROMPT)
    logits = model.score(sequences, where=[last] * size).logp[:, -1].double()  # up to a constant
    return (logits / temperature).softmax(0)


def sampled(model: SmallModel, temperature: float) -> list[Trajectory]:
    """Return every message of one token, as it is recorded when it is sampled."""
    ends = probabilities(model, temperature).detach().numpy().cumsum()
    middles = (ends + np.append(0.0, ends[:-1])) / 2.0
    streams: Any = [Chosen(middle) for middle in middles]
    written = model.generate([PROMPT] * len(middles), max_tokens=1, temperature=temperature, uniforms=streams)
    assert [int(each.ids[0]) for each in written] == list(range(len(middles)))
    return [
        Trajectory(
            PROMPT, each.ids, np.array([True]), each.logp, (Turn(0, 1, "other"),), None, 0.0, False, True, "answer"
        )
        for each in written
    ]


def direction(model: SmallModel, value: Tensor) -> Tensor:
    return torch.cat([each.flatten() for each in torch.autograd.grad(value, model.parameters())]).double()


@pytest.mark.parametrize("temperature", [0.6, 1.0, 2.0])
def test_the_expected_update_is_the_gradient_of_the_expected_reward(model: SmallModel, temperature: float) -> None:
    chances, messages = probabilities(model, temperature), sampled(model, temperature)
    rewards = 1.0 + np.random.default_rng(0).random(len(messages))  # not centred, on purpose
    wanted = direction(model, (chances * torch.as_tensor(rewards)).sum())
    credit = Credit(
        adv={"main": [np.array([reward]) for reward in rewards]},
        weight={"main": [np.array([chance]) for chance in chances.detach().numpy()]},
        mask=[each.mask for each in messages],
    )
    members = range(len(messages))
    batch = minibatch(messages, credit, members, totals(credit, members))
    found = scored(model, messages, temperature=temperature)
    assert found.logp.detach().numpy() == pytest.approx(batch.logp_old.numpy(), abs=1e-4)
    objective = Clip(aggregation="seq_mean_token_sum", kl=0.0)
    loss, metrics = objective.loss(found.logp, dataclasses.replace(batch, entropy=found.entropy))
    update = -direction(model, loss) * len(messages)
    assert torch.nn.functional.cosine_similarity(update, wanted, dim=0) > 0.999
    assert float(update.norm()) == pytest.approx(float(wanted.norm()), rel=1e-2)
    assert metrics["outside_clip"] == 0.0
