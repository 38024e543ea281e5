"""Reward modes: pure maps from what a step paid to what it is worth to each agent.

Every mode is differentiable, keeps nothing between steps and runs on any backend. It never touches the game: the same
step can be read under every mode.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.step import Step


class RewardLayer(ABC):
    """Whatever an interface takes as ``reward`` besides text: a mode, or a mode followed by transforms.

    Derive modes of your own from `RewardMode` and transforms from `RewardTransform`.
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The name that records carry and that `reward_layer` parses back where it can."""

    def check(self, game: AnyGame) -> None:
        """Refuse a game that the reward does not fit.

        Raises:
            ValueError: it does not.
        """


class RewardMode(RewardLayer):
    """What a step is worth to each agent, ``mode(step) -> (..., N)``. Modes are immutable and hashable.

    >>> class WorstOff(RewardMode):
    ...     name = "worst off"
    ...     def __call__(self, step):
    ...         return step.transition.payoffs.min(-1, keepdims=True) + 0.0 * step.transition.payoffs
    >>> from coopgym import make_game, play
    >>> step = next(play.unroll(make_game("TrustDilemma-v1"), lambda t, _: np.array([20.0, 80.0]), draws=play.NOMINAL))
    >>> step.transition.payoffs.round(2), WorstOff()(step).round(2)
    (array([2.09, 0.97]), array([0.97, 0.97]))
    """

    version: ClassVar[int] = 1
    """Raise it when the same payoffs may give other rewards than before: it is part of the identity of every run."""
    impartial: ClassVar[bool] = False
    """Whether swapping any two agents' payoffs and relations swaps their rewards. Solvers treat agents as exchangeable
    players only under modes that say so."""
    private: ClassVar[bool] = False
    """Whether each agent is to know nothing of what others earn: transforms then see what the agent itself sees."""
    degree: float | None = None
    """λ of the mutuality continuum; None for modes that are no point of it."""
    summary: ClassVar[str] = ""
    """What it rewards, in words that language models read after its name."""

    @abstractmethod
    def __call__(self, step: Step) -> Array:
        """Return rewards ``(..., N)``."""

    def treats_alike(self, i: int, j: int) -> bool:
        """Whether swapping agents i and j swaps their rewards and leaves all others."""
        return self.impartial


def text_of(number: float) -> str:
    """Return the shortest text that reads back as the same number."""
    return repr(float(number)).removesuffix(".0")


def _mean_for_all(values: Array, game: AnyGame) -> Array:
    """The mean over agents, given to each of them."""
    mean = values.sum(-1)[..., None] / values.shape[-1]
    return game.xp.broadcast_to(mean, values.shape)


@dataclass(frozen=True)
class Private(RewardMode):
    """Each agent is rewarded with its own payoff.

    >>> from coopgym import make_game, play
    >>> step = next(play.unroll(make_game("TrustDilemma-v1"), lambda t, _: np.array([20.0, 80.0]), draws=play.NOMINAL))
    >>> Private()(step).round(2)  # who gives less has more
    array([2.09, 0.97])
    """

    name = "private"
    impartial = True
    private = True

    def __call__(self, step: Step) -> Array:
        return step.transition.payoffs


@dataclass(frozen=True)
class Integrated(RewardMode):
    """Own payoff, trust-gated weights on partners' payoffs and relational utility, divided by Z (TR-1 Eq. 13).

    >>> from coopgym import make_game, play
    >>> step = next(play.unroll(make_game("TrustDilemma-v1"), lambda t, _: np.array([20.0, 80.0]), draws=play.NOMINAL))
    >>> step.transition.weights[0]  # trust times dependence, 0.5 · 0.6
    array([0. , 0.3])
    >>> step.transition.payoffs.round(2), Integrated()(step).round(2)
    (array([2.09, 0.97]), array([2.39, 1.6 ]))
    """

    name = "integrated"
    impartial = True

    def __call__(self, step: Step) -> Array:
        game, transition = step.game, step.transition
        utilities = transition.utilities()
        if transition.relational is not None:
            utilities = utilities + transition.relational
        return utilities if game.reward_normaliser == 1.0 else utilities / game.reward_normaliser


@dataclass(frozen=True)
class Cooperative(RewardMode):
    """Everybody gets the same: the mean of what the game says that agents have in common, payoffs as a rule.

    >>> from coopgym import make_game, play
    >>> step = next(play.unroll(make_game("TrustDilemma-v1"), lambda t, _: np.array([20.0, 80.0]), draws=play.NOMINAL))
    >>> step.transition.payoffs.round(2), Cooperative()(step).round(2)
    (array([2.09, 0.97]), array([1.53, 1.53]))
    """

    name = "cooperative"
    impartial = True

    def __call__(self, step: Step) -> Array:
        return _mean_for_all(step.game.common_interest(step.transition), step.game)


@dataclass(frozen=True)
class Mutuality(RewardMode):
    """The continuum from private (λ = 0) to the mean payoff for everyone (λ = 1).

    >>> from coopgym import make_game, play
    >>> step = next(play.unroll(make_game("TrustDilemma-v1"), lambda t, _: np.array([20.0, 80.0]), draws=play.NOMINAL))
    >>> for degree in (0.0, 0.5, 1.0):
    ...     print(Mutuality(degree)(step).round(2))
    [2.09 0.97]
    [1.81 1.25]
    [1.53 1.53]
    """

    summary = "The continuum from private (λ = 0) to the mean payoff for everyone (λ = 1)"
    impartial = True
    degree: float

    def __post_init__(self) -> None:
        if not 0.0 <= self.degree <= 1.0:
            raise ValueError(f"mutuality={self.degree!r}: expected a number in [0, 1]")

    @property
    def name(self) -> str:
        return f"mutuality={text_of(self.degree)}"

    def __call__(self, step: Step) -> Array:
        payoffs = step.transition.payoffs
        return (1.0 - self.degree) * payoffs + self.degree * _mean_for_all(payoffs, step.game)


@dataclass(frozen=True)
class SocialValueOrientation(RewardMode):
    """cos(φ) own payoff + sin(φ) mean payoff of the others (McKee et al. 2020; Griesinger & Livingston 1973).

    Attributes:
        degrees: φ in degrees; 0 individualistic, 45 prosocial, 90 altruistic, -45 competitive.

    >>> from coopgym import make_game, play
    >>> step = next(play.unroll(make_game("TrustDilemma-v1"), lambda t, _: np.array([20.0, 80.0]), draws=play.NOMINAL))
    >>> for degrees in (0, 45, 90):
    ...     print(SocialValueOrientation(degrees)(step).round(2))
    [2.09 0.97]
    [2.17 2.17]
    [0.97 2.09]
    """

    summary = "cos(φ) own payoff + sin(φ) mean payoff of the others (McKee et al. 2020; Griesinger & Livingston 1973)"
    impartial = True
    degrees: float

    def __post_init__(self) -> None:
        if not -180.0 <= self.degrees <= 180.0:
            raise ValueError(f"svo={self.degrees!r}: expected an angle in degrees in [-180, 180]")

    @property
    def name(self) -> str:
        return f"svo={text_of(self.degrees)}"

    def __call__(self, step: Step) -> Array:
        angle, payoffs = math.radians(self.degrees), step.transition.payoffs
        others = (payoffs.sum(-1)[..., None] - payoffs) / max(1, payoffs.shape[-1] - 1)
        return math.cos(angle) * payoffs + math.sin(angle) * others


@dataclass(frozen=True)
class InequityAversion(RewardMode):
    """Own payoff less envy and guilt over payoff differences (Fehr & Schmidt 1999, Eq. 1).

    Attributes:
        envy: α ≥ 0, weight on disadvantageous differences.
        guilt: β in [0, 1), weight on advantageous differences; the theory assumes β ≤ α.

    >>> from coopgym import make_game, play
    >>> step = next(play.unroll(make_game("TrustDilemma-v1"), lambda t, _: np.array([20.0, 80.0]), draws=play.NOMINAL))
    >>> step.transition.payoffs.round(2), InequityAversion(envy=1.0, guilt=0.5)(step).round(2)
    (array([2.09, 0.97]), array([ 1.53, -0.14]))
    """

    summary = "Own payoff less envy and guilt over payoff differences (Fehr & Schmidt 1999, Eq. 1)"
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
        return f"inequity={text_of(self.envy)},{text_of(self.guilt)}"

    def __call__(self, step: Step) -> Array:
        payoffs, xp = step.transition.payoffs, step.game.xp
        ahead = payoffs[..., :, None] - payoffs[..., None, :]
        disutility = self.envy * xp.maximum(-ahead, 0.0) + self.guilt * xp.maximum(ahead, 0.0)
        return payoffs - disutility.sum(-1) / max(1, payoffs.shape[-1] - 1)


@dataclass(frozen=True)
class PayoffMatrix(RewardMode):
    """Any linear map of payoffs, r_i = Σ_j M_ij π_j.

    Attributes:
        matrix: N rows of N finite numbers.

    >>> from coopgym import make_game, play
    >>> step = next(play.unroll(make_game("TrustDilemma-v1"), lambda t, _: np.array([20.0, 80.0]), draws=play.NOMINAL))
    >>> PayoffMatrix(((1.0, 0.0), (1.0, 1.0)))(step).round(2)  # agent 1 counts both payoffs
    array([2.09, 3.07])
    """

    summary = "Any linear map of payoffs, r_i = Σ_j M_ij π_j"
    matrix: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        array = np.asarray(self.matrix, dtype=np.float64)
        if array.ndim != 2 or array.shape[0] != array.shape[1] or not np.isfinite(array).all():
            raise ValueError(f"reward matrix: expected a square matrix of finite numbers, got shape {array.shape}")
        object.__setattr__(self, "matrix", tuple(tuple(row) for row in array.tolist()))

    @property
    def name(self) -> str:
        rows = ";".join(",".join(text_of(entry) for entry in row) for row in self.matrix)
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

    def __call__(self, step: Step) -> Array:
        self.check(step.game)
        return step.transition.payoffs @ step.game.backend.array(self.matrix).T


NAMED: Mapping[str, RewardMode] = {mode.name: mode for mode in (Private(), Integrated(), Cooperative())}
"""The modes that take no numbers."""


def _mutuality(argument: str) -> RewardMode:
    return Mutuality(float(argument))


def _orientation(argument: str) -> RewardMode:
    return SocialValueOrientation(float(argument))


def _inequity(argument: str) -> RewardMode:
    envy, guilt = argument.split(",")
    return InequityAversion(float(envy), float(guilt))


def _matrix(argument: str) -> RewardMode:
    return PayoffMatrix(tuple(tuple(_row(row)) for row in argument.split(";")))


def _row(text: str) -> Sequence[float]:
    return [float(entry) for entry in text.split(",")]


FAMILIES: Mapping[str, tuple[str, Callable[[str], RewardMode]]] = {
    "mutuality": ("mutuality=λ", _mutuality),
    "svo": ("svo=degrees", _orientation),
    "inequity": ("inequity=envy,guilt", _inequity),
    "matrix": ("matrix=a,b;c,d", _matrix),
}
"""The modes that take numbers, by what their text begins with: how they are written, and how they are read."""
