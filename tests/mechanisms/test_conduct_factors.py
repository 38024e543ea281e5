"""Conduct of the released team games: means and thresholds in single precision, rounded as the publication rounded."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.backend import NUMPY, Array, Backend, torch_backend
from coopgym.games.released.mechanisms.conduct_factors import (
    HABIT_WINDOW,
    HABITUAL,
    conduct_multiplier,
    habitual_cooperation,
)

Shares = npt.NDArray[np.float32]
LEVELS = [0.0, 0.1, 0.3, 0.5, 0.55, 0.6, 0.65, 0.7, 0.9]


def windows(shares: Shares) -> tuple[Shares, npt.NDArray[np.float64]]:
    """What is remembered after each step of one episode, ``(steps, 10, 1)``, and the number of steps."""
    padded = np.concatenate([np.zeros(HABIT_WINDOW - 1, dtype=np.float32), shares])
    recent = np.lib.stride_tricks.sliding_window_view(padded, HABIT_WINDOW)
    return recent[..., None].copy(), np.arange(1.0, len(shares) + 1.0)


def habits(shares: Shares, backend: Backend = NUMPY) -> Array:
    recent, steps = windows(shares)
    return habitual_cooperation(backend.xp.asarray(recent), backend.array(steps))[:, 0]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=14), st.booleans())
def test_a_habit_is_the_mean_that_numpy_takes_of_single_precision_shares(levels: list[float], held: bool) -> None:
    shares = np.array(levels[:1] * len(levels) if held else levels, dtype=np.float32)
    published = [np.mean(shares[max(0, end - HABIT_WINDOW) : end]) for end in range(1, len(shares) + 1)]
    for backend in (NUMPY, Backend(np, np.float32)):
        np.testing.assert_array_equal(habits(shares, backend), np.array(published))


@pytest.mark.parametrize("level", LEVELS)
def test_torch_rounds_a_habit_as_numpy_does(level: float) -> None:
    torch = pytest.importorskip("torch")
    shares = np.full(14, level, dtype=np.float32)
    for dtype in (torch.float64, torch.float32):
        np.testing.assert_array_equal(habits(shares, torch_backend(dtype=dtype)), habits(shares))


def test_six_or_seven_steps_at_the_threshold_are_not_yet_a_habit() -> None:
    share = np.full((14, 1), HABITUAL, dtype=np.float32)
    rewarded = conduct_multiplier(share, habits(share[:, 0])[:, None])[:, 0] > np.float32(1.2)
    assert [step for step, paid in enumerate(rewarded, start=1) if not paid] == [6, 7]
