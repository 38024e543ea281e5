"""Sequential play: seats commit one after another in agent order, each seeing the moves before its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from coopgym.oracles.games.best_response import AUDIT_LEVELS, best_response, deviation_utilities
from coopgym.oracles.games.equilibrium import find_equilibria
from coopgym.oracles.games.normal_form import NormalForm
from coopgym.typing import BoolArray, FloatArray, IntArray

Ties: TypeAlias = Literal["optimistic", "pessimistic"]

SEARCHES = {
    2: ((33, 20), (65, 20)),
    3: ((17, 20), (25, 20)),
    4: ((13, 15), (17, 20)),
    5: ((7, 8), (9, 10)),
}
"""By seats, a coarse and a fine search: shares on a mover's grid and most rounds of zooming in. Every history is
visited, so more seats leave room for fewer of both."""
LEADER_LEVELS = {2: 1001, 3: 101, 4: 31, 5: 11}
"""By seats, evenly spaced moves with which the outcome is audited for all movers but the last."""
CONVERGED = 1e-3
"""Largest distance between the profiles of the two searches at which the outcome counts as converged, shares."""
INDIFFERENT = 1e-12
"""Utilities closer than this are a tie, payoff units."""
_CLOSE = 1e-6
"""Shares closer than this are not told apart: their utilities differ by rounding errors."""
_EVEN = 0.1
"""Three points lie evenly if the shorter distance is at least this part of the longer one."""


@dataclass(frozen=True, eq=False)
class SequentialOutcome:
    """What is played when everybody looks ahead."""

    profile: FloatArray
    """``(N,)`` shares on the path of play."""
    utilities: FloatArray
    """``(N,)`` what the seats get in the game's reward."""
    payoffs: FloatArray
    """``(N,)`` material payoffs."""
    gains: FloatArray
    """``(N,)`` audit: the most a seat would gain by another move, utility units. Moves tried: 10,001 by the last seat,
    those of `LEADER_LEVELS` by the others. The second of two seats
    answers by its best response in smooth games; otherwise the search answers."""
    levels: int
    """Shares on a mover's grid, from which it zooms in."""
    width: float
    """Last step of the leader's zooming in, share of endowment."""
    drift: float
    """Largest distance, in shares, to the outcome of the coarser search: how exact the profile is. Large where a
    mover's utility jumps because later seats switch between answers."""
    ties: Ties

    @property
    def converged(self) -> bool:
        """Whether a finer search confirms the outcome."""
        return max(self.width, self.drift) <= CONVERGED

    @property
    def leader_gain(self) -> float:
        """What seat 0 would gain by another of the grid's moves, the others answering."""
        return float(self.gains[0])

    @property
    def last_mover_gain(self) -> float:
        """What the last seat would gain by another of 10,001 moves."""
        return float(self.gains[-1])


def sequential_outcome(form: NormalForm, ties: Ties = "optimistic") -> SequentialOutcome:
    """Return the subgame-perfect outcome of a game played in agent order (von Stackelberg 1934).

    Backward induction over histories. After every history the mover tries a grid of shares, finer near zero, knowing
    how all later seats answer each of them, and zooms in on the best by successive parabolic interpolation. Answers
    between grid points matter: earlier movers would exploit answers that are rounded. Two searches, one finer than the
    other, show how exact the outcome is.

    Args:
        form: the game with what its seats care about; seat 0 moves first.
        ties: what a later seat does that is indifferent: what seat 0 prefers, or what seat 0 fears. With pessimistic
            ties a maximum may only be approached, not attained.

    Raises:
        ValueError: more than five seats, or an unknown tie rule.

    >>> from coopgym.oracles import StageGame
    >>> sequential_outcome(StageGame(coopgym.make_game("TrustDilemma-v1"))).profile.round(3)
    array([0.204, 0.156])
    """
    if form.n_agents not in SEARCHES:
        raise ValueError(
            f"{form.game.id}: backward induction visits every history, K^N of them, and {form.n_agents} seats leave "
            f"only grids that are too coarse to be trusted; expected 2 to {max(SEARCHES)} seats"
        )
    if ties not in ("optimistic", "pessimistic"):
        raise ValueError(f"ties={ties!r}: expected 'optimistic' or 'pessimistic'")
    favour = 1.0 if ties == "optimistic" else -1.0
    coarse, fine = (_Induction(form, levels, rounds, favour) for levels, rounds in SEARCHES[form.n_agents])
    before, _ = coarse.play(np.zeros((1, form.n_agents)), 0)
    profiles, width = fine.play(np.zeros((1, form.n_agents)), 0)
    profile = profiles[0]
    return SequentialOutcome(
        profile=profile,
        utilities=form.utilities(profile),
        payoffs=form.payoffs(profile),
        gains=_audit(fine, profile),
        levels=fine.levels,
        width=float(width[0]),
        drift=float(np.abs(profile - before[0]).max()),
        ties=ties,
    )


def leader_advantage(form: NormalForm, outcome: SequentialOutcome | None = None) -> float:
    """Return what seat 0 gains by moving first instead of at the same time as everybody else, utility units.

    Args:
        form: the game with what its seats care about.
        outcome: of sequential play, if it is known.

    Raises:
        ValueError: the simultaneous game has no single equilibrium to compare with.
    """
    outcome = outcome or sequential_outcome(form)
    return float(outcome.utilities[0] - find_equilibria(form).only().utilities[0])


