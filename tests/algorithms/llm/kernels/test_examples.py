"""The worked examples of the methods for language-model agents: 137 cases of 63 kernels."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from recordings import DATA

from coopgym.algorithms.llm.kernels import KERNELS

EXAMPLES = json.loads((DATA / "llm_methods_examples.json").read_text())
CASES = EXAMPLES["cases"]


def assert_same(actual: Any, expected: Any, where: str) -> None:
    """Compare nested results: keys, lengths, text, truth and absence exactly, numbers within the tolerance."""
    if isinstance(expected, Mapping):
        assert set(actual) == set(expected), where
        for key, value in expected.items():
            assert_same(actual[key], value, f"{where}.{key}")
    elif isinstance(expected, list):
        assert isinstance(actual, Sequence | np.ndarray), where
        assert len(actual) == len(expected), where
        for index, value in enumerate(expected):
            assert_same(actual[index], value, f"{where}[{index}]")
    elif expected is None or isinstance(expected, str | bool):
        assert type(actual) is type(expected), where
        assert actual == expected, where
    else:
        assert actual == pytest.approx(expected, rel=EXAMPLES["rtol"], abs=EXAMPLES["atol"]), where


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_kernel_gives_what_its_example_expects(case: dict[str, Any]) -> None:
    assert_same(KERNELS[case["kernel"]](**case["inputs"]), case["expected"], case["id"])


def test_every_kernel_has_an_example_that_spells_out_its_arguments() -> None:
    assert {case["kernel"] for case in CASES} == set(KERNELS)
    for case in CASES:
        assert list(inspect.signature(KERNELS[case["kernel"]]).parameters) == list(case["inputs"]), case["id"]
