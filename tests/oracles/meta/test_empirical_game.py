"""Best replies, dominance and invasion in games that everybody knows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.oracles.finite.zero_sum import minimax
from coopgym.oracles.games.normal_form import FloatArray
from coopgym.oracles.meta.alpha_rank import Takeovers, alpha_sweep
from coopgym.oracles.meta.empirical_game import EmpiricalGame
from coopgym.oracles.meta.nash_averaging import antisymmetric_part, nash_averaging
from coopgym.oracles.meta.populations import OnePopulation
from coopgym.oracles.meta.replicator import replicate

PRISONERS = [[3.0, 0.0], [5.0, 1.0]]
STAG_HUNT = [[4.0, 0.0], [3.0, 2.0]]
HAWK_DOVE = [[-1.5, 2.0], [0.0, 1.0]]
ROCK_PAPER_SCISSORS = [[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]]
TABLES = st.integers(0, 2**32 - 1).map(lambda seed: np.random.default_rng(seed).integers(0, 3, (4, 4)).astype(float))


def test_defection_dominates_and_invades() -> None:
    game = EmpiricalGame.of(PRISONERS)
    assert game.strictly_dominates.tolist() == [[False, False], [True, False]]
    assert game.invades.tolist() == [[False, False], [True, False]]
    assert game.evolutionarily_stable.tolist() == [False, True]
    assert game.symmetric_nash.tolist() == [False, True]


def test_both_conventions_of_the_stag_hunt_are_stable() -> None:
    game = EmpiricalGame.of(STAG_HUNT)
    assert game.best_replies.tolist() == [[True, False], [False, True]]
    assert game.evolutionarily_stable.all()
    assert not game.strictly_dominates.any()


@pytest.mark.parametrize("payoffs", [HAWK_DOVE, ROCK_PAPER_SCISSORS])
def test_neither_hawks_and_doves_nor_rocks_are_stable_alone(payoffs: list[list[float]]) -> None:
    game = EmpiricalGame.of(payoffs)
    assert not game.evolutionarily_stable.any()
    assert not game.symmetric_nash.any()


def test_the_best_replies_of_rock_paper_scissors_are_a_cycle() -> None:
    assert EmpiricalGame.of(ROCK_PAPER_SCISSORS).best_replies.astype(int).tolist() == [[0, 0, 1], [1, 0, 0], [0, 1, 0]]


def test_unconditional_cooperators_drift_into_tit_for_tat_and_defectors_invade_only_them() -> None:
    # Cooperate, tit for tat, defect in a repeated prisoner's dilemma.
    game = EmpiricalGame.of([[3.0, 3.0, 0.0], [3.0, 3.0, 0.9], [5.0, 1.4, 1.0]])
    assert game.drifts.tolist() == [[False, True, False], [True, False, False], [False, False, False]]
    assert game.invades[2].tolist() == [True, False, False]
    assert game.neutrally_stable.tolist() == [False, True, True]
    assert game.evolutionarily_stable.tolist() == [False, False, True]
    assert game.weakly_dominates[1].tolist() == [True, False, False]
    assert not game.strictly_dominates.any()


def test_differences_within_the_tie_do_not_count() -> None:
    payoffs = [[1.0, 1.0], [1.05, 1.0]]
    assert EmpiricalGame.of(payoffs).invades[1, 0]
    assert EmpiricalGame.of(payoffs, tie=0.1).drifts[1, 0]
    with pytest.raises(ValueError, match="tie=-1"):
        EmpiricalGame.of(payoffs, tie=-1.0)


@given(TABLES)
def test_stability_implies_nash_and_dominance_excludes_it(payoffs: FloatArray) -> None:
    game = EmpiricalGame.of(payoffs)
    assert (game.symmetric_nash | ~game.evolutionarily_stable).all()
    assert (game.neutrally_stable | ~game.evolutionarily_stable).all()
    assert not (game.strictly_dominates.any(0) & game.symmetric_nash).any()
    assert (game.weakly_dominates | ~game.strictly_dominates).all()
    assert not (game.invades & game.drifts).any()


@settings(max_examples=40)
@given(TABLES)
def test_rare_mutants_of_the_replicator_grow_where_they_invade(payoffs: FloatArray) -> None:
    game = EmpiricalGame.of(payoffs)
    for mutant, resident in np.argwhere(game.invades)[:3]:
        start = np.zeros(4)
        start[[mutant, resident]] = 1e-3, 1.0 - 1e-3
        ends = replicate(OnePopulation(payoffs), start, horizon=5.0).ends
        assert ends[0, mutant] > 1e-3


def test_tables_that_only_rounding_tells_apart_are_tables_of_ties() -> None:
    ulp = np.spacing(350.0)
    table = 350.0 + ulp * np.array([[0.0, 1.0, 2.0], [3.0, 0.0, 1.0], [2.0, 1.0, 0.0]])
    found = EmpiricalGame.of(table)
    assert found.best_replies.all()
    assert not found.invades.any()
    assert found.neutrally_stable.all()
    np.testing.assert_allclose(alpha_sweep(Takeovers.of_strategies(table)).ranking, 1 / 3, atol=1e-6)
    np.testing.assert_allclose(nash_averaging(antisymmetric_part(table)).distribution, 1 / 3, atol=1e-6)
    assert minimax(table).gap == 0.0
