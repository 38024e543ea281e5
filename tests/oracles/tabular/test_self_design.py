"""Learners that shape their own reward: bonuses fade, and what is added to φ cancels in every state."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.oracles.tabular import SelfDesign
from coopgym.oracles.tabular.self_design import Episode, annealed, count_bonus, intrinsic_update
from tests.oracles.tabular.processes import random_policy

SEEDS = st.integers(0, 10_000)


@given(SEEDS, st.integers(1, 40))
def test_every_row_of_an_update_sums_to_zero(seed: int, visits: int) -> None:
    rng = np.random.default_rng(seed)
    pairs = np.stack([rng.integers(5, size=visits), rng.integers(3, size=visits)], -1)
    change = intrinsic_update(random_policy(seed), pairs, rng.normal(size=visits))
    np.testing.assert_allclose(change.sum(-1), 0.0, atol=1e-12)


@given(st.floats(0.1, 10.0), st.floats(0.1, 10.0))
def test_bonuses_begin_at_the_largest_and_fade_like_one_over_the_root_of_visits(scale: float, largest: float) -> None:
    visits = np.array([0.0, 1.0, 10.0, 1e12])
    bonus = count_bonus(visits, scale, largest)
    assert bonus[0] == pytest.approx(largest)
    assert (np.diff(bonus) < 0.0).all()
    assert bonus[-1] == pytest.approx(scale / np.sqrt(visits[-1]), rel=1e-6)


def test_terminal_states_bring_no_bonus_and_states_count_after_their_step() -> None:
    design = SelfDesign(3, 2, 0.9, terminal=np.array([False, False, True]))
    assert [design.rewarded(0, 1, 0.0, 2), design.rewarded(0, 1, 0.0, 0), design.rewarded(0, 0, 0.0, 1)] == [
        0.0, pytest.approx(0.5**0.5), 1.0,
    ]  # fmt: skip
    assert design.counts.tolist() == [3.0, 0.0, 0.0]


def test_an_annealed_bonus_is_gone_before_training_ends() -> None:
    design = SelfDesign(2, 1, 0.9)
    assert design.rewarded(0, 0, 0.25, 1, weight=annealed(0.7)) == 0.25
    assert annealed(0.69) > 0.0


def test_actions_that_returned_more_than_expected_gain_and_others_lose() -> None:
    design = SelfDesign(2, 2, 0.9, rate=1.0, critic_rate=0.5)
    design.update(np.full((2, 2), 0.5), [Episode(np.array([0]), np.array([1]), np.array([1.0]))])
    assert design.intrinsic.tolist() == [[-0.25, 0.25], [0.0, 0.0]]
    assert design.values.tolist() == [0.5, 0.0]


def test_a_clip_holds() -> None:
    design = SelfDesign(1, 2, 0.9, rate=100.0, clip=0.1)
    design.update(np.full((1, 2), 0.5), [Episode(np.array([0]), np.array([1]), np.array([1.0]))])
    assert design.intrinsic.tolist() == [[-0.1, 0.1]]


@pytest.mark.parametrize("name", ["scale", "largest", "rate", "critic_rate"])
def test_numbers_out_of_range_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}=-1.0"):
        SelfDesign(2, 2, 0.9, **{name: -1.0})
