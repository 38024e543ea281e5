"""Loyalty, reciprocity and reputation, against the equations written out plainly."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.mechanisms.loyalty import cohesion, loyalty_utility, update_loyalty
from coopgym.mechanisms.reciprocity import (
    anchored_reference,
    reciprocity_effects,
    remember,
    remembered,
    response,
    susceptibility,
)
from coopgym.mechanisms.reputation import image_gate, logistic, tier, tier_weight, update_score

seeds = st.integers(0, 2**32 - 1)
shares = st.floats(0.0, 1.0)


@given(seeds)
def test_loyalty_sums_over_team_mates_and_adds_a_warm_glow(seed: int) -> None:
    rng = np.random.default_rng(seed)
    loyalty, surplus, cost = rng.random(4), rng.normal(size=4), rng.random(4)
    utility = loyalty_utility(loyalty, surplus, cost, phi_B=0.6, phi_C=0.2)
    for i in range(4):
        mates = sum(surplus[j] for j in range(4) if j != i)
        assert utility[i] == pytest.approx(loyalty[i] * (0.6 * mates + 0.2 * cost[i]))


@given(shares, st.floats(-1.0, 1.0))
def test_loyalty_moves_towards_its_maximum_or_towards_zero(share: float, signal: float) -> None:
    loyalty = 0.7 * share
    moved = float(update_loyalty(np.array([loyalty]), np.array([signal]), 0.7, 0.05, 0.10)[0])
    expected = loyalty + 0.05 * max(signal, 0.0) * (0.7 - loyalty) - 0.10 * max(-signal, 0.0) * loyalty
    assert moved == pytest.approx(expected, abs=1e-15)
    assert 0.0 <= moved <= 0.7 + 1e-15


def test_cohesion_weighs_members_by_how_much_the_team_depends_on_them() -> None:
    D = np.array([[0.0, 0.2, 0.1], [0.4, 0.0, 0.1], [0.4, 0.0, 0.0]])
    importance = D.sum(axis=0) / D.sum()
    loyalty = np.array([0.9, 0.5, 0.1])
    assert float(cohesion(loyalty, importance)) == pytest.approx((0.8 * 0.9 + 0.2 * 0.5 + 0.2 * 0.1) / 1.2)


def test_memory_is_a_ring_of_the_last_steps() -> None:
    memory = np.full((3, 2), 0.3)
    for conduct in ([0.1, 0.9], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]):
        memory = remember(memory, np.array(conduct))
    np.testing.assert_allclose(memory, [[0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
    np.testing.assert_allclose(remembered(memory), [1.1 / 3, 1.9 / 3])


@given(shares, shares, shares)
def test_the_reference_is_anchored_to_the_norm(norm: float, average: float, anchoring: float) -> None:
    reference = float(anchored_reference(np.array(norm), np.array(average), anchoring))
    assert reference == pytest.approx((1 - anchoring) * norm + anchoring * average)


@given(seeds)
def test_kindness_is_answered_by_trust_dependence_and_deviation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, lam, rho, eta, omega, kappa = 3, 0.6, 1.2, 1.5, 0.8, 1.0
    D, T = rng.random((n, n)) * (1 - np.eye(n)), rng.random((n, n))
    deviation = rng.uniform(-1, 1, n)
    answers = response(deviation, kappa / 0.25)
    effects = reciprocity_effects(T, susceptibility(D, lam, rho, eta, omega), answers)
    for i in range(n):
        for j in range(n):
            bounded = 0.0 if i == j else rho * D[i, j] ** eta
            strength = lam * T[i, j] * (1 + omega * D[i, j]) * bounded
            assert effects[i, j] == pytest.approx(strength * math.tanh(kappa * deviation[j] / 0.25))


def test_nobody_answers_those_it_does_not_depend_on_even_at_zero_curvature() -> None:
    constant = susceptibility(np.zeros((2, 2)), strength=1.0, rho_0=1.0, eta=1.0, omega=0.5)
    assert not constant.any()
    assert not np.diagonal(susceptibility(np.zeros((2, 2)), 1.0, 1.0, 0.0, 0.5)).any()


@given(st.floats(-700.0, 700.0))
def test_the_logistic_function_never_overflows(x: float) -> None:
    assert float(logistic(np.array(x))) == pytest.approx(1.0 / (1.0 + math.exp(-x)), abs=1e-15)


@given(shares, shares)
def test_scores_move_towards_conduct(score: float, conduct: float) -> None:
    moved = float(update_score(np.array(score), np.array(conduct), 0.2))
    assert moved == pytest.approx(0.8 * score + 0.2 * conduct)
    assert min(score, conduct) - 1e-12 <= moved <= max(score, conduct) + 1e-12


@given(shares)
def test_tiers_draw_customers_smoothly(score: float) -> None:
    def sigma(x: float) -> float:
        return 1.0 / (1.0 + math.exp(-x))

    weight = 0.6 + 0.2 * sum(sigma((score - threshold) / 0.04) for threshold in (0.25, 0.50, 0.80))
    assert float(tier_weight(np.array(score))) == pytest.approx(weight)
    assert int(tier(np.array(score))) == sum(score >= threshold for threshold in (0.25, 0.50, 0.80))


@given(st.lists(shares, min_size=2, max_size=6))
def test_market_shares_sum_to_one(scores: list[float]) -> None:
    weights = tier_weight(np.array(scores))
    assert float((weights / weights.sum()).sum()) == pytest.approx(1.0)
    assert ((weights >= 0.6) & (weights <= 1.2)).all()


@given(shares, shares)
def test_an_image_lets_part_of_the_help_through(image: float, norm: float) -> None:
    gate = float(image_gate(np.array(image), np.array(norm), 0.5))
    assert gate == pytest.approx(0.5 + 0.5 / (1.0 + math.exp(-(image - norm) / 0.10)))
