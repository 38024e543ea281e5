"""The planning problem: one planner sets the shares of all seats over time and collects a weighted sum of returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.backend import Array, Backend, torch_backend
from coopgym.games.game import AnyGame, StateT
from coopgym.games.state import State, map_arrays
from coopgym.oracles.games.rollout import checked_state, plan_returns, repeated
from coopgym.oracles.games.symmetry import groups_in_state
from coopgym.play.unroll import remaining_steps
from coopgym.rewards import RewardLayer, objective
from coopgym.typing import FloatArray

CHUNK = 4_000_000
"""Pairs of agents, over all plans of a batch, that are played at once: it bounds memory."""
MANY_SEATS = 6
"""Above this number, exchangeable seats are searched together."""


class PlanningProblem:
    """Maximise Σ_i v_i · return_i over open-loop plans from one state, under one or several reward layers."""

    def __init__(
        self,
        game: AnyGame,
        rewards: Sequence[str | RewardLayer],
        state: State | None = None,
        seat_weights: npt.ArrayLike | None = None,
    ) -> None:
        """Pose the problem.

        Args:
            game: on the NumPy backend.
            rewards: reward modes, each of which is an objective of its own.
            state: a single state to plan from; None is the initial state with hidden draws at their medians.
            seat_weights: ``(N,)`` non-negative weights v on the seats' returns; None weighs all equally.

        Raises:
            ValueError: a game on another backend, no or unknown rewards, a state at the horizon, or bad weights.
        """
        if game.xp is not np:
            raise ValueError(f"{game.id}: plans are searched on NumPy and torch in turn; pass the game on NUMPY")
        if not rewards:
            raise ValueError("rewards: expected at least one reward mode, such as 'cooperative'")
        self.game = game
        self.layers = [objective(reward) for reward in rewards]
        for layer in self.layers:
            layer.check(game)
        self.start = checked_state(game, state)
        self.steps = remaining_steps(game, self.start)
        self.seat_weights = _checked_weights(game, seat_weights)
        self.groups = groups_in_state(game, self.start, self.layers, self.seat_weights)

    @property
    def n_agents(self) -> int:
        """Number of seats N."""
        return self.game.n_agents

    @property
    def payoff_unit(self) -> float:
        """Size of one payoff unit."""
        return self.game.spec.payoff_scale

    @property
    def movers(self) -> tuple[tuple[int, ...], ...]:
        """Sets of seats that a coordinate search moves together: single seats, or groups where there are many."""
        if self.n_agents > MANY_SEATS:
            return self.groups
        return tuple((seat,) for seat in range(self.n_agents))

    def returns(self, plans: FloatArray) -> FloatArray:
        """Return what each seat earns, ``(M, B, N)`` for M rewards, under plans ``(steps, B, N)``."""
        size = max(1, CHUNK // self.n_agents**2)
        return np.concatenate(
            [self._played(plans[:, first : first + size]) for first in range(0, plans.shape[1], size)], axis=1
        )

    def values(self, plans: FloatArray) -> FloatArray:
        """Return the objectives ``(M, B)`` of plans ``(steps, B, N)``."""
        return self.returns(plans) @ self.seat_weights

    def _played(self, plans: FloatArray) -> FloatArray:
        start = repeated(self.game, self.start, plans.shape[1:2])
        return np.stack(plan_returns(self.game, start, plans, self.layers))

    def differentiable(self, device: Any = "cpu") -> Callable[[Array, FloatArray], Array]:
        """Return the objective as a torch function: plans ``(B, steps, N)`` and mixtures ``(B, M)`` to values ``(B,)``.

        A mixture says how much each reward counts in a row, so that rows with different objectives share a batch.
        Values are in payoff units and double precision.

        Raises:
            ImportError: torch is not installed.
        """
        backend = double_precision(device)
        with backend.lasting():
            game, weights = self.game.to(backend), backend.array(self.seat_weights / self.payoff_unit)
            start = moved_to(backend, self.start)

        def values(plans: Array, mixtures: FloatArray) -> Array:
            batch = repeated(game, start, (len(plans),))
            returns = game.xp.stack(plan_returns(game, batch, plans.swapaxes(0, 1), self.layers), axis=1)
            return ((returns @ weights) * backend.array(mixtures)).sum(-1)

        return values


def double_precision(device: Any = "cpu") -> Backend:
    """Return the torch backend in double precision.

    Raises:
        ImportError: torch is not installed.
    """
    torch_backend(device)  # complains in the clearest words when torch is missing
    import torch

    return torch_backend(device, torch.float64)


def moved_to(backend: Backend, state: StateT) -> StateT:
    """Return a NumPy state on another backend; what is not in double precision keeps its type."""

    def moved(array: Any) -> Array:
        own = np.array(array)
        if own.dtype == np.float64:
            return backend.array(own)
        return backend.xp.asarray(own, device=backend.device)

    return map_arrays(moved, state)


def _checked_weights(game: AnyGame, weights: npt.ArrayLike | None) -> FloatArray:
    if weights is None:
        return np.ones(game.n_agents)
    array = np.asarray(weights, dtype=np.float64)
    if array.shape != (game.n_agents,) or not (np.isfinite(array) & (array >= 0.0)).all() or not array.any():
        raise ValueError(
            f"seat_weights={weights!r}: expected {game.n_agents} finite, non-negative numbers, not all zero"
        )
    return array
