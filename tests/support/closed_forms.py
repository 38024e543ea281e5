"""Solutions that can be written down: symmetric equilibria and optima of the stage games, each with its source.

They are reference values for the numerical solvers, which need none of their assumptions. Profiles are symmetric: where
pooled effort has a constant cost only the sum is determined, and the symmetric profile is one of many.
"""

from __future__ import annotations

import math

from coopgym.mechanisms.team import interior_effort


def team_equilibrium(
    productivity: float,
    beta: float,
    cost: float,
    n_agents: int,
    regard: float = 0.0,
    warm_glow: float = 0.0,
    smoothing: float = 0.0,
) -> float:
    """Return the effort at which nobody in a team wants to change, ((1 + r) A β / ((1 - g) k N))^(1/(1-β)) - ε.

    Each member gets A (mean c + ε)^β, pays k c, and cares for the others: Nash of TR-3 Eq. 1-2 for r = g = 0, its
    optimum for r = N - 1. Own-use value is left out (θ = 0).

    Args:
        productivity: A per head. For effort in action units and joint output ω (Σa)^β it is ω / N^(1-β).
        beta: production elasticity β < 1.
        cost: k, or c in TR-3.
        n_agents: N.
        regard: r, sum of an agent's weights on its team-mates' payoffs.
        warm_glow: g < 1, part of the own effort cost that an agent enjoys.
        smoothing: ε of the formal edition.

    Returns:
        Effort, not below zero and not cut off above; with the formal edition's A a share of endowment.

    Raises:
        ValueError: no interior solution exists for such parameters.
    """
    if not 0.0 < beta < 1.0:
        raise ValueError(
            f"beta={beta!r}: expected an elasticity in (0, 1); linear production has corner solutions only"
        )
    if cost <= 0.0 or warm_glow >= 1.0:
        raise ValueError(f"cost={cost!r}, warm_glow={warm_glow!r}: expected effort that costs something on balance")
    valued, borne = (1.0 + regard) * productivity, (1.0 - warm_glow) * cost
    return max(interior_effort(valued, beta, borne, sharers=n_agents, maximum=math.inf) - smoothing, 0.0)


def team_optimum(productivity: float, beta: float, cost: float, smoothing: float = 0.0) -> float:
    """Return the effort that is best for a team, (A β / k)^(1/(1-β)) - ε (TR-3 Eq. 1-2). Arguments as above."""
    return team_equilibrium(productivity, beta, cost, n_agents=1, smoothing=smoothing)


def loyal_team_equilibrium(
    productivity: float,
    beta: float,
    cost: float,
    n_agents: int,
    loyalty: float,
    phi_B: float,
    phi_C: float,
    smoothing: float = 0.0,
) -> float:
    """Return the equilibrium effort of a loyal team, U_i = π_i + ℓ (φ_B mean π_{-i} + φ_C k a_i) (TR-3 Eq. 3).

    The average of team-mates' payoffs contributes φ_B ℓ Q'/N, because Q/N enters each of them once. With the sum
    instead of the average (formal edition) ``phi_B`` is (N - 1) times as large.

    Args:
        productivity: A per head, as in `team_equilibrium`.
        beta: production elasticity β < 1.
        cost: k, or c in TR-3.
        n_agents: N.
        loyalty: ℓ, or θ in TR-3, in [0, 1].
        phi_B: weight on the team-mates' mean payoff.
        phi_C: warm glow of own effort.
        smoothing: ε of the formal edition.

    Raises:
        ValueError: as in `team_equilibrium`.
    """
    return team_equilibrium(productivity, beta, cost, n_agents, loyalty * phi_B, loyalty * phi_C, smoothing)


def public_good_equilibrium(
    multiplier: float, n_agents: int, theta: float, k: float, q: float, endowment: float
) -> float:
    """Return the contribution share c at which (k + q c - M/N)(1 + e c) = θ, or the corner beyond which that lies.

    Each of N members with endowment e gets M mean(a) and pays k a + q a²/(2 e) less θ ln(1 + a) (formal edition §3.15).
    With θ = q = 0 it is the textbook game: contribute nothing if M < k N (Ledyard 1995).

    Args:
        multiplier: M.
        n_agents: N.
        theta: own-use value θ.
        k: linear cost.
        q: quadratic cost.
        endowment: e, units, the same for all.

    Raises:
        ValueError: every contribution is as good as any other.
    """
    return _contribution(multiplier / n_agents, theta, k, q, endowment)


def public_good_optimum(multiplier: float, theta: float, k: float, q: float, endowment: float) -> float:
    """Return the contribution share that is best for all, (k + q c - M)(1 + e c) = θ. Arguments as above.

    Raises:
        ValueError: every contribution is as good as any other.
    """
    return _contribution(multiplier, theta, k, q, endowment)


def released_equilibrium(theta: float, gamma: float, n_agents: int, weight: float = 0.0) -> float:
    """Return the symmetric coopetitive equilibrium of the released edition, a = θ/(1 - κ) - 1, action units.

    κ = γ (1 + (N - 1) w) / N² from value θ ln(1 + a), synergy γ times the geometric mean, equal shares 1/N and weight w
    on every other payoff (TR-1 Eq. 6-13). Interior solution: cut it off at the endowment.

    Args:
        theta: own-use value θ.
        gamma: synergy weight γ < 1.
        n_agents: N.
        weight: w = T D: 0 is the private Nash equilibrium, D the coopetitive one at full trust.
    """
    return _released(theta, gamma * (1.0 + (n_agents - 1) * weight) / n_agents**2)


def released_optimum(theta: float, gamma: float, n_agents: int) -> float:
    """Return the symmetric optimum of the released edition, a = θ/(1 - γ/N) - 1, action units (TR-1 Eq. 6-11)."""
    return _released(theta, gamma / n_agents)


def _contribution(kept: float, theta: float, k: float, q: float, endowment: float) -> float:
    """Maximiser on [0, 1] of (m - k) c - q c²/2 + (θ/e) ln(1 + e c), m what a contributor cares for per unit given."""
    loss = k - kept
    if loss == theta == q == 0.0:
        raise ValueError("a contribution returns exactly what it costs: every share is a solution")
    linear = loss * endowment + q
    if q > 0.0:
        root = math.sqrt(linear**2 - 4.0 * q * endowment * (loss - theta))
        share = (root - linear) / (2.0 * q * endowment)
    elif loss > 0.0:
        share = (theta / loss - 1.0) / endowment
    else:
        share = math.inf
    return min(max(share, 0.0), 1.0)


def _released(theta: float, kept_synergy: float) -> float:
    return theta / (1.0 - kept_synergy) - 1.0
