"""Episodes with a budget: a seat may use up only so much effort, trust, sanctions or subsidies before it rests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.games.step import Step
from coopgym.play.unroll import Policy, expected_step

Resource: TypeAlias = Callable[[Step], Array]
"""What a step uses up, ``(...)``, not below zero."""


def effort(seat: int) -> Resource:
    """Return the share of endowment that a seat puts in; of a platform, what it subsidises."""
    return lambda step: step.actions[..., seat] / step.game.endowments[seat]


def trust_lost(seat: int) -> Resource:
    """Return how much the trust of the others in a seat falls in a step, on average over them; a rise uses nothing."""

    def used(step: Step) -> Array:
        xp, others = step.game.xp, step.game.n_agents - 1
        fall = (step.before.trust - step.transition.state.trust)[..., :, seat].sum(-1) / others
        return xp.maximum(fall, xp.zeros_like(fall))

    return used


def diagnostic(name: str, seat: int | None = None) -> Resource:
    """Return what a game's diagnostics of a step say of a seat, or of all together, such as ``fines``."""

    def used(step: Step) -> Array:
        told = step.game.step_diagnostics(step.before, step.actions, step.transition)
        if name not in told:
            raise ValueError(f"{step.game.id} has no diagnostic {name!r}; it has {', '.join(told)}")
        return told[name].sum(-1) if seat is None else told[name][..., seat]

    return used


class WithinBudget:
    """A policy that plays on while its steps fit a budget; from the first that does not, some seats rest.

    What a step would use is found out by looking ahead, with payoff noise at its mean: nothing is ever overdrawn by
    what is chosen. It keeps accounts of one batch of episodes at a time, which begins anew at step 0.

    >>> from coopgym.play import NOMINAL, unroll
    >>> game = coopgym.make_game("TrustDilemma-v1", max_steps=5)
    >>> budgeted = WithinBudget(game, lambda t, state: 0.5 * game.endowments, effort(0), budget=1.2, seats=[0])
    >>> for step in unroll(game, budgeted, draws=NOMINAL):
    ...     print(step.actions, float(budgeted.left.round(2)))
    [50. 50.] 0.7
    [50. 50.] 0.2
    [ 0. 50.] 0.2
    [ 0. 50.] 0.2
    [ 0. 50.] 0.2
    """

    def __init__(
        self,
        game: AnyGame,
        policy: Policy,
        resource: Resource,
        budget: float,
        *,
        seats: list[int] | None = None,
        rest: float = 0.0,
    ) -> None:
        """Set up.

        Args:
            game: on any backend.
            policy: of all seats.
            resource: what is short.
            budget: of an episode.
            seats: that rest when it runs out; None is all.
            rest: share of endowment that a seat plays while it rests; what that uses is not charged.

        Raises:
            ValueError: a budget that is negative or no number, a seat that is not there, or a share outside [0, 1].
        """
        if not 0.0 <= budget < np.inf:
            raise ValueError(f"budget={budget!r}: expected a number of at least 0")
        if not 0.0 <= rest <= 1.0:
            raise ValueError(f"rest={rest!r}: expected a share of endowment in [0, 1]")
        chosen = list(range(game.n_agents)) if seats is None else list(seats)
        if not chosen or not all(0 <= seat < game.n_agents for seat in chosen):
            raise ValueError(f"seats={seats!r}: expected some of the seats 0 to {game.n_agents - 1} of {game.id}")
        self.game, self.policy, self.resource, self.budget = game, policy, resource, budget
        self._resting = game.backend.array([float(seat in chosen) for seat in range(game.n_agents)])
        self._rest = rest * game.endowments
        self.left: Array = budget
        """``(...)`` of the budget."""
        self.going: Array = True
        """``(...)`` whether nothing has failed to fit so far."""

    def __call__(self, t: int, state: State) -> Array:
        """Return joint actions ``(..., N)``."""
        xp = self.game.xp
        if t == 0:
            self.left = self.budget + xp.zeros_like(state.last_action[..., 0])
            self.going = self.left >= 0.0
        wanted = self.policy(t, state) + xp.zeros_like(state.last_action)
        use = self.resource(Step(self.game, t, state, wanted, expected_step(self.game, state, wanted)))
        self.going = self.going & (use <= self.left + 1e-9)
        self.left = self.left - use * self.going
        resting = self._resting * xp.astype(~self.going, self.game.backend.dtype)[..., None]
        return wanted * (1.0 - resting) + self._rest * resting
