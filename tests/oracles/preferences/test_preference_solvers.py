"""Preference games: what is no preference matrix, winners by several rules, cycles, and two solvers against a third."""

from __future__ import annotations

import math
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import rel_entr

from coopgym.oracles.finite.game_solver import GameSolver
from coopgym.oracles.finite.zero_sum import minimax
from coopgym.oracles.preferences.majority_cycles import majority_cycles, top_cycle
from coopgym.oracles.preferences.minimax_winner import MinimaxWinner
from coopgym.oracles.preferences.nash_mirror_prox import NashMirrorProx, mirror_prox_step
from coopgym.oracles.preferences.preference_matrix import PreferenceMatrix
from coopgym.oracles.preferences.self_play import SPO
from coopgym.typing import FloatArray

FOUR = PreferenceMatrix.of(
    [[0.5, 0.6, 0.4, 0.6], [0.4, 0.5, 0.6, 1.0], [0.6, 0.4, 0.5, 0.6], [0.4, 0.0, 0.4, 0.5]],
    ["balanced", "one-sided", "steady", "beaten"],
)
"""A cycle of the first three, of which the second is best on average only because it crushes the last."""
SEEDS = st.integers(0, 2**32 - 1)


def drawn(rng: np.random.Generator, count: int, whole: bool = False) -> FloatArray:
    """Draw a matrix of preferences; in tenths, so that there are ties and many winners, or anything."""
    table = rng.integers(0, 3, (count, count)) / 2.0 if whole else rng.random((count, count))
    upper = np.triu(table, 1)
    return upper + np.tril(1.0 - upper.T, -1) + 0.5 * np.eye(count)


def preferences(most: int = 6) -> st.SearchStrategy[PreferenceMatrix]:
    def made(seed: int, count: int, whole: bool) -> PreferenceMatrix:
        return PreferenceMatrix.of(drawn(np.random.default_rng(seed), count, whole))

    return st.builds(made, SEEDS, st.integers(2, most), st.booleans())


# What a matrix of preferences is


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ([[0.5, 0.7]], r"shape \(1, 2\): expected \(K, K\)"),
        ([[0.5, 1.2], [-0.2, 0.5]], r"preferences\[0, 1\] = 1.2: expected a probability between 0 and 1"),
        ([[0.5, np.nan], [0.5, 0.5]], r"preferences\[0, 1\] = nan"),
        ([[0.5, 0.7, 0.5], [0.3, 0.5, 0.6], [0.5, 0.5, 0.5]], r"preferences\[1, 2\] = 0.6 and preferences\[2, 1\] ="),
        ([[0.5, 0.7], [0.3, 0.4]], r"preferences\[1, 1\] = 0.4: expected 0.5"),
    ],
)
def test_what_is_no_preference_matrix_is_refused_with_the_entry_named(table: list[list[float]], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        PreferenceMatrix.of(table)


def test_names_distributions_and_settings_are_checked() -> None:
    with pytest.raises(ValueError, match="names: expected 2"):
        PreferenceMatrix.of(np.full((2, 2), 0.5), ["one"])
    with pytest.raises(ValueError, match=r"expected \(4,\), one entry per option"):
        FOUR.exploitability([0.5, 0.5])
    with pytest.raises(ValueError, match="sum to 1"):
        FOUR.exploitability([0.5, 0.5, 0.5, -0.5])
    with pytest.raises(ValueError, match=r"beta=0.0: expected a positive number"):
        NashMirrorProx(beta=0.0)
    with pytest.raises(ValueError, match="options without any would never be played"):
        NashMirrorProx(reference=(1.0, 0.0))
    with pytest.raises(ValueError, match="one entry per option"):
        NashMirrorProx(reference=(0.5, 0.5)).solve(FOUR)
    with pytest.raises(ValueError, match=r"between 0 and 0\.5"):
        NashMirrorProx.for_exploitability(0.7, 3)
    with pytest.raises(ValueError, match=r"iterations=2\.5: expected a whole number"):
        NashMirrorProx(iterations=2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"start=.*an option without any is never played"):
        list(NashMirrorProx(iterations=1).iterates(FOUR, [0.5, 0.5, 0.0, 0.0]))
    with pytest.raises(ValueError, match="rounds=0"):
        SPO(rounds=0)
    with pytest.raises(ValueError, match=r"rounds=2\.5: expected a whole number"):
        SPO(rounds=2.5)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"rate=-1\.0"):
        SPO(rate=-1.0)


