"""Closed forms against the numerical solvers, at parameters for which they hold exactly."""

from __future__ import annotations

import numpy as np
import pytest

from coopgym.games.registry import make_game
from coopgym.mechanisms.value import SMOOTHING
from coopgym.oracles.games.best_response import best_response, regret
from coopgym.oracles.games.equilibrium import TOLERANCE, find_equilibria
from coopgym.oracles.games.normal_form import NormalForm, StageGame
from coopgym.oracles.games.optimum import welfare_optimum
from coopgym.oracles.games.rollout import initial_state
from tests.support.closed_forms import (
    loyal_team_equilibrium,
    public_good_equilibrium,
    public_good_optimum,
    released_equilibrium,
    released_optimum,
    team_equilibrium,
    team_optimum,
)
from tests.support.textbook_games import LinearPublicGood

SEARCHED = 5.0 * TOLERANCE
"""A residual of one tolerance leaves an error of a few, by the slopes of the best responses."""


def assert_symmetric_equilibrium(form: NormalForm, share: float) -> None:
    profile = np.full(form.n_agents, share)
    assert best_response(form, profile[None], seat=0).share[0] == pytest.approx(share, abs=SEARCHED)
    assert regret(form, profile) <= 1e-9


# Team production: with constant cost only the sum is determined, so the symmetric profile is audited directly.


@pytest.mark.parametrize(("n_agents", "gamma", "beta"), [(2, 1.2, 0.5), (4, 1.55, 0.55), (6, 1.55, 0.7)])
def test_team_production_without_own_use(n_agents: int, gamma: float, beta: float) -> None:
    game = make_game("TeamProduction-v1", n_agents=n_agents, gamma=gamma, beta=beta, theta=0.0)
    nash = team_equilibrium(gamma, beta, 1.0, n_agents, smoothing=SMOOTHING)
    assert 0.0 < nash < 0.5
    assert_symmetric_equilibrium(StageGame(game), nash)


def test_the_optimum_of_team_production_is_what_everybody_wants_together() -> None:
    game = make_game("TeamProduction-v1", theta=0.0)
    best = team_optimum(1.55, 0.55, 1.0, smoothing=SMOOTHING)
    found = welfare_optimum(StageGame(game))
    assert found.profile.mean() == pytest.approx(best, abs=SEARCHED)
    assert_symmetric_equilibrium(StageGame(game, "cooperative"), best)
    assert team_equilibrium(1.55, 0.55, 1.0, 4, regard=3.0, smoothing=SMOOTHING) == pytest.approx(best)


def test_smoothing_shifts_effort_by_itself() -> None:
    exact, smoothed = (team_equilibrium(1.55, 0.55, 1.0, 4, smoothing=epsilon) for epsilon in (0.0, SMOOTHING))
    assert exact - smoothed == pytest.approx(SMOOTHING, abs=1e-15)
    assert team_equilibrium(0.01, 0.55, 1.0, 4, smoothing=SMOOTHING) == 0.0


@pytest.mark.parametrize(
    ("omega", "n_agents", "effort"), [(25.0, 4, 34.24), (25.0, 6, 5.91)], ids=["TeamProduction", "CoalitionFormation"]
)
def test_efforts_in_units_follow_from_joint_output(omega: float, n_agents: int, effort: float) -> None:
    # The report's own form, (ωβ / (c N^(2-β)))^(1/(1-β)).
    beta = 0.7
    per_head = omega / n_agents ** (1.0 - beta)
    nash = team_equilibrium(per_head, beta, 1.0, n_agents)
    assert nash == pytest.approx((omega * beta / n_agents ** (2.0 - beta)) ** (1.0 / (1.0 - beta)))
    assert nash == pytest.approx(effort, abs=0.005)
    assert team_optimum(per_head, beta, 1.0) == pytest.approx((omega * beta) ** (1.0 / (1.0 - beta)) / n_agents)


# Loyalty: the game weighs the sum of team-mates' payoffs, the report their mean.


@pytest.mark.parametrize("loyalty", [0.0, 0.5, 0.9])
def test_loyal_team_production_without_own_use(loyalty: float) -> None:
    n_agents, phi_B, phi_C = 4, 0.6, 0.15
    game = make_game(
        "LoyaltyTeam-v1", n_agents=n_agents, theta=0.0, cohesion_lift=0.0, phi_B=phi_B / (n_agents - 1), phi_C=phi_C
    )
    form = StageGame(game, "integrated", initial_state(game, trust=0.0, loyalty=np.full(n_agents, loyalty)))
    effort = loyal_team_equilibrium(1.6, 0.55, 1.0, n_agents, loyalty, phi_B, phi_C, smoothing=SMOOTHING)
    assert_symmetric_equilibrium(form, effort)


