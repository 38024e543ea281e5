"""The seven oracles of the released edition as first published, kept so that results can be compared.

They control every seat, look at no reward mode, and most are one constant profile in action units. Several are not what
their names say: the games do not pay the utilities they solve. `coopgym.oracles.agents` computes the real ones.

Best responses are searched in single precision, as published. Where such a search stops wanders by 0.02 units, which
can decide on which side of a threshold a seat ends up: of five sellers who all but play everything they have, two reach
the premium tier one step after the others, which costs 0.08 % of the return.

Source: Coopetition-Gym v1.0 (arXiv:2605.02063) and the reports it cites (TR-1 to TR-4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from coopgym.games.released.base import ReleasedGame
from coopgym.games.released.collective_action import TeamGame
from coopgym.games.released.reciprocity import ReciprocityGame
from coopgym.mechanisms.reciprocity import reciprocity_effects, response, susceptibility
from coopgym.mechanisms.value import SYNERGY_FLOOR
from coopgym.typing import FloatArray

AnyReleased: TypeAlias = ReleasedGame[Any, Any]
AnyTeam: TypeAlias = TeamGame[Any, Any]
Single: TypeAlias = npt.NDArray[np.float32]
Utilities: TypeAlias = Callable[[Single], FloatArray]
"""Actions ``(N,)`` in units to utilities ``(N,)``."""

PLACEHOLDER_SYNERGY = 0.5
"""Synergy weight where the game draws its own at reset: what stands there before the first draw."""
INTERACTION = 0.2
"""Weight ρ of trust-gated interaction, a fallback: no game has the parameter."""
ASSUMED_TRUST = 0.95
"""Trust T̂ that the trust-aware oracle takes for granted, and that no other expects to exceed."""
EXPECTED_TRUST_GAIN = 0.35
EXPECTED_LOYALTY = 0.9
FALLBACK_NASH, FALLBACK_EFFORT = 50.0, 75.0
"""Efforts played where production is linear and the closed forms have no value."""
HEAD_START, PULL, RETURN = 0.4, 0.12, 0.05
"""Of bounded reciprocity: part of the way from the baseline to the endowment at which it starts, rate of the answer to
reciprocity per endowment, and rate of the return to the baseline."""
SWEEPS = 100
SETTLED = 1e-6
"""Change of actions, in units, below which best-response iteration stops."""


def equilibrium(game: AnyReleased) -> FloatArray:
    """Mutual best responses in π_i + Σ_j D_ij π_j, trust taken as full (TR-1 Eq. 13), ``(N,)`` units."""
    return _mutual_best_responses(game, lambda action: _coopetitive_utilities(game, action))


def trust_aware(game: AnyReleased) -> FloatArray:
    """Mutual best responses when ρ T̂ Σ_j (a_j - b_j) a_i is added (TR-2), ``(N,)`` units.

    From half the endowment the term outweighs the cost of investing, so that everybody plays all they have.
    """

    def utilities(action: Single) -> FloatArray:
        return _coopetitive_utilities(game, action) + _interaction(game, action, ASSUMED_TRUST).sum(-1)

    return _mutual_best_responses(game, utilities)


def nash(game: AnyTeam) -> FloatArray:
    """Symmetric Nash effort (ωβ / (c N^(2-β)))^(1/(1-β)) of team production (TR-3 Eq. 2), ``(N,)`` units."""
    team = game.team
    effort = FALLBACK_NASH if team.beta == 1.0 else team.equilibrium()
    return _everybody(game, effort)


def social_optimum(game: AnyTeam) -> FloatArray:
    """Effort per member (ωβ/c)^(1/(1-β)) / N that maximises team welfare (TR-3), ``(N,)`` units."""
    team = game.team
    effort = FALLBACK_EFFORT if team.beta == 1.0 else team.optimum()
    return _everybody(game, effort)


def loyalty(game: AnyTeam) -> FloatArray:
    """Effort ((ωβ / Nc) (1 + φ_B θ (N-1)) / (1 - φ_C θ))^(1/(1-β)) of members with loyalty θ 0.9, ``(N,)`` units."""
    team = game.team
    if team.beta == 1.0:
        return _everybody(game, FALLBACK_EFFORT)
    marginal = team.omega * team.beta / (team.n_agents * team.c)
    solidarity = 1.0 + team.phi_B * EXPECTED_LOYALTY * (team.n_agents - 1)
    warmth = 1.0 - team.phi_C * EXPECTED_LOYALTY
    return _everybody(game, float((marginal * solidarity / warmth) ** (1.0 / (1.0 - team.beta))))


def reciprocity_equilibrium(game: ReciprocityGame) -> FloatArray:
    """Mutual best responses with interaction and linear reciprocity above the norm at T̂ (TR-4), ``(N,)`` units."""
    endowments, baselines = game.spec.endowments.astype(np.float32), game.spec.baselines.astype(np.float32)
    trust = min(ASSUMED_TRUST, game.trust.initial_trust + EXPECTED_TRUST_GAIN)
    kind = game.reciprocity
    openness = susceptibility(_dependence(game), kind.strength, kind.rho_0, kind.eta, kind.omega)
    answered = trust * openness.sum(-1) * kind.kappa

    def utilities(action: Single) -> FloatArray:
        interaction = (_interaction(game, action, trust) / endowments[:, None]).sum(-1, dtype=np.float64)
        reciprocity = answered * np.maximum(action - baselines, 0.0) / endowments
        return _coopetitive_utilities(game, action) + interaction + reciprocity

    return _mutual_best_responses(game, utilities)


def bounded_reciprocity(game: ReciprocityGame) -> FloatArray:
    """Actions ``(steps, N)`` in units that follow a ← a + 0.12 e Σ_j E_ij tanh(κ_r s_j) - 0.05 (a - b) (TR-4 Eq. 44).

    s_j compares the last action with the mean of the last steps, that one included. Trust is the oracle's own, moved by
    s in action units, and soon gone: what remains is a return to the baseline.
    """
    spec, kind = game.spec, game.reciprocity
    level = spec.baselines + HEAD_START * (spec.endowments - spec.baselines)
    trust = np.full((spec.n_agents, spec.n_agents), game.trust.initial_trust)
    path: list[FloatArray] = []
    for _ in range(spec.horizon):
        deviation = path[-1] - np.mean(path[-kind.window :], axis=0) if path else np.zeros(spec.n_agents)
        building = 0.10 * deviation * np.maximum(ASSUMED_TRUST - trust, 0.0)
        erosion = 0.30 * deviation * trust
        trust = np.clip(trust + np.where(deviation > 0.0, building, erosion), 0.0, 1.0)
        answer = response(deviation, kind.kappa)
        pull = PULL * spec.endowments * reciprocity_effects(trust, game.susceptibility, answer).sum(-1)
        level = np.clip(level + pull - RETURN * (level - spec.baselines), 0.0, spec.endowments.max())
        path.append(level)
    return np.minimum(np.stack(path), spec.endowments)


def _coopetitive_utilities(game: AnyReleased, action: Single) -> FloatArray:
    spec = game.spec
    drawn = "gamma" in game.state_class.__dataclass_fields__
    weight = PLACEHOLDER_SYNERGY if drawn else game.value.gamma
    synergy = weight * _geometric_mean(np.maximum(action, SYNERGY_FLOOR))
    value = game.value.theta * np.log(1.0 + np.maximum(action, 0.0))
    payoffs = spec.endowments.astype(np.float32) - action + value + spec.shares.astype(np.float32) * synergy
    return payoffs + _dependence(game) @ payoffs.astype(np.float64)


def _geometric_mean(positive: Single) -> np.float32:
    with np.errstate(over="ignore"):
        product = np.prod(positive)
    # Of many seats, for which nothing was published, the product exceeds single precision.
    mean = product ** (1.0 / len(positive)) if np.isfinite(product) else np.exp(np.log(positive).mean())
    return np.float32(mean)


def _dependence(game: AnyReleased) -> FloatArray:
    """D as the publication stored it: rounded to single precision."""
    return game.spec.interdependence.astype(np.float32).astype(np.float64)


def _interaction(game: AnyReleased, action: Single, trust: float) -> Single:
    """Terms ρ T̂ (a_j - b_j) a_i of trust-gated interaction with each partner, ``(N, N)``, zero on the diagonal."""
    above = action - game.spec.baselines.astype(np.float32)
    terms = INTERACTION * trust * above * action[:, None]
    np.fill_diagonal(terms, 0.0)
    return terms


def _mutual_best_responses(game: AnyReleased, utilities: Utilities) -> FloatArray:
    """Best responses one seat after another, from half of the endowments, with the published stopping rule."""
    endowments = game.spec.endowments.astype(np.float32)
    action = 0.5 * endowments
    for _ in range(SWEEPS):
        before = action.copy()
        for seat, endowment in enumerate(endowments):
            action[seat] = _best_response(utilities, action, seat, endowment)
        if np.abs(action - before).max() < SETTLED:
            break
    return action.astype(np.float64)


def _best_response(utilities: Utilities, action: Single, seat: int, endowment: np.float32) -> float:
    tried = action.copy()

    def loss(own: float) -> float:
        tried[seat] = own
        return -float(utilities(tried)[seat])

    return float(minimize_scalar(loss, bounds=(0.0, endowment), method="bounded").x)


def _everybody(game: AnyReleased, effort: float) -> FloatArray:
    return np.minimum(effort, game.spec.endowments)
