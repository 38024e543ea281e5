"""Best responses along a line of profiles: where they stay, and where they lead.

A line has one profile for every share x of the first seat. On the *common* line all seats play x; on the *answered*
line of two unequal seats the second plays its best response to x. The first seat moves towards its own,

    dx/dt = BR(x) - x,    BR(x) = argmax_y u(y; what the others play on the line at x),                              (*)

and takes the line along. The zeros of (*) are all symmetric equilibria of exchangeable seats, or all equilibria of two
seats. They attract where BR(x) - x falls through zero and repel where it rises. Where it jumps from below to above,
basins meet without an equilibrium between them; where it jumps from above to below, seats settle nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coopgym.oracles.games.grid_refinement import cell
from coopgym.oracles.games.normal_form import NormalForm
from coopgym.typing import FloatArray

STEPS = np.array([0.0, *(sign * 10.0**-power for power in range(2, 7) for sign in (1, -1))])
"""Deviations that tell on which side of the own share the best response lies when it is near; the first is to stay."""
ROUNDING = 1e-13
"""Gain, in payoff units, that is rounding error."""
PARTS, ROUNDS = 4, 4
"""Parts into which a stretch is cut whose ends differ in direction, and how often."""
ANSWERED_LEVELS = 51
"""Shares of the first seat at which an answered line is read to begin with."""
_AROUND = np.arange(-2, 3)
_ANSWER_ROUNDS = 5


@dataclass(frozen=True, eq=False)
class Line:
    """Profiles of a game in one parameter, the first seat's share."""

    form: NormalForm
    profiles: Callable[[FloatArray], FloatArray]
    """From shares ``(B,)`` to profiles ``(B, N)``, whose first column they are."""


class Answers(NamedTuple):
    """Best responses of the first seat along a line."""

    shares: FloatArray
    """``(B,)`` where, ascending."""
    answers: FloatArray
    """``(B,)`` best responses; the share itself where nothing is better."""
    gains: FloatArray
    """``(B,)`` what they gain, in utility units."""
    held_by_grid: npt.NDArray[np.bool_]
    """``(B,)`` whether nothing on the game's grid is better, though something between its points may be; no where the
    whole grid was not tried."""

    @property
    def directions(self) -> FloatArray:
        """``(B,)`` signs of (*)."""
        return np.sign(self.answers - self.shares)


def common_line(form: NormalForm) -> Line:
    """Return the line on which all seats play the same."""
    return Line(form, lambda shares: np.repeat(shares[:, None], form.n_agents, axis=1))


def answered_line(form: NormalForm) -> Line:
    """Return the line on which the second of two seats answers the first."""
    return Line(form, lambda shares: np.stack([shares, _second_answers(form, shares)], axis=1))


def _second_answers(form: NormalForm, shares: FloatArray) -> FloatArray:
    """Best responses ``(B,)`` of the second of two seats: the best on the grid, then the best ever closer around it."""
    tried = np.broadcast_to(np.linspace(0.0, 1.0, form.levels), (len(shares), form.levels))
    width, best = cell(form), shares
    for _ in range(_ANSWER_ROUNDS):
        played = np.stack([np.broadcast_to(shares[:, None], tried.shape), tried], axis=-1)
        best = np.take_along_axis(tried, form.utilities(played)[..., 1].argmax(1)[:, None], 1)[:, 0]
        width /= 10
        tried = np.clip(best[:, None] + width * np.arange(-10, 11), 0.0, 1.0)
    return best


def follow_common(forms: Sequence[NormalForm]) -> list[Answers]:
    """Return best responses along the common line of a game under several rewards, all read from the same play."""
    levels = np.linspace(0.0, 1.0, forms[0].levels)
    read = _read(forms, common_line(forms[0]).profiles(levels), levels)
    return [_resolved(common_line(form), answers) for form, answers in zip(forms, read, strict=True)]


