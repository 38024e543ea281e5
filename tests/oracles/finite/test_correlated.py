"""Finite games: tables, linear programmes, no-regret play and worked examples."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from coopgym.games.registry import make_game
from coopgym.oracles.finite.correlated import (
    CoarseCorrelatedEquilibrium,
    CorrelatedEquilibrium,
    EquilibriumProgramme,
    welfare_bracket,
)
from coopgym.oracles.finite.discretised import MAX_PROFILES, FiniteGame, discretise, grid_equilibria, largest_grid
from coopgym.oracles.finite.game_solver import GameSolver, expected_utilities, external_regrets, recommendation_regrets
from coopgym.oracles.finite.kernels import stage_cce
from coopgym.oracles.finite.linear_programme import SolverError, least_cost
from coopgym.oracles.finite.no_regret import Hedge, action_values
from coopgym.oracles.finite.zero_sum import duality_gap, minimax, security_level
from coopgym.oracles.games.equilibrium import find_equilibria
from coopgym.oracles.games.normal_form import FloatArray, StageGame
from tests.support.textbook_games import Cournot, LinearPublicGood
from tests.worked_examples.kernels import EXAMPLES

CHICKEN = FiniteGame.bimatrix([[6, 2], [7, 0]], [[6, 7], [2, 0]])
"""Aumann's example: the best correlated equilibrium pays 5.25 each, more than any mixture of Nash equilibria."""
MATCHING_PENNIES = FiniteGame.bimatrix([[1, -1], [-1, 1]], [[-1, 1], [1, -1]])
ROUNDING = 1e-6
"""Violation that a linear programme may leave, in games with utilities of about 1."""


def entries(shape: tuple[int, ...]) -> st.SearchStrategy[FloatArray]:
    return arrays(np.float64, shape, elements=st.integers(-8, 8).map(lambda number: number / 4.0))


@st.composite
def finite_games(draw: st.DrawFn, n_agents: int | None = None) -> FiniteGame:
    seats = n_agents or draw(st.integers(2, 3))
    counts = tuple(draw(st.integers(1, 3)) for _ in range(seats))
    return FiniteGame.tabulated(draw(entries((*counts, seats))))


# Tables


def test_a_table_holds_the_utilities_of_the_form() -> None:
    form = StageGame(make_game("AppleAppStore-v1"), "integrated")
    table = discretise(form, (3, 4, 5))
    assert table.shape == (3, 4, 5)
    indices = np.array([[0, 0, 0], [2, 1, 3], [1, 3, 4]])
    profiles = table.profile(indices)
    np.testing.assert_allclose(profiles[1], [1.0, 1 / 3, 0.75])
    np.testing.assert_array_equal(table.utilities[tuple(indices.T)], form.utilities(profiles))


def test_a_real_dilemma_has_its_equilibrium_and_its_maximum_at_opposite_corners() -> None:
    table = discretise(LinearPublicGood(3, multiplier=2.0), 11)
    np.testing.assert_array_equal(table.pure_nash(), [[0, 0, 0]])
    np.testing.assert_array_equal(table.social_maximum(), [10, 10, 10])
    assert table.welfare.max() / table.welfare[0, 0, 0] == pytest.approx(2.0)
    np.testing.assert_allclose(table.security_levels(), 1.0)
    assert security_level(table, 1) == pytest.approx(1.0)


@given(finite_games())
def test_pure_equilibria_and_security_levels_match_brute_force(game: FiniteGame) -> None:
    def value(profile: tuple[int, ...], seat: int, action: int) -> float:
        return float(game.utilities[(*profile[:seat], action, *profile[seat + 1 :], seat)])

    nash = [
        profile
        for profile in np.ndindex(game.shape)
        if all(
            value(profile, seat, action) <= value(profile, seat, profile[seat]) + 1e-9
            for seat in range(game.n_agents)
            for action in range(game.shape[seat])
        )
    ]
    assert [tuple(profile) for profile in game.pure_nash().tolist()] == nash
    for seat, level in enumerate(game.security_levels()):
        worst = [
            min(value(profile, seat, action) for profile in np.ndindex(game.shape))
            for action in range(game.shape[seat])
        ]
        assert level == max(worst)
        assert level <= security_level(game, seat) + ROUNDING


