"""Nash equilibria of normal-form games: all that a grid of starts leads to, each audited, with stability and status."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from coopgym.oracles.games.adjustment import (
    SMALL_GAME,
    TOLERANCE,
    iterate_on_grid,
    movers,
    response_slopes,
    solve_smoothly,
    starts_alike,
)
from coopgym.oracles.games.best_response import AUDIT_LEVELS, regret
from coopgym.oracles.games.grid_refinement import Refined, cell, refined
from coopgym.oracles.games.normal_form import NormalForm
from coopgym.typing import FloatArray

NASH_REGRET = 1e-6
"""Gain from deviating, in payoff units, above which no profile is called an equilibrium."""
NASH_REGRET_ON_A_GRID = 2e-4
"""The same among the shares of a grid, near whose points the equilibrium proper is then looked for."""
AUDIT_SPACING = 1.0 / (AUDIT_LEVELS - 1)
COMMON_STARTS = np.array([0.0, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0])
"""Shares that all seats start from."""
UNEQUAL_STARTS = 6
SAME = 1e-3
"""Profiles closer than this are one equilibrium."""


@dataclass(frozen=True, eq=False)
class Equilibrium:
    """A profile that nobody gains by leaving alone."""

    profile: FloatArray
    """``(N,)`` shares of endowment."""
    utilities: FloatArray
    """``(N,)`` what the seats get in the game's reward."""
    payoffs: FloatArray
    """``(N,)`` material payoffs."""
    regret: float
    """Largest gain from deviating alone that the audit found, in utility units."""
    residual: float
    """Largest distance between a share and the best response to the others, in shares."""
    spacing: float
    """Distance between the shares among which nobody has a better one; the grid's where no equilibrium was found
    between its points, and then deviations to there gain more: `regret` says how much."""
    stability: float | None
    """Largest real part of the eigenvalues of ``BR' - 1``: below zero, small departures die out when seats move towards
    their best responses. None where utilities jump."""
    basin: float
    """Share of the starts that led here."""

    @property
    def stable(self) -> bool | None:
        """Whether small departures die out; None where utilities jump."""
        return None if self.stability is None else self.stability < 0.0

    @property
    def interior(self) -> bool:
        """Whether no seat is at 0 or at its endowment."""
        return bool(((self.profile > 0.0) & (self.profile < 1.0)).all())

    @property
    def welfare(self) -> float:
        """Mean material payoff per seat."""
        return float(self.payoffs.mean())


@dataclass(frozen=True, eq=False)
class Unconverged:
    """Where a search from some start stopped without an equilibrium."""

    start: FloatArray
    profile: FloatArray
    residual: float
    """Distance to the best responses, in shares."""
    regret: float
    """Gain from deviating, in utility units."""


@dataclass(frozen=True, eq=False)
class Equilibria:
    """What a search found."""

    game: str
    reward: str
    found: tuple[Equilibrium, ...]
    """From low to high cooperation."""
    unconverged: tuple[Unconverged, ...]

    @property
    def unique(self) -> bool:
        """Whether every start led to the same equilibrium."""
        return len(self.found) == 1 and not self.unconverged

    def only(self) -> Equilibrium:
        """Return the equilibrium.

        Raises:
            ValueError: there is none, or more than one.
        """
        if len(self.found) == 1:
            return self.found[0]
        raise ValueError(f"{self.game} under {self.reward} reward: expected one equilibrium, {self.describe()}")

    def best_paying(self, unstable: bool = False) -> Equilibrium | None:
        """Return the equilibrium with the highest welfare; None without one.

        Args:
            unstable: whether one that is known to be unstable may be chosen.
        """
        candidates = (one for one in self.found if unstable or one.stable is not False)
        return max(candidates, key=lambda one: one.welfare, default=None)

    def describe(self) -> str:
        """Say in one line what was found."""
        profiles = ", ".join(str(np.round(equilibrium.profile, 3).tolist()) for equilibrium in self.found)
        text = f"found {len(self.found)}" + (f" ({profiles})" if profiles else "")
        if self.unconverged:
            text += f"; {len(self.unconverged)} starts did not converge (worst residual {self.worst_residual:.2g})"
        return text

    @property
    def worst_residual(self) -> float:
        """Largest residual of the starts that did not converge; 0 if all did."""
        return max((failure.residual for failure in self.unconverged), default=0.0)