def test_counted_comparisons_are_shares_and_pairs_that_never_met_tie() -> None:
    counted = PreferenceMatrix.counted([[0, 3, 0], [1, 0, 2.5], [0, 2.5, 7]])
    np.testing.assert_array_equal(counted.probabilities, [[0.5, 0.75, 0.5], [0.25, 0.5, 0.5], [0.5, 0.5, 0.5]])
    for wrong in (-1.0, np.inf, np.nan):
        with pytest.raises(ValueError, match="finite numbers of at least 0"):
            PreferenceMatrix.counted([[0, wrong], [1, 0]])


# Winners and cycles


def test_the_best_on_average_is_not_what_nobody_is_preferred_to() -> None:
    assert FOUR.names[FOUR.borda_winner] == "one-sided"
    assert FOUR.condorcet_winner is None
    np.testing.assert_array_equal(FOUR.copeland, [2, 2, 2, 0])
    winner = MinimaxWinner().find(FOUR)
    np.testing.assert_allclose(winner.distribution, [1 / 3, 1 / 3, 1 / 3, 0.0], atol=1e-9)
    assert winner.unique
    assert winner.options == (0, 1, 2)
    assert FOUR.exploitability(np.eye(4)[FOUR.borda_winner]) == pytest.approx(0.1)
    (cycle,) = majority_cycles(FOUR)
    assert (str(cycle), cycle.weakest) == ("0 > 1 > 2 > 0", 0.6)


def test_a_condorcet_winner_wins_whoever_is_best_on_average() -> None:
    table = PreferenceMatrix.of([[0.5, 0.51, 0.51], [0.49, 0.5, 1.0], [0.49, 0.0, 0.5]])
    assert (table.condorcet_winner, table.borda_winner) == (0, 1)
    assert MinimaxWinner().solve(table) == pytest.approx([1.0, 0.0, 0.0])
    assert majority_cycles(table) == ()


def test_of_several_winners_the_most_even_is_taken_and_copies_share() -> None:
    tied = MinimaxWinner().find(PreferenceMatrix.of(np.full((3, 3), 0.5)))
    assert not tied.unique
    assert tied.distribution == pytest.approx([1 / 3] * 3)
    copied = np.array([0, 0, 1, 2])
    cyclic = np.array([[0.5, 0.9, 0.2], [0.1, 0.5, 0.8], [0.8, 0.2, 0.5]])
    twice = MinimaxWinner().find(PreferenceMatrix.of(cyclic[np.ix_(copied, copied)]))
    assert not twice.unique
    assert twice.distribution == pytest.approx([0.15, 0.15, 0.3, 0.4])


@settings(max_examples=40, deadline=None)
@given(preferences())
def test_nothing_is_preferred_to_the_minimax_winner_and_it_stays_in_the_top_cycle(table: PreferenceMatrix) -> None:
    winner = MinimaxWinner().find(table)
    assert winner.gap <= 1e-7
    assert set(winner.options) <= set(top_cycle(table).tolist())
    if winner.unique:
        assert minimax(table.margins).row == pytest.approx(winner.distribution, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(preferences(5))
def test_cycles_are_found_exactly_where_no_ranking_agrees_with_all_majorities(table: PreferenceMatrix) -> None:
    beats = table.majorities
    agrees = any(
        all(not beats[after, before] for place, before in enumerate(order) for after in order[place:])
        for order in permutations(range(len(table)))
    )
    found = majority_cycles(table)
    assert agrees == (not found)
    for cycle in found:
        steps = [*pairwise(cycle.options), (cycle.options[-1], cycle.options[0])]
        assert all(beats[step] for step in steps)
        assert cycle.weakest == min(table.probabilities[step] for step in steps)
        assert cycle.options[0] == min(cycle.options)


def test_the_strongest_cycle_is_taken_though_a_shorter_one_is_there() -> None:
    table = np.full((4, 4), 0.5)
    for winner, loser, share in [(0, 1, 0.9), (1, 2, 0.9), (2, 3, 0.9), (3, 0, 0.8), (2, 0, 0.6)]:
        table[winner, loser], table[loser, winner] = share, 1.0 - share
    (cycle,) = majority_cycles(PreferenceMatrix.of(table))
    assert (cycle.options, cycle.weakest) == ((0, 1, 2, 3), 0.8)


# Mirror prox and self-play


def test_solvers_fit_one_slot_and_reach_one_mixture() -> None:
    solvers: list[GameSolver[PreferenceMatrix]] = [MinimaxWinner(), NashMirrorProx(0.005, 1500), SPO(8000)]
    for solver in solvers:
        answer = solver.solve(FOUR)
        assert answer == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0.0], abs=0.03)
        assert solver.gap(FOUR, answer) <= 0.01
        assert solver.gap(FOUR, [0.0, 0.0, 0.0, 1.0]) > 0.2


