"""Searches for profiles that answer themselves: adjustment and Newton's method, or steps on a grid."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from coopgym.oracles.games.best_response import deviation_utilities, distinct_seats, regret, responses
from coopgym.oracles.games.normal_form import NormalForm
from coopgym.typing import FloatArray

SeatBlocks: TypeAlias = tuple[tuple[int, ...], ...]
"""Seats that move together, the first of each block answering for it."""

TOLERANCE = 1e-6
"""Largest distance, in shares, between a profile and the best responses to it."""
SMALL_GAME = 6
"""Up to this many seats each moves on its own; in larger games exchangeable seats move together."""
ADJUSTMENT_ROUNDS = 8
"""Rounds of movement that carry a start into some equilibrium's neighbourhood."""
_ROUNDS = 60
_DIFFERENCE = 1e-4


def movers(form: NormalForm, symmetric: bool) -> SeatBlocks:
    """Blocks of seats that move together: groups that start alike in large games or on a grid, else single seats."""
    together = symmetric and (form.n_agents > SMALL_GAME or not form.smooth)
    return form.groups if together else tuple((seat,) for seat in range(form.n_agents))


def starts_alike(form: NormalForm, profiles: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether exchangeable seats play the same in each profile, ``(S,)``."""
    spreads = [np.ptp(profiles[:, list(group)], axis=1) for group in form.groups]
    return np.max(spreads, axis=0) == 0.0


def _expanded(form: NormalForm, shares: FloatArray, blocks: SeatBlocks) -> FloatArray:
    """Profiles ``(B, N)`` from one share per block ``(B, M)``."""
    profiles = np.empty((len(shares), form.n_agents))
    for column, block in enumerate(blocks):
        profiles[:, list(block)] = shares[:, column : column + 1]
    return profiles


def solve_smoothly(
    form: NormalForm, profiles: FloatArray, blocks: SeatBlocks, adjustments: int = ADJUSTMENT_ROUNDS
) -> tuple[FloatArray, FloatArray]:
    """Move blocks towards their best responses, then solve BR(c) = c by Newton's method.

    Args:
        form: a smooth game.
        profiles: starts ``(S, N)``.
        blocks: seats that move together.
        adjustments: rounds of movement before Newton's method takes over; none where starts are close.

    Returns:
        Where each start ``(S, N)`` ended, ``(S, N)``, and its distance to the best responses, ``(S,)``.
    """
    heads = tuple(block[0] for block in blocks)
    shares = profiles[:, heads]
    # A whole group that answers itself overshoots as many times as it has members.
    pace = 1.0 / max(max(len(block) for block in blocks), len(blocks))
    residuals = np.full(len(shares), np.inf)
    for round in range(_ROUNDS):
        current = _expanded(form, shares, blocks)
        answers, _ = responses(form, current, heads)
        before, residuals = residuals, np.abs(answers - shares).max(1)
        if residuals.max() < TOLERANCE:
            break
        towards = answers - shares
        step = pace * towards
        if round >= adjustments:
            slopes = _slopes(form, current, _expanded(form, answers, blocks), blocks)
            newton = (np.linalg.pinv(np.eye(len(heads)) - slopes) @ towards[..., None])[..., 0]
            falling = (residuals <= before) | (round % ADJUSTMENT_ROUNDS == 0)
            step = np.where(falling[:, None], newton, step)
        shares = np.where(residuals[:, None] < TOLERANCE, shares, np.clip(shares + step, 0.0, 1.0))
    return _expanded(form, shares, blocks), residuals


def _slopes(form: NormalForm, profiles: FloatArray, answers: FloatArray, blocks: SeatBlocks) -> FloatArray:
    """Derivatives ``(B, M, M)`` of block heads' best responses to moves of whole blocks, by finite differences."""
    h, heads = _DIFFERENCE, np.array([block[0] for block in blocks])
    own = np.clip(answers[:, heads], h, 1.0 - h)
    stencil = own[..., None] + h * np.array([-1.0, 0.0, 1.0])
    below, at, above = np.moveaxis(deviation_utilities(form, profiles, heads, stencil), -1, 0)
    slope, curvature = (above - below) / (2.0 * h), (above - 2.0 * at + below) / h**2
    held = (np.abs(answers[:, heads] - own) > 0.0) & (np.abs(slope) > h * np.abs(curvature))
    slopes = np.zeros((len(profiles), len(heads), len(heads)))
    ends = stencil[..., [0, 2]]
    for column, block in enumerate(blocks):
        moved = [np.clip(profiles + sign * h * np.isin(np.arange(form.n_agents), block), 0.0, 1.0) for sign in (-1, 1)]
        lower, upper = (np.diff(deviation_utilities(form, there, heads, ends))[..., 0] / (2.0 * h) for there in moved)
        width = np.maximum(moved[1][:, block[0]] - moved[0][:, block[0]], h)
        slopes[:, :, column] = -(upper - lower) / width[:, None] / np.where(curvature < 0.0, curvature, -np.inf)
        if len(block) == 1:
            slopes[:, column, column] = 0.0
    return np.where(held[..., None], 0.0, slopes)


def iterate_on_grid(form: NormalForm, profiles: FloatArray, blocks: SeatBlocks) -> tuple[FloatArray, FloatArray]:
    """Let blocks answer in turn until every start stands still or comes back to where it was.

    Returns:
        As `solve_smoothly`; of a cycle, the profile from which seats gain least by deviating.
    """
    starts = _on_grid(form, profiles[:, [block[0] for block in blocks]])
    paths = [[start] for start in starts]
    # A group that answers itself overshoots: it goes half the way, and half of that after every turn back.
    pace = np.broadcast_to([0.5 if len(block) > 1 else 1.0 for block in blocks], starts.shape).copy()
    last = np.zeros_like(starts)
    moving = np.arange(len(starts))
    for _ in range(_ROUNDS):
        shares = np.stack([paths[row][-1] for row in moving])
        for column, block in enumerate(blocks):
            answer, _ = responses(form, _expanded(form, shares, blocks), block[:1])
            wish = answer[:, 0] - shares[:, column]
            pace[moving, column] *= np.where(wish * last[moving, column] < 0.0, 0.5, 1.0)
            last[moving, column] = wish
            cells = np.round(wish * (form.levels - 1))
            step = np.sign(cells) * np.ceil(np.abs(cells) * pace[moving, column])
            shares[:, column] = _on_grid(form, shares[:, column] + step / (form.levels - 1))
        still = [any((shares[k] == past).all() for past in paths[row]) for k, row in enumerate(moving)]
        for k, row in enumerate(moving):
            paths[row].append(shares[k])
        moving = moving[~np.array(still)]
        if not len(moving):
            break
    ended = [_calmest(form, _expanded(form, np.stack(path[-4:]), blocks)) for path in paths]
    return np.stack([profile for profile, _ in ended]), np.array([residual for _, residual in ended])


def _on_grid(form: NormalForm, shares: FloatArray) -> FloatArray:
    return np.round(np.round(shares * (form.levels - 1)) / (form.levels - 1), 12)


def _calmest(form: NormalForm, visited: FloatArray) -> tuple[FloatArray, float]:
    """Where a path ``(steps, N)`` ends and its distance to the best responses: at rest, or somewhere on a cycle."""
    if (visited[-1] == visited[-2]).all():
        return visited[-1], 0.0
    profile = min(np.unique(visited, axis=0), key=lambda candidate: regret(form, candidate, form.levels))
    seats = distinct_seats(form, profile)
    answers, _ = responses(form, profile[None], tuple(seats))
    return profile, float(np.abs(answers[0] - profile[seats]).max())


def response_slopes(form: NormalForm, profile: FloatArray) -> FloatArray:
    """Return ``(N, N)`` derivatives of each seat's best response to each other seat's share, at an equilibrium.

    From the implicit function theorem, -∂²u_i/∂c_i∂c_j / ∂²u_i/∂c_i²; zero in the rows of seats that a corner or a kink
    holds in place.
    """
    alone = tuple((seat,) for seat in range(form.n_agents))
    return _slopes(form, profile[None], profile[None], alone)[0]
