"""Normal-form games: every seat chooses one cooperation share, once.

Two of them stand behind every repeated game: the stage game (one step, the state held fixed) and the commitment game
(one share for a whole episode, so that all stocks move).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays
from coopgym.games.step import Step
from coopgym.oracles.games.rollout import checked_state, plan_returns, repeated
from coopgym.oracles.games.symmetry import groups_in_state
from coopgym.play.unroll import remaining_steps
from coopgym.rewards import MODES, RewardLayer, Rewards, objective
from coopgym.typing import FloatArray

LARGE_GAME = 12
"""Above this many seats commitments are searched on a 2.5 % grid instead of a 1 % grid."""


class NormalForm(ABC):
    """A simultaneous game in which each of N seats picks a share of its endowment in [0, 1]."""

    smooth: bool
    """Whether utilities are continuous in the shares, so that a search may refine between grid points."""

    def __init__(self, game: AnyGame, reward: str | RewardLayer = "private", state: State | None = None) -> None:
        """Take the game in a state.

        Args:
            game: on the NumPy backend.
            reward: what the seats care about.
            state: a single state; None is the initial state with hidden draws at their medians.

        Raises:
            ValueError: an unknown reward, one that does not fit the game, or a game on another backend.
        """
        if game.xp is not np:
            raise ValueError(
                f"{game.id}: oracles search on the NumPy backend, got {game.xp.__name__}; pass game.to(NUMPY)"
            )
        self.game = game
        self.layer = objective(reward)
        self.layer.check(game)
        self.state = self.checked_state(state)

    def checked_state(self, state: State | None) -> State:
        """Return the state to play in, by default the initial state.

        Raises:
            ValueError: not a single state of this game with steps left.
        """
        return checked_state(self.game, state)

    @property
    def n_agents(self) -> int:
        """Number of seats N."""
        return self.game.n_agents

    @property
    def scale(self) -> float:
        """Size of one payoff unit."""
        return self.game.spec.payoff_scale

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Groups of exchangeable seats in the same situation, with the same interest."""
        return groups_in_state(self.game, self.state, [self.layer])

    @cached_property
    def interchangeable(self) -> tuple[tuple[int, ...], ...]:
        """The groups whose members can indeed swap places, as a trial shows; other seats are by themselves."""
        trial = np.random.default_rng(0).random(self.n_agents)
        pairs = [(group[0], seat) for group in self.groups for seat in group[1:]]
        orders = np.tile(np.arange(self.n_agents), (len(pairs) + 1, 1))
        for row, (i, j) in enumerate(pairs, start=1):
            orders[row, [i, j]] = j, i
        utilities = self.utilities(trial[orders])
        swapped = dict(zip(pairs, utilities[1:], strict=True))
        fits = {pair: np.allclose(utilities[0, orders[row]], swapped[pair]) for row, pair in enumerate(pairs, start=1)}
        if all(fits.values()):
            return self.groups
        return tuple((seat,) for seat in range(self.n_agents))

    @property
    def levels(self) -> int:
        """Shares on the grid that stands in for [0, 1] where utilities jump."""
        return 101 if self.game.n_agents <= LARGE_GAME else 41

    @cached_property
    def norm(self) -> FloatArray:
        """Shares ``(N,)`` that partners expect of each seat."""
        spec = self.game.spec
        return spec.baselines / spec.endowments

    @abstractmethod
    def read(self, profiles: FloatArray, layers: Sequence[Rewards]) -> list[FloatArray]:
        """Return utilities ``(..., N)`` of shares ``(..., N)`` under each reward layer."""

    def utilities(self, profiles: npt.ArrayLike) -> FloatArray:
        """Return utilities ``(..., N)`` of profiles of shares ``(..., N)`` in [0, 1].

        Raises:
            ValueError: profiles of another shape.
        """
        return self.finite(self.read(self.checked(profiles), [self.layer])[0])

    def finite(self, utilities: FloatArray) -> FloatArray:
        """Return utilities.

        Raises:
            ValueError: some are not finite, so that no comparison would mean anything.
        """
        if not np.isfinite(utilities).all():
            raise ValueError(f"{self.game.id} under {self.layer.name} reward: some utilities are not finite numbers")
        return utilities

    def payoffs(self, profiles: npt.ArrayLike) -> FloatArray:
        """Return material payoffs ``(..., N)``, whatever the seats care about."""
        return self.read(self.checked(profiles), [MODES["private"]])[0]

    def checked(self, profiles: npt.ArrayLike) -> FloatArray:
        """Return profiles as an array.

        Raises:
            ValueError: their last dimension is not N, or they are not shares in [0, 1].
        """
        array = np.asarray(profiles, dtype=np.float64)
        if array.ndim == 0 or array.shape[-1] != self.n_agents:
            raise ValueError(
                f"{self.game.id}: expected profiles (..., {self.n_agents}), one share per seat, got {array.shape}"
            )
        if not ((array >= 0.0) & (array <= 1.0)).all():
            raise ValueError(
                f"{self.game.id}: expected shares of endowment in [0, 1], got {array.min():g} to {array.max():g}"
            )
        return array


