"""The general upper bound: the best stages in states that dominate every reachable one.

The argument, from what a game declares (`coopgym.games.traits.Traits`):

* Stocks move with cooperation, or against it, and payoffs move with stocks, or against them. So states on an ideal path
  (`coopgym.games.traits.ideal_path`) pay at least what any reachable state pays for the same actions: each seat, or all
  together where a game merely moves payoffs between seats (`dominance`).
* There every payoff is concave in cooperation, so that a tangent bounds what a step can pay
  (`coopgym.oracles.dynamic.ascent.concave_maxima`), up to rounding, whatever the search found.
* Where the relation can end, a step pays at most the larger of the stage and the outside option.

Private, cooperative and mutuality rewards sum to welfare. Integrated rewards sum to Σ_j (1 + Σ_i w_ij) π_j plus loyalty
and reciprocity: positive payoffs are multiplied by the largest weights, payoffs above the endowment by the largest
loyalties too, others by less, and every assignment of seats to these cases is a concave problem.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations_with_replacement, islice, product
from typing import Any

import numpy as np

from coopgym.backend import Array, Backend
from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays
from coopgym.games.traits import Groups, SocialWeights, Traits, declares_traits, ideal_path, stocks_of
from coopgym.oracles.dynamic.ascent import concave_maxima
from coopgym.oracles.dynamic.planner import Plan
from coopgym.oracles.dynamic.planning import double_precision, moved_to
from coopgym.rewards import Cooperative, Integrated, Mutuality, Private, Rewards
from coopgym.typing import FloatArray, IntArray

LOSS, GAIN, SURPLUS = range(3)
"""Cases of a payoff: below zero, up to the endowment, above it."""
INSIDE, OUTSIDE = 1, 0
LARGEST_BATCH = 40_000
"""Concave problems solved at once; above it, one state stands for several steps before it."""
MOST_ASSIGNMENTS = 4_000


class OptimisticBound:
    """Upper bound on the sum of returns of every plan from the start of one."""

    def __init__(self, plan: Plan, layer: Rewards) -> None:
        self.plan = plan
        self.layer = layer
        self.game: AnyGame = plan.game
        self.traits: Traits = plan.game.traits()
        self.integrated = isinstance(layer.mode, Integrated)

    def refusal(self) -> str:
        """Say why no bound is known for the plan's problem, and what to declare; empty if one is."""
        name = type(self.game).__name__
        if self.traits.unbounded:
            return self.traits.unbounded
        if not declares_traits(self.game):
            return (
                f"{name} declares no traits of its own, so nothing is known of what it pays: define traits(), and let "
                "coopgym.testing.check_game try them"
            )
        if not isinstance(self.layer.mode, Private | Integrated | Cooperative | Mutuality):
            return (
                f"{self.layer.name}: bounds are proved for private, integrated, cooperative and mutuality rewards only"
            )
        if np.ptp(self.plan.seat_weights) > 0.0:
            return "bounds are proved for equal seat weights only"
        missing = self.missing()
        if missing:
            return missing
        # Where parts rotate, no later step can stand for an earlier one: every step needs its own problems.
        rotates = self.traits.exchange == "rotation"
        most = LARGEST_BATCH // len(self.plan.shares) if rotates else MOST_ASSIGNMENTS
        if len(list(islice(self.assignments(), most + 1))) > most:
            return f"more than {most} assignments of seats to cases, too many to go through"
        return ""

    def missing(self) -> str:
        """Say what the argument needs and the traits do not declare; empty where nothing is missing."""
        traits, name = self.traits, type(self.game).__name__
        undeclared = traits.undeclared_stocks(self.plan.start)
        if undeclared:
            return (
                f"{name} does not say how its stocks {', '.join(undeclared)} move and pay: declare each in "
                "monotone_in_actions and monotone_in_stocks, or in ideal_stocks"
            )
        if traits.dominance is None:
            return f"{name} does not say what is largest in an ideal state: declare dominance, 'payoffs' or 'welfare'"
        if not traits.concave:
            return f"{name} does not declare payoffs concave in cooperation, and no bound on others is proved"
        if self.integrated and traits.social_weights is None:
            return f"{name} does not bound what its integrated reward adds: declare social_weights"
        if self.integrated and traits.dominance == "welfare" and not traits.transfers:
            return f"{name} moves payoffs between seats of different weight: declare transfers, the seats that share"
        return ""

    def value(self, device: Any) -> float:
        """Return the bound on the sum of returns."""
        states = dominating_states(self.game, self.plan.start, len(self.plan.shares))
        weights = self.social_weights(states)
        total = self.stage_bounds(states, weights, device).sum() + self.paid_afterwards(states)
        return float(total) / (self.game.reward_normaliser if self.integrated else 1.0)

    def social_weights(self, states: State) -> SocialWeights:
        """Return the largest social preferences in states ``(steps,)``; none in rewards that sum to welfare."""
        if self.integrated and self.traits.social_weights is not None:
            return self.traits.social_weights(states)
        none = np.zeros(states.last_action.shape)
        return SocialWeights(none, none, none)

    def paid_afterwards(self, states: State) -> float:
        """What a step may pay that is counted in no stage."""
        return 0.0

    def stage_bounds(self, states: State, weights: SocialWeights, device: Any) -> FloatArray:
        """Return upper bounds ``(steps,)`` on the sum of rewards of every step, before Z."""
        inside, cases = np.moveaxis(np.stack(list(self.assignments())), -1, 0)
        steps = len(states.t)
        count = min(steps, max(1, LARGEST_BATCH // len(cases)))
        last = np.union1d(0, np.linspace(steps - 1, -1, count, endpoint=False).round().astype(np.int64))
        stands_for = np.searchsorted(last, np.arange(steps))  # the first chosen state that is not earlier
        chosen = map_arrays(lambda array: array[last], states)
        cared = SocialWeights(weights.partners[last], weights.loyalty[last], weights.effort[last])
        together = self._assigned_maxima(chosen, cared, inside, cases, device)[stands_for]
        alone = self.traits.outside_option
        if alone is None:
            return together
        outside = np.maximum(alone, alone * (1.0 + weights.partners)).sum(-1)
        return np.maximum(together, outside)

    def _assigned_maxima(
        self, states: State, weights: SocialWeights, inside: IntArray, cases: IntArray, device: Any
    ) -> FloatArray:
        """Bounds ``(steps,)``: in every state the largest maximum over all assignments ``(A, N)``."""
        game, backend, batch = self.game, double_precision(device), (len(states.t), len(cases))
        on_device, spec = game.to(backend), game.spec
        mates = self.loyal_mates(weights, inside)
        factors = 1.0 + (cases >= GAIN) * weights.partners[:, None] + (cases == SURPLUS) * mates
        kept_endowments = spec.payoff_scale * spec.endowments / spec.endowments.mean()
        kept = ((cases == SURPLUS) * mates * kept_endowments).sum(-1)
        with backend.lasting():
            factors_there, effort_there = backend.array(factors), backend.array(inside * weights.effort[:, None])
            rows = map_arrays(
                lambda array: backend.xp.broadcast_to(array[:, None], (*batch, *array.shape[1:])),
                moved_to(backend, states),
            )
            rows = self.assigned(rows, inside, backend)

        def sums(points: Array) -> Array:
            cooperation = points.reshape((*batch, game.n_agents))
            warm = (effort_there * cooperation).sum(-1)
            return (self.weighted_payoffs(on_device, rows, cooperation, factors_there) + warm).reshape(-1)

        starts = np.full((batch[0] * batch[1], game.n_agents), 0.5)
        maxima = concave_maxima(sums, starts, device).reshape(batch) - kept
        best: FloatArray = maxima.max(1)
        return best

    def weighted_payoffs(self, game: Any, states: Any, cooperation: Array, factors: Array) -> Array:
        """Return an upper bound ``(rows,)`` on Σ_j f_j π_j, concave in cooperation ``(rows, N)``.

        Each payoff is concave in cooperation and largest in a dominating state, so its value there is a bound for all
        states it dominates. What a game moves between seats is valued at the largest factor among them.

        Args:
            game: on the torch backend.
            states: dominating states ``(rows,)``.
            cooperation: shares of endowment.
            factors: ``(rows, N)``, at least 1.
        """
        if not self.traits.transfers:
            return (factors * game.stage_payoffs(states, cooperation)).sum(-1)
        own = game.own_value(states, cooperation)
        earned = game.stage_payoffs(states, cooperation) - own
        bound = (factors * own).sum(-1)
        for seats in self.traits.transfers:
            bound = bound + factors[..., list(seats)].max(-1).values * earned[..., list(seats)].sum(-1)
        return bound

    def loyal_mates(self, weights: SocialWeights, inside: IntArray) -> FloatArray:
        """Return weights ``(steps, A, N)`` of loyal team-mates inside on the surplus of seats inside."""
        return np.broadcast_to(weights.loyalty[:, None], (len(weights.loyalty), *inside.shape))

    def assigned(self, states: State, inside: IntArray, backend: Backend) -> State:
        """Return states ``(steps, A)`` with everybody where the assignments ``(A, N)`` say."""
        return states

    def places(self) -> list[tuple[int, int]]:
        """List where a seat may be, and which case its payoff may then be in."""
        return [(INSIDE, case) for case in self.cases()]

    def cases(self) -> list[int]:
        """List the cases of a payoff that are weighted differently."""
        if not self.integrated:
            return [GAIN]
        return [LOSS, GAIN, SURPLUS] if "loyalty" in self.traits.relational else [LOSS, GAIN]

    def assignments(self) -> Iterator[IntArray]:
        """Yield who is inside and which case each seat's payoff is in, ``(N, 2)``: all combinations that differ."""
        places, groups = self.places(), self._groups()
        seats = np.argsort(np.concatenate(groups))
        for choice in product(*(combinations_with_replacement(places, len(group)) for group in groups)):
            yield np.concatenate([np.array(part) for part in choice])[seats]

    def _groups(self) -> Groups:
        if self.traits.exchange == "swap" and even(self.plan.start, self.game.n_agents):
            return self.traits.exchangeable
        return tuple((seat,) for seat in range(self.game.n_agents))


def dominating_states(game: AnyGame, start: State, steps: int) -> State:
    """Return states ``(steps,)`` of which the t-th is at least as good as any that t steps from ``start`` can reach."""
    return map_arrays(lambda *arrays: np.stack(arrays), *ideal_path(game, game.traits(), start, steps))


def even(state: State, n_agents: int) -> bool:
    """Whether all seats stand alike in a single state: every stock is the same for all seats and pairs."""
    pairs = ~np.eye(n_agents, dtype=bool)
    stocks = {"last_action": state.last_action, **stocks_of(state)}
    relations = [np.asarray(stocks.pop(name))[pairs] for name in ("trust", "damage")]
    per_seat = [array for array in map(np.asarray, stocks.values()) if array.ndim and array.shape[-1] == n_agents]
    return not any(np.ptp(array, axis=-1).any() for array in relations + per_seat)