def test_trust_counts_like_loyalty() -> None:
    game = make_game("TeamProduction-v1", theta=0.0)
    regard = 3 * 0.8 * 0.55
    effort = team_equilibrium(1.55, 0.55, 1.0, 4, regard=regard, smoothing=SMOOTHING)
    assert_symmetric_equilibrium(StageGame(game, "integrated", initial_state(game, trust=0.8, damage=0.0)), effort)


def test_an_indifferent_team_plays_nash_and_a_loyal_one_more() -> None:
    nash = team_equilibrium(1.6, 0.55, 1.0, 4)
    assert loyal_team_equilibrium(1.6, 0.55, 1.0, 4, loyalty=0.0, phi_B=0.8, phi_C=0.3) == nash
    assert loyal_team_equilibrium(1.6, 0.55, 1.0, 4, loyalty=0.9, phi_B=0.8, phi_C=0.3) > nash


# Public goods


@pytest.mark.parametrize(("theta", "q", "gamma"), [(3.0, 1.3, 2.0), (3.0, 0.0, 2.0), (0.0, 1.3, 2.5), (6.0, 0.7, 1.2)])
def test_public_goods(theta: float, q: float, gamma: float) -> None:
    form = StageGame(make_game("PublicGoods-v1", theta=theta, q=q, gamma=gamma))
    nash = public_good_equilibrium(gamma, 5, theta, 1.0, q, 50.0)
    best = public_good_optimum(gamma, theta, 1.0, q, 50.0)
    np.testing.assert_allclose(find_equilibria(form).only().profile, nash, atol=SEARCHED)
    np.testing.assert_allclose(welfare_optimum(form).profile, best, atol=SEARCHED)
    assert nash < best


@pytest.mark.parametrize("n_agents", [2, 5])
def test_the_textbook_public_good_has_opposite_corners(n_agents: int) -> None:
    forms: list[NormalForm] = [
        LinearPublicGood(n_agents, 1.5),
        StageGame(make_game("PublicGoods-v1", n_agents=n_agents, gamma=1.5, theta=0.0, q=0.0)),
    ]
    assert public_good_equilibrium(1.5, n_agents, 0.0, 1.0, 0.0, 50.0) == 0.0
    assert public_good_optimum(1.5, 0.0, 1.0, 0.0, 50.0) == 1.0
    for form in forms:
        np.testing.assert_array_equal(find_equilibria(form).only().profile, 0.0)
        np.testing.assert_array_equal(welfare_optimum(form).profile, 1.0)


def test_contributions_stop_at_the_endowment() -> None:
    assert public_good_equilibrium(9.0, 3, 0.0, 1.0, 0.0, 50.0) == 1.0
    assert public_good_equilibrium(3.0, 3, 2.0, 1.0, 0.0, 50.0) == 1.0
    with pytest.raises(ValueError, match="every share is a solution"):
        public_good_equilibrium(3.0, 3, 0.0, 1.0, 0.0, 50.0)


# Released edition: symmetric games with θ, γ and D of their tables

RELEASED = {
    "DynamicPartnerSelection-v0": (18.0, 0.55, 6, 0.4),
    "TrustDilemma-v0": (20.0, 0.70, 2, 0.6),
    "IndirectReciprocity-v0": (20.0, 0.65, 4, 0.4),
}


@pytest.mark.parametrize("game_id", RELEASED)
@pytest.mark.parametrize("trust", [0.0, 0.5, 1.0])
def test_released_equilibria(game_id: str, trust: float) -> None:
    theta, gamma, n_agents, dependence = RELEASED[game_id]
    game = make_game(game_id)
    form = StageGame(game, "integrated", initial_state(game, trust=trust, damage=0.0))
    action = released_equilibrium(theta, gamma, n_agents, trust * dependence)
    np.testing.assert_allclose(find_equilibria(form).only().profile, action / 100.0, atol=SEARCHED)


@pytest.mark.parametrize("game_id", RELEASED)
def test_released_optima(game_id: str) -> None:
    theta, gamma, n_agents, _ = RELEASED[game_id]
    share = released_optimum(theta, gamma, n_agents) / 100.0
    np.testing.assert_allclose(welfare_optimum(StageGame(make_game(game_id))).profile, share, atol=SEARCHED)


def test_published_equilibria_at_full_trust() -> None:
    # Published from a search whose own tolerance is 0.01 units.
    assert released_equilibrium(20.0, 0.5, 2, 0.5) == pytest.approx(23.61, abs=0.01)
    assert released_equilibrium(18.0, 0.55, 6, 0.4) == pytest.approx(17.87, abs=0.01)


def test_what_has_no_closed_form_is_refused() -> None:
    with pytest.raises(ValueError, match="corner solutions only"):
        team_equilibrium(2.0, 1.0, 1.0, 5)
    with pytest.raises(ValueError, match="costs something on balance"):
        team_equilibrium(2.0, 0.5, 0.0, 5)
    with pytest.raises(ValueError, match="costs something on balance"):
        loyal_team_equilibrium(2.0, 0.5, 1.0, 5, loyalty=1.0, phi_B=0.5, phi_C=1.0)
