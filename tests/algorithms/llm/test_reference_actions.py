"""What is right, how near an answer comes, and how answers are compared."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.algorithms.llm.play.reference_actions import (
    DELTA,
    GRID,
    REACH,
    bin_of,
    correct,
    graded,
    oracle_for,
    oracle_shares,
    soft_reference,
)

SHARES = st.floats(0.0, 1.0)


@given(SHARES)
def test_the_soft_set_is_a_distribution_around_the_reference(gold: float) -> None:
    levels, weights = soft_reference(gold)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights > 0.0).all()
    assert np.abs(levels - gold).max() <= 2 * DELTA + 1e-9
    assert set(levels) <= set(GRID)
    nearer = np.argsort(np.abs(levels - gold), kind="stable")
    assert (np.diff(weights[nearer]) <= 1e-12).all()


def test_the_soft_gold_set_weighs_as_a_normal_density() -> None:
    levels, weights = soft_reference(0.5)
    assert levels.tolist() == pytest.approx(np.arange(40, 61) / 100)
    assert weights[10] / weights[15] == pytest.approx(np.exp(0.5))


@given(SHARES, SHARES)
def test_grades_are_shares_that_fall_with_the_distance(level: float, gold: float) -> None:
    grade = graded(level, gold)
    assert 0.0 <= grade <= 1.0
    assert grade == graded(gold, level)
    assert (grade == 0.0) == (abs(level - gold) >= REACH)
    further = gold + 1.1 * (level - gold)
    assert graded(further, gold) <= grade + 1e-12
    if correct(level, gold):
        assert grade >= 1.0 - DELTA / REACH - 1e-6


@given(SHARES)
def test_the_gold_level_itself_is_right(gold: float) -> None:
    assert graded(gold, gold) == 1.0
    assert correct(gold, gold)
    assert correct(min(1.0, gold + DELTA), gold)
    assert not correct(gold + 1.01 * DELTA, gold)


def test_every_level_of_the_grid_has_a_bin() -> None:
    bins = [bin_of(level) for level in GRID.tolist()]
    assert sorted(set(bins)) == list(range(20))
    assert [bins.count(each) for each in range(19)] == [5] * 19
    assert (bin_of(0.05), bin_of(0.04), bin_of(1.0), bin_of(None)) == (1, 0, 19, None)


def test_each_reward_mode_has_its_oracle() -> None:
    names = {oracle_for(mode) for mode in ("private", "integrated", "cooperative")}
    assert names == {"Oracle_Nash", "Oracle_Equilibrium", "Oracle_SocialOptimum"}
    assert oracle_for("private", "Oracle_Planner") == "Oracle_Planner"
    with pytest.raises(ValueError, match="unknown oracle 'Oracle_X'; known: "):
        oracle_for("private", "Oracle_X")
    with pytest.raises(ValueError, match=r"reward 'mutuality=0.5' has no oracle of its own; name one with oracle="):
        oracle_for("mutuality=0.5")


def test_oracles_of_more_common_modes_cooperate_more() -> None:
    game = "TrustDilemma-v1"
    nash, equilibrium, optimum = (
        oracle_shares(game, "{}", mode, oracle_for(mode))[0] for mode in ("private", "integrated", "cooperative")
    )
    assert (nash < equilibrium).all()
    assert (equilibrium < optimum).all()


def test_an_oracle_that_does_not_apply_is_told() -> None:
    with pytest.raises(ValueError, match=r"Oracle_BoundedReciprocity.* does not apply to TrustDilemma-v1"):
        oracle_shares("TrustDilemma-v1", "{}", "private", "Oracle_BoundedReciprocity")
