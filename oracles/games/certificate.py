"""Certificates: which dilemma a game is, computed afresh for any parameters (formal edition §1.11)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from coopgym.games.game import AnyGame
from coopgym.games.registry import make_game
from coopgym.oracles.games.commitment import Commitment, commitment
from coopgym.oracles.games.coopetitive_path import CoopetitivePath, NoStageEquilibriumError, coopetitive_path
from coopgym.oracles.games.dilemma import (
    Dilemma,
    Schelling,
    dilemma,
    fear,
    greed,
    mutuality_path,
    schelling,
)
from coopgym.oracles.games.equilibrium import Equilibria
from coopgym.oracles.games.mechanism import (
    EnforcedAgreement,
    ValueOfInformation,
    WithoutMechanism,
    enforced_agreement,
    value_of_information,
    without_mechanism,
)
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.games.rollout import initial_state
from coopgym.typing import FloatArray

LEAST_PRICE_OF_ANARCHY = 1.15
"""Price of anarchy from which the formal edition counts a game as a dilemma."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """The dilemma a game is: its stage game at reset and at full trust, commitment play, and its mechanism's effect."""

    game: AnyGame
    groups: tuple[tuple[int, ...], ...]
    """Exchangeable seats; a profile is given by one share per group."""
    at_reset: Dilemma
    """The stage game at reset."""
    trusting: Dilemma
    """The stage game at full trust, no damage."""
    greed: FloatArray
    """``(N,)`` best gain of each seat at the optimum, payoff units."""
    fear: FloatArray | None
    """``(N,)`` loss of a lone cooperator at the private equilibrium, payoff units; None without an equilibrium."""
    schelling: Schelling | None
    mutuality: dict[float, Equilibria]
    """Equilibria between private (0) and cooperative (1) reward."""
    evolving: CoopetitivePath | None
    """Coopetitive play while trust moves with it; None where it meets a state without stage equilibrium."""
    commitment: Commitment
    without_mechanism: WithoutMechanism | None
    agreement: EnforcedAgreement | None
    information: ValueOfInformation | None

    @property
    def remarks(self) -> tuple[str, ...]:
        """What keeps the game from being a dilemma by the formal edition's standard; empty when it qualifies."""
        return tuple(reason for reason, holds in self.criteria().items() if not holds)

    def criteria(self) -> dict[str, bool]:
        """Whether each condition for a certified dilemma holds, named by what its failure means."""
        start = self.at_reset
        nash, optimum, norm = start.reported_nash, start.optimum.profile, StageGame(self.game).norm
        dear = (start.price_of_anarchy or 0.0) >= LEAST_PRICE_OF_ANARCHY
        fearful = self.fear is not None and bool((self.fear > 0.0).all())
        found = {
            "no private equilibrium was found": nash is not None,
            "the private equilibrium is not unique": start.nash.unique,
            "the coopetitive equilibrium is not unique": start.coopetitive.unique,
            f"the price of anarchy is below {LEAST_PRICE_OF_ANARCHY}": dear,
            "somebody has no greed: leaving the optimum gains nothing": bool((self.greed > 0.0).all()),
            "somebody has no fear: cooperating alone costs nothing": fearful,
            "the optimum is at a corner": start.optimum.interior,
        }
        if nash is not None and start.coopetitive.found:
            coopetitive = start.coopetitive.found[0].profile
            found |= {
                "a private equilibrium is at a corner": all(point.interior for point in start.nash.found),
                "not private < coopetitive < optimum for every seat": bool(
                    ((nash.profile < coopetitive) & (coopetitive < optimum)).all()
                ),
                "not private < norm < optimum for every seat": bool(((nash.profile < norm) & (norm < optimum)).all()),
            }
        return found

    @property
    def qualifies(self) -> bool:
        """Whether the game is a dilemma by the formal edition's standard."""
        return not self.remarks


def certify(game: str | AnyGame, **parameters: Any) -> Certificate:
    """Compute the certificate of a game with any parameters.

    Args:
        game: an id such as ``"TeamProduction-v1"``, or a game on the NumPy backend.
        parameters: keywords of the game, when an id is given.

    Raises:
        ValueError: an unknown id, or a parameter out of range.
        TypeError: an unknown parameter, or parameters beside a game that has its own.
    """
    if not isinstance(game, str) and parameters:
        raise TypeError(f"{game.id}: parameters {', '.join(parameters)} beside a game that has its own; pass an id")
    made = make_game(game, **parameters) if isinstance(game, str) else game
    start = dilemma(made)
    stage, optimum, nash = StageGame(made), start.optimum.profile, start.reported_nash
    return Certificate(
        game=made,
        groups=stage.groups,
        at_reset=start,
        trusting=dilemma(made, initial_state(made, trust=1.0, damage=0.0)),
        greed=greed(stage, optimum),
        fear=None if nash is None else fear(stage, nash.profile, optimum),
        schelling=None if nash is None else schelling(stage, nash.profile, optimum),
        mutuality=mutuality_path(made),
        evolving=_coopetitive_path(made),
        commitment=commitment(made, optimum),
        without_mechanism=without_mechanism(made),
        agreement=enforced_agreement(made, float(optimum[0])),
        information=value_of_information(made),
    )


def _coopetitive_path(game: AnyGame) -> CoopetitivePath | None:
    try:
        return coopetitive_path(game)
    except NoStageEquilibriumError:
        return None
