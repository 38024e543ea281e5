"""What a game's named mechanism does: the same game with the mechanism switched off, and two effects of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.games.traits import MECHANISM_OFF
from coopgym.oracles.games.best_response import best_response
from coopgym.oracles.games.commitment import Commitment, commitment
from coopgym.oracles.games.dilemma import Dilemma, dilemma, worst
from coopgym.oracles.games.equilibrium import find_equilibria
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.games.optimum import welfare_optimum
from coopgym.oracles.games.rollout import initial_state
from coopgym.play import expected_step

BREACH = 0.1
"""Share played by a seat that breaks an agreement."""


@dataclass(frozen=True, eq=False)
class WithoutMechanism:
    """The game with its mechanism off."""

    at_reset: Dilemma
    """The stage game at reset."""
    trusting: Dilemma
    """The stage game at full trust, no damage."""
    commitment: Commitment
    """With what single starts lead to, without basins."""


@dataclass(frozen=True)
class EnforcedAgreement:
    """What an agreement at the optimum changes, with and without enforcement."""

    greed: tuple[float, float]
    """Best gain from leaving the agreed level."""
    deviation: tuple[float, float]
    """Where the best deviation goes, share."""
    trust_after_breach: tuple[float, float]
    """The victim's trust after a drop to 10 %."""


@dataclass(frozen=True)
class ValueOfInformation:
    """What the hidden synergy weight moves; entries are for its low end, middle and high end."""

    optimum: tuple[float, ...]
    nash: tuple[float | None, ...]
    """The equilibrium with the lowest welfare; None where there is none."""
    gain_from_knowing: float
    """Expected welfare of optimal play that knows the weight over the best that does not, less one."""
    loss_of_low_belief_at_high: float
    """Part of welfare lost by acting on the low end when the weight is high."""


def without_mechanism(game: AnyGame) -> WithoutMechanism | None:
    """Solve a game with its mechanism off; None where it has no switch (the released edition)."""
    switched = game.traits().switches.get(MECHANISM_OFF)
    if switched is None:
        return None
    off = type(game)(switched, game.backend)
    start = dilemma(off)
    return WithoutMechanism(
        at_reset=start,
        trusting=dilemma(off, initial_state(off, trust=1.0, damage=0.0)),
        commitment=commitment(off, start.optimum.profile, follow=False),
    )


def enforced_agreement(game: AnyGame, optimum: float) -> EnforcedAgreement | None:
    """Return what enforcement of an agreement at the optimal share does; None in games without agreements."""
    if not game.traits().agreements:
        return None
    together = np.full((1, 2), optimum)
    breach = np.array([BREACH, optimum]) * game.spec.endowments
    outcomes = []
    for agreed in (1.0, 0.0):
        state = initial_state(game, agreed=agreed, level=agreed * optimum)
        answer = best_response(StageGame(game, "private", state), together, 0)
        trust = expected_step(game, state, breach).state.trust[1, 0]
        outcomes.append((float(answer.gain[0]), float(answer.share[0]), float(trust)))
    on, off = outcomes
    return EnforcedAgreement(*zip(on, off, strict=True))


def value_of_information(game: AnyGame) -> ValueOfInformation | None:
    """Return what knowing the hidden synergy weight is worth; None in games that hide none.

    Expectations over the uniform weight are taken at nine Gauss-Legendre nodes. The weight enters payoffs linearly, so
    the best play that does not know it is the best at its mean.
    """
    support = game.traits().hidden.get("gamma")
    if support is None:
        return None
    low, high = support
    middle = 0.5 * (low + high)

    def welfare(weight: float, share: float) -> float:
        return float(StageGame(game, "private", initial_state(game, gamma=weight)).utilities([share, share]).mean())

    def best(weight: float) -> float:
        return float(welfare_optimum(StageGame(game, "private", initial_state(game, gamma=weight))).profile[0])

    def nash(weight: float) -> float | None:
        found = worst(find_equilibria(StageGame(game, "private", initial_state(game, gamma=weight))))
        return None if found is None else float(found.profile[0])

    nodes, masses = np.polynomial.legendre.leggauss(9)
    weights = middle + 0.5 * (high - low) * nodes
    knowing = sum(mass / 2.0 * welfare(weight, best(weight)) for weight, mass in zip(weights, masses, strict=True))
    return ValueOfInformation(
        optimum=tuple(best(weight) for weight in (low, middle, high)),
        nash=tuple(nash(weight) for weight in (low, middle, high)),
        gain_from_knowing=float(knowing / welfare(middle, best(middle)) - 1.0),
        loss_of_low_belief_at_high=1.0 - welfare(high, best(low)) / welfare(high, best(high)),
    )
