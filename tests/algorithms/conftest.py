"""What tests of learners share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from tests.algorithms.quadratic_game import Quadratic


@pytest.fixture
def quadratic() -> type[Quadratic]:
    """The environment's maker, as learners take it."""
    return Quadratic


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    """Tests run side by side; torch threads that wait for each other on busy cores are slower than one, and
    add numbers up in another order: also in what a module makes once for all its tests."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