def test_coarse_grids_can_create_equilibria_and_the_refinement_shows_it() -> None:
    duopoly = grid_equilibria(Cournot(2), levels=5)
    np.testing.assert_array_equal(duopoly.profiles, [[0.25, 0.25], [0.25, 0.5], [0.5, 0.25]])
    np.testing.assert_array_equal(duopoly.survives, False)
    assert duopoly.grid_dependent
    assert duopoly.refined_levels == 9
    dilemma = grid_equilibria(LinearPublicGood(2, multiplier=1.5), levels=5)
    np.testing.assert_array_equal(dilemma.profiles, [[0.0, 0.0]])
    np.testing.assert_array_equal(dilemma.survives, [True])
    assert not dilemma.grid_dependent


def test_extra_equilibria_of_a_grid_lie_around_the_games_own() -> None:
    form = StageGame(make_game("TrustDilemma-v1"))
    true = find_equilibria(form).only().profile
    grid = grid_equilibria(form, levels=21)
    assert len(grid.profiles) > 1
    assert grid.grid_dependent
    assert np.abs(grid.profiles - true).max() < 0.05
    assert np.abs(grid.refined_profiles - true).max() < 0.025


@pytest.mark.parametrize("n_agents", [1, 2, 4, 6, 15, 16])
def test_the_largest_grid_fits_and_the_next_does_not(n_agents: int) -> None:
    levels = largest_grid(n_agents)
    assert levels**n_agents <= MAX_PROFILES < (levels + 1) ** n_agents


def test_tables_that_are_too_large_are_refused_with_what_would_fit() -> None:
    with pytest.raises(ValueError, match=r"194,481 profiles.*with 4 seats at most 14 levels fit"):
        discretise(LinearPublicGood(4, 2.0))
    with pytest.raises(ValueError, match="not even 2 levels fit"):
        discretise(LinearPublicGood(16, 2.0), 2)
    with pytest.raises(ValueError, match="at least 2, or 2 of them"):
        discretise(LinearPublicGood(2, 1.5), (3, 3, 3))
    with pytest.raises(ValueError, match="expected a whole number of at least 2"):
        discretise(LinearPublicGood(2, 1.5), 1)


def test_malformed_games_and_distributions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected \(K_1, ..., K_N, N\)"):
        FiniteGame.tabulated(np.zeros((2, 2, 3)))
    with pytest.raises(ValueError, match="finite"):
        FiniteGame.tabulated(np.full((2, 2, 2), np.nan))
    with pytest.raises(ValueError, match="one shape"):
        FiniteGame.bimatrix(np.zeros((2, 2)), np.zeros((2, 3)))
    with pytest.raises(ValueError, match="actions"):
        FiniteGame(np.zeros((2, 2, 2)), (np.zeros(2), np.zeros(3)))
    for wrong, message in [
        (np.zeros((2, 3)), "shape"),
        (np.full((2, 2), 0.3), "sum of 1.2"),
        ([[2, -1], [0, 0]], "-1"),
    ]:
        with pytest.raises(ValueError, match=message):
            external_regrets(CHICKEN, wrong)


# Correlated equilibria


def test_the_best_correlated_equilibrium_of_chicken_is_aumanns() -> None:
    bracket = welfare_bracket(CHICKEN)
    assert bracket.best_correlated == pytest.approx(10.5)
    np.testing.assert_allclose(CorrelatedEquilibrium().solve(CHICKEN), [[0.5, 0.25], [0.25, 0.0]], atol=1e-9)
    np.testing.assert_array_equal(bracket.nash_welfare, [9.0, 9.0])
    assert bracket.social_maximum == 12.0


