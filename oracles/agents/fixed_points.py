"""Fixed points of maps from profiles to profiles, many at once: where best responses reproduce what they answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.oracles.games.best_response import responses
from coopgym.oracles.games.normal_form import StageGameByRow
from coopgym.typing import FloatArray

Map: TypeAlias = Callable[[FloatArray], FloatArray]
"""Profiles ``(B, N)`` to profiles ``(B, N)``, row by row."""

CLOSE = 1e-8
"""Distance, in shares, between a point and its image at which the search stops."""
_MEMORY = 4
_ROUNDS = 100
_GROWTH = 2.0
"""A step that makes the distance grow more than this, against the last few, is taken back and halved."""
_RIDGE = 1e-12


def fixed_points(image: Map, starts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Solve image(c) = c in [0, 1]^N from every start, each row for itself.

    Anderson acceleration: the next point is the combination of the last few images whose distances to their points
    cancel best (Anderson 1965; Walker & Ni 2011), taken back where it overshoots.

    Args:
        image: the map.
        starts: ``(B, N)``.

    Returns:
        The best points reached ``(B, N)`` and the largest distance ``(B,)`` of each to its image.
    """
    points, pace = starts.copy(), np.ones(len(starts))
    best, least = starts.copy(), np.full(len(starts), np.inf)
    trail: list[Visit] = []
    for _ in range(_ROUNDS):
        moves = image(points) - points
        distance = np.abs(moves).max(1)
        best, least = np.where((distance < least)[:, None], points, best), np.minimum(distance, least)
        if (least < CLOSE).all():
            break
        trail = [*trail, Visit(points, moves, distance)][-_MEMORY:]
        overshot = distance > _GROWTH * np.min([visit.distance for visit in trail], axis=0)
        pace = np.where(overshot, 0.5 * pace, np.minimum(1.0, 1.5 * pace))
        following = np.where(overshot[:, None], _taken_back(trail, pace), _accelerated(trail, pace))
        points = np.where((least < CLOSE)[:, None], best, following)
    return best, least


class Visit(NamedTuple):
    """One round of the search."""

    points: FloatArray
    moves: FloatArray
    """``(B, N)`` from the points to their images."""
    distance: FloatArray
    """``(B,)`` largest entry of the moves."""


def _taken_back(trail: list[Visit], pace: FloatArray) -> FloatArray:
    """A part of the way from the best of the last points to its image."""
    nearest = np.argmin([visit.distance for visit in trail], axis=0)
    rows = np.arange(len(nearest))
    points, moves = (np.stack(arrays)[nearest, rows] for arrays in list(zip(*trail, strict=True))[:2])
    return points + pace[:, None] * moves


def _accelerated(trail: list[Visit], pace: FloatArray) -> FloatArray:
    """The next point of the acceleration; where it would leave [0, 1], a part of the way to the image."""
    points, moves, _ = trail[-1]
    plain = points + pace[:, None] * moves
    if len(trail) == 1:
        return plain
    point_changes = np.stack([points - past.points for past in trail[:-1]], axis=-1)
    move_changes = np.stack([moves - past.moves for past in trail[:-1]], axis=-1)
    transposed = np.swapaxes(move_changes, 1, 2)
    normal = transposed @ move_changes
    ridge = _RIDGE * np.trace(normal, axis1=1, axis2=2)[:, None, None] + np.finfo(float).tiny
    weights = np.linalg.solve(normal + ridge * np.eye(normal.shape[-1]), transposed @ moves[..., None])
    following = points + moves - ((point_changes + move_changes) @ weights)[..., 0]
    inside = ((following >= 0.0) & (following <= 1.0)).all(1, keepdims=True)
    return np.where(inside, following, plain)


def stage_responses(game: AnyGame, states: State, profiles: FloatArray) -> FloatArray:
    """Return every seat's best response ``(B, N)`` under integrated reward, each row in a state of its own.

    Args:
        game: on the NumPy backend.
        states: a batch ``(B,)`` of states.
        profiles: ``(B, N)`` shares of endowment that are answered.
    """
    shares, _ = responses(StageGameByRow(game, "integrated", states), profiles, tuple(range(game.n_agents)))
    return shares
