"""The reward layer: from payoffs (what an accountant sees) to rewards (what a learner gets).

A mode is a linear map of payoffs plus, where it says so, the relational utility of the transition. The layer never
touches the game: the same transition can be read under every mode.
"""

from __future__ import annotations

import difflib
import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coopgym.backend import Array, Namespace
from coopgym.games.game import AnyGame, Transition


class RewardLayer(ABC):
    """Turns a transition's payoffs into one reward per agent."""

    version: ClassVar[int] = 1
    """Raise it when the same payoffs may give other rewards than before: it is part of the identity of every run."""
    impartial: ClassVar[bool] = False
    """Whether swapping any two agents' payoffs and relations swaps their rewards. Solvers treat agents as exchangeable
    players only under layers that say so."""
    degree: float | None = None
    """λ of the mutuality continuum; None for layers that are no point of it."""

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that records carry and that `reward_layer` parses back where it can."""

    @abstractmethod
    def base(self, game: AnyGame, transition: Transition) -> Array:
        """Rewards ``(..., N)`` before the released edition's multipliers and penalties."""

    def treats_alike(self, i: int, j: int) -> bool:
        """Whether swapping agents i and j swaps their rewards and leaves all others."""
        return self.impartial

    def check(self, game: AnyGame) -> None:
        """Refuse a game that the layer does not fit.

        Raises:
            ValueError: it does not.
        """

    def __call__(self, game: AnyGame, transition: Transition) -> Array:
        """Return rewards ``(..., N)`` for a transition of ``game``."""
        rewards = self.base(game, transition)
        if transition.multiplier is not None:
            rewards = rewards * transition.multiplier
        if transition.penalty is not None:
            rewards = rewards - transition.penalty
        return rewards


def _utilities(transition: Transition) -> Array:
    """Payoffs plus weighted partners' payoffs, π + Wπ (TR-1 Eq. 13)."""
    payoffs, weights = transition.payoffs, transition.weights
    return payoffs + (weights @ payoffs if payoffs.ndim == 1 else (weights @ payoffs[..., None])[..., 0])


def _text(number: float) -> str:
    """The shortest text that reads back as the same number."""
    return repr(float(number)).removesuffix(".0")


def _mean_for_all(values: Array, xp: Namespace) -> Array:
    """The mean over agents, given to each of them."""
    mean = values.sum(-1)[..., None] / values.shape[-1]
    return xp.broadcast_to(mean, values.shape)


@dataclass(frozen=True)
class Private(RewardLayer):
    """Each agent is rewarded with its own payoff."""

    name = "private"
    impartial = True

    def base(self, game: AnyGame, transition: Transition) -> Array:
        return transition.payoffs


@dataclass(frozen=True)
class Integrated(RewardLayer):
    """Own payoff, trust-gated weights on partners' payoffs and relational utility, divided by Z (TR-1 Eq. 13)."""

    name = "integrated"
    impartial = True

    def base(self, game: AnyGame, transition: Transition) -> Array:
        utilities = _utilities(transition)
        if transition.relational is not None:
            utilities = utilities + transition.relational
        return utilities if game.reward_normaliser == 1.0 else utilities / game.reward_normaliser


@dataclass(frozen=True)
class Cooperative(RewardLayer):
    """Everybody gets the same: the mean payoff, or in the released edition the mean integrated utility."""

    name = "cooperative"
    impartial = True

    def base(self, game: AnyGame, transition: Transition) -> Array:
        released = game.spec.edition == "released"
        return _mean_for_all(_utilities(transition) if released else transition.payoffs, game.xp)


@dataclass(frozen=True)
class Mutuality(RewardLayer):
    """The continuum from private (λ = 0) to the mean payoff for everyone (λ = 1)."""

    impartial = True
    degree: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.degree <= 1.0:
            raise ValueError(f"mutuality={self.degree!r}: expected a number in [0, 1]")

    @property
    def name(self) -> str:
        return f"mutuality={_text(self.degree)}"

    def base(self, game: AnyGame, transition: Transition) -> Array:
        mean = _mean_for_all(transition.payoffs, game.xp)
        return (1.0 - self.degree) * transition.payoffs + self.degree * mean


@dataclass(frozen=True)
class SocialValueOrientation(RewardLayer):
    """cos(φ) own payoff + sin(φ) mean payoff of the others (McKee et al. 2020; Griesinger & Livingston 1973).

    Attributes:
        degrees: φ in degrees; 0 individualistic, 45 prosocial, 90 altruistic, -45 competitive.
    """

    impartial = True
    degrees: float

    def __post_init__(self) -> None:
        if not -180.0 <= self.degrees <= 180.0:
            raise ValueError(f"svo={self.degrees!r}: expected an angle in degrees in [-180, 180]")

    @property
    def name(self) -> str:
        return f"svo={_text(self.degrees)}"

    def base(self, game: AnyGame, transition: Transition) -> Array:
        angle, payoffs = math.radians(self.degrees), transition.payoffs
        others = (payoffs.sum(-1)[..., None] - payoffs) / max(1, payoffs.shape[-1] - 1)
        return math.cos(angle) * payoffs + math.sin(angle) * others


