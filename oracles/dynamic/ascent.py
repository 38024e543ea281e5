"""Maximise many functions over boxes at once with exact gradients: projected ascent, then a quasi-Newton polish."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from coopgym.oracles.dynamic.planning import double_precision
from coopgym.typing import FloatArray

Gradient = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""Points ``(B, n)`` to values ``(B,)`` and gradients ``(B, n)``."""

RECALL = 5
"""Recent values that a step may fall below: spectral steps climb fastest when they need not climb every time."""
FIRST_MOVE = 0.1
"""Largest change of a share in the first step."""
SHORTEST, LONGEST = 1e-10, 1e6
ROUNDING = 1e-14
"""Relative difference between values that says nothing; gradients then tell which point is nearer to the top."""


@dataclass(frozen=True)
class Ascent:
    """Where B searches ended."""

    points: FloatArray
    """``(B, n)`` best points."""
    values: FloatArray
    """``(B,)``"""
    residuals: FloatArray
    """``(B,)`` largest entry of the projected gradient; zero at a stationary point of the box."""
    gradients: FloatArray
    """``(B, n)`` at the best points."""


def torch_gradient(function: Callable[[Any], Any], shape: tuple[int, ...], device: Any = "cpu") -> Gradient:
    """Turn a torch function of ``(B, *shape)`` to ``(B,)`` into values and gradients of flat NumPy points.

    Raises:
        ImportError: torch is not installed.
    """
    backend = double_precision(device)
    import torch

    def gradient(points: FloatArray) -> tuple[FloatArray, FloatArray]:
        with torch.inference_mode(False), torch.enable_grad():
            tensor = backend.array(points.reshape((-1, *shape))).requires_grad_()
            values = function(tensor)
            (slopes,) = torch.autograd.grad(values.sum(), tensor)
        return values.detach().cpu().numpy(), slopes.cpu().numpy().reshape(points.shape)

    return gradient


def projected_gradient(points: FloatArray, gradients: FloatArray) -> FloatArray:
    """Return how far a unit gradient step moves inside the unit box, ``(B, n)``."""
    return np.clip(points + gradients, 0.0, 1.0) - points


def ascend(gradient: Gradient, starts: FloatArray, iterations: int, tolerance: float = 1e-6) -> Ascent:
    """Climb from every start by spectral projected gradients (Birgin, Martinez & Raydan 2000), all rows in one batch.

    Args:
        gradient: values and gradients of a batch.
        starts: ``(B, n)`` points of the unit box.
        iterations: evaluations of the whole batch at most.
        tolerance: a row rests when its residual is below this; the search ends when all rest.
    """
    points = starts.copy()
    values, slopes = gradient(points)
    best, best_values, best_slopes = points.copy(), values.copy(), slopes.copy()
    recent = np.repeat(values[:, None], RECALL, axis=1)
    largest = np.abs(projected_gradient(points, slopes)).max(1)
    residuals = largest.copy()
    steps = FIRST_MOVE / np.maximum(np.abs(slopes).max(1), SHORTEST)
    for round_ in range(iterations):
        if (largest <= tolerance).all():
            break
        trial = np.clip(points + steps[:, None] * slopes, 0.0, 1.0)
        move = trial - points
        trial_values, trial_slopes = gradient(trial)
        accepted = trial_values >= recent.min(1) + 1e-4 * (slopes * move).sum(1)
        curvature = ((slopes - trial_slopes) * move).sum(1)
        spectral = np.where(curvature > 0.0, (move**2).sum(1) / np.maximum(curvature, 1e-300), 4.0 * steps)
        steps = np.clip(np.where(accepted, spectral, 0.3 * steps), SHORTEST, LONGEST)
        keep = accepted[:, None]
        points, slopes = np.where(keep, trial, points), np.where(keep, trial_slopes, slopes)
        values = np.where(accepted, trial_values, values)
        recent[:, round_ % RECALL] = values
        largest = np.abs(projected_gradient(points, slopes)).max(1)
        margin = ROUNDING * np.abs(best_values)
        better = (values > best_values + margin) | ((values >= best_values - margin) & (largest < residuals))
        best[better], best_values[better], best_slopes[better] = points[better], values[better], slopes[better]
        residuals[better] = largest[better]
    return Ascent(best, best_values, residuals, best_slopes)


def polish(gradient: Gradient, start: FloatArray, iterations: int, tolerance: float = 1e-6) -> Ascent:
    """Climb from one point ``(n,)`` of the unit box by L-BFGS-B; the result has one row and is never worse."""

    def descent(point: FloatArray) -> tuple[float, FloatArray]:
        value, slope = gradient(point[None])
        return -float(value[0]), -slope[0]

    found = minimize(
        descent,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(0.0, 1.0)] * start.size,
        options={"maxiter": iterations, "maxfun": 2 * iterations, "gtol": tolerance, "ftol": 0.0, "maxcor": 20},
    )
    both = np.stack([np.clip(found.x, 0.0, 1.0), start])
    values, slopes = gradient(both)
    chosen = slice(0, 1) if values[0] >= values[1] else slice(1, 2)
    residuals = np.abs(projected_gradient(both, slopes)).max(1)
    return Ascent(both[chosen], values[chosen], residuals[chosen], slopes[chosen])


def concave_maxima(function: Callable[[Any], Any], starts: FloatArray, device: Any = "cpu") -> FloatArray:
    """Return upper bounds ``(B,)`` on the maxima of B concave functions over the unit box, exact up to convergence.

    A concave function stays below its tangents, so the value at any point plus the most that its tangent gains within
    the box is a bound; at the maximum that gain is zero.

    Args:
        function: torch function of ``(B, n)`` to ``(B,)``; row b is a function of its own.
        starts: ``(B, n)``.
        device: where gradients are computed.
    """
    found = ascend(torch_gradient(function, starts.shape[1:], device), starts, iterations=200, tolerance=1e-9)
    slopes, points = found.gradients, found.points
    gains: FloatArray = np.maximum(slopes * (1.0 - points), -slopes * points).sum(1)
    return found.values + gains
