"""What the rubric of the App Store measures, in the windows that the path brings."""

from __future__ import annotations

import numpy as np

from coopgym.benchmarks.case_studies.measures import by_name
from coopgym.benchmarks.case_studies.reciprocity.engine import PlatformPath
from coopgym.typing import FloatArray

APPLE, MAJORS, SMALL = range(3)
DIP = -0.01
"""Change of mean cooperation below which a step counts as a fall."""
NEAR, LEVEL = 6, 4
"""Quarters around a boundary in which a change of level is looked for, and over which levels are means."""


def change(path: PlatformPath, phase: int) -> FloatArray:
    """Change of cooperation over a phase, mean over actors."""
    return _moved(path, phase).mean(-1)


def majors_change(path: PlatformPath, phase: int) -> FloatArray:
    """Change of the major developers' cooperation over a phase."""
    return _moved(path, phase)[..., MAJORS]


def fall(path: PlatformPath, phase: int) -> FloatArray:
    """Fall of cooperation over a phase, mean over actors."""
    return -change(path, phase)


def spread(path: PlatformPath, phase: int) -> FloatArray:
    """Standard deviation of actions inside a phase, mean over actors."""
    return _inside(path, path.actions, phase).std(-2).mean(-1)


def variance(path: PlatformPath, phase: int) -> FloatArray:
    """Variance of actions inside a phase, mean over actors."""
    return _inside(path, path.actions, phase).var(-2).mean(-1)


def target_distance(path: PlatformPath, phase: int) -> FloatArray:
    """Relative distance of phase means from their targets, mean over actors."""
    targets = np.array(path.parameters.targets[phase])
    return (np.abs(_inside(path, path.actions, phase).mean(-2) - targets) / targets).mean(-1)


def largest_step(path: PlatformPath, phase: int) -> FloatArray:
    """Largest change of anybody's action from step to step."""
    return np.abs(np.diff(_inside(path, path.actions, phase), axis=-2)).max((-2, -1))


def developers_vary(path: PlatformPath, phase: int) -> FloatArray:
    """Larger standard deviation of the developers, series by series: rounding decides whether a constant has none."""
    series = np.ascontiguousarray(np.moveaxis(_inside(path, path.actions, phase), -2, -1))
    return series[..., MAJORS:, :].std(-1).max(-1)


def rising_part(path: PlatformPath, phase: int) -> FloatArray:
    """Part of the changes of mean cooperation that are no falls."""
    return (np.diff(_inside(path, path.actions, phase).mean(-1)) > DIP).mean(-1)


def memory_difference(path: PlatformPath, phase: int) -> FloatArray:
    """Root mean square distance between the run of the case and one that remembers a single step."""
    long, short = (_inside(path, actions, phase) for actions in (path.actions, path.short_memory))
    return np.sqrt(((long - short) ** 2).mean((-2, -1)))


def developers_answer(path: PlatformPath, phase: int) -> FloatArray:
    """Sum of the pushes of Apple's conduct on developers over that of theirs on Apple; NaN without pushes."""
    window = path.windows[phase]
    pushes = np.abs(path.effects[..., window.begin : window.end, :, :]).sum(-3)
    on_developers, on_apple = pushes[..., MAJORS:, APPLE].sum(-1), pushes[..., APPLE, MAJORS:].sum(-1)
    return np.where(on_apple > 0.0, on_developers / np.where(on_apple > 0.0, on_apple, 1.0), np.nan)


def trust_correlation(path: PlatformPath, phase: int) -> FloatArray:
    """Correlation of own action and mean trust in the others, less each actor's means; NaN where nothing moves."""
    window, others = path.windows[phase], 1.0 - np.eye(3)
    outgoing = (path.trust * others).sum(-1) / others.sum(-1)
    trust, actions = outgoing[..., window.begin : window.end, :], _inside(path, path.actions, phase)
    trust, actions = (each - each.mean(-2, keepdims=True) for each in (trust, actions))
    scale = np.sqrt((trust**2).sum((-2, -1)) * (actions**2).sum((-2, -1)))
    moving = scale > np.finfo(np.float64).eps
    return np.where(moving, (trust * actions).sum((-2, -1)) / np.where(moving, scale, 1.0), np.nan)


def punishment_growth(path: PlatformPath, phase: int) -> FloatArray:
    """Mean punishing push of major developers in a phase, less that in the phase before."""
    now, before = (_punishment(path, each) for each in (phase, phase - 1))
    return now - before


def timing_error(path: PlatformPath, phase: int) -> FloatArray:
    """Quarters between a boundary and the greatest change of level near it, the first where several are as great."""
    boundary, mean = path.parameters.boundaries[phase], path.actions.mean(-1)
    tried = range(max(boundary - NEAR, LEVEL), min(boundary + NEAR, mean.shape[-1] - LEVEL) + 1)
    jumps = [np.abs(mean[..., t : t + LEVEL].mean(-1) - mean[..., t - LEVEL : t].mean(-1)) for t in tried]
    return np.abs(np.array(tried)[np.argmax(np.stack(jumps, axis=-1), axis=-1)] - boundary).astype(np.float64)


def sensitivity(path: PlatformPath, phase: int) -> FloatArray:
    """Largest relative change of an actor's phase mean when one parameter moves by a tenth."""
    own = _inside(path, path.actions, phase).mean(-2)[..., None, :]
    moved = _inside(path, path.varied, phase).mean(-2)
    return (np.abs(moved - own) / np.maximum(own, np.finfo(np.float64).tiny)).max((-2, -1))


def reference_distance(path: PlatformPath, phase: int) -> FloatArray:
    """Root mean square distance from the reference points inside a phase."""
    window, parameters = path.windows[phase], path.parameters
    inside = [k for k, step in enumerate(parameters.reference_steps) if window.begin <= step < window.end]
    steps = [parameters.reference_steps[k] for k in inside]
    points = np.array(parameters.reference_points)[:, inside].T
    return np.sqrt(((path.actions[..., steps, :] - points) ** 2).mean((-2, -1)))


def _inside(path: PlatformPath, values: FloatArray, phase: int) -> FloatArray:
    window = path.windows[phase]
    return values[..., window.begin : window.end, :]


def _moved(path: PlatformPath, phase: int) -> FloatArray:
    window = path.windows[phase]
    return path.actions[..., window.last, :] - path.actions[..., window.first, :]


def _punishment(path: PlatformPath, phase: int) -> FloatArray:
    window = path.windows[phase]
    push = path.effects[..., window.begin : window.end, MAJORS, :].sum(-1)
    return np.maximum(-push, 0.0).mean(-1)


MEASURES = by_name(
    change,
    majors_change,
    fall,
    spread,
    variance,
    target_distance,
    largest_step,
    developers_vary,
    rising_part,
    memory_difference,
    developers_answer,
    trust_correlation,
    punishment_growth,
    timing_error,
    sensitivity,
    reference_distance,
)