@dataclass(frozen=True, eq=False)
class _Induction:
    """Backward induction over many histories at once."""

    form: NormalForm
    levels: int
    rounds: int
    favour: float
    """Sign with which seat 0's utility decides ties."""

    @cached_property
    def grid(self) -> FloatArray:
        """Shares that every mover tries first."""
        return np.linspace(0.0, 1.0, self.levels) ** 2

    @cached_property
    def indifferent(self) -> float:
        """Utilities closer than this are a tie."""
        return INDIFFERENT * self.form.scale

    def play(self, profiles: FloatArray, seat: int) -> tuple[FloatArray, FloatArray]:
        """Complete profiles ``(B, N)``, in which the seats before ``seat`` have moved.

        Returns:
            Profiles as all seats from ``seat`` on complete them, and the last step of the seat's search ``(B,)``.
        """
        if seat == self.form.n_agents:
            return profiles, np.zeros(len(profiles))
        search, chosen = self._best_on_grid(profiles, seat)
        step = np.full(len(profiles), np.inf)
        for _ in range(self.rounds):
            proposal, exploring = _proposal(search)
            step = np.abs(proposal - search[0, :, 1])
            moving = np.flatnonzero(step)
            if not moving.size:
                break
            ends = self._answered(profiles[moving], seat, proposal[moving])
            point = np.stack([proposal[moving], self.form.utilities(ends)[:, seat]])
            # Close to a peak utilities differ by less than their rounding errors, and the parabola knows better; a
            # point that only explores must gain something, or searches would drift along ties.
            gain = point[1] - search[1, moving, 1]
            better = gain > np.where(exploring[moving], self.indifferent, -self.indifferent)
            chosen[moving] = np.where(better[:, None], ends, chosen[moving])
            search[:, moving] = _narrowed(search[:, moving], point, better)
        return chosen, step

    def _answered(self, profiles: FloatArray, seat: int, shares: FloatArray) -> FloatArray:
        """Complete profiles ``(B, N)`` in which ``seat`` plays ``shares`` ``(B,)``."""
        moved = profiles.copy()
        moved[:, seat] = shares
        return self.play(moved, seat + 1)[0]

    def _best_on_grid(self, profiles: FloatArray, seat: int) -> tuple[FloatArray, FloatArray]:
        """Return where a seat's utility is highest among the grid's shares.

        Returns:
            Shares and utilities ``(2, B, 3)`` of the best point between its neighbours, itself at the grid's ends, and
            completed profiles ``(B, N)``.
        """
        count, levels = len(profiles), self.levels
        ends = self._answered(np.repeat(profiles, levels, axis=0), seat, np.tile(self.grid, count))
        ends = ends.reshape(count, levels, -1)
        utilities = self.form.utilities(ends)
        rows, best = np.arange(count), self._choice(utilities, seat)
        around = np.clip(best[:, None] + np.array([-1, 0, 1]), 0, levels - 1)
        return np.stack([self.grid[around], utilities[rows[:, None], around, seat]]), ends[rows, best]

    def _choice(self, utilities: FloatArray, seat: int) -> IntArray:
        """Return the index ``(B,)`` of a seat's best share from utilities ``(B, K, N)``; seat 0's decides ties."""
        own = utilities[..., seat]
        tied = own >= own.max(1, keepdims=True) - self.indifferent
        return np.where(tied, self.favour * utilities[..., 0], -np.inf).argmax(1)


def _proposal(search: FloatArray) -> tuple[FloatArray, BoolArray]:
    """Return the next shares ``(B,)`` to try, the top of the parabola through three points, and which only explore.

    Where the points lie unevenly one on the emptier side comes first, since a parabola through two points and a distant
    third says little. A search rests, and proposes what it has, when that is the top.
    """
    (low, middle, high), (at_low, at_middle, at_high) = np.moveaxis(search, -1, 1)
    left, right = middle - low, high - middle
    to_left, to_right = (at_middle - at_low) * right, (at_middle - at_high) * left
    weight = 2.0 * (to_left + to_right)
    top = middle + (right * to_left - left * to_right) / np.where(weight > 0.0, weight, np.inf)
    near, far = np.minimum(left, right), np.maximum(left, right)
    uneven = near < _EVEN * far
    filling = middle + np.where(left < right, 1.0, -1.0) * np.clip(near, _EVEN * far, far)
    wanted = np.where(uneven, filling, top)
    resting = (far < _CLOSE) | (np.abs(wanted - middle) < _CLOSE)
    return np.where(resting, middle, wanted), uneven


def _narrowed(search: FloatArray, point: FloatArray, better: BoolArray) -> FloatArray:
    """Return the three points ``(2, B, 3)`` around the best after trying another, shares and utilities ``(2, B)``."""
    low, middle, high = np.moveaxis(search, -1, 0)
    below = point[0] < middle[0]
    lower = np.where(better, np.where(below, low, middle), np.where(below, point, low))
    upper = np.where(better, np.where(below, middle, high), np.where(below, high, point))
    return np.stack([lower, np.where(better, point, middle), upper], axis=-1)


def _audit(induction: _Induction, profile: FloatArray) -> FloatArray:
    """Return what every seat ``(N,)`` would gain by another move, all seats after it answering."""
    form, last = induction.form, induction.form.n_agents - 1
    present, gains = form.utilities(profile), np.zeros(form.n_agents)
    for seat in range(last):
        # Other moves than those searched: a search cannot fail an audit by its own points.
        moves = np.linspace(0.0, 1.0, LEADER_LEVELS[form.n_agents])
        tried = np.repeat(profile[None], len(moves), axis=0)
        tried[:, seat] = moves
        if form.n_agents == 2 and form.smooth:
            tried[:, 1] = best_response(form, tried, 1).share
            ends = tried
        else:
            ends, _ = induction.play(tried, seat + 1)
        gains[seat] = form.utilities(ends)[:, seat].max() - present[seat]
    deviations = deviation_utilities(form, profile[None], np.array([last]), np.linspace(0.0, 1.0, AUDIT_LEVELS))
    gains[last] = deviations.max() - present[last]
    return np.maximum(gains, 0.0)