def test_no_correlation_helps_in_a_dominance_solvable_dilemma() -> None:
    table = discretise(LinearPublicGood(3, multiplier=2.0), 5)
    bracket = welfare_bracket(table)
    for welfare in (bracket.worst_coarse, bracket.best_coarse, bracket.worst_correlated, bracket.best_correlated):
        assert welfare == pytest.approx(3.0)
    assert bracket.social_maximum == pytest.approx(6.0)


@settings(max_examples=40)
@given(finite_games())
def test_equilibrium_sets_are_nested_and_every_answer_passes_its_audit(game: FiniteGame) -> None:
    bracket = welfare_bracket(game)
    values = [bracket.worst_coarse, bracket.worst_correlated, bracket.best_correlated, bracket.best_coarse]
    values.append(bracket.social_maximum)
    assert all(low <= high + ROUNDING for low, high in pairwise(values))
    assert all(
        bracket.worst_correlated - ROUNDING <= welfare <= bracket.best_correlated + ROUNDING
        for welfare in bracket.nash_welfare
    )
    for direction in ("best", "worst"):
        correlated = CorrelatedEquilibrium(direction=direction)
        distribution = correlated.solve(game)
        assert correlated.gap(game, distribution) <= ROUNDING
        assert CoarseCorrelatedEquilibrium().gap(game, distribution) <= ROUNDING * max(game.shape)


@given(finite_games())
def test_pure_equilibria_have_no_regret_of_either_kind(game: FiniteGame) -> None:
    for profile in game.pure_nash():
        point = np.zeros(game.shape)
        point[tuple(profile)] = 1.0
        assert external_regrets(game, point).max() <= 1e-9
        assert recommendation_regrets(game, point).max() <= 1e-9


@given(finite_games(), st.integers(0, 2**32 - 1))
def test_regrets_match_brute_force(game: FiniteGame, seed: int) -> None:
    distribution = np.random.default_rng(seed).dirichlet(np.ones(np.prod(game.shape))).reshape(game.shape)
    external, internal = external_regrets(game, distribution), recommendation_regrets(game, distribution)
    for seat, count in enumerate(game.shape):
        gains = np.zeros((count, count))
        for profile in np.ndindex(game.shape):
            for action in range(count):
                other = (*profile[:seat], action, *profile[seat + 1 :])
                gain = game.utilities[(*other, seat)] - game.utilities[(*profile, seat)]
                gains[profile[seat], action] += distribution[profile] * gain
        assert external[seat] == pytest.approx(gains.sum(0).max(), abs=1e-12)
        assert internal[seat] == pytest.approx(gains.max(), abs=1e-12)


@pytest.mark.parametrize("programme", [CorrelatedEquilibrium, CoarseCorrelatedEquilibrium])
def test_any_linear_objective_can_be_asked_for(programme: type[EquilibriumProgramme]) -> None:
    first = programme(objective=lambda game: game.utilities[..., 0]).solve(CHICKEN)
    assert expected_utilities(CHICKEN, first)[0] == pytest.approx(7.0)
    with pytest.raises(ValueError, match=r"values of shape \(2, 2\)"):
        programme(objective=lambda game: game.utilities).solve(CHICKEN)


def test_correlation_closes_little_of_the_gap_in_a_formal_game() -> None:
    table = discretise(StageGame(make_game("TrustDilemma-v1")), 21)
    bracket = welfare_bracket(table)
    assert bracket.worst_correlated <= bracket.nash_welfare.min() + ROUNDING
    assert bracket.best_correlated >= bracket.nash_welfare.max() - ROUNDING
    assert bracket.best_coarse < bracket.nash_welfare.max() + 0.1 * (
        bracket.social_maximum - bracket.nash_welfare.max()
    )


def test_failures_of_the_solver_are_errors_with_its_status() -> None:
    with pytest.raises(SolverError, match="HiGHS status 2"):
        least_cost("nothing", np.zeros(2), np.ones((1, 2)), np.ones(2), [(0.0, None)])
    with pytest.raises(ValueError, match="'best' or 'worst'"):
        CorrelatedEquilibrium(direction="middle")  # type: ignore[arg-type]


