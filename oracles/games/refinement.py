"""Sharpen an equilibrium found on a grid: best responses among shares ever closer to where the seats stand."""

from __future__ import annotations

import numpy as np

from oracles.games.best_response import deviation_utilities, regret
from oracles.games.normal_form import FloatArray, NormalForm

SPACINGS = (0.1, 0.01)
"""Distances between the shares tried, in cells of the grid."""
REACH = np.arange(-20, 21)
"""Shares tried on either side of where a seat stands, in such distances."""
_ROUNDS = 20


def cell(form: NormalForm) -> float:
    """Distance between neighbouring shares on a game's grid."""
    return 1.0 / (form.levels - 1)


def refined(form: NormalForm, profile: FloatArray) -> tuple[FloatArray, float]:
    """Move an equilibrium of the grid to where no share nearby is better.

    Args:
        form: the game.
        profile: ``(N,)`` shares on the grid. Exchangeable seats that play the same go on doing so.

    Returns:
        The profile, and the distance between the shares among which nobody has a better one. Both are the grid's where
        the search does not settle, leads further than a cell, or leads to where deviations on the grid gain more.
    """
    blocks = [
        [seat for seat in group if profile[seat] == share]
        for group in form.groups
        for share in {profile[i] for i in group}
    ]
    sharpened = profile
    for spacing in SPACINGS:
        sharpened, settled = _settle(form, sharpened, blocks, spacing * cell(form))
    near = np.abs(sharpened - profile).max() <= cell(form)
    allowed = regret(form, profile, form.levels) + 1e-9 * form.scale
    if settled and near and regret(form, sharpened, form.levels) <= allowed:
        return sharpened, SPACINGS[-1] * cell(form)
    return profile, cell(form)


def _settle(form: NormalForm, profile: FloatArray, blocks: list[list[int]], spacing: float) -> tuple[FloatArray, bool]:
    """Let blocks answer in turn among nearby shares; one that turns back goes half as far the next time."""
    profile = profile.copy()
    pace = np.array([0.5 if len(block) > 1 else 1.0 for block in blocks])
    last = np.zeros(len(blocks))
    for _ in range(_ROUNDS):
        moved = 0.0
        for number, block in enumerate(blocks):
            tried = np.clip(profile[block[0]] + spacing * REACH, 0.0, 1.0)
            utilities = deviation_utilities(form, profile[None], np.array(block[:1]), tried)[0, 0]
            wish = tried[utilities.argmax()] - profile[block[0]]
            pace[number] *= 0.5 if wish * last[number] < 0.0 else 1.0
            last[number] = wish
            profile[block] += pace[number] * wish
            moved = max(moved, abs(wish))
        if moved < 1.5 * spacing:
            return profile, True
    return profile, False
