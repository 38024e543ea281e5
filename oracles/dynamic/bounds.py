"""How far a plan can be from the optimum: an upper bound on the sum of returns, where one can be proved.

What is added up over time are the best stages in states that dominate every reachable one. The argument, game by game:

* Payoffs never fall with trust, undamaged reputation, loyalty, scores, images and clean records, and these stocks never
  exceed those of full cooperation (`coopgym.oracles.dynamic.optimism`). In a dominating state every payoff is concave
  in cooperation: log and Cobb-Douglas terms with elasticity of at most one, less convex costs and fines. This covers
  TrustDilemma, RecoveryRace, SLCD, RenaultNissan, ReciprocalDilemma, LoyaltyTeam, ApacheProject, IndirectReciprocity
  and GraduatedSanction; SynergySearch, TeamProduction and PublicGoods have no stock that pays at all.
* CooperativeNegotiation and ReputationMarket: damages and market shares move payoffs between seats, welfare not at all.
* DynamicPartnerSelection: time shares are symmetric with row sums of at most one, so by AM-GM no matching beats the
  uniform one (`coopgym.oracles.dynamic.stage_bounds`).
* PlatformEcosystem and AppleAppStore: the product is largest with everybody present.
* CoalitionFormation: every number of members inside is compared.
* TrustDilemma and PartnerHoldUp: a step pays at most the larger of the stage and the outside option.
* GiftExchange: a wage is counted in the step that pays it; the last wage posted is free.
* PartnerHoldUp: the asset is priced, so that every step is a problem of its own
  (`coopgym.oracles.dynamic.hold_up_bound`).

Private, cooperative and mutuality rewards sum to welfare. Integrated rewards sum to Σ_j (1 + Σ_i w_ij) π_j plus loyalty
and reciprocity: positive payoffs are multiplied by the largest weights, payoffs above the endowment by the largest
loyalties too, others by less, and every assignment of seats to these cases is a concave problem. Its maximum is bounded
by a tangent (`coopgym.oracles.dynamic.ascent.concave_maxima`), so that bounds hold up to rounding whatever the search
found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, islice, product
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.backend import Array
from coopgym.games.formal import FORMAL
from coopgym.games.formal.base import FormalGame
from coopgym.games.formal.collective_action import CoalitionFormation
from coopgym.games.formal.dissolution import DissolvableGame
from coopgym.games.formal.interdependence import PartnerHoldUp
from coopgym.games.formal.reciprocity import GiftExchange, IndirectReciprocity
from coopgym.games.state import State, map_arrays
from coopgym.oracles.dynamic.ascent import concave_maxima
from coopgym.oracles.dynamic.hold_up_bound import welfare_bound
from coopgym.oracles.dynamic.optimism import AnyFormalGame, Care, even, largest_care, no_care, optimistic_states
from coopgym.oracles.dynamic.planner import Plan
from coopgym.oracles.dynamic.planning import FloatArray, double_precision, moved_to
from coopgym.oracles.dynamic.stage_bounds import weighted_payoffs
from coopgym.oracles.games.symmetry import exchangeable_groups
from coopgym.rewards import Cooperative, Integrated, Mutuality, Private, RewardMode, objective

IntArray = npt.NDArray[np.int64]

LOSS, GAIN, SURPLUS = range(3)
"""Cases of a payoff: below zero, up to the endowment, above it."""
INSIDE, OUTSIDE = 1, 0
LARGEST_BATCH = 40_000
"""Concave problems solved at once; above it, one state stands for several steps before it."""
MOST_ASSIGNMENTS = 4_000


@dataclass(frozen=True)
class Gap:
    """What a plan earns and what no plan can exceed."""

    lower: float
    """Value of the plan."""
    upper: float | None
    """Proved upper bound on the value of any plan from the same state; None without a proof."""
    reason: str
    """Why there is no bound; empty where there is one."""

    @property
    def relative(self) -> float | None:
        """(upper - lower) / upper; None without a bound."""
        return None if self.upper is None else (self.upper - self.lower) / abs(self.upper)


def certified_gap(plan: Plan, device: Any = "cpu") -> Gap:
    """Return the value of a plan beside a proved upper bound on every plan's value from the same state.

    Args:
        plan: of `coopgym.oracles.dynamic.planner`.
        device: where gradients are computed.
    """
    mode = objective(plan.reward).mode
    reason = _unproved(plan, mode)
    if reason:
        return Gap(plan.value, None, reason)
    return Gap(plan.value, float(plan.seat_weights[0]) * _upper_bound(plan, mode, device), "")


def _unproved(plan: Plan, mode: RewardMode) -> str:
    """Why no bound is known for a plan's problem; empty if one is."""
    game = plan.game
    if isinstance(game, FormalGame) and type(game) not in FORMAL:
        return f"{type(game).__name__} is not one of the twenty formal games, whose payoffs the argument is about"
    if not isinstance(game, FormalGame):
        return (
            "released edition: multipliers and penalties on rewards jump with conduct, and no bound on them is proved"
        )
    if not isinstance(mode, Private | Integrated | Cooperative | Mutuality):
        return f"{mode.name}: bounds are proved for private, integrated, cooperative and mutuality rewards only"
    if np.ptp(plan.seat_weights) > 0.0:
        return "bounds are proved for equal seat weights only"
    if isinstance(mode, Integrated) and isinstance(game, PartnerHoldUp) and game.parameters.mechanism:
        return "the supplier's share grows with the buyer's conduct, so that weighted payoffs are not concave"
    # Help rotates: no later step can stand for an earlier one, so that every step needs its own problems.
    most = LARGEST_BATCH // len(plan.shares) if isinstance(game, IndirectReciprocity) else MOST_ASSIGNMENTS
    if len(list(islice(_assignments(game, plan.start, mode), most + 1))) > most:
        return f"more than {most} assignments of seats to cases, too many to go through"
    return ""


