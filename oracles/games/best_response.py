"""Best responses of seats in normal-form games, and the regret that audits any profile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from coopgym.oracles.games.line_search import maximise, maximise_on_grid
from coopgym.oracles.games.normal_form import NormalForm
from coopgym.typing import FloatArray

AUDIT_LEVELS = 10_001
"""Deviations tried by an audit of a smooth game; one that jumps is audited as closely around the own share."""
NEARBY = 0.02
"""Distance, in shares, that counts as around."""


@dataclass(frozen=True, eq=False)
class BestResponse:
    """What a seat does best against each of B profiles of the others."""

    share: FloatArray
    """``(B,)`` best share of the own endowment."""
    utility: FloatArray
    """``(B,)`` what it earns."""
    gain: FloatArray
    """``(B,)`` what it earns beyond the profile as it stands."""


def best_response(form: NormalForm, profiles: npt.ArrayLike, seat: int) -> BestResponse:
    """Return one seat's best response to each profile.

    Args:
        form: smooth games are searched between grid points, others on their grid.
        profiles: ``(B, N)`` shares; the seat's own entry counts for `BestResponse.gain` only.
        seat: who responds.

    Raises:
        ValueError: no such seat, or no profiles.

    >>> from coopgym.oracles import StageGame
    >>> found = best_response(StageGame(coopgym.make_game("TrustDilemma-v1")), [[0.5, 0.5], [0.5, 1.0]], seat=0)
    >>> found.share.round(3), found.gain.round(3)
    (array([0.22 , 0.292]), array([0.151, 0.075]))
    """
    if not 0 <= seat < form.n_agents:
        raise ValueError(f"seat={seat}: {form.game.id} has seats 0 to {form.n_agents - 1}")
    checked = form.checked(profiles)
    if checked.ndim != 2 or not len(checked):
        raise ValueError(f"profiles: expected (B, {form.n_agents}) with B > 0, got {checked.shape}")
    share, utility = responses(form, checked, (seat,))
    present = form.utilities(checked)[:, seat]
    return BestResponse(share[:, 0], utility[:, 0], np.maximum(utility[:, 0] - present, 0.0))


def responses(form: NormalForm, profiles: FloatArray, seats: tuple[int, ...]) -> tuple[FloatArray, FloatArray]:
    """Return best shares and what they earn, each ``(B, M)``, of M seats that respond one at a time to ``(B, N)``."""
    movers = np.array(seats)

    def utilities(shares: FloatArray) -> FloatArray:
        return deviation_utilities(form, profiles, movers, shares)

    return maximise(utilities, form.norm) if form.smooth else maximise_on_grid(utilities, form.levels)


def deviation_utilities(
    form: NormalForm, profiles: FloatArray, movers: npt.NDArray[np.int64], shares: FloatArray
) -> FloatArray:
    """Return what seats earn that deviate alone.

    Args:
        form: the game.
        profiles: ``(B, N)`` shares of everybody.
        movers: ``(M,)`` seats.
        shares: ``(K,)`` deviations that all of them try, or ``(B, M, K)``.

    Returns:
        ``(B, M, K)`` own utilities.
    """
    count, levels = len(movers), shares.shape[-1]
    tried = np.broadcast_to(profiles[:, None, None, :], (len(profiles), count, levels, form.n_agents)).copy()
    tried[:, np.arange(count)[:, None], np.arange(levels), movers[:, None]] = shares
    utilities = form.finite(form.read(tried, [form.layer])[0])
    return np.moveaxis(utilities[:, np.arange(count), :, movers], 0, 1)


def regret(form: NormalForm, profile: npt.ArrayLike, levels: int | None = None) -> float:
    """Return the largest gain of any seat that deviates alone from one profile ``(N,)``, in utility units.

    Args:
        form: the game.
        profile: shares of all seats. Exchangeable seats that play the same are tried once.
        levels: deviations tried, evenly spaced; None is 10,001 in smooth games and otherwise ten to a cell of the grid
            and, within 0.02 of the seat's own share, every 1e-4.

    Raises:
        ValueError: not one profile, fewer than 2 levels, or utilities that are not finite.

    >>> from coopgym.oracles import StageGame, find_equilibria
    >>> stage = StageGame(coopgym.make_game("TrustDilemma-v1"))
    >>> round(regret(stage, [0.5, 0.5]), 3), round(regret(stage, find_equilibria(stage).only().profile), 6)
    (0.151, 0.0)
    """
    checked = form.checked(profile)
    if checked.ndim != 1 or (levels is not None and levels < 2):
        raise ValueError(
            f"expected one profile ({form.n_agents},) and at least 2 levels, got {checked.shape}, {levels}"
        )
    present = form.utilities(checked)
    gains = [
        deviation_utilities(form, checked[None], np.array([seat]), tried).max() - present[seat]
        for seat in distinct_seats(form, checked)
        for tried in [_audited_shares(form, checked[seat], levels)]
    ]
    return max(0.0, *map(float, gains))


def _audited_shares(form: NormalForm, own: float, levels: int | None) -> FloatArray:
    """Deviations from a share that an audit tries."""
    if levels is not None or form.smooth:
        return np.linspace(0.0, 1.0, levels or AUDIT_LEVELS)
    fine = np.linspace(0.0, 1.0, AUDIT_LEVELS)
    return np.union1d(np.linspace(0.0, 1.0, 10 * (form.levels - 1) + 1), fine[np.abs(fine - own) <= NEARBY])


def distinct_seats(form: NormalForm, profile: FloatArray) -> list[int]:
    """One seat for every different situation in a profile: its group of exchangeable seats and its share."""
    group = {seat: number for number, group in enumerate(form.interchangeable) for seat in group}
    situations = {(group[seat], float(profile[seat])): seat for seat in reversed(range(form.n_agents))}
    return sorted(situations.values())
