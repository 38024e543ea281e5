"""Upper bound for PartnerHoldUp, where investment pays later: Lagrangian duality in the asset."""

from __future__ import annotations

from typing import Any

import numpy as np

from coopgym.backend import Array
from coopgym.games.formal.interdependence import ASSET_ADJUSTMENT, HoldUpState, PartnerHoldUp
from coopgym.mechanisms.value import pair_synergy
from coopgym.oracles.dynamic.ascent import concave_maxima
from coopgym.oracles.dynamic.bounds.optimistic import OptimisticBound
from coopgym.oracles.dynamic.bounds.registry import register
from coopgym.oracles.dynamic.planning import double_precision, moved_to
from coopgym.play import NOMINAL, open_loop, unroll
from coopgym.typing import FloatArray

STEP = 1e-6
"""Difference in the asset for its marginal product."""


@register(PartnerHoldUp)
class HoldUpBound(OptimisticBound):
    """With the mechanism on the asset is priced, so that every step is a problem of its own."""

    game: PartnerHoldUp

    def missing(self) -> str:
        if not self.game.parameters.mechanism:
            return super().missing()
        if self.integrated:
            return "the supplier's share grows with the buyer's conduct, so that weighted payoffs are not concave"
        return ""

    def value(self, device: Any) -> float:
        if not self.game.parameters.mechanism:
            return super().value(device)
        start: HoldUpState = self.plan.start  # type: ignore[assignment]  # its own state
        return welfare_bound(self.game, start, self.plan.shares, device)


def welfare_bound(game: PartnerHoldUp, start: HoldUpState, shares: FloatArray, device: Any = "cpu") -> float:
    """Return an upper bound on welfare over all plans from a state.

    With asset prices μ_t ≥ 0, adding Σ_t μ_t ((1 - r) K_t-1 + r c_1t - K_t) = 0 to welfare makes it a sum of terms in
    (c_0t, K_t, c_1t) of one step each plus the constant (1 - r) μ_0 K_0, for as long as the relation lasts; what the
    asset is worth when it ends is not negative and is left out. Each term is concave and bounded by its maximum over
    the unit cube, K_t free; a step after dissolution pays the outside option. Any prices give a bound; those of
    a good plan make it tight (welfare is concave in the plan).

    Args:
        game: on the NumPy backend, with its mechanism on.
        start: single state.
        shares: ``(steps, 2)`` plan that supplies the prices.
        device: where gradients are computed.
    """
    prices = asset_prices(game, start, shares)
    backend = double_precision(device)
    with backend.lasting():
        rent = backend.array(prices[:-1] - (1.0 - ASSET_ADJUSTMENT) * prices[1:])
        reward = backend.array(ASSET_ADJUSTMENT * prices[:-1])
        on_device = game.to(backend)
        opening = moved_to(backend, start)

    def terms(points: Array) -> Array:
        buyer, asset, supplier = points[:, 0], points[:, 1], points[:, 2]
        product = pair_synergy(buyer, asset, game.parameters.beta)[..., None]
        surplus = on_device.surplus_scale * on_device.amplified(opening, product)[..., 0]
        own = on_device.own_value(opening, points[:, [0, 2]]).sum(-1)
        return own + surplus - rent * asset + reward * supplier

    together = concave_maxima(terms, np.full((len(shares), 3), 0.5), device)
    steps = np.maximum(together, game.outside_payoffs(start).sum())
    return float(steps.sum() + (1.0 - ASSET_ADJUSTMENT) * prices[0] * start.asset)


def asset_prices(game: PartnerHoldUp, start: HoldUpState, shares: FloatArray) -> FloatArray:
    """Return the worth to welfare of a unit of asset in every step of a plan and after the last, ``(steps + 1,)``."""
    marginal, plan = np.zeros(len(shares)), open_loop(game, shares)
    for step in unroll(game, plan, start=start, draws=NOMINAL, horizon=len(shares), past_end=True):
        state: HoldUpState = step.before  # type: ignore[assignment]  # the kind of this game's states
        buyer, asset = shares[step.t, 0], game.invested(state, shares[step.t])
        high, low = (pair_synergy(buyer, asset + more, game.parameters.beta) for more in (STEP, 0.0))
        gain = game.amplified(state, np.atleast_1d(high - low))[0]
        marginal[step.t] = game.surplus_scale * gain / STEP * (1.0 - state.gone)
    prices = np.zeros(len(shares) + 1)
    for t in reversed(range(len(shares))):
        prices[t] = marginal[t] + (1.0 - ASSET_ADJUSTMENT) * prices[t + 1]
    return prices