def find_equilibria(form: NormalForm, starts: Sequence[npt.ArrayLike] | None = None) -> Equilibria:
    """Search for Nash equilibria in pure strategies from many starts.

    Smooth games: seats first move part of the way to their best responses, then Newton's method solves BR(c) = c, which
    also finds equilibria that adjustment would leave. Games that jump: seats move to best responses on a grid until
    nobody moves, and what they reach is sharpened between the grid's points where that is possible. Every profile is
    audited against deviations on a fine grid before it counts as an equilibrium.

    Args:
        form: the game with what its seats care about.
        starts: profiles, each one share for all or ``(N,)``; None is `default_starts`.

    Raises:
        ValueError: a start that is not a profile.
    """
    profiles = default_starts(form) if starts is None else _profiles(form, starts)
    search = solve_smoothly if form.smooth else iterate_on_grid
    ends, residuals = np.empty_like(profiles), np.empty(len(profiles))
    alike = starts_alike(form, profiles)
    for symmetric in (True, False):
        rows = alike == symmetric
        if rows.any():
            ends[rows], residuals[rows] = search(form, profiles[rows], movers(form, symmetric))
    return _audited(form, profiles, ends, residuals)


def default_starts(form: NormalForm) -> FloatArray:
    """Starts ``(S, N)``: common shares, the norm and, in small games, a fixed scatter of unequal profiles."""
    common = np.repeat(COMMON_STARTS[:, None], form.n_agents, axis=1)
    starts = [common, form.norm[None]]
    if 1 < form.n_agents <= (SMALL_GAME if form.smooth else 2):
        starts.append(np.random.default_rng(0).random((UNEQUAL_STARTS, form.n_agents)))
    return np.concatenate(starts)


def _profiles(form: NormalForm, starts: Sequence[npt.ArrayLike]) -> FloatArray:
    if not len(starts):
        raise ValueError("starts: expected at least one profile, got none")
    return np.stack([form.checked(np.broadcast_to(np.asarray(start, float), (form.n_agents,))) for start in starts])


def _audited(form: NormalForm, starts: FloatArray, ends: FloatArray, residuals: FloatArray) -> Equilibria:
    """Sort ends that are equilibria from those that are not, equal ones together."""
    found: list[Equilibrium] = []
    failures: list[Unconverged] = []
    for rows in rows_alike(ends):
        row = int(rows[residuals[rows].argmin()])
        gain, residual = regret(form, ends[row], None if form.smooth else form.levels), float(residuals[row])
        if form.smooth and residual < TOLERANCE and gain <= NASH_REGRET * form.scale:
            found.append(_equilibrium(form, Refined(ends[row], AUDIT_SPACING, gain), residual, len(rows) / len(ends)))
        elif not form.smooth and residual < 1.5 * cell(form) and gain <= NASH_REGRET_ON_A_GRID * form.scale:
            sharp = refined(form, ends[row], NASH_REGRET * form.scale)
            found.append(_equilibrium(form, sharp, min(residual, sharp.spacing), len(rows) / len(ends)))
        else:
            failures.extend(Unconverged(starts[i], ends[i], float(residuals[i]), gain) for i in rows)
    return Equilibria(form.game.id, form.layer.name, tuple(_distinct(found)), tuple(failures))


def rows_alike(ends: FloatArray) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the rows of profiles ``(B, N)`` that are the same, group by group."""
    rows = np.arange(len(ends))
    while len(rows):
        near = np.abs(ends[rows] - ends[rows[0]]).max(1) < SAME
        yield rows[near]
        rows = rows[~near]


def _distinct(found: list[Equilibrium]) -> list[Equilibrium]:
    """Equilibria from low to high cooperation; those that sharpening brought together count once."""
    groups = rows_alike(np.stack([each.profile for each in found])) if found else ()
    merged = [replace(found[rows[0]], basin=sum(found[row].basin for row in rows)) for rows in groups]
    return sorted(merged, key=lambda each: float(each.profile.sum()))


def _equilibrium(form: NormalForm, place: Refined, residual: float, basin: float) -> Equilibrium:
    stability = None
    if form.smooth:
        slopes = response_slopes(form, place.profile)
        stability = float(np.linalg.eigvals(slopes - np.eye(form.n_agents)).real.max())
    return Equilibrium(
        profile=place.profile,
        utilities=form.utilities(place.profile),
        payoffs=form.payoffs(place.profile),
        regret=place.regret,
        residual=residual,
        spacing=place.spacing,
        stability=stability,
        basin=basin,
    )
