"""Every worked example whose kernel there is comes out as an independent implementation had it."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from tests.worked_examples.kernels import EXAMPLES, KERNELS, PACKAGES, Example

WITHOUT_KERNEL = {
    "bayes-bandit",
    "cooper",
    "doc",
    "dpo",
    "mbrl",
    "nap",
    "oppo",
    "ota",
    "ota-expectile",
    "ppo-rlhf",
    "rational",
    "rrm",
    "steporlm",
    "trust-grpo",
    "webarbiter",
}
"""Kernels that are still to come."""


def require_same(actual: Any, expected: Any, example: Example, where: str = "") -> None:
    """Compare nested results: keys, lengths, text, truth and absence exactly, numbers within the tolerance."""
    if isinstance(expected, Mapping):
        assert set(actual) == set(expected), where
        for key, value in expected.items():
            require_same(actual[key], value, example, f"{where}.{key}")
    elif isinstance(expected, list):
        assert isinstance(actual, Sequence | np.ndarray), where
        assert len(actual) == len(expected), where
        for index, value in enumerate(expected):
            require_same(actual[index], value, example, f"{where}[{index}]")
    elif expected is None or isinstance(expected, str | bool):
        assert type(actual) is type(expected), where
        assert actual == expected, where
    else:
        assert actual == pytest.approx(expected, rel=example.rtol, abs=example.atol), where


@pytest.mark.parametrize("id", [id for id, example in EXAMPLES.items() if example.kernel in KERNELS])
def test_a_kernel_gives_what_its_example_expects(id: str) -> None:
    example = EXAMPLES[id]
    require_same(KERNELS[example.kernel](**example.inputs), example.expected, example)


def test_kernels_that_are_missing_are_known() -> None:
    assert {example.kernel for example in EXAMPLES.values()} - set(KERNELS) == WITHOUT_KERNEL


def test_every_kernel_has_an_id_of_its_own_and_an_example_that_spells_out_its_arguments() -> None:
    assert sum(len(package.KERNELS) for package in PACKAGES) == len(KERNELS)
    assert set(KERNELS) <= {example.kernel for example in EXAMPLES.values()}
    for id, example in EXAMPLES.items():
        if example.kernel in KERNELS:
            parameters = inspect.signature(KERNELS[example.kernel]).parameters
            required = {name for name, each in parameters.items() if each.default is each.empty}
            assert required <= set(example.inputs), id
            assert [name for name in parameters if name in example.inputs] == list(example.inputs), id
