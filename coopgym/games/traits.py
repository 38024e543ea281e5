"""What a game lets others know of its mathematics: signs, symmetries and an ideal state.

Oracles read traits where they would otherwise have to recognise a game, and `coopgym.testing.check_game` plays the game
to see whether they hold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from coopgym.backend import Array
from coopgym.games.parameters import Parameters
from coopgym.games.spec import GameSpec
from coopgym.games.state import State, state_arrays
from coopgym.typing import FloatArray
from coopgym.worlds import World

if TYPE_CHECKING:
    from coopgym.games.game import Game

StateT = TypeVar("StateT", bound=State)
Groups = tuple[tuple[int, ...], ...]
"""A partition of the seats; seats and groups in ascending order."""

Exchange = Literal["swap", "rotation"]
Dominance = Literal["payoffs", "welfare"]
MECHANISM_OFF = "without the mechanism"
"""The switch that takes out what a game is named for."""
TIME_AND_CHOICES = ("t", "last_action")
"""Parts of every state that are no stocks."""


@dataclass(frozen=True, eq=False)
class SocialWeights:
    """What one unit of a seat's payoff or effort adds at most to the sum of integrated rewards, before Z.

    Each array is ``(..., N)``; seat j is the one whose payoff or effort counts.
    """

    partners: FloatArray
    """Σ_i w_ij, weights of partners on j's payoff."""
    loyalty: FloatArray
    """φ_B Σ_i≠j ℓ_i, weights of loyal team-mates on j's surplus over its endowment."""
    effort: FloatArray
    """Warm glow and reciprocity per unit of j's cooperation."""


@dataclass(frozen=True, eq=False)
class WorldTraits:
    """What is drawn of a game's costs and synergy, and how its observations show what a seat earns."""

    kind: World
    """How factors are drawn, and who sees them."""
    spread: float
    """s: factors lie between 1/s and s."""
    least: FloatArray
    """``(N,)`` payoff of a step that ``payoff_share`` shows as 0, as all below it."""
    greatest: FloatArray
    """``(N,)`` payoff that it shows as 1, as all above it."""


@dataclass(frozen=True, eq=False)
class Traits:
    """What holds of a configured game. Whatever is not declared is not known, and nobody may rely on it."""

    exchangeable: Groups
    """Groups of seats with the same part and the same numbers."""
    exchange: Exchange | None = None
    """How seats of a group can trade places without changing what anybody gets: any two of them, only all at once with
    each moving on by one (help that goes round), or not at all (a rule that looks at the order of seats)."""
    monotone_in_actions: Mapping[str, int] = field(default_factory=dict)
    """Stock → 1 where no agent's cooperation ever lowers its next level, -1 where none raises it, 0 where none matters.
    The next level never falls with the present one, nor with anything else that moves the same way."""
    monotone_in_stocks: Mapping[str, int] = field(default_factory=dict)
    """Stock → 1 where payoffs (`dominance` says whose) and social weights never fall with it, -1 where they never rise,
    0 where nothing is paid by it."""
    ideal_stocks: Mapping[str, float] = field(default_factory=dict)
    """Stock → the level at which most is paid, for stocks that follow no such rule: all present, nothing dissolved."""
    dominance: Dominance | None = None
    """What is never smaller in an ideal state under the same actions: every seat's payoff, or only their sum."""
    concave: bool = False
    """Whether in ideal states every payoff is concave in the shares of endowment played."""
    transfers: Groups = ()
    """Where a game splits a product: groups of seats within which parts of it move with the state; ``own_value`` of
    cooperation is what no split touches."""
    outside_option: FloatArray | None = None
    """``(N,)`` what a step pays, whatever is played, once the relation is over; None where it cannot end."""
    social_weights: Callable[[Any], SocialWeights] | None = None
    """States ``(...)`` to the largest social preferences they allow; None where the integrated reward is not known."""
    relational: frozenset[str] = frozenset()
    """What the integrated reward adds to weighted payoffs: "loyalty" (a stock of that name, at most the parameter
    ``loyalty_max``) or "reciprocity" (``effects`` of a state and cooperation)."""
    differentiable: bool = False
    """Whether payoffs have finite gradients in actions, at the corners too."""
    switches: Mapping[str, Parameters] = field(default_factory=dict)
    """Effect that is taken out, such as `MECHANISM_OFF` → the parameters of the game without it."""
    hidden: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """State drawn at reset that no agent sees → the ends of its uniform distribution."""
    agreements: bool = False
    """Whether the stocks ``agreed`` and ``level`` hold an agreement of the two seats, which either may break."""
    published: frozenset[str] = frozenset()
    """Families of reference profiles that the published study defines: "coopetition", "team", "reciprocity"."""
    world: WorldTraits | None = None
    """What is drawn of costs and synergy; None in a fixed game."""
    payoff_noise: float = 0.0
    """Standard deviation of what chance adds to the payoff of a seat and step."""
    unbounded: str = ""
    """Why no bound on rewards follows whatever else is declared; empty where one may."""

    def extended(self, **changes: Any) -> Traits:
        """Return these traits with some of them changed; mappings are added to."""
        merged: dict[str, Any] = {
            name: {**getattr(self, name), **value} if isinstance(value, Mapping) else value
            for name, value in changes.items()
        }
        return dataclasses.replace(self, **merged)

    def undeclared_stocks(self, state: State) -> tuple[str, ...]:
        """Name the stocks of which it is not said how they move and what they pay."""
        return tuple(
            name
            for name in stocks_of(state)
            if name not in self.ideal_stocks
            and self.monotone_in_stocks.get(name) != 0
            and not (name in self.monotone_in_actions and name in self.monotone_in_stocks)
        )


