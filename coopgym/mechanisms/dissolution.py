"""Relations that can end: what remains outside them (formal edition §1.8)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def outside_option(
    endowments: npt.NDArray[np.float64], theta: float, k: float, payoff_unit: float
) -> npt.NDArray[np.float64]:
    """Payoff per step of working alone at one's best, [e_i - k a° + θ ln(1 + a°)] / u, a° = max(θ/k - 1, 0).

    Args:
        endowments: ``(N,)`` in units.
        theta: own-use value.
        k: linear cost of cooperation; zero means that all of the endowment is used.
        payoff_unit: u.

    Returns:
        ``(N,)`` in payoff units.

    >>> outside_option(np.array([10.0, 10.0]), theta=4.0, k=2.0, payoff_unit=1.0).round(3)  # a° = 1: 10 - 2 + 4 ln 2
    array([10.773, 10.773])
    """
    alone = np.minimum(max(theta / k - 1.0, 0.0), endowments) if k > 0 else endowments
    return np.asarray((endowments - k * alone + theta * np.log1p(alone)) / payoff_unit)
