"""Averages of iterates: the plain mean of the last part, the latest before it, and the same after a restart."""

from __future__ import annotations

import pytest
import torch

from coopgym.algorithms.common.stacked_networks import ParameterStack
from coopgym.algorithms.marl.value_based.iql import IterateAverage

PROGRESS = (0.0, 0.25, 0.5, 0.75)


def stack() -> ParameterStack:
    return ParameterStack((2,), {"weight": (3,)}, torch.device("cpu"))


def iterates() -> list[ParameterStack]:
    generator, found = torch.Generator().manual_seed(0), [stack() for _ in PROGRESS]
    for part in found:
        part.flat.normal_(generator=generator)
    return found


@pytest.mark.parametrize(("over", "taken"), [(0.0, 1), (0.5, 2), (1.0, 4)])
def test_the_mean_is_that_of_the_last_part(over: float, taken: int) -> None:
    average, seen = IterateAverage(stack(), over), iterates()
    for part, progress in zip(seen, PROGRESS, strict=True):
        average.update(part, progress)
    expected = torch.stack([part.flat for part in seen[-taken:]]).mean(0)
    assert torch.allclose(average.mean.flat, expected, atol=1e-6)


def test_before_it_begins_it_is_the_latest() -> None:
    average, (first, second, *_) = IterateAverage(stack(), 0.5), iterates()
    average.update(first, 0.0)
    average.update(second, 0.25)
    assert torch.equal(average.mean.flat, second.flat)


def test_it_goes_on_from_its_state() -> None:
    whole, seen = IterateAverage(stack(), 0.75), iterates()
    for part, progress in zip(seen[:3], PROGRESS[:3], strict=True):
        whole.update(part, progress)
    resumed = IterateAverage(stack(), 0.75)
    resumed.restore({name: tensor.clone() for name, tensor in whole.state().items()})
    for average in (whole, resumed):
        average.update(seen[3], PROGRESS[3])
    assert torch.equal(whole.mean.flat, resumed.mean.flat)