def declares_traits(game: Game[Any]) -> bool:
    """Whether a game's own class says what holds: a subclass may change the rules, so it inherits no promises."""
    return "traits" in vars(type(game))


def stocks_of(state: State) -> dict[str, Array]:
    """Return the stocks of a state by name."""
    return {name: value for name, value in state_arrays(state).items() if name not in TIME_AND_CHOICES}


def seats_of_equal_numbers(spec: GameSpec, parts: Sequence[int] | None = None) -> Groups:
    """Partition the seats into groups of the same endowment, baseline and share.

    Swapping any two of a group leaves the interdependence matrix as it is.

    Args:
        spec: of the game.
        parts: ``N`` numbers of the parts that seats play; seats of different parts are not grouped.
    """
    numbers = (spec.endowments, spec.baselines, spec.shares, spec.interdependence)

    def alike(i: int, j: int) -> bool:
        same_part = parts is None or parts[i] == parts[j]
        order = swap(spec.n_agents, i, j)
        return same_part and all(_unmoved(array, i, j, order) for array in numbers)

    return partition(range(spec.n_agents), alike)


def _unmoved(array: FloatArray, i: int, j: int, order: npt.NDArray[np.int64]) -> bool:
    """Whether a vector or matrix of agents stays as it is when two of them trade places, read in two rows of it."""
    if array.ndim == 1:
        return _close(array[i], array[j])
    return _close(array[i][order], array[j]) and _close(array[:, i][order], array[:, j])


def _close(one: FloatArray, other: FloatArray) -> bool:
    """`numpy.allclose` of finite numbers, in a fraction of its time: a thousand seats ask often."""
    return bool((abs(one - other) <= 1e-8 + 1e-5 * abs(other)).all())


def partition(seats: Iterable[int], alike: Callable[[int, int], bool]) -> Groups:
    """Partition seats, in ascending order, into groups of those that are alike, an equivalence."""
    groups: list[list[int]] = []
    for seat in seats:
        fitting = next((group for group in groups if alike(group[0], seat)), None)
        if fitting is None:
            groups.append([seat])
        else:
            fitting.append(seat)
    return tuple(tuple(group) for group in groups)


def swap(n_agents: int, i: int, j: int) -> npt.NDArray[np.int64]:
    """Return the order of seats ``(N,)`` in which two have traded places."""
    order = np.arange(n_agents)
    order[[i, j]] = j, i
    return order


def renumbered(array: Array, order: npt.NDArray[np.int64], batch_dims: int = 0) -> Array:
    """Return an array with every axis that counts agents, after the batch, in another order."""
    for axis, size in enumerate(array.shape):
        if axis >= batch_dims and size == len(order):
            array = np.take(array, order, axis)
    return array


def ideal_path(game: Game[StateT], traits: Traits, start: StateT, steps: int) -> list[StateT]:
    """Return states of which the t-th is at least as good as any that t steps from ``start`` can reach.

    A stock that pays and rises with cooperation is largest on the path of full cooperation, one that costs and falls
    with it smallest: each update is monotone in its own level and in conduct, so that path dominates every other, stock
    by stock. Where the two signs differ (the memory of conduct, whose low values make present conduct look kind) the
    path of no cooperation dominates. Stocks with an ideal level are held there. What pays on the path of full
    cooperation is also kept from getting worse, so that later states dominate earlier ones.

    Args:
        game: on the NumPy backend.
        traits: of the game.
        start: a single state or a batch.
        steps: length of the path, ``start`` itself, idealised, first.
    """
    signs = {name: (traits.monotone_in_actions.get(name, 0), pays) for name, pays in traits.monotone_in_stocks.items()}
    of_idling = [name for name, (moves, pays) in signs.items() if moves * pays < 0]
    kept = {name: pays for name, (moves, pays) in signs.items() if moves * pays > 0}
    best, idle, path = _idealised(traits, start), start, []
    for _ in range(steps):
        if of_idling:
            best = dataclasses.replace(best, **{name: getattr(idle, name) for name in of_idling})
            idle = _state_after(game, idle, 0.0)
        path.append(best)
        after = _idealised(traits, _state_after(game, best, 1.0))
        better = {1: np.maximum, -1: np.minimum}
        held = {name: better[pays](getattr(best, name), getattr(after, name)) for name, pays in kept.items()}
        best = dataclasses.replace(after, **held)
    return path


def _state_after(game: Game[StateT], state: StateT, share: float) -> StateT:
    normals = np.zeros((*state.t.shape, game.step_normals)) if game.step_normals else None
    after: StateT = game.step(state, share * game.endowments + 0.0 * state.last_action, normals).state  # type: ignore[assignment]  # its own
    return after


def _idealised(traits: Traits, state: StateT) -> StateT:
    held = {name: 0.0 * getattr(state, name) + level for name, level in traits.ideal_stocks.items()}
    return dataclasses.replace(state, **held)