@dataclass(frozen=True)
class InequityAversion(RewardLayer):
    """Own payoff less envy and guilt over payoff differences (Fehr & Schmidt 1999, Eq. 1).

    Attributes:
        envy: α ≥ 0, weight on disadvantageous differences.
        guilt: β in [0, 1), weight on advantageous differences; the theory assumes β ≤ α.
    """

    impartial = True
    envy: float
    guilt: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.envy) and self.envy >= 0.0):
            raise ValueError(f"envy={self.envy!r}: expected a finite number of at least 0")
        if not 0.0 <= self.guilt < 1.0:
            raise ValueError(f"guilt={self.guilt!r}: expected a number in [0, 1)")

    @property
    def name(self) -> str:
        return f"inequity={_text(self.envy)},{_text(self.guilt)}"

    def base(self, game: AnyGame, transition: Transition) -> Array:
        payoffs, xp = transition.payoffs, game.xp
        ahead = payoffs[..., :, None] - payoffs[..., None, :]
        disutility = self.envy * xp.maximum(-ahead, 0.0) + self.guilt * xp.maximum(ahead, 0.0)
        return payoffs - disutility.sum(-1) / max(1, payoffs.shape[-1] - 1)


@dataclass(frozen=True)
class PayoffMatrix(RewardLayer):
    """Any linear map of payoffs, r_i = Σ_j M_ij π_j.

    Attributes:
        matrix: N rows of N finite numbers.
    """

    matrix: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        array = np.asarray(self.matrix, dtype=np.float64)
        if array.ndim != 2 or array.shape[0] != array.shape[1] or not np.isfinite(array).all():
            raise ValueError(f"reward matrix: expected a square matrix of finite numbers, got shape {array.shape}")
        object.__setattr__(self, "matrix", tuple(tuple(row) for row in array.tolist()))

    @property
    def name(self) -> str:
        rows = ";".join(",".join(_text(entry) for entry in row) for row in self.matrix)
        return f"matrix={rows}"

    def treats_alike(self, i: int, j: int) -> bool:
        order = list(range(len(self.matrix)))
        order[i], order[j] = j, i
        matrix = np.asarray(self.matrix)
        return bool((matrix[np.ix_(order, order)] == matrix).all())

    def check(self, game: AnyGame) -> None:
        if len(self.matrix) != game.n_agents:
            size = len(self.matrix)
            raise ValueError(f"reward matrix is {size}×{size}, but {game.id} has {game.n_agents} agents")

    def base(self, game: AnyGame, transition: Transition) -> Array:
        self.check(game)
        return transition.payoffs @ game.backend.array(self.matrix).T


MODES: dict[str, RewardLayer] = {layer.name: layer for layer in (Private(), Integrated(), Cooperative())}
"""The three named modes."""

_FORMS = "private, integrated, cooperative, mutuality=λ, svo=degrees, inequity=envy,guilt, matrix=a,b;c,d"


def reward_layer(reward: str | RewardLayer) -> RewardLayer:
    """Return the layer that a mode name or layer stands for.

    Args:
        reward: ``"private"``, ``"integrated"``, ``"cooperative"``, ``"mutuality=0.5"``, ``"svo=45"``,
            ``"inequity=1,0.5"``, ``"matrix=1,0;0,1"`` or a layer.

    Raises:
        ValueError: not a known form, or a number out of range.
        TypeError: neither text nor a layer.
    """
    if isinstance(reward, RewardLayer):
        return reward
    if not isinstance(reward, str):
        raise TypeError(f"reward={reward!r}: expected a mode name or a RewardLayer; names: {_FORMS}")
    if reward in MODES:
        return MODES[reward]
    family, _, argument = reward.partition("=")
    try:
        match family:
            case "mutuality":
                return Mutuality(float(argument))
            case "svo":
                return SocialValueOrientation(float(argument))
            case "inequity":
                envy, guilt = argument.split(",")
                return InequityAversion(float(envy), float(guilt))
            case "matrix":
                return PayoffMatrix(tuple(tuple(_row(row)) for row in argument.split(";")))
    except ValueError as error:
        raise ValueError(f"reward={reward!r}: {error}; known forms: {_FORMS}") from error
    near = difflib.get_close_matches(reward, MODES, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    raise ValueError(f"unknown reward {reward!r}; {hint}known forms: {_FORMS}")


def _row(text: str) -> Sequence[float]:
    return [float(entry) for entry in text.split(",")]
