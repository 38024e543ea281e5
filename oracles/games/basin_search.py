"""Find all that commitment play settles on, and where the basins meet."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from coopgym.oracles.games.adjustment import iterate_on_grid, movers
from coopgym.oracles.games.basins import Basins, Boundary, Followed, Rest, Stability
from coopgym.oracles.games.best_response import AUDIT_LEVELS, deviation_utilities, regret
from coopgym.oracles.games.equilibrium import AUDIT_SPACING, NASH_REGRET, SAME, Equilibria, Equilibrium
from coopgym.oracles.games.grid_refinement import cell
from coopgym.oracles.games.normal_form import NormalForm
from coopgym.oracles.games.phase_line import (
    Answers,
    Line,
    answered_line,
    common_line,
    follow_answered,
    follow_common,
    turns,
)
from coopgym.rewards import reward_layer
from coopgym.typing import FloatArray

AUDITED = 12
"""Equilibria of a series or a continuum that are audited."""
_INSIDE = (0.5 * (math.sqrt(5.0) - 1.0) * np.arange(1, AUDITED - 2)) % 1.0
"""Places between the ends of a continuum, spread by the golden ratio so that they fall on no even grid."""
STARTS = np.linspace(0.0, 1.0, 11)
"""Common starts from which seats of more than two kinds are followed."""
PARTS = 10
"""Parts into which the stretch between two such starts is cut that lead to different places."""


def find_basins(forms: Mapping[str, NormalForm], equilibria: Mapping[str, Equilibria]) -> dict[str, Basins]:
    """Return what the seats of a game settle on, by reward.

    Args:
        forms: by reward, the same game with the interests of its seats.
        equilibria: by reward, what searches from single starts found. Those that lie off the line that is followed
            (unequal play of exchangeable seats) are taken from there.
    """
    alike = {reward: form for reward, form in forms.items() if len(form.groups) == 1}
    common = dict(zip(alike, follow_common(list(alike.values())), strict=True)) if alike else {}
    return {reward: _basins(form, common.get(reward), equilibria[reward]) for reward, form in forms.items()}


def _basins(form: NormalForm, common: Answers | None, equilibria: Equilibria) -> Basins:
    if common is not None:
        return _along(common_line(form), common, equilibria, "common shares")
    if form.n_agents == 2:
        return _along(answered_line(form), follow_answered(form), equilibria, "answered shares")
    return _from_starts(form, equilibria)


@dataclass(frozen=True, eq=False)
class _Stretch:
    """A part of a line on which its direction changes."""

    low: float
    high: float
    many: Rest | None = None
    """The series or continuum that it holds."""
    candidate: float = math.nan
    """Where the equilibrium is if there is one, and not many."""
    gain: float = math.nan
    """What leaving the candidate is known to gain."""


class _Side(NamedTuple):
    """The nearest place beside a stretch at which the first seat moves."""

    share: float
    answer: float


def _along(line: Line, answers: Answers, equilibria: Equilibria, followed: Followed) -> Basins:
    """Audit every stretch of a line on which its direction changes, and tell how best responses move around it."""
    stretches = _stretches(line, answers)
    floors = [0.0, *(stretch.high for stretch in stretches[:-1])]
    ceilings = [*(stretch.low for stretch in stretches[1:]), 1.0]
    rests: list[Rest] = []
    boundaries: list[Boundary] = []
    unsettled: list[float] = []
    for stretch, floor, ceiling in zip(stretches, floors, ceilings, strict=True):
        below, above = _sides(answers, stretch)
        # Beyond the ends of the line there is nothing that could move away.
        rises, falls = below is None or below.answer > below.share, above is None or above.answer < above.share
        basin = (floor if rises else stretch.low, ceiling if falls else stretch.high)
        rest = _resting(line, stretch, equilibria.found, basin)
        if rest is not None:
            rests.append(replace(rest, stability=_STABILITY[rises + falls], basin=basin))
        elif rises and falls:
            unsettled.append(0.5 * (stretch.low + stretch.high))
        if not (rises and falls):
            boundaries += _boundaries(stretch, below, above, rest is not None)
    rests += [_alone(found) for found in equilibria.found if not any(_holds(rest, found) for rest in rests)]
    rests.sort(key=lambda rest: float(rest.profiles[0].sum()))
    return Basins(followed, float(line.form.norm[0]), tuple(rests), tuple(boundaries), tuple(unsettled))


_STABILITY: tuple[Stability, ...] = ("unstable", "half-stable", "stable")


def _stretches(line: Line, answers: Answers) -> list[_Stretch]:
    """Stretches from low to high; single places that a series of equilibria runs through belong to it."""
    series = list(_series(line, answers))
    found = list(series)
    for first, last in turns(answers):
        low, high = float(answers.shares[first]), float(answers.shares[last])
        if any(each.low <= high and low <= each.high for each in series):
            continue
        if high - low > SAME:
            found += _wide(line, low, high)
        else:
            best = first + int(answers.gains[first : last + 1].argmin())
            found.append(_Stretch(low, high, None, float(answers.shares[best]), float(answers.gains[best])))
    return sorted(found, key=lambda stretch: stretch.low)


def _wide(line: Line, low: float, high: float) -> list[_Stretch]:
    """A continuum, or the series that it proves to be between the points of the grid."""
    shares = np.sort(np.concatenate([[low, high], line.form.norm[:1], low + (high - low) * _INSIDE]))
    rest = _audited(line, shares[(shares >= low) & (shares <= high)], None)
    return [_Stretch(low, high, rest)] if rest is not None else _parts(line, _strict(line, low, high))


def _series(line: Line, answers: Answers) -> Iterator[_Stretch]:
    """Yield series of equilibria that stand closer than the points of the grid, each held by a jump or a kink.

    They show as neighbouring points that nobody leaves for another point of the grid, though small steps pay: each
    step leads to the next of the series. Where a part of such a run holds none, smooth payoffs are nearly flat.
    """
    held = np.flatnonzero(answers.held_by_grid & (answers.directions != 0.0))
    for run in np.split(held, np.flatnonzero(np.diff(held) > 1) + 1):
        middle = answers.shares[run[len(run) // 2 - 1 : len(run) // 2 + 1]]
        if len(middle) == 2 and len(_strict(line, *middle)):
            width = cell(line.form)
            yield from _parts(line, _strict(line, answers.shares[run[0]] - width, answers.shares[run[-1]] + width))


def _parts(line: Line, shares: FloatArray) -> list[_Stretch]:
    """Series among equilibria, cut where neighbours are further apart than points of the grid."""
    if not len(shares):
        return []
    parts = np.split(shares, np.flatnonzero(np.diff(shares) > cell(line.form) + AUDIT_SPACING) + 1)
    rests = [_audited(line, part[_spread(len(part))], len(part)) for part in parts]
    return [
        _Stretch(float(part[0]), float(part[-1]), rest)
        for part, rest in zip(parts, rests, strict=True)
        if rest is not None
    ]


def _spread(count: int) -> npt.NDArray[np.intp]:
    """Which of some equilibria are audited."""
    return np.linspace(0, count - 1, min(count, AUDITED)).round().astype(int)


def _strict(line: Line, low: float, high: float) -> FloatArray:
    """Shares of a stretch that the first seat loses by leaving for their neighbours, 1e-4 away."""
    first, last = round(max(low, 0.0) / AUDIT_SPACING), round(min(high, 1.0) / AUDIT_SPACING)
    shares = np.linspace(0.0, 1.0, AUDIT_LEVELS)[first : last + 1]
    profiles = line.profiles(shares)
    tried = np.clip(shares[:, None] + AUDIT_SPACING * np.array([-1.0, 0.0, 1.0]), 0.0, 1.0)
    below, at, above = np.moveaxis(deviation_utilities(line.form, profiles, np.array([0]), tried[:, None])[:, 0], -1, 0)
    least = NASH_REGRET * line.form.scale
    return shares[((at - below > least) | (shares == 0.0)) & ((at - above > least) | (shares == 1.0))]


def _sides(answers: Answers, stretch: _Stretch) -> tuple[_Side | None, _Side | None]:
    """What moves next to a stretch; None where the line ends."""
    moving = np.flatnonzero(answers.directions)
    below = moving[answers.shares[moving] <= stretch.low]
    above = moving[answers.shares[moving] >= stretch.high]
    return _side(answers, below[-1:]), _side(answers, above[:1])


def _side(answers: Answers, place: npt.NDArray[np.intp]) -> _Side | None:
    return _Side(float(answers.shares[place[0]]), float(answers.answers[place[0]])) if len(place) else None


def _resting(line: Line, stretch: _Stretch, known: Sequence[Equilibrium], basin: tuple[float, float]) -> Rest | None:
    """Return what a stretch holds, audited; None if nobody rests there."""
    if stretch.many is not None:
        return stretch.many
    candidate = np.array([stretch.candidate])
    (profile,) = line.profiles(candidate)
    nearest = min(known, key=lambda found: _distance(found, profile), default=None)
    if nearest is not None and _distance(nearest, profile) <= AUDIT_SPACING:
        return _alone(nearest)
    if stretch.gain <= NASH_REGRET * line.form.scale and (rest := _audited(line, candidate, 1)):
        return rest
    # Beside jumps the place may be a little further away, where a search found it.
    low, high = basin
    if nearest is not None and _distance(nearest, profile) < cell(line.form) and low <= nearest.profile[0] <= high:
        return _alone(nearest)
    return None


def _distance(found: Equilibrium, profile: FloatArray) -> float:
    return float(np.abs(found.profile - profile).max())


def _audited(line: Line, shares: FloatArray, members: int | None) -> Rest | None:
    """Audit places of a line; None if anybody gains by leaving one of them."""
    profiles = line.profiles(shares)
    gains = []
    for profile in profiles:
        gains.append(regret(line.form, profile))
        if gains[-1] > NASH_REGRET * line.form.scale:
            return None
    return _rest(line.form, profiles, max(gains), members)


def _rest(form: NormalForm, profiles: FloatArray, gain: float, members: int | None) -> Rest:
    """An equilibrium or several, of which no departures are known."""
    payoffs, rewards = (table.mean(-1) for table in form.read(profiles, [reward_layer("private"), form.layer]))
    return Rest(profiles, payoffs, rewards, gain, members, None, None)


def _boundaries(stretch: _Stretch, below: _Side | None, above: _Side | None, rests: bool) -> Iterator[Boundary]:
    """Yield where play moves away from a stretch, once where the stretch is a point."""
    low, high = below or _Side(stretch.low, stretch.low), above or _Side(stretch.high, stretch.high)
    if stretch.high - stretch.low <= SAME:
        middle, precision = 0.5 * (stretch.low + stretch.high), high.share - low.share
        yield Boundary(middle, precision, (low.answer, high.answer), rests)
        return
    if low.answer < low.share:
        yield Boundary(stretch.low, stretch.low - low.share, (low.answer, stretch.low), rests)
    if high.answer > high.share:
        yield Boundary(stretch.high, high.share - stretch.high, (stretch.high, high.answer), rests)


def _alone(found: Equilibrium) -> Rest:
    rewards = np.array([found.utilities.mean()])
    return Rest(found.profile[None], np.array([found.welfare]), rewards, found.regret, 1, None, None)


def _holds(rest: Rest, found: Equilibrium) -> bool:
    """Whether a rest is, or runs through, an equilibrium."""
    there = [np.interp(found.profile[0], rest.profiles[:, 0], column) for column in rest.profiles.T]
    return bool(np.abs(found.profile - there).max() < SAME)


def _from_starts(form: NormalForm, equilibria: Equilibria) -> Basins:
    """Tell which common starts lead to which of the equilibria that searches found."""
    rests, norm = _joined(form, equilibria.found), float(form.norm[0])
    if equilibria.unique or not rests:
        return Basins("starts", norm, tuple(replace(rest, basin=(0.0, 1.0)) for rest in rests), (), ())
    starts, ends = STARTS, _ends(form, STARTS, rests)
    changes = np.flatnonzero(np.diff(ends))
    inside = (starts[changes, None] + np.diff(starts)[changes, None] * np.arange(1, PARTS) / PARTS).ravel()
    starts, ends = np.concatenate([starts, inside]), np.concatenate([ends, _ends(form, inside, rests)])
    order = np.argsort(starts)
    settled = order[ends[order] >= 0]
    if not len(settled):
        return Basins("starts", norm, tuple(rests), (), ())
    starts, ends = starts[settled], ends[settled]
    changes = np.flatnonzero(np.diff(ends))
    middles, widths = 0.5 * (starts[changes] + starts[changes + 1]), np.diff(starts)[changes]
    edges, led = [0.0, *middles.tolist(), 1.0], ends[[*changes, -1]].tolist()
    basins = {end: (edges[k], edges[k + 1]) for k, end in enumerate(led) if led.count(end) == 1}
    return Basins(
        followed="starts",
        norm=norm,
        rests=tuple(replace(rest, basin=basins.get(number)) for number, rest in enumerate(rests)),
        boundaries=tuple(
            Boundary(middle, width, None, False) for middle, width in zip(edges[1:-1], widths.tolist(), strict=True)
        ),
        unsettled=(),
    )


def _ends(form: NormalForm, starts: FloatArray, rests: Sequence[Rest]) -> npt.NDArray[np.intp]:
    """Which rest ``(S,)`` seats reach that answer in turn from common starts ``(S,)``; -1 where it is none of them."""
    if not len(starts):
        return np.zeros(0, dtype=np.intp)
    ends, _ = iterate_on_grid(form, np.repeat(starts[:, None], form.n_agents, axis=1), movers(form, True))
    distances = [np.abs(ends[:, None] - rest.profiles).max(-1).min(-1) for rest in rests]
    return np.where(np.min(distances, axis=0) < 2.0 * cell(form), np.argmin(distances, axis=0), -1)


def _joined(form: NormalForm, found: Sequence[Equilibrium]) -> list[Rest]:
    """Equilibria, neighbours as one continuum where all that lies between them on a straight line is one too."""
    rests: list[Rest] = []
    for equilibrium in found:
        rest = _alone(equilibrium)
        between = _between(form, rests[-1], rest) if rests else None
        rests[-1:] = [rest] if not rests else [between] if between is not None else [rests[-1], rest]
    return rests


def _between(form: NormalForm, low: Rest, high: Rest) -> Rest | None:
    """The continuum from one rest to the next; None where there is none."""
    parts = np.sort(_INSIDE)
    inside = low.profiles[-1] + parts[:, None] * (high.profiles[0] - low.profiles[-1])
    gains = []
    for profile in inside[np.argsort(np.abs(parts - 0.5))]:
        gains.append(regret(form, profile))
        if gains[-1] > NASH_REGRET * form.scale:
            return None
    profiles = np.concatenate([low.profiles, inside, high.profiles])
    return _rest(form, profiles, max(low.regret, high.regret, *gains), None)
