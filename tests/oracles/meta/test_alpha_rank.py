"""Fixation probabilities and α-rank: closed forms, OpenSpiel, and laws that always hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.oracles.finite.discretised import FiniteGame
from coopgym.oracles.games.normal_form import FloatArray
from coopgym.oracles.meta.alpha_rank import Takeovers, alpha_rank, alpha_sweep, sink_components
from coopgym.oracles.meta.fixation import fixation_probabilities
from coopgym.oracles.meta.stationary import stationary_distribution

ROCK_PAPER_SCISSORS = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
PRISONERS = np.array([[3.0, 0.0], [5.0, 1.0]])
STAG_HUNT = np.array([[4.0, 0.0], [3.0, 2.0]])
SEEDS = st.integers(0, 2**32 - 1)
MATCHINGS = st.sampled_from(["population", "pair"])


def random_payoffs(seed: int, count: int = 4) -> FloatArray:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (count, count))


# Fixation


@pytest.mark.parametrize("update", ["fermi", "moran"])
@given(seed=SEEDS, population=st.integers(2, 60))
def test_without_selection_everybody_has_the_same_chance(update: Any, seed: int, population: int) -> None:
    found = fixation_probabilities(random_payoffs(seed), population, 0.0, update=update)
    assert found == pytest.approx(np.full((4, 4), 1.0 / population))


@given(fitness=st.floats(0.3, 3.0), population=st.integers(2, 80))
def test_a_constant_advantage_fixes_as_in_morans_formula(fitness: float, population: int) -> None:
    # Payoffs that depend on the own strategy only: fitness 1 of the resident, r of the mutant.
    payoffs = np.array([[fitness - 1.0, fitness - 1.0], [0.0, 0.0]])
    found = fixation_probabilities(payoffs, population, update="moran")[0, 1]
    terms = fitness ** -np.arange(population, dtype=np.float64)
    assert found == pytest.approx(1.0 / terms.sum(), rel=1e-9)
    if abs(fitness - 1.0) > 1e-3:
        assert found == pytest.approx((1 - 1 / fitness) / (1 - fitness**-population), rel=1e-9)


@given(SEEDS, st.integers(2, 12), st.floats(0.0, 3.0))
def test_fixation_solves_the_random_walk_of_mutants(seed: int, population: int, intensity: float) -> None:
    payoffs = random_payoffs(seed, 2)
    found = fixation_probabilities(payoffs, population, intensity)[0, 1]
    walk, ends = np.eye(population + 1), np.zeros(population + 1)
    ends[-1] = 1.0
    for i in range(1, population):
        mutant = ((i - 1) * payoffs[0, 0] + (population - i) * payoffs[0, 1]) / (population - 1)
        resident = (i * payoffs[1, 0] + (population - i - 1) * payoffs[1, 1]) / (population - 1)
        up = 1.0 / (1.0 + np.exp(-intensity * (mutant - resident)))
        walk[i, [i - 1, i + 1]] = up - 1.0, -up
    assert found == pytest.approx(np.linalg.solve(walk, ends)[1], rel=1e-6)


def test_the_one_third_law_of_weak_selection() -> None:
    # In large populations under weak selection a mutant beats neutrality when it is fitter at one third of mutants.
    for threshold, favoured in ((0.30, True), (0.36, False)):
        payoffs = np.array([[1.0 - threshold, -threshold], [0.0, 0.0]])
        found = fixation_probabilities(payoffs, 2000, 1e-5)[0, 1]
        assert (found > 1 / 2000) == favoured


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"population": 1}, "population=1"),
        ({"intensity": -1.0}, "intensity=-1.0"),
        ({"update": "copy"}, "'fermi' or 'moran'"),
        ({"matching": "groups"}, "'population' or 'pair'"),
        ({"intensity": 2.0, "update": "moran"}, "lower the intensity"),
    ],
)
def test_bad_input_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fixation_probabilities(-PRISONERS, **options)


# Stationary distributions


@given(SEEDS, st.integers(1, 8))
def test_stationary_distributions_are_left_eigenvectors(seed: int, count: int) -> None:
    rates = np.random.default_rng(seed).uniform(0.01, 1.0, (count, count))
    np.fill_diagonal(rates, 0.0)
    found = stationary_distribution(np.log(rates, where=rates > 0.0, out=np.full_like(rates, -np.inf)))
    assert found.sum() == pytest.approx(1.0)
    assert found @ rates == pytest.approx(found * rates.sum(1), abs=1e-12)


def test_rates_may_differ_by_thousands_of_orders_of_magnitude() -> None:
    # Up e^-5000, down e^-4999: the ratio of neighbours is e^-1.
    logs = np.full((3, 3), -np.inf)
    logs[[0, 1], [1, 2]], logs[[1, 2], [0, 1]] = -5000.0, -4999.0
    weights = np.exp([0.0, -1.0, -2.0])
    assert stationary_distribution(logs) == pytest.approx(weights / weights.sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("logs", "message"),
    [
        (np.full((2, 2), -np.inf), "not irreducible"),
        (np.zeros((2, 3)), r"expected \(S, S\)"),
        (np.full((2, 2), np.inf), "finite rates"),
    ],
)
def test_chains_without_a_single_answer_are_refused(logs: FloatArray, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        stationary_distribution(logs)


# α-rank


@pytest.mark.parametrize("matching", ["population", "pair"])
def test_rock_paper_and_scissors_are_equally_good(matching: Any) -> None:
    takeovers = Takeovers.of_strategies(ROCK_PAPER_SCISSORS, matching=matching)
    assert alpha_sweep(takeovers).distributions == pytest.approx(1 / 3)
    (cycle,) = sink_components(takeovers)
    assert cycle.members.tolist() == [0, 1, 2]
    assert cycle.distribution == pytest.approx([1 / 3] * 3)


@pytest.mark.parametrize("matching", ["population", "pair"])
def test_defection_ranks_first_in_the_prisoners_dilemma(matching: Any) -> None:
    takeovers = Takeovers.of_strategies(PRISONERS, matching=matching)
    sweep = alpha_sweep(takeovers)
    assert (np.diff(sweep.distributions[:, 1]) >= -1e-12).all(), "the more so the stronger selection"
    assert sweep.settled
    assert sweep.ranking == pytest.approx([0.0, 1.0], abs=1e-9)
    assert [sink.members.tolist() for sink in sink_components(takeovers)] == [[1]]


def test_strong_selection_picks_the_risk_dominant_convention() -> None:
    takeovers = Takeovers.of_strategies(STAG_HUNT)
    assert [sink.members.tolist() for sink in sink_components(takeovers)] == [[0], [1]], "both are conventions"
    assert alpha_sweep(takeovers).ranking == pytest.approx([0.0, 1.0], abs=1e-9)


def test_what_a_strategy_earns_among_its_own_counts_in_populations_only() -> None:
    generous = np.array([[10.0, 0.0], [1.0, 0.0]])
    assert alpha_rank(Takeovers.of_strategies(generous), 100.0)[0] == pytest.approx(1.0, abs=1e-6)
    assert alpha_rank(Takeovers.of_strategies(generous, matching="pair"), 100.0)[0] == pytest.approx(0.0, abs=1e-6)


@settings(max_examples=30)
@given(SEEDS, st.floats(0.0, 8.0), st.integers(2, 12), MATCHINGS)
def test_single_populations_rank_as_in_openspiel(seed: int, alpha: float, population: int, matching: Any) -> None:
    theirs = pytest.importorskip("open_spiel.python.egt.alpharank")
    payoffs = random_payoffs(seed)
    _, _, expected, _, _ = theirs.compute(
        [payoffs], m=population, alpha=alpha, use_local_selection_model=matching == "pair"
    )
    found = alpha_rank(Takeovers.of_strategies(payoffs, population, matching), alpha)
    assert found == pytest.approx(np.asarray(expected), rel=1e-6, abs=1e-9)


@settings(max_examples=20)
@given(SEEDS, st.just(0.0) | st.floats(1e-3, 4.0), st.integers(2, 12), st.sampled_from([(2, 3), (2, 2, 3)]))
def test_several_populations_rank_as_in_openspiel(
    seed: int, alpha: float, population: int, shape: tuple[int, ...]
) -> None:
    theirs = pytest.importorskip("open_spiel.python.egt.alpharank")
    utilities = np.random.default_rng(seed).uniform(-1.0, 1.0, (*shape, len(shape)))
    tables = list(np.moveaxis(utilities, -1, 0))
    rates, _ = theirs._get_multipop_transition_matrix(tables, False, population, alpha)
    expected = theirs._get_stationary_distr(rates)
    ranking = alpha_rank(Takeovers.of_profiles(FiniteGame.tabulated(utilities), population), alpha)
    assert ranking.shape == shape
    assert ranking.ravel() == pytest.approx(np.asarray(expected), abs=1e-8)


@settings(max_examples=30)
@given(SEEDS, MATCHINGS, st.permutations(range(4)), st.floats(0.1, 50.0), st.floats(-20.0, 20.0))
def test_names_units_and_offsets_do_not_matter(
    seed: int, matching: Any, order: list[int], unit: float, offset: float
) -> None:
    payoffs = random_payoffs(seed)
    alphas = np.geomspace(0.1, 100.0, 4)
    plain = alpha_sweep(Takeovers.of_strategies(payoffs, 20, matching), alphas).distributions
    changed = unit * payoffs[np.ix_(order, order)] + offset
    renamed = alpha_sweep(Takeovers.of_strategies(changed, 20, matching), alphas / unit).distributions
    assert renamed == pytest.approx(plain[:, order], abs=1e-6)


@settings(max_examples=30)
@given(SEEDS)
def test_a_single_sink_is_the_limit_of_strong_selection(seed: int) -> None:
    payoffs = random_payoffs(seed)
    takeovers = Takeovers.of_strategies(payoffs, 10, "pair")
    limit = np.zeros(4)
    for sink in (sinks := sink_components(takeovers)):
        limit[sink.members] = sink.distribution
    if len(sinks) == 1:
        assert alpha_rank(takeovers, 1e7) == pytest.approx(limit, abs=1e-3)


def test_profiles_of_a_game_without_pure_equilibrium_are_one_cycle() -> None:
    pennies = np.array([[1.0, -1.0], [-1.0, 1.0]])
    takeovers = Takeovers.of_profiles(FiniteGame.bimatrix(pennies, -pennies))
    assert alpha_rank(takeovers, 5.0) == pytest.approx(np.full((2, 2), 0.25))
    (cycle,) = sink_components(takeovers)
    assert cycle.members.tolist() == [0, 1, 2, 3]


def test_profiles_of_the_prisoners_dilemma() -> None:
    takeovers = Takeovers.of_profiles(FiniteGame.bimatrix(PRISONERS, PRISONERS.T))
    assert alpha_rank(takeovers, 50.0)[1, 1] == pytest.approx(1.0, abs=1e-9)
    assert [sink.members.tolist() for sink in sink_components(takeovers)] == [[3]]


def test_a_lone_strategy_has_all_the_time() -> None:
    takeovers = Takeovers.of_strategies([[2.0]])
    assert alpha_rank(takeovers, 1.0).tolist() == [1.0]
    assert [sink.distribution.tolist() for sink in sink_components(takeovers)] == [[1.0]]


def test_intensities_and_games_out_of_range_are_refused() -> None:
    takeovers = Takeovers.of_strategies(PRISONERS)
    with pytest.raises(ValueError, match="sink_components"):
        alpha_rank(takeovers, np.inf)
    with pytest.raises(ValueError, match="ascending"):
        alpha_sweep(takeovers, [1.0, 0.5])
    with pytest.raises(ValueError, match="at most 1,000"):
        Takeovers.of_profiles(FiniteGame.tabulated(np.zeros((11, 11, 11, 3))))
