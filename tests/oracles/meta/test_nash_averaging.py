"""Nash averaging: known games, greatest entropy, and indifference to copies and names."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import LinearConstraint, minimize
from scipy.special import entr

from coopgym.oracles.finite.zero_sum import minimax
from coopgym.oracles.games.normal_form import FloatArray
from coopgym.oracles.meta.nash_averaging import antisymmetric_part, nash_averaging

ROCK_PAPER_SCISSORS = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
SEEDS = st.integers(0, 2**32 - 1)


def evaluations(count: int = 5) -> st.SearchStrategy[FloatArray]:
    """Antisymmetric tables; whole numbers make ties and many equilibria, others do not."""

    def drawn(seed: int, whole: bool) -> FloatArray:
        rng = np.random.default_rng(seed)
        table = rng.integers(-1, 2, (count, count)) if whole else rng.normal(size=(count, count))
        upper = np.triu(table, 1).astype(np.float64)
        return upper - upper.T

    return st.builds(drawn, SEEDS, st.booleans())


def test_rock_paper_and_scissors_are_equally_good() -> None:
    found = nash_averaging(ROCK_PAPER_SCISSORS)
    assert found.distribution == pytest.approx([1 / 3] * 3)
    assert found.skill == pytest.approx([0.0] * 3, abs=1e-12)


def test_a_weighted_cycle_has_the_weights_of_its_game() -> None:
    # Rock wins double against scissors: the equilibrium plays each move as often as the other two's fight is worth.
    weighted = np.array([[0.0, -1.0, 2.0], [1.0, 0.0, -1.0], [-2.0, 1.0, 0.0]])
    assert nash_averaging(weighted).distribution == pytest.approx([0.25, 0.5, 0.25])


def test_ratings_are_differences_when_there_is_no_cycle() -> None:
    ratings = np.array([3.0, 1.0, -1.0])
    found = nash_averaging(ratings[:, None] - ratings)
    assert found.distribution == pytest.approx([1.0, 0.0, 0.0])
    assert found.skill == pytest.approx(ratings - 3.0)
    assert found.mean == pytest.approx(ratings - 1.0)


def test_agents_that_nobody_tells_apart_share_evenly() -> None:
    assert nash_averaging(np.zeros((4, 4))).distribution == pytest.approx([0.25] * 4)


@settings(max_examples=40)
@given(evaluations())
def test_nobody_gains_against_the_mixture(evaluation: FloatArray) -> None:
    found = nash_averaging(evaluation)
    assert found.distribution.sum() == pytest.approx(1.0)
    assert found.distribution.min() >= 0.0
    assert found.skill.max() <= 1e-9
    assert found.skill @ found.distribution == pytest.approx(0.0, abs=1e-9)
    assert minimax(evaluation).value == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=40)
@given(evaluations(4))
def test_no_equilibrium_is_more_even(evaluation: FloatArray) -> None:
    # Copies share one probability, so entropy is counted among different agents.
    assume(len(np.unique(evaluation, axis=0)) == 4)
    mixture = nash_averaging(evaluation).distribution
    rival = minimize(
        lambda p: -entr(np.maximum(p, 1e-300)).sum(),
        0.9 * mixture + 0.1 * minimax(evaluation).row,
        bounds=[(0.0, 1.0)] * 4,
        constraints=[LinearConstraint(evaluation, -np.inf, 0.0), LinearConstraint(np.ones((1, 4)), 1.0, 1.0)],
        method="SLSQP",
    )
    feasible = (evaluation @ rival.x).max() <= 1e-9 and abs(rival.x.sum() - 1.0) <= 1e-9
    assert not feasible or -rival.fun <= entr(mixture).sum() + 1e-6


@settings(max_examples=40)
@given(evaluations(), st.lists(st.integers(0, 4), max_size=4))
def test_copies_change_nothing(evaluation: FloatArray, copied: list[int]) -> None:
    names = [*range(5), *copied]
    plain, cloned = nash_averaging(evaluation), nash_averaging(evaluation[np.ix_(names, names)])
    merged = np.bincount(names, cloned.distribution)
    assert cloned.skill == pytest.approx(plain.skill[names], abs=1e-8)
    # Copies that the table already held share with each other, so compare those who cannot be told apart together.
    _, alike = np.unique(evaluation, axis=0, return_inverse=True)
    assert np.bincount(alike, merged) == pytest.approx(np.bincount(alike, plain.distribution), abs=1e-8)


def test_the_plain_mean_does_depend_on_copies() -> None:
    names = [0, 1, 2, 2]
    cloned = nash_averaging(ROCK_PAPER_SCISSORS[np.ix_(names, names)])
    assert cloned.mean[0] == pytest.approx(0.25), "two scissors make a better world for rock"
    assert cloned.skill == pytest.approx([0.0] * 4, abs=1e-12)
    assert cloned.distribution == pytest.approx([1 / 3, 1 / 3, 1 / 6, 1 / 6])


@settings(max_examples=40)
@given(evaluations(), st.permutations(range(5)), st.floats(0.01, 100.0))
def test_names_and_units_do_not_matter(evaluation: FloatArray, order: list[int], unit: float) -> None:
    plain, renamed = nash_averaging(evaluation), nash_averaging(unit * evaluation[np.ix_(order, order)])
    assert renamed.distribution == pytest.approx(plain.distribution[order], abs=1e-8)
    assert renamed.skill == pytest.approx(unit * plain.skill[order], abs=1e-8 * unit)


def test_advantages_are_what_one_takes_from_the_other() -> None:
    assert antisymmetric_part([[3.0, 0.0], [5.0, 1.0]]).tolist() == [[0.0, -2.5], [2.5, 0.0]]
    with pytest.raises(ValueError, match="antisymmetric"):
        nash_averaging([[3.0, 0.0], [5.0, 1.0]])
