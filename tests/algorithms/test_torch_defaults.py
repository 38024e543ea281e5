"""Training and oracles give the same whatever the program around them has set in torch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import numpy as np
import pytest
import torch

from coopgym.algorithms.common.torch_defaults import torch_defaults
from coopgym.algorithms.llm.models import ByteTokenizer, SmallModel, SmallSettings
from coopgym.algorithms.marl import IPPO
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.off_policy.isac import ISAC
from coopgym.algorithms.marl.value_based.qmix import QMIX
from coopgym.games.registry import make_game
from coopgym.oracles.dynamic.bounds import certified_gap
from coopgym.oracles.dynamic.planner import QUICK, plan


@contextmanager
def other_defaults() -> Iterator[None]:
    """Double precision, on a device that can compute nothing."""
    torch.set_default_dtype(torch.float64)
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)
        torch.set_default_dtype(torch.float32)


SURROUNDINGS = [
    pytest.param(torch.no_grad, id="no_grad"),
    pytest.param(torch.inference_mode, id="inference"),
    pytest.param(other_defaults, id="defaults"),
]


@pytest.mark.parametrize(
    ("learner", "around"),
    [
        (IPPO(hidden=(8,), num_envs=4, rollout_steps=8), torch.no_grad),
        (IPPO(hidden=(8,), num_envs=4, rollout_steps=8), other_defaults),
        (ISAC(hidden=(8,), num_envs=4, rollout_steps=8, batch_size=8, learning_starts=32), other_defaults),
        (QMIX(hidden=(8,), num_envs=4, rollout_steps=8, batch_size=8, learning_starts=32), torch.inference_mode),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_learners_train_to_the_same_policies(
    learner: ReplicaLearner, around: type[AbstractContextManager[None]]
) -> None:
    alone = learner.train("TrustDilemma-v1", env_steps=128, evaluations=2)
    with around():
        within = learner.train("TrustDilemma-v1", env_steps=128, evaluations=2)
    assert within.curves() == alone.curves()
    for name, tensor in alone.tensors.items():
        np.testing.assert_array_equal(within.tensors[name], tensor)


@pytest.mark.parametrize("around", SURROUNDINGS)
def test_language_models_made_anywhere_can_be_trained(around: type[AbstractContextManager[None]]) -> None:
    settings, text = SmallSettings(layers=1, width=8, heads=2, context=32), ByteTokenizer().encode("play")
    alone = SmallModel(settings)
    with around():
        within = SmallModel(settings)
        written = within.generate([text], max_tokens=4, temperature=0.0)
    assert [each.ids.tolist() for each in written] == [
        each.ids.tolist() for each in alone.generate([text], max_tokens=4, temperature=0.0)
    ]
    slopes = [torch.autograd.grad(model.score([text]).logp.sum(), model.parameters()) for model in (alone, within)]
    for one, other in zip(*slopes, strict=True):
        torch.testing.assert_close(other, one, rtol=0, atol=0)


@pytest.mark.parametrize("around", SURROUNDINGS)
@pytest.mark.parametrize("id", ["PartnerHoldUp-v1", "SLCD-v1"])
def test_plans_and_their_bounds_are_the_same(id: str, around: type[AbstractContextManager[None]]) -> None:
    def solved() -> tuple[float, float]:
        found = plan(make_game(id, max_steps=3), agents=(), budget=QUICK)
        return found.value, certified_gap(found).upper

    alone = solved()
    with around():
        assert solved() == alone


def test_the_surroundings_are_as_before_even_after_an_error() -> None:
    @torch_defaults()
    def trained() -> None:
        assert torch.zeros(1, requires_grad=True).exp().requires_grad
        assert (torch.zeros(1).dtype, torch.zeros(1).device.type) == (torch.float32, "cpu")
        raise RuntimeError("went wrong")

    with other_defaults(), torch.inference_mode():
        with pytest.raises(RuntimeError, match="went wrong"):
            trained()
        assert torch.is_inference_mode_enabled()
        assert (torch.zeros(1).dtype, torch.zeros(1).device.type) == (torch.float64, "meta")
