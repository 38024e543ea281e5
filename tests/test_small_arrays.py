"""Few numbers are reduced in Python, with the bits of NumPy's own reductions."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.small_arrays import FEW, applied, every, for_each_agent, for_each_observer, total


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", range(FEW + 2))
def test_a_sum_alone_has_the_bits_of_its_row_in_a_batch(size: int, dtype: type[np.floating]) -> None:
    rows = (np.random.default_rng(size).standard_normal((200, size)) * 1e3).astype(dtype)
    alone = np.array([total(row) for row in rows])
    np.testing.assert_array_equal(alone, total(rows))
    assert size == 0 or alone.dtype == total(rows).dtype == dtype


@pytest.mark.parametrize("n_agents", [1, 2, 3])
def test_a_matrix_alone_is_added_up_like_its_entry_of_a_batch(n_agents: int) -> None:
    matrices = np.random.default_rng(n_agents).standard_normal((200, n_agents, n_agents))
    np.testing.assert_array_equal([total(matrix, axes=2) for matrix in matrices], total(matrices, axes=2))


def test_whole_numbers_and_truth_values_are_counted_as_numpy_counts() -> None:
    assert total(np.array([2, 3])) == 5
    assert total(np.array([True, True])) == 2


def test_every_asks_each_row() -> None:
    rows = np.array([[True, True], [True, False]])
    assert [bool(every(row)) for row in rows] == every(rows).tolist() == [True, False]


def test_values_of_environments_meet_those_of_agents() -> None:
    levels, agents = np.array([2.0, 3.0]), np.ones((2, 4))
    np.testing.assert_array_equal((for_each_agent(levels) * agents)[1], for_each_agent(levels[1]) * agents[1])


@pytest.mark.parametrize("n_agents", [1, 2, FEW - 1, FEW])
def test_observers_all_see_the_same(n_agents: int) -> None:
    values, others = np.random.default_rng(0).standard_normal((3, n_agents)), 1.0 - np.eye(n_agents)
    together = others * for_each_observer(values)
    for row in range(3):
        np.testing.assert_array_equal(others * for_each_observer(values[row]), together[row])
        np.testing.assert_array_equal(together[row], others * np.tile(values[row], (n_agents, 1)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_agents", [1, 2, 7, 40])
def test_a_matrix_is_applied_to_the_bit_as_the_operator_does(n_agents: int, dtype: type[np.floating]) -> None:
    rng = np.random.default_rng(n_agents)
    matrices, values = rng.random((50, n_agents, n_agents)).astype(dtype), rng.random((50, n_agents)).astype(dtype)
    for matrix, vector in zip(matrices, values, strict=True):
        np.testing.assert_array_equal(applied(matrix, vector), matrix @ vector)
    np.testing.assert_allclose(applied(matrices, values)[-1], matrices[-1] @ values[-1], rtol=1e-5)
