"""Sharpen an equilibrium found on a grid: best responses among shares ever closer to where the seats stand."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from coopgym.oracles.games.adjustment import SMALL_GAME, SeatBlocks
from coopgym.oracles.games.best_response import deviation_utilities, regret
from coopgym.oracles.games.normal_form import NormalForm
from coopgym.typing import FloatArray

COARSE, FINE = 1e-3, 1e-4
"""Distances between the shares tried, first and last."""
REACHES = (20, 200)
"""Shares tried on either side of where a seat stands; many where a few do not lead to an equilibrium."""
_ROUNDS = 20


def cell(form: NormalForm) -> float:
    """Distance between neighbouring shares on a game's grid."""
    return 1.0 / (form.levels - 1)


class Refined(NamedTuple):
    """Where sharpening ended."""

    profile: FloatArray
    spacing: float
    """Distance between the shares among which nobody has a better one."""
    regret: float
    """Gain from deviating, in utility units."""


def refined(form: NormalForm, profile: FloatArray, tolerance: float) -> Refined:
    """Move from an equilibrium of the grid to one between its points.

    Args:
        form: the game.
        profile: ``(N,)`` shares on the grid. Exchangeable seats that play the same go on doing so where they can; in
            small games they part where that alone leads to an equilibrium.
        tolerance: gain from deviating, in utility units, that an equilibrium may leave.

    Returns:
        The equilibrium; the grid's own where the search does not settle, or settles where deviations gain more than the
        tolerance.
    """
    together = tuple(
        tuple(seat for seat in group if profile[seat] == share)
        for group in form.groups
        for share in sorted({profile[seat] for seat in group})
    )
    apart = tuple((seat,) for seat in range(form.n_agents))
    for blocks in dict.fromkeys((together, apart) if form.n_agents <= SMALL_GAME else (together,)):
        sharpened, _ = _settle(form, profile, blocks, COARSE, REACHES[0])
        for reach in REACHES:
            sharpened, settled = _settle(form, sharpened, blocks, FINE, reach)
            if settled and (gain := regret(form, sharpened)) <= tolerance:
                return Refined(sharpened, FINE, gain)
    return Refined(profile, cell(form), regret(form, profile))


def _settle(
    form: NormalForm, profile: FloatArray, blocks: SeatBlocks, spacing: float, reach: int
) -> tuple[FloatArray, bool]:
    """Let blocks answer in turn among nearby shares; one that turns back goes half as far the next time.

    Shares stay multiples of the spacing: where utilities jump, a seat stands on the first of them beyond the jump.
    """
    levels = np.linspace(0.0, 1.0, round(1.0 / spacing) + 1)
    places = np.round(profile / spacing).astype(int)
    pace = np.array([0.5 if len(block) > 1 else 1.0 for block in blocks])
    last = np.zeros(len(blocks))
    for _ in range(_ROUNDS):
        farthest = 0
        for number, block in enumerate(blocks):
            place = places[block[0]]
            first = max(place - reach, 0)
            tried = levels[first : place + reach + 1]
            utilities = deviation_utilities(form, levels[places][None], np.array(block[:1]), tried)[0, 0]
            wish = first + int(utilities.argmax()) - place
            pace[number] *= 0.5 if wish * last[number] < 0.0 else 1.0
            last[number] = wish
            places[list(block)] += int(np.sign(wish) * np.ceil(pace[number] * abs(wish)))
            farthest = max(farthest, abs(wish))
        if farthest <= 1:
            return levels[places], True
    return levels[places], False