class StageGame(NormalForm):
    """One step of a game in a given state, weights included, without its future.

    Stocks that merely follow choices stand where a choice keeps them: the wage in force is the wage posted, the asset
    of a hold-up is the investment (formal edition §1.11).

    >>> stage = StageGame(coopgym.make_game("TrustDilemma-v1"), reward="private")
    >>> stage.utilities([[0.0, 0.0], [0.3, 0.3], [0.0, 1.0]]).round(2), stage.norm
    (array([[ 1.  ,  1.  ],
           [ 1.69,  1.69],
           [ 1.23, -0.49]]), array([0.3, 0.3]))
    """

    smooth = True

    def read(self, profiles: FloatArray, layers: Sequence[Rewards]) -> list[FloatArray]:
        game, actions = self.game, profiles * self.game.spec.endowments
        state = game.at_steady_state(self.state, actions)
        step = Step(game, state.t, state, actions, game.stage(state, actions))
        return [layer(step) for layer in layers]


class NormalFormByRow(NormalForm):
    """A game in many states at once: row b of profiles ``(B, ..., N)`` is played in state b."""

    def __init__(self, game: AnyGame, reward: str | RewardLayer, states: State) -> None:
        """Take a game with a batch ``(B,)`` of states."""
        super().__init__(game, reward, states)

    def checked_state(self, state: State | None) -> State:
        if state is None or state.t.ndim != 1:
            raise ValueError(f"{self.game.id}: expected a batch of states, shape (B,)")
        return state

    def rows(self, index: npt.NDArray[np.int64]) -> Self:
        """Return the games of some rows, in their order; a row may come several times."""
        return type(self)(self.game, self.layer, map_arrays(lambda array: array[index], self.state))

    def states_between(self, dims: int) -> State:
        """Return the states with dimensions of 1 between that of rows and their own, to be broadcast."""
        between = (1,) * dims
        return map_arrays(lambda array: array.reshape((len(array), *between, *array.shape[1:])), self.state)


class StageGameByRow(NormalFormByRow):
    """The stage game in many states at once."""

    smooth = True

    def read(self, profiles: FloatArray, layers: Sequence[Rewards]) -> list[FloatArray]:
        game, actions = self.game, profiles * self.game.spec.endowments
        states = game.at_steady_state(self.states_between(profiles.ndim - 2), actions)
        step = Step(game, states.t, states, actions, game.stage(states, actions))
        return [layer(step) for layer in layers]


class CommitmentGame(NormalForm):
    """Every seat commits to one share until the horizon; utilities are means per step of the whole episode.

    >>> commitment = CommitmentGame(coopgym.make_game("TrustDilemma-v1"))
    >>> commitment.utilities([[0.5, 0.5], [0.1, 0.5]]).round(2)  # a step on average: what is saved costs trust
    array([[1.99, 1.99],
           [1.83, 1.12]])
    """

    smooth = False

    def read(self, profiles: FloatArray, layers: Sequence[Rewards]) -> list[FloatArray]:
        start = repeated(self.game, self.state, profiles.shape[:-1])
        steps = remaining_steps(self.game, self.state)
        return [total / steps for total in plan_returns(self.game, start, profiles, layers)]


class CommitmentGameByRow(NormalFormByRow):
    """The commitment game from many states at once, all at one time."""

    smooth = False

    def read(self, profiles: FloatArray, layers: Sequence[Rewards]) -> list[FloatArray]:
        batch, states = profiles.shape[:-1], self.states_between(profiles.ndim - 2)
        start = map_arrays(lambda array: np.broadcast_to(array, (*batch, *array.shape[len(batch) :])), states)
        steps = remaining_steps(self.game, self.state)
        return [total / steps for total in plan_returns(self.game, start, profiles, layers)]