# Zero-sum games


@given(st.integers(1, 4).flatmap(lambda rows: st.integers(1, 4).flatmap(lambda columns: entries((rows, columns)))))
def test_minimax_is_antisymmetric_in_the_players(payoff: FloatArray) -> None:
    here, there = minimax(payoff), minimax(-payoff.T)
    assert here.value == pytest.approx(-there.value, abs=ROUNDING)
    assert here.gap <= ROUNDING
    pure = payoff.min(1).max(), payoff.max(0).min()
    assert pure[0] - ROUNDING <= here.value <= pure[1] + ROUNDING


@settings(max_examples=25)
@given(entries((3, 4)), st.sampled_from([0.05, 0.2, None]))
def test_hedge_comes_as_close_to_minimax_as_theory_says(payoff: FloatArray, rate: float | None) -> None:
    play = Hedge(rounds=200, rate=rate).play(FiniteGame.bimatrix(payoff, -payoff))
    row, column = play.strategies
    gap = duality_gap(payoff, row, column)
    assert gap <= play.bounds.sum() + 1e-9
    assert gap == pytest.approx(play.regrets.sum(), abs=1e-9)
    assert abs(row @ payoff @ column - minimax(payoff).value) <= gap + ROUNDING


def test_payoffs_must_be_a_finite_matrix() -> None:
    for wrong in ([1.0, 2.0], [[np.inf]], np.zeros((0, 2))):
        with pytest.raises(ValueError, match="matrix of finite numbers"):
            minimax(wrong)


# No-regret play


def test_action_values_are_expectations_over_the_others() -> None:
    rng = np.random.default_rng(0)
    utilities = rng.normal(size=(2, 3, 4, 3))
    mixed = [rng.dirichlet(np.ones(count)) for count in (2, 3, 4)]
    expected = np.einsum("abc,a,c->b", utilities[..., 1], mixed[0], mixed[2])
    np.testing.assert_allclose(action_values(utilities, mixed, 1), expected)


@pytest.mark.parametrize("reward", ["private", "integrated", "cooperative"])
def test_no_regret_play_is_a_coarse_correlated_equilibrium_up_to_its_bound(reward: str) -> None:
    table = discretise(StageGame(make_game("AppleAppStore-v1"), reward), 7)
    learner: GameSolver[FiniteGame] = Hedge(rounds=300)
    distribution = learner.solve(table)
    assert learner.gap(table, distribution) <= Hedge(rounds=300).bounds(table).max()
    assert distribution.sum() == pytest.approx(1.0)


def test_no_regret_play_finds_the_corner_of_the_dilemma() -> None:
    table = discretise(LinearPublicGood(3, multiplier=2.0), 5)
    shares = [strategy @ table.actions[0] for strategy in Hedge(rounds=2000, rate=0.5).play(table).strategies]
    assert max(shares) < 0.01


def test_nothing_is_learnt_where_nothing_differs() -> None:
    play = Hedge(rounds=5).play(FiniteGame.tabulated(np.ones((1, 3, 2))))
    np.testing.assert_array_equal(play.regrets, 0.0)
    np.testing.assert_allclose(play.strategies[1], 1 / 3)
    with pytest.raises(ValueError, match="rounds"):
        Hedge(rounds=0)
    with pytest.raises(ValueError, match="rate"):
        Hedge(rate=0.0)


def test_the_stage_game_of_the_worked_examples_knows_three_modes() -> None:
    game = EXAMPLES["stage-cce-p1"].inputs["game"]
    shared = stage_cce(game, "cooperative")
    assert shared["max_welfare_ce"] == pytest.approx(shared["social_max"])
    with pytest.raises(ValueError, match="mode='selfish'"):
        stage_cce(game, "selfish")


def test_chance_alone_settles_matching_pennies() -> None:
    assert len(MATCHING_PENNIES.pure_nash()) == 0
    np.testing.assert_allclose(CorrelatedEquilibrium().solve(MATCHING_PENNIES), 0.25, atol=1e-9)
