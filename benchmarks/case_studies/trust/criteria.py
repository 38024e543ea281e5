"""What the rubric of Renault–Nissan measures. Those that begin with ``matrix`` average over the diagonal, too."""

from __future__ import annotations

import numpy as np

from coopgym.benchmarks.case_studies.measures import by_name
from coopgym.benchmarks.case_studies.trust.engine import TrustPath
from coopgym.typing import FloatArray

CEILING_SLACK = 1e-9
_VIOLATION, _KINDNESS = -0.3, 0.3


def matrix_direction(path: TrustPath, phase: int) -> FloatArray:
    """Change of mean trust in a phase times the sign of its signal."""
    return _change(path, _matrix(path), phase) * np.sign(path.signals[..., phase])


def matrix_asymmetry(path: TrustPath) -> FloatArray:
    """Pace of mean trust in phases of bad signals over that in phases of good ones."""
    return _asymmetry(path, _matrix(path))


def matrix_hysteresis(path: TrustPath) -> FloatArray:
    """Mean trust after violation and recovery over that before."""
    return _hysteresis(path, _matrix(path))


def matrix_final(path: TrustPath) -> FloatArray:
    """Mean trust at the end."""
    return _matrix(path)[..., -1]


def matrix_jump(path: TrustPath, phase: int) -> FloatArray:
    """Size of the change of mean trust across the beginning of a phase."""
    return np.abs(_across(path, _matrix(path), phase))


def greatest_damage(path: TrustPath) -> FloatArray:
    """Highest reputation damage of anybody at any time."""
    return path.damage.max((-3, -2, -1))


def anchor_distance(path: TrustPath) -> FloatArray:
    """Root mean square distance from the anchors."""
    steps, anchors = [each.step for each in path.anchors], np.array([each.trust for each in path.anchors])
    return np.sqrt(((path.pair()[..., steps, :] - anchors) ** 2).mean((-2, -1)))


def ordered_ends(path: TrustPath) -> FloatArray:
    """How many of three statements about mean trust at the ends of phases hold."""
    ends = _pair(path)[..., list(path.ends)]
    formation, mature, crisis, _, current = np.moveaxis(ends, -1, 0)
    between = (crisis < current) & (current < formation)
    return 1.0 * (mature == ends.max(-1)) + (crisis == ends.min(-1)) + between


def smaller_direction(path: TrustPath, phase: int) -> FloatArray:
    """Change of trust in a phase times the sign of its signal, of the pair for which it is smaller."""
    begin, end = _span(path, phase)
    pair = path.pair()
    return ((pair[..., end, :] - pair[..., begin, :]) * np.sign(path.signals[..., phase, None])).min(-1)


def pair_asymmetry(path: TrustPath) -> FloatArray:
    """As `matrix_asymmetry`, without the diagonal."""
    return _asymmetry(path, _pair(path))


def pair_hysteresis(path: TrustPath) -> FloatArray:
    """As `matrix_hysteresis`, without the diagonal."""
    return _hysteresis(path, _pair(path))


def damage_under_the_ceiling(path: TrustPath) -> FloatArray:
    """Greatest damage; 0 where trust is ever above 1 - R."""
    excess = np.stack([path.trust[..., i, j] + path.damage[..., i, j] for i, j in ((0, 1), (1, 0))]).max(0).max(-1)
    return np.where(excess <= 1.0 + CEILING_SLACK, greatest_damage(path), 0.0)


def pair_final(path: TrustPath) -> FloatArray:
    """As `matrix_final`, without the diagonal."""
    return _pair(path)[..., -1]


def pair_jump(path: TrustPath, phase: int) -> FloatArray:
    """As `matrix_jump`, without the diagonal."""
    return np.abs(_across(path, _pair(path), phase))


def pair_fall(path: TrustPath, phase: int) -> FloatArray:
    """Fall of mean trust across the beginning of a phase."""
    return -_across(path, _pair(path), phase)


def first_change(path: TrustPath, phase: int) -> FloatArray:
    """Change of mean trust in the first step of a phase."""
    begin, _ = _span(path, phase)
    mean = _pair(path)
    return mean[..., begin + 1] - mean[..., begin]


def faster_growth(path: TrustPath, phase: int) -> FloatArray:
    """Change per step in a phase, less that in the phase before."""
    now, before = (_change(path, _pair(path), each) / _steps(path, each) for each in (phase, phase - 1))
    return now - before


def _matrix(path: TrustPath) -> FloatArray:
    return path.trust.mean((-2, -1))


def _pair(path: TrustPath) -> FloatArray:
    return path.pair().mean(-1)


def _span(path: TrustPath, phase: int) -> tuple[int, int]:
    return (0, *path.ends)[phase], path.ends[phase]


def _steps(path: TrustPath, phase: int) -> int:
    begin, end = _span(path, phase)
    return end - begin


def _change(path: TrustPath, mean: FloatArray, phase: int) -> FloatArray:
    begin, end = _span(path, phase)
    return mean[..., end] - mean[..., begin]


def _across(path: TrustPath, mean: FloatArray, phase: int) -> FloatArray:
    """Change of mean trust from one step before a phase begins to one step after."""
    begin, _ = _span(path, phase)
    return mean[..., begin + 1] - mean[..., begin - 1]


def _asymmetry(path: TrustPath, mean: FloatArray) -> FloatArray:
    phases = range(len(path.ends))
    pace = np.stack([np.abs(_change(path, mean, phase)) / _steps(path, phase) for phase in phases], axis=-1)
    negative, positive = path.signals < 0.0, path.signals > 0.0
    falling, rising = (
        np.where(chosen, pace, 0.0).sum(-1) / np.maximum(chosen.sum(-1), 1) for chosen in (negative, positive)
    )
    return falling / np.maximum(rising, np.finfo(np.float64).tiny)


def _hysteresis(path: TrustPath, mean: FloatArray) -> FloatArray:
    """Trust at the end of the first violation and recovery, over that a step before; NaN where there is none."""
    ratio = np.full(mean.shape[:-1], np.nan)
    for phase in range(len(path.ends) - 2, 0, -1):
        struck = (path.signals[..., phase] < _VIOLATION) & (path.signals[..., phase + 1] > _KINDNESS)
        begin, _ = _span(path, phase)
        after = mean[..., path.ends[phase + 1]] / mean[..., begin - 1]
        ratio = np.where(struck, after, ratio)
    return ratio


MEASURES = by_name(
    matrix_direction,
    matrix_asymmetry,
    matrix_hysteresis,
    matrix_final,
    matrix_jump,
    greatest_damage,
    anchor_distance,
    ordered_ends,
    smaller_direction,
    pair_asymmetry,
    pair_hysteresis,
    damage_under_the_ceiling,
    pair_final,
    pair_jump,
    pair_fall,
    first_change,
    faster_growth,
)
