"""What investments are worth, against the equations written out plainly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.mechanisms.dissolution import outside_option
from coopgym.mechanisms.team import free_riders, interior_effort
from coopgym.mechanisms.team_model import TeamModel
from coopgym.mechanisms.value import (
    geometric_mean_synergy,
    logarithmic_value,
    pair_synergy,
    pooled_production,
    power_value,
)

EPS = 1e-3
shares = st.floats(0.0, 1.0)
elasticities = st.floats(0.05, 1.0)
units = st.lists(st.floats(0.0, 150.0), min_size=2, max_size=6)


@given(shares, shares, elasticities)
def test_two_inputs_make_a_smoothed_cobb_douglas_product(x: float, y: float, beta: float) -> None:
    expected = math.exp(beta / 2 * (math.log(x + EPS) + math.log(y + EPS))) - EPS**beta
    assert float(pair_synergy(np.array(x), np.array(y), beta)) == pytest.approx(expected, abs=1e-12)


@given(shares, elasticities)
def test_equal_inputs_make_what_one_pooled_input_makes(x: float, beta: float) -> None:
    pooled = float(pooled_production(np.array(x), beta))
    assert pooled == pytest.approx((x + EPS) ** beta - EPS**beta)
    assert float(pair_synergy(np.array(x), np.array(x), beta)) == pytest.approx(pooled, abs=1e-12)


def test_nothing_comes_of_nothing() -> None:
    assert float(pair_synergy(np.array(0.0), np.array(0.0), 0.65)) == pytest.approx(0.0, abs=1e-15)
    assert float(pooled_production(np.array(0.0), 0.65)) == 0.0


@given(units)
def test_the_released_synergy_is_the_geometric_mean(actions: list[float]) -> None:
    expected = 0.0 if min(actions) <= 1e-10 else math.prod(a ** (1 / len(actions)) for a in actions)
    assert float(geometric_mean_synergy(np.array(actions))) == pytest.approx(expected, rel=1e-9)


@given(st.floats(0.0, 150.0), st.floats(0.1, 30.0), elasticities)
def test_own_value_is_logarithmic_or_a_power(action: float, theta: float, beta: float) -> None:
    assert float(logarithmic_value(np.array(action), theta)) == pytest.approx(theta * math.log(1 + action))
    assert float(power_value(np.array(action), beta)) == pytest.approx(max(action, 1e-10) ** beta)


@given(st.floats(0.0, 20.0), st.floats(0.1, 4.0), st.floats(1.0, 150.0))
def test_the_outside_option_is_the_best_of_working_alone(theta: float, k: float, endowment: float) -> None:
    unit = 80.0
    effort = np.linspace(0.0, endowment, 2001)
    alone = (endowment - k * effort + theta * np.log1p(effort)) / unit
    option = float(outside_option(np.array([endowment]), theta, k, unit)[0])
    assert option >= alone.max() - 1e-12
    assert option == pytest.approx(alone.max(), abs=1e-3)


@given(st.floats(0.5, 4.0), st.floats(0.2, 0.9), st.floats(0.5, 3.0), st.integers(1, 6))
def test_interior_effort_equates_the_product_kept_with_its_cost(A: float, beta: float, k: float, sharers: int) -> None:
    effort = interior_effort(A, beta, k, sharers, maximum=math.inf)
    assert A * beta * effort ** (beta - 1) / sharers == pytest.approx(k)
    assert interior_effort(A, beta, k, sharers) <= 1.0


def test_linear_production_ends_in_a_corner() -> None:
    assert interior_effort(2.0, 1.0, 1.0, sharers=1) == 1.0
    assert interior_effort(2.0, 1.0, 1.0, sharers=5) == 0.0


def test_free_riders_stay_below_the_norm() -> None:
    assert free_riders(np.array([0.1, 0.3, 0.5]), np.full(3, 0.3)).tolist() == [True, False, False]


TEAM = TeamModel(n_agents=4, omega=25.0, beta=0.75, c=1.0, phi_B=0.8, phi_C=0.2, a_max=50.0)


def test_a_team_shares_its_output_and_each_member_bears_its_cost() -> None:
    effort = np.array([1.0, 5.0, 10.0, 20.0])
    output = 25.0 * 36.0**0.75
    assert float(TEAM.output(effort)) == pytest.approx(output)
    payoffs = output / 4 - effort
    np.testing.assert_allclose(TEAM.payoffs(effort), payoffs)
    loyalty = np.array([0.0, 0.5, 1.0, 0.2])
    mates = (payoffs.sum() - payoffs) / 3
    np.testing.assert_allclose(TEAM.loyalty_terms(loyalty, effort), loyalty * (0.8 * mates + 0.2 * effort))


def test_nobody_gains_by_leaving_the_team_equilibrium_and_welfare_peaks_at_the_optimum() -> None:
    equilibrium, optimum = TEAM.equilibrium(), TEAM.optimum()
    others = 3 * equilibrium
    deviations = np.linspace(0.0, 2 * equilibrium, 4001)
    payoffs = 25.0 * (others + deviations) ** 0.75 / 4 - deviations
    assert deviations[payoffs.argmax()] == pytest.approx(equilibrium, rel=1e-3)
    common = np.linspace(0.0, 2 * optimum, 4001)
    welfare = 25.0 * (4 * common) ** 0.75 - 4 * common
    assert common[welfare.argmax()] == pytest.approx(optimum, rel=1e-3)
    assert equilibrium < optimum


@pytest.mark.parametrize(("omega", "equilibrium", "optimum"), [(2.0, 0.0, 50.0), (5.0, 50.0, 50.0), (0.5, 0.0, 0.0)])
def test_a_linear_team_plays_corners(omega: float, equilibrium: float, optimum: float) -> None:
    team = TeamModel(n_agents=4, omega=omega, beta=1.0, c=1.0, phi_B=0.0, phi_C=0.0, a_max=50.0)
    assert (team.equilibrium(), team.optimum()) == (equilibrium, optimum)