@pytest.mark.parametrize("beta", [0.02, 0.1, 0.5])
def test_divergence_shrinks_at_least_as_fast_as_stated_in_a_hundred_random_games(beta: float) -> None:
    rng = np.random.default_rng(11)
    for count in (2, 3, 5, 10, 20):
        games = np.stack([drawn(rng, count) for _ in range(20)])
        reference = np.log(rng.dirichlet(np.ones(count), 20))
        equilibrium = reference
        for _ in range(math.ceil(18.0 / beta)):
            equilibrium = mirror_prox_step(games, equilibrium, reference, beta)
        target = np.exp(equilibrium)
        policy, bound = reference, (target * (equilibrium - reference)).sum(-1)
        for _ in range(20):
            policy = mirror_prox_step(games, policy, reference, beta)
            bound = bound / (1.0 + 2.0 * beta)
            assert ((target * (equilibrium - policy)).sum(-1) <= bound + 1e-13).all()


@pytest.mark.parametrize("count", [3, 5])
def test_the_minimax_winner_is_the_limit_of_mirror_prox_as_regularisation_vanishes(count: int) -> None:
    rng = np.random.default_rng(count)
    games = np.stack([drawn(rng, count) for _ in range(40)])
    winners = [MinimaxWinner().find(PreferenceMatrix.of(game)) for game in games]
    assert all(winner.unique for winner in winners)
    limit = np.stack([winner.distribution for winner in winners])
    reference = np.full((40, count), -math.log(count))
    distances = []
    for beta in (0.05, 0.01, 0.003):
        policy = reference
        for _ in range(math.ceil(14.0 / beta)):
            policy = mirror_prox_step(games, policy, reference, beta)
        answer = np.exp(policy)
        assert ((games @ answer[..., None])[..., 0].max(-1) - 0.5 <= beta * math.log(count) + 1e-9).all()
        # The equilibrium lies between reference and winner: KL(w‖π) + KL(π‖ref) ≤ KL(w‖ref).
        passed = rel_entr(limit, answer) + rel_entr(answer, np.exp(reference)) - rel_entr(limit, np.exp(reference))
        assert (passed.sum(-1) <= 1e-9).all()
        distances.append(np.abs(answer - limit).sum(-1))
    assert (distances[0] >= distances[2]).all()
    # Where an option is nearly as good as the winner, or played hardly ever, the limit is still far at this β.
    beaten = np.where(limit > 1e-9, np.inf, 0.5 - (games @ limit[..., None])[..., 0]).min(-1)
    clear = (beaten > 0.03) & (np.where(limit > 1e-9, limit, 1.0).min(-1) > 0.1)
    assert clear.sum() >= 8
    assert distances[2][clear].max() <= 0.05


@settings(max_examples=25, deadline=None)
@given(preferences(), st.integers(1, 300))
def test_self_play_is_exploited_by_no_more_than_its_bound(table: PreferenceMatrix, rounds: int) -> None:
    spo = SPO(rounds)
    assert spo.gap(table, spo.solve(table)) <= spo.bound(len(table)) + 1e-9


@settings(max_examples=25, deadline=None)
@given(preferences(), st.sampled_from([0.2, 0.05]))
def test_regularisation_chosen_for_a_target_reaches_it(table: PreferenceMatrix, target: float) -> None:
    solver = NashMirrorProx.for_exploitability(target, len(table))
    assert table.exploitability(solver.solve(table)) <= target


def test_a_lone_option_wins() -> None:
    alone = PreferenceMatrix.of([[0.5]])
    assert (alone.borda_winner, alone.condorcet_winner, alone.borda.tolist()) == (0, 0, [0.5])
    for solver in (MinimaxWinner(), NashMirrorProx(), SPO()):
        assert solver.solve(alone) == pytest.approx([1.0])
    assert majority_cycles(alone) == ()
