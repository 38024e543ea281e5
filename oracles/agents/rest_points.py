"""Rest points of reciprocity: equilibria in which everybody remembers just what is played."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from coopgym.games.game import AnyGame
from coopgym.games.state import State
from coopgym.oracles.agents.fixed_points import CLOSE, fixed_points, stage_responses
from coopgym.oracles.games.best_response import regret
from coopgym.oracles.games.equilibrium import (
    AUDIT_SPACING,
    NASH_REGRET,
    Equilibria,
    Equilibrium,
    Unconverged,
    rows_alike,
)
from coopgym.oracles.games.normal_form import StageGame
from coopgym.oracles.games.rollout import repeated
from coopgym.typing import FloatArray

COMMON_STARTS, SCATTERED_STARTS = 6, 6
_DIFFERENCE = 1e-5

Answers = Callable[[FloatArray], FloatArray]
"""Profiles ``(B, N)`` to the best responses among agents who remember them."""


def rest_points(game: AnyGame, state: State) -> Equilibria:
    """Search for profiles that are coopetitive stage equilibria once everybody remembers them.

    Args:
        game: a formal game with reciprocity, on the NumPy backend.
        state: a single state; its memory, and the public image where one takes its place, follow the profile.
    """

    def answers(profiles: FloatArray) -> FloatArray:
        states = _remembering(repeated(game, state, profiles.shape[:1]), profiles)
        return stage_responses(game, states, profiles)

    starts = _starts(game.n_agents)
    points, residuals = fixed_points(answers, starts)
    found: list[Equilibrium] = []
    unconverged: list[Unconverged] = []
    for same in rows_alike(points):
        row = same[int(residuals[same].argmin())]
        form = StageGame(game, "integrated", _remembering(state, points[row]))
        rest = _audited(form, answers, points[row], float(residuals[row]), len(same) / len(starts))
        if rest.residual <= CLOSE and rest.regret <= NASH_REGRET * form.scale:
            found.append(rest)
        else:
            unconverged.extend(Unconverged(starts[i], points[i], float(residuals[i]), rest.regret) for i in same)
    found.sort(key=lambda rest: float(rest.profile.sum()))
    return Equilibria(game.id, "integrated", tuple(found), tuple(unconverged))


def _starts(n_agents: int) -> FloatArray:
    common = np.repeat(np.linspace(0.0, 1.0, COMMON_STARTS)[:, None], n_agents, axis=1)
    return np.concatenate([common, np.random.default_rng(0).random((SCATTERED_STARTS, n_agents))])


def _remembering(state: State, profiles: FloatArray) -> State:
    """The state in which everybody's memory is full of profiles ``(..., N)``."""
    memory = np.broadcast_to(profiles[..., None, :], state.memory.shape)  # type: ignore[attr-defined]  # reciprocal states have one
    stocks = {"memory": memory, **({"image": profiles} if hasattr(state, "image") else {})}
    return dataclasses.replace(state, **stocks)


def _audited(form: StageGame, answers: Answers, point: FloatArray, residual: float, basin: float) -> Equilibrium:
    gain = regret(form, point)
    return Equilibrium(
        profile=point,
        utilities=form.utilities(point),
        payoffs=form.payoffs(point),
        regret=gain,
        residual=residual,
        spacing=AUDIT_SPACING,
        stability=_stability(answers, point),
        basin=basin,
    )


def _stability(answers: Answers, point: FloatArray) -> float:
    """Largest real part of the eigenvalues of the answers' Jacobian less one."""
    shifts = _DIFFERENCE * np.eye(len(point))
    above, below = np.clip(point + shifts, 0.0, 1.0), np.clip(point - shifts, 0.0, 1.0)
    jacobian = ((answers(above) - answers(below)) / (above - below).sum(1)[:, None]).T
    return float(np.linalg.eigvals(jacobian - np.eye(len(point))).real.max())