def _upper_bound(plan: Plan, mode: RewardMode, device: Any) -> float:
    """Upper bound on the sum of returns."""
    game: AnyFormalGame = plan.game  # type: ignore[assignment]  # for other games no bound is proved
    start, steps = plan.start, len(plan.shares)
    if isinstance(game, PartnerHoldUp) and game.parameters.mechanism:
        return welfare_bound(game, start, plan.shares, device)  # type: ignore[arg-type]  # its own state
    states = optimistic_states(game, start, steps)
    if not isinstance(mode, Integrated):
        return float(_stage_bounds(game, start, states, no_care(states), mode, device).sum())
    care, posted_last = largest_care(game, states), 0.0
    if isinstance(game, GiftExchange):
        posted_last = float(care.effort[-1, 0])
        care.effort[0, 0] = 0.0  # the first wage in force is given; each wage counts in the step that pays it
    total = _stage_bounds(game, start, states, care, mode, device).sum() + posted_last
    return float(total) / game.reward_normaliser


def _stage_bounds(
    game: AnyFormalGame, start: State, states: State, care: Care, mode: RewardMode, device: Any
) -> FloatArray:
    """Upper bounds ``(steps,)`` on the sum of rewards of every step, before Z."""
    inside, cases = np.moveaxis(np.stack(list(_assignments(game, start, mode))), -1, 0)
    steps = len(states.t)
    count = min(steps, max(1, LARGEST_BATCH // len(cases)))
    last = np.union1d(0, np.linspace(steps - 1, -1, count, endpoint=False).round().astype(np.int64))
    stands_for = np.searchsorted(last, np.arange(steps))  # the first chosen state that is not earlier
    chosen = map_arrays(lambda array: array[last], states)
    cared = Care(care.partners[last], care.loyalty[last], care.effort[last])
    together = _assigned_maxima(game, chosen, cared, inside, cases, device)[stands_for]
    if not isinstance(game, DissolvableGame):
        return together
    outside = np.maximum(game.outside, game.outside * (1.0 + care.partners)).sum(-1)
    return np.maximum(together, outside)


def _assigned_maxima(
    game: AnyFormalGame, states: State, care: Care, inside: IntArray, cases: IntArray, device: Any
) -> FloatArray:
    """Bounds ``(steps,)``: in every state the largest maximum over all assignments ``(A, N)``."""
    backend = double_precision(device)
    on_device, batch = game.on(backend), (len(states.t), len(cases))
    mates = _loyal_mates(game, care, inside)
    factors = 1.0 + (cases >= GAIN) * care.partners[:, None] + (cases == SURPLUS) * mates
    kept = ((cases == SURPLUS) * mates * game.kept).sum(-1)
    with backend.lasting():
        factors_there, effort_there = backend.array(factors), backend.array(inside * care.effort[:, None])
        rows = map_arrays(
            lambda array: backend.xp.broadcast_to(array[:, None], (*batch, *array.shape[1:])), moved_to(backend, states)
        )
        if isinstance(game, CoalitionFormation):
            members = backend.xp.broadcast_to(backend.array(inside), (*batch, game.n_agents))
            rows = replace(rows, members=members)  # type: ignore[call-arg]  # its states have members

    def sums(points: Array) -> Array:
        cooperation = points.reshape((*batch, game.n_agents))
        warm = (effort_there * cooperation).sum(-1)
        return (weighted_payoffs(on_device, rows, cooperation, factors_there) + warm).reshape(-1)

    starts = np.full((batch[0] * batch[1], game.n_agents), 0.5)
    maxima = concave_maxima(sums, starts, device).reshape(batch) - kept
    best: FloatArray = maxima.max(1)
    return best


def _loyal_mates(game: AnyFormalGame, care: Care, inside: IntArray) -> FloatArray:
    """Weights ``(steps, A, N)`` of loyal team-mates inside on the surplus of seats inside."""
    if not isinstance(game, CoalitionFormation):
        return np.broadcast_to(care.loyalty[:, None], (len(care.loyalty), *inside.shape))
    # Everybody's loyalties add up to Σ_j (weights on j) / (N - 1); what is left is the part of those inside.
    loyal = care.loyalty.sum(-1, keepdims=True) / (game.n_agents - 1) - care.loyalty
    present = inside * loyal[:, None]
    mates: FloatArray = inside * (present.sum(-1, keepdims=True) - present)
    return mates


def _assignments(game: AnyFormalGame, start: State, mode: RewardMode) -> Iterator[IntArray]:
    """Who is inside and which case each seat's payoff is in, ``(N, 2)``: all combinations that differ."""
    cases = [GAIN]
    if isinstance(mode, Integrated):
        cases = [LOSS, GAIN, SURPLUS] if hasattr(start, "loyalty") else [LOSS, GAIN]
    places = [(INSIDE, case) for case in cases]
    if isinstance(game, CoalitionFormation):
        places += [(OUTSIDE, case) for case in cases if case != SURPLUS]
    groups = exchangeable_groups(game.spec)
    if isinstance(game, IndirectReciprocity) or not even(start, game.n_agents):
        groups = tuple((seat,) for seat in range(game.n_agents))
    seats = np.argsort(np.concatenate(groups))
    for choice in product(*(combinations_with_replacement(places, len(group)) for group in groups)):
        yield np.concatenate([np.array(part) for part in choice])[seats]
