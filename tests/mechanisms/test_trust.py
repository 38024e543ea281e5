"""Trust and reputation damage, against the equations written out pair by pair."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coopgym.backend import NUMPY, torch_backend
from coopgym.mechanisms.trust import (
    TrustRates,
    conduct_signal,
    effective_trust,
    mean_over_pairs,
    trust_gate,
    update_trust,
)
from coopgym.typing import FloatArray

N = 3
RATES = {"lambda_plus": 0.15, "lambda_minus": 0.45, "mu_R": 0.5, "delta_R": 0.02, "xi": 0.6}
seeds = st.integers(0, 2**32 - 1)


def relations(seed: int, batch: tuple[int, ...] = ()) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Random trust, damage, interdependence and signals with their diagonals in place."""
    rng = np.random.default_rng(seed)
    others = 1.0 - np.eye(N)
    trust = rng.random((*batch, N, N)) * others + np.eye(N)
    damage = rng.random((*batch, N, N)) * others * rng.integers(0, 2)
    return trust, damage, rng.random((N, N)) * others, rng.uniform(-1.0, 1.0, (*batch, N))


def pairwise(T: float, R: float, D: float, s: float, rates: dict[str, float]) -> tuple[float, float]:
    """TR-2 Eq. 6, 7 and 9 for one pair."""
    up, down, ceiling = max(s, 0.0), max(-s, 0.0), 1.0 - R
    gain = rates["lambda_plus"] * up * max(ceiling - T, 0.0)
    loss = rates["lambda_minus"] * down * T * (1.0 + rates["xi"] * D)
    trust = min(max(T + gain - loss, 0.0), ceiling)
    damage = R + rates["mu_R"] * down * (1.0 - R) if s < 0 else R * (1.0 - rates["delta_R"])
    return trust, min(max(damage, 0.0), 1.0)


@pytest.mark.parametrize("rates", [RATES, {**RATES, "lambda_minus": 1.0, "xi": 3.0}])
@given(seed=seeds)
def test_every_pair_moves_by_the_equations(rates: dict[str, float], seed: int) -> None:
    trust, damage, D, signal = relations(seed)
    moved, hurt = update_trust(trust, damage, signal, TrustRates.from_parameters(NUMPY, D, **rates))
    for i in range(N):
        for j in range(N):
            expected = (1.0, 0.0) if i == j else pairwise(trust[i, j], damage[i, j], D[i, j], signal[j], rates)
            assert (moved[i, j], hurt[i, j]) == pytest.approx(expected, abs=1e-12)


@given(seeds)
def test_trust_never_passes_the_ceiling_of_the_damage_before(seed: int) -> None:
    trust, damage, D, signal = relations(seed, (4,))
    moved, hurt = update_trust(trust, damage, signal, TrustRates.from_parameters(NUMPY, D, **RATES))
    assert (moved <= 1.0 - damage).all()
    assert ((moved >= 0.0) & (hurt >= 0.0) & (hurt <= 1.0)).all()


@given(seeds)
def test_an_environment_alone_that_skips_losses_moves_as_its_row_does(seed: int) -> None:
    trust, damage, D, signal = relations(seed, (2,))
    signal[0] = abs(signal[0])
    rates = TrustRates.from_parameters(NUMPY, D, **RATES)
    together = update_trust(trust, damage, signal, rates)
    for row in range(2):
        alone = update_trust(trust[row], damage[row], signal[row], rates)
        np.testing.assert_array_equal(alone, [array[row] for array in together])


@given(seeds)
def test_torch_moves_trust_as_numpy_does(seed: int) -> None:
    torch = pytest.importorskip("torch")
    backend = torch_backend("cpu", torch.float64)
    trust, damage, D, signal = relations(seed, (2,))
    expected = update_trust(trust, damage, signal, TrustRates.from_parameters(NUMPY, D, **RATES))
    rates = TrustRates.from_parameters(backend, backend.array(D), **RATES)
    for array, right in zip(update_trust(*map(backend.array, (trust, damage, signal)), rates), expected, strict=True):
        np.testing.assert_allclose(array.numpy(), right, rtol=0, atol=1e-15)


@given(seeds)
def test_trust_is_limited_by_reputation(seed: int) -> None:
    trust, damage, _, _ = relations(seed)
    effective = effective_trust(trust, damage)
    expected = [[min(trust[i, j], 1.0 - damage[i, j]) for j in range(N)] for i in range(N)]
    np.testing.assert_allclose(effective, expected)
    pairs = [effective[i, j] for i in range(N) for j in range(N) if i != j]
    assert float(mean_over_pairs(effective)) == pytest.approx(sum(pairs) / len(pairs))
    assert float(trust_gate(trust, damage, 0.3)) == pytest.approx(0.7 + 0.3 * sum(pairs) / len(pairs))


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.1, 2.0))
def test_signals_are_graded(conduct: float, norm: float, kappa: float) -> None:
    signal = float(conduct_signal(np.array([conduct]), np.array([norm]), kappa / 0.5)[0])
    assert signal == pytest.approx(math.tanh(kappa * (conduct - norm) / 0.5))


def test_a_full_gate_needs_full_trust_and_a_closed_one_lets_the_rest_through() -> None:
    everybody, nobody = np.ones((2, 2)), np.eye(2)
    assert float(trust_gate(everybody, np.zeros((2, 2)), 0.3)) == 1.0
    assert float(trust_gate(nobody, np.zeros((2, 2)), 0.3)) == pytest.approx(0.7)


def test_a_single_agent_trusts_itself() -> None:
    assert float(mean_over_pairs(np.ones((1, 1)))) == 1.0