def follow_answered(form: NormalForm) -> Answers:
    """Return best responses along the answered line of two seats."""
    line = answered_line(form)
    profiles = line.profiles(np.linspace(0.0, 1.0, ANSWERED_LEVELS))
    return _resolved(line, _read([form], profiles, np.linspace(0.0, 1.0, form.levels))[0])


def _read(forms: Sequence[NormalForm], profiles: FloatArray, levels: FloatArray) -> list[Answers]:
    """Best responses to profiles ``(B, N)`` among levels ``(L,)`` or ``(B, L)`` and shares near the own one."""
    shares = profiles[:, 0]
    nearby = np.clip(shares[:, None] + STEPS, 0.0, 1.0)
    tried = np.concatenate([nearby, np.broadcast_to(levels, (len(shares), levels.shape[-1]))], axis=1)
    played = np.repeat(profiles[:, None], tried.shape[1], axis=1)
    played[..., 0] = tried
    read = []
    for form, table in zip(forms, forms[0].read(played, [form.layer for form in forms]), strict=True):
        gains, least = form.finite(table)[..., 0], ROUNDING * form.scale
        gains = gains - gains[:, :1]
        best = gains.argmax(1)[:, None]
        gain = np.take_along_axis(gains, best, 1)[:, 0]
        answers = np.where(gain > least, np.take_along_axis(tried, best, 1)[:, 0], shares)
        read.append(Answers(shares, answers, gain, gains[:, len(STEPS) :].max(1) <= least))
    return read


def _resolved(line: Line, answers: Answers) -> Answers:
    """Read a line more closely wherever its direction changes.

    Inside a stretch the first seat tries what is near the best responses at both ends.
    """
    for _ in range(ROUNDS):
        first = np.flatnonzero(np.diff(answers.directions))
        if not len(first):
            break
        low, high = answers.shares[first], answers.shares[first + 1]
        inside = (low[:, None] + (high - low)[:, None] * np.arange(1, PARTS) / PARTS).ravel()
        ends = np.stack([answers.answers[first], answers.answers[first + 1]], axis=1)
        around = np.round(ends[:, :, None] / cell(line.form)) + _AROUND
        levels = np.clip(around.reshape(len(first), -1) * cell(line.form), 0.0, 1.0)
        (more,) = _read([line.form], line.profiles(inside), np.repeat(levels, PARTS - 1, axis=0))
        more = more._replace(held_by_grid=np.zeros(len(inside), dtype=bool))
        order = np.argsort(np.concatenate([answers.shares, more.shares]), kind="stable")
        answers = Answers(*(np.concatenate(pair)[order] for pair in zip(answers, more, strict=True)))
    return _confirmed(line, answers)


def _confirmed(line: Line, answers: Answers) -> Answers:
    """Try the whole grid where the best response jumps past the own share: it may jump to and from somewhere else."""
    jumps = np.abs(np.diff(answers.answers)) > cell(line.form)
    first = np.flatnonzero(jumps & (np.diff(answers.directions) != 0.0))
    if not len(first):
        return answers
    beside = np.union1d(first, first + 1)
    levels = np.linspace(0.0, 1.0, line.form.levels)
    (whole,) = _read([line.form], line.profiles(answers.shares[beside]), levels)
    found, gains = answers.answers.copy(), answers.gains.copy()
    found[beside], gains[beside] = whole.answers, whole.gains
    return answers._replace(answers=found, gains=gains)


def turns(answers: Answers) -> list[tuple[int, int]]:
    """Return first and last place of each stretch on which the direction is zero or between which it changes sign."""
    directions = answers.directions
    still = np.flatnonzero(directions == 0.0)
    runs = np.split(still, np.flatnonzero(np.diff(still) > 1) + 1) if len(still) else []
    crossings = np.flatnonzero(directions[:-1] * directions[1:] < 0.0).tolist()
    return sorted([*((int(run[0]), int(run[-1])) for run in runs), *((place, place + 1) for place in crossings)])
