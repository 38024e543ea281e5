"""Sequential play in agent order."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.games.registry import make_game
from coopgym.oracles.games.best_response import best_response
from coopgym.oracles.games.normal_form import CommitmentGame, NormalForm, StageGame
from coopgym.oracles.games.stackelberg import leader_advantage, sequential_outcome
from tests.support.textbook_games import Cournot, Indifferent, LinearPublicGood


@pytest.mark.parametrize("n_agents", [2, 3, 4, 5])
def test_quantity_leaders_take_half_of_what_the_others_left(n_agents: int) -> None:
    outcome = sequential_outcome(Cournot(n_agents))
    np.testing.assert_allclose(outcome.profile, 0.5 ** np.arange(1, n_agents + 1), atol=1e-6)
    assert outcome.converged
    np.testing.assert_allclose(outcome.gains, 0.0, atol=1e-12)


def test_moving_first_is_worth_what_the_textbook_says() -> None:
    form = Cournot(2)
    assert leader_advantage(form) == pytest.approx(1 / 8 - 1 / 9, abs=1e-9)
    assert leader_advantage(form, sequential_outcome(form)) == pytest.approx(1 / 8 - 1 / 9, abs=1e-9)


def test_nobody_contributes_to_a_linear_public_good_in_any_order() -> None:
    outcome = sequential_outcome(LinearPublicGood(4, multiplier=2.0))
    np.testing.assert_array_equal(outcome.profile, 0.0)
    assert outcome.converged
    assert leader_advantage(LinearPublicGood(2, multiplier=1.5)) == 0.0


def test_ties_are_broken_as_asked() -> None:
    optimistic, pessimistic = (sequential_outcome(Indifferent(2), ties=ties) for ties in ("optimistic", "pessimistic"))
    np.testing.assert_allclose(optimistic.profile, [0.0, 1.0], atol=1e-6)
    assert optimistic.utilities[0] == pytest.approx(1.0, abs=1e-6)
    # If the follower withholds, -c (1 - c) is all the leader gets, at best nothing at either end.
    assert pessimistic.profile[1] == 0.0
    assert pessimistic.utilities[0] == pytest.approx(0.0, abs=1e-6)
    assert (optimistic.ties, pessimistic.ties) == ("optimistic", "pessimistic")


def follower_answers(form: NormalForm, shares: np.ndarray) -> np.ndarray:
    """The leader's utility at its shares when the single follower answers, found by the line search of equilibria."""
    profiles = np.stack([shares, np.zeros_like(shares)], axis=-1)
    profiles[:, 1] = best_response(form, profiles, seat=1).share
    return form.utilities(profiles)[:, 0]


@pytest.mark.parametrize(
    ("game_id", "reward"),
    [
        ("TrustDilemma-v1", "private"),
        ("SLCD-v1", "integrated"),
        ("GiftExchange-v1", "private"),
        ("SLCD-v0", "integrated"),
    ],
)
def test_no_other_move_of_the_leader_does_better_against_exact_answers(game_id: str, reward: str) -> None:
    form = StageGame(make_game(game_id), reward)
    outcome = sequential_outcome(form)
    tried = follower_answers(form, np.linspace(0.0, 1.0, 1001))
    assert tried.max() <= outcome.utilities[0] + 1e-8 * form.scale
    assert outcome.last_mover_gain <= 1e-8 * form.scale
    assert outcome.leader_gain <= 1e-8 * form.scale
    assert outcome.converged
    assert leader_advantage(form, outcome) >= -1e-8 * form.scale


def test_three_movers_of_a_formal_game_leave_no_gain_on_a_finer_audit() -> None:
    form = StageGame(make_game("AppleAppStore-v1"))
    outcome = sequential_outcome(form)
    np.testing.assert_allclose(outcome.payoffs, form.payoffs(outcome.profile))
    assert outcome.gains.max() <= 1e-8
    middle = np.linspace(0.0, 1.0, 201)
    profiles = np.stack([np.full(201, outcome.profile[0]), middle, np.zeros(201)], axis=-1)
    profiles[:, 2] = best_response(form, profiles, seat=2).share
    assert form.utilities(profiles)[:, 1].max() <= outcome.utilities[1] + 1e-8


@pytest.mark.slow
def test_an_outcome_that_hangs_on_jumps_is_not_called_converged() -> None:
    # Later movers of a team switch between contributing and leaving it to the last one.
    outcome = sequential_outcome(StageGame(make_game("TeamProduction-v1"), "integrated"))
    assert outcome.drift > 1e-3
    assert not outcome.converged


def test_committing_first_for_a_whole_episode_passes_the_audit() -> None:
    form = CommitmentGame(make_game("TrustDilemma-v1", max_steps=5))
    outcome = sequential_outcome(form)
    assert outcome.leader_gain <= 1e-3
    assert outcome.last_mover_gain <= 1e-3


def test_what_cannot_be_computed_is_refused() -> None:
    with pytest.raises(ValueError, match=r"6 seats leave only grids that are too coarse.*expected 2 to 5 seats"):
        sequential_outcome(Cournot(6))
    with pytest.raises(ValueError, match="'optimistic' or 'pessimistic'"):
        sequential_outcome(Cournot(2), ties="kind")  # type: ignore[arg-type]
