"""Survey before play: pay analysts to find out which situation a game is in, then choose how much to cooperate.

The principal is a seat of a game, or all of them together, that does not know something payoffs depend on: a hidden
synergy weight is high or low, an alliance is in one phase or another. What a level of cooperation brings in each
situation is the stage payoff of the game itself, scaled to [0, 1].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame
from coopgym.oracles.finite.rounding import spread
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.games.rollout import initial_state
from coopgym.oracles.mechanism_design.hiring import Contract, HiringProblem
from coopgym.typing import FloatArray

Chooser: TypeAlias = Literal["seat", "all"]
ACCURACIES = (0.8, 0.75)
LEVELS = 101
COST_SHARE = 0.1
"""Part of what perfect information is worth that work costs each analyst, where nothing else is said."""
HALVES = (0.25, 0.75)
"""Places in the range of a hidden number that stand for its lower and its upper half."""


@dataclass(frozen=True, eq=False)
class Survey:
    """A game whose situation analysts can be paid to find out."""

    game: str
    situations: tuple[str, ...]
    """Names of the states of the world."""
    shares: FloatArray
    """``(A,)`` shares of endowment that the principal chooses from."""
    payoffs: FloatArray
    """``(A, Θ)`` stage payoff of the principal, mean over seats where all choose together."""
    problem: HiringProblem
    """In utility from 0, the least payoff of the table, to 1, the largest."""

    @property
    def unit(self) -> float:
        """Payoff that a utility of one stands for."""
        return float(np.ptp(self.payoffs))

    @property
    def best_shares(self) -> FloatArray:
        """Best share in each situation, ``(Θ,)``."""
        return self.shares[self.payoffs.argmax(0)]

    @property
    def blind_share(self) -> float:
        """Best share for whoever knows the prior alone."""
        return float(self.shares[(self.payoffs @ self.problem.prior).argmax()])

    @property
    def worth_of_knowing(self) -> float:
        """Payoff per step that perfect information is worth."""
        return self.unit * (self.problem.informed_value - self.problem.blind_value)

    def gained(self, contract: Contract) -> float:
        """Payoff per step that a contract brings, payments deducted, above deciding blindly."""
        return self.unit * (contract.value - self.problem.blind_value)


def survey_before_play(
    game: AnyGame,
    alternatives: Mapping[str, AnyGame] | None = None,
    *,
    chooser: Chooser = "seat",
    seat: int = 0,
    accuracies: Sequence[float] = ACCURACIES,
    costs: Sequence[float] | None = None,
    pay_cap: float | None = None,
    prior: npt.ArrayLike | None = None,
    levels: int = LEVELS,
) -> Survey:
    """Return the survey of a game.

    Args:
        game: on the NumPy backend.
        alternatives: by name, the game as it may be; None takes what the game says it hides, each half of its range.
        chooser: whether one seat chooses, while the others play the norm, or all choose one level together.
        seat: which.
        accuracies: of the analysts: how likely their report is right if they work; otherwise they know nothing.
        costs: of work, utility units, none below zero; None is a tenth of what perfect information is worth.
        pay_cap: M, utility units; None is what perfect information is worth.
        prior: of the situations; None is even.
        levels: shares to choose from, from 0 to 1.

    Raises:
        ValueError: nothing is hidden and no alternatives are given, situations that pay alike or differ in their
            seats, no analyst, an accuracy that is no better than a guess, or work that costs less than nothing.

    >>> survey = survey_before_play(coopgym.make_game("SynergySearch-v1"), chooser="all")
    >>> survey.situations, survey.best_shares, survey.blind_share
    (('gamma=2.3', 'gamma=2.7'), array([0.51, 0.77]), 0.63)
    """
    stages = (
        hidden_situations(game) if alternatives is None else {name: StageGame(g) for name, g in alternatives.items()}
    )
    if len(stages) < 2:
        raise ValueError(f"alternatives={list(stages)}: expected at least two situations to tell apart")
    if len({game.n_agents, *(stage.n_agents for stage in stages.values())}) > 1:
        counts = ", ".join(f"{stage.n_agents} in {name}" for name, stage in stages.items())
        raise ValueError(f"seats: {game.n_agents} in {game.id}, {counts}; expected situations with the same seats")
    if not 0 <= seat < game.n_agents:
        raise ValueError(f"seat={seat!r}: {game.id} has seats 0 to {game.n_agents - 1}")
    if levels < 2:
        raise ValueError(f"levels={levels!r}: expected at least two shares to choose from")
    shares = np.linspace(0.0, 1.0, levels)
    payoffs = np.stack([_payoffs(stage, shares, chooser, seat) for stage in stages.values()], axis=1)
    belief = np.full(len(stages), 1.0 / len(stages)) if prior is None else np.asarray(prior, dtype=np.float64)
    if belief.shape != (len(stages),) or (belief < 0.0).any() or abs(belief.sum() - 1.0) > 1e-9:
        raise ValueError(f"prior={prior!r}: expected {len(stages)} probabilities that sum to one")
    if not spread(payoffs):
        raise ValueError(f"{game.id}: payoffs do not depend on what is chosen")
    utility = (payoffs - payoffs.min()) / np.ptp(payoffs)
    worth = float(utility.max(0) @ belief - (utility @ belief).max())
    if worth < 1e-9:
        raise ValueError(
            f"{game.id}: the best share is the same in {', '.join(stages)}; knowing which it is would be worth nothing"
        )
    own = [COST_SHARE * worth] * len(accuracies) if costs is None else list(costs)
    if any(cost < 0.0 for cost in own):
        raise ValueError(f"costs={own}: expected numbers of at least 0, what work costs each analyst")
    problem = HiringProblem.independent(
        costs=[[0.0, cost] for cost in own],
        prior=belief,
        signals=[_signals(accuracy, len(stages)) for accuracy in accuracies],
        utility=utility,
        pay_cap=worth if pay_cap is None else pay_cap,
    )
    return Survey(game.id, tuple(stages), shares, payoffs, problem)


def hidden_situations(game: AnyGame) -> dict[str, StageGame]:
    """Return the stage game with each half of what a game hides, by name.

    Payoffs are linear in what formal games hide, so that the middle of a half stands for all of it.

    Raises:
        ValueError: the game hides nothing.
    """
    hidden = game.traits().hidden
    if not hidden:
        raise ValueError(
            f"{game.id} hides nothing from its seats; say what may be the case by alternatives, for instance the game "
            "with different parameters"
        )
    found: dict[str, StageGame] = {}
    for name, (low, high) in hidden.items():
        for place in HALVES:
            value = float(low) + place * (float(high) - float(low))
            found[f"{name}={value:.4g}"] = StageGame(game, state=initial_state(game, **{name: value}))
    return found


def _payoffs(stage: StageGame, shares: FloatArray, chooser: str, seat: int) -> FloatArray:
    """Return what each share brings the principal, ``(A,)``."""
    if chooser == "all":
        return np.asarray(stage.payoffs(np.repeat(shares[:, None], stage.n_agents, axis=1)).mean(-1))
    if chooser != "seat":
        raise ValueError(f"chooser={chooser!r}: expected 'seat' or 'all'")
    profiles = np.tile(stage.norm, (len(shares), 1))
    profiles[:, seat] = shares
    return np.asarray(stage.payoffs(profiles)[:, seat])


def _signals(accuracy: float, situations: int) -> Any:
    """Return probabilities of signals ``(2, Θ, Θ)`` without and with work."""
    guess = 1.0 / situations
    if not guess < accuracy <= 1.0:
        raise ValueError(f"accuracies: {accuracy!r} is no better than a guess; expected above {guess:.3g}, up to 1")
    wrong = (1.0 - accuracy) / (situations - 1)
    working = np.where(np.eye(situations) > 0.0, accuracy, wrong)
    return np.stack([np.full((situations, situations), guess), working])
