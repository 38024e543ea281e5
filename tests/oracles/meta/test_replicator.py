"""Replicator dynamics on games whose orbits are known on paper, against OpenSpiel, and under laws that always hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coopgym.oracles.games.normal_form import FloatArray
from coopgym.oracles.meta.populations import OnePopulation, TwoPopulations
from coopgym.oracles.meta.replicator import basins, random_states, replicate
from coopgym.oracles.meta.rest_points import rest_points

ROCK_PAPER_SCISSORS = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
PRISONERS = np.array([[3.0, 0.0], [5.0, 1.0]])
STAG_HUNT = np.array([[4.0, 0.0], [3.0, 2.0]])
VALUE, COST = 2.0, 5.0
HAWK_DOVE = np.array([[(VALUE - COST) / 2, VALUE], [0.0, VALUE / 2]])
SEEDS = st.integers(0, 2**32 - 1)


def random_payoffs(seed: int, count: int = 4) -> FloatArray:
    return np.random.default_rng(seed).uniform(-1.0, 1.0, (count, count))


def test_rock_paper_scissors_cycles_and_keeps_the_product_of_shares() -> None:
    orbits = replicate(OnePopulation(ROCK_PAPER_SCISSORS), [[0.5, 0.3, 0.2], [0.7, 0.2, 0.1]], horizon=300.0)
    products = orbits.path.prod(-1)
    assert np.ptp(products / products[0], axis=0) == pytest.approx(0.0, abs=1e-6)
    assert not orbits.converged.any()
    assert (np.ptp(orbits.path, axis=0) > 0.2).all(), "it moves all the time"
    assert orbits.averages == pytest.approx(np.full((2, 3), 1 / 3), abs=0.03)


def test_by_generations_rock_paper_scissors_spirals_outwards() -> None:
    orbits = replicate(OnePopulation(ROCK_PAPER_SCISSORS), [0.4, 0.3, 0.3], clock="generations", horizon=400)
    assert (np.diff(orbits.path.prod(-1)[:, 0]) < 0.0).all()


def test_mutation_brings_rock_paper_scissors_to_rest_in_the_middle() -> None:
    orbits = replicate(OnePopulation(ROCK_PAPER_SCISSORS), [0.7, 0.2, 0.1], mutation=0.05)
    assert orbits.converged.all()
    assert orbits.ends[0] == pytest.approx([1 / 3] * 3, abs=1e-7)


@pytest.mark.parametrize("clock", ["continuous", "generations"])
def test_defection_takes_over_in_the_prisoners_dilemma(clock: str) -> None:
    population = OnePopulation(PRISONERS)
    orbits = replicate(population, random_states(population, 50), clock=clock)  # type: ignore[arg-type]  # parametrised
    (only,) = basins(orbits)
    assert only.share == 1.0
    assert only.state == pytest.approx([0.0, 1.0], abs=1e-6)
    assert only.regret == pytest.approx(0.0, abs=1e-6)


def test_mutation_keeps_some_cooperators_in_the_prisoners_dilemma() -> None:
    # Selection against cooperators, x (1 - x) (1 + x) / 5 in units of the range 5, equals what mutation adds.
    rate = 0.02
    orbits = replicate(OnePopulation(PRISONERS), mutation=rate)
    x = orbits.ends[0, 0]
    assert orbits.converged.all()
    assert 0.0 < x < 0.5
    assert x * (1 - x) * (1 + x) / 5 == pytest.approx(rate * (0.5 - x), abs=1e-8)


@pytest.mark.parametrize("clock", ["continuous", "generations"])
def test_hawks_settle_at_value_over_cost(clock: str) -> None:
    population = OnePopulation(HAWK_DOVE)
    orbits = replicate(population, random_states(population, 50), clock=clock)  # type: ignore[arg-type]  # parametrised
    assert orbits.converged.all()
    assert orbits.ends[:, 0] == pytest.approx(np.full(50, VALUE / COST), abs=1e-6)
    assert orbits.regrets.max() <= 1e-6


def test_basins_of_a_coordination_game_meet_at_the_mixed_equilibrium() -> None:
    grid = np.linspace(0.005, 0.995, 100)
    orbits = replicate(OnePopulation(STAG_HUNT), np.column_stack([grid, 1.0 - grid]))
    assert (orbits.ends[:, 0] > 0.5).tolist() == (grid > 2 / 3).tolist()
    hare, stag = basins(orbits)
    assert (hare.share, stag.share) == (0.67, 0.33)


def test_a_missing_strategy_stays_missing_and_shows_as_regret() -> None:
    orbits = replicate(OnePopulation(PRISONERS), [1.0, 0.0])
    assert orbits.ends[0].tolist() == [1.0, 0.0]
    assert orbits.converged.all()
    assert orbits.regrets[0] == pytest.approx((5 - 3) / 5)


def test_matching_pennies_cycles_in_two_populations() -> None:
    pennies = np.array([[1.0, -1.0], [-1.0, 1.0]])
    orbits = replicate(TwoPopulations(pennies, -pennies), [0.8, 0.2, 0.6, 0.4], horizon=300.0)
    products = orbits.path.prod(-1)[:, 0]
    assert products / products[0] == pytest.approx(np.ones(len(products)), abs=1e-6)
    assert orbits.averages[0] == pytest.approx([0.5] * 4, abs=0.03)


def test_two_populations_in_the_battle_of_the_sexes_agree_on_one_place() -> None:
    row, column = np.array([[2.0, 0.0], [0.0, 1.0]]), np.array([[1.0, 0.0], [0.0, 2.0]])
    populations = TwoPopulations(row, column)
    found = basins(replicate(populations, random_states(populations, 60)))
    assert {tuple(basin.state.round(6)) for basin in found} == {(1.0, 0.0, 1.0, 0.0), (0.0, 1.0, 0.0, 1.0)}
    assert sum(basin.share for basin in found) == pytest.approx(1.0)


@given(SEEDS)
def test_velocities_are_those_of_openspiel(seed: int) -> None:
    dynamics = pytest.importorskip("open_spiel.python.egt.dynamics")
    payoffs, rng = random_payoffs(seed), np.random.default_rng(seed)
    states = rng.dirichlet(np.ones(4), 3)
    theirs = dynamics.SinglePopulationDynamics(np.stack([payoffs, payoffs.T]), dynamics.replicator)
    velocity = OnePopulation(payoffs).velocity(states) * np.ptp(payoffs)
    assert velocity == pytest.approx(np.stack([theirs(state) for state in states]), abs=1e-12)
    row, column = rng.uniform(size=(2, 4, 3))
    both = np.concatenate([states, rng.dirichlet(np.ones(3), 3)], axis=1)
    theirs = dynamics.MultiPopulationDynamics(np.stack([row, column]), dynamics.replicator)
    ours = TwoPopulations(row, column).velocity(both) * np.repeat([np.ptp(row), np.ptp(column)], [4, 3])
    assert ours == pytest.approx(np.stack([theirs(state) for state in both]), abs=1e-12)


@settings(max_examples=15)
@given(SEEDS, st.permutations(range(4)), st.floats(0.1, 50.0), st.floats(-20.0, 20.0))
def test_names_units_and_offsets_do_not_matter(seed: int, order: list[int], unit: float, offset: float) -> None:
    payoffs = random_payoffs(seed)
    start = np.random.default_rng(seed).dirichlet(np.ones(4))
    plain = replicate(OnePopulation(payoffs), start, horizon=20.0)
    renamed = replicate(OnePopulation(unit * payoffs[np.ix_(order, order)] + offset), start[order], horizon=20.0)
    assert renamed.ends[0] == pytest.approx(plain.ends[0, order], abs=1e-6)


@settings(max_examples=15)
@given(SEEDS)
def test_a_batch_is_as_good_as_single_runs(seed: int) -> None:
    population = OnePopulation(random_payoffs(seed))
    starts = random_states(population, 3, seed)
    together = replicate(population, starts, horizon=20.0).ends
    alone = np.concatenate([replicate(population, start, horizon=20.0).ends for start in starts])
    assert together == pytest.approx(alone, abs=1e-6)


@settings(max_examples=20)
@given(SEEDS)
def test_copies_of_a_strategy_move_as_one(seed: int) -> None:
    payoffs = random_payoffs(seed)
    names = [0, 1, 2, 3, 3]
    start = np.random.default_rng(seed).dirichlet(np.ones(5))
    merged = np.append(start[:3], start[3] + start[4])
    copied = replicate(OnePopulation(payoffs[np.ix_(names, names)]), start, horizon=20.0).ends[0]
    plain = replicate(OnePopulation(payoffs), merged, horizon=20.0).ends[0]
    assert np.append(copied[:3], copied[3] + copied[4]) == pytest.approx(plain, abs=1e-6)


@settings(max_examples=25)
@given(SEEDS)
def test_rest_points_rest_and_stable_ones_attract(seed: int) -> None:
    payoffs = random_payoffs(seed)
    population, found = OnePopulation(payoffs), rest_points(payoffs)
    assert len(found.states) >= 4, "every strategy alone is one"
    assert np.abs(population.velocity(found.states)).max() <= 1e-9
    assert (found.regrets[found.stable] <= 1e-9).all(), "an attractor is a Nash equilibrium"
    strongly = found.states[found.stability < -0.02]
    if len(strongly):
        nearby = 0.999 * strongly + 0.001 * population.centre
        assert replicate(population, nearby).ends == pytest.approx(strongly, abs=1e-5)


def test_rest_points_of_hawks_and_doves() -> None:
    found = rest_points(HAWK_DOVE)
    assert found.states.tolist()[2] == pytest.approx([VALUE / COST, 1 - VALUE / COST])
    assert found.stable.tolist() == [False, False, True]
    # By hand x' = x (1 - x) (2 - 5 x) / (2 · 3.5), whose slope at x = 2/5 is -x (1 - x) · 5 / 7.
    assert found.stability[2] == pytest.approx(-0.4 * 0.6 * 5 / 7)


def test_rest_points_say_where_there_is_no_single_answer() -> None:
    found = rest_points(np.zeros((2, 2)))
    assert found.states.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert found.degenerate == 1


@pytest.mark.parametrize(
    ("payoffs", "starts", "options", "message"),
    [
        (np.ones((2, 3)), None, {}, r"expected \(K, K\)"),
        (np.full((2, 2), np.nan), None, {}, "finite numbers"),
        (PRISONERS, [0.5, 0.4], {}, "sum to 1"),
        (PRISONERS, [1.5, -0.5], {}, "at least 0"),
        (PRISONERS, [0.2, 0.3, 0.5], {}, r"expected \(B, 2\)"),
        (PRISONERS, None, {"mutation": 2.0}, "mutation=2.0"),
        (PRISONERS, None, {"horizon": 0.0}, "positive"),
        (PRISONERS, None, {"clock": "weekly"}, "'continuous' or 'generations'"),
    ],
)
def test_bad_input_is_refused(payoffs: FloatArray, starts: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        replicate(OnePopulation(payoffs), starts, **options)  # type: ignore[arg-type]  # wrong on purpose


def test_two_tables_of_different_shapes_and_too_many_supports_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        TwoPopulations(np.ones((2, 3)), np.ones((3, 2)))
    with pytest.raises(ValueError, match="at most 12"):
        rest_points(np.ones((13, 13)))
