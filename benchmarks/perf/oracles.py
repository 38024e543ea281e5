"""Speed of the oracles: one batch of best responses against scipy, one problem at a time."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar

from coopgym.benchmarks.perf.measure import Ratio, compare, rate
from coopgym.games.registry import make_game
from coopgym.oracles.games.best_response import best_response
from coopgym.oracles.games.normal_form import StageGame
from coopgym.typing import FloatArray

BATCH = 1000
SCIPY_SAMPLE = 100
"""Best responses that scipy computes in one measurement; its rate does not depend on their number."""


def c14(quick: bool = False) -> Ratio:
    """Best responses in the stage game of a dyad per second: one batch of 1,000 against scipy's bounded Brent."""
    form = StageGame(make_game("TrustDilemma-v1"), "integrated")
    profiles = np.random.default_rng(0).random((BATCH, form.n_agents))

    def one_by_one() -> None:
        for profile in profiles[:SCIPY_SAMPLE]:
            minimize_scalar(_loss, args=(form, profile.copy()), bounds=(0.0, 1.0), method="bounded")

    return compare(
        lambda: rate(lambda: best_response(form, profiles, 0), 10, BATCH),
        lambda: rate(one_by_one, 1, SCIPY_SAMPLE),
        quick,
        id="C14", title="1,000 stage-game best responses: batched ÷ scipy", unit="best responses/s", floor=30.0,
        aim=300.0,
    )  # fmt: skip


def _loss(own: float, form: StageGame, profile: FloatArray) -> float:
    profile[0] = own
    return -float(form.utilities(profile)[0])
