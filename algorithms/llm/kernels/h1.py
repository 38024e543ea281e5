"""h1: short problems chained so that each consumes the answer before it, in chains that grow (arXiv 2510.07312)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.validation import array, number, whole_number

LINK = ("intercept", "slope", "lo", "hi")


def compose(tasks: Sequence[Mapping[str, float]], adapters: npt.ArrayLike, x: float) -> dict[str, Any]:
    """Work out a chain ``y_j = f_j(x_j)``, ``x_{j+1} = φ_j(y_j)`` of clipped affine links.

    Args:
        tasks: h links with ``intercept``, ``slope``, ``lo`` and ``hi``: ``f(x) = clip(intercept + slope x, lo, hi)``.
        adapters: ``(h - 1, 2)`` scale and offset: ``φ(y) = scale y + offset``.
        x: input of the first link.

    Returns:
        ``inputs`` ``(h,)``, ``outputs`` ``(h,)`` and ``answer``, the last output.

    >>> link = {"intercept": 0.0, "slope": 2.0, "lo": 0.0, "hi": 1.0}
    >>> compose([link, link], adapters=[[0.5, 0.25]], x=0.125)
    {'inputs': array([0.125, 0.375]), 'outputs': array([0.25, 0.75]), 'answer': 0.75}
    """
    links = array("tasks", [_link(index, task) for index, task in enumerate(tasks)], (None, len(LINK)))
    if not len(links):
        raise ValueError("tasks: expected at least one, got none")
    passes = [*array("adapters", adapters, (len(links) - 1, 2)), (1.0, 0.0)]
    value, inputs, outputs = number("x", x), [], []
    for (intercept, slope, low, high), (scale, offset) in zip(links, passes, strict=True):
        inputs.append(value)
        outputs.append(float(np.clip(intercept + slope * value, low, high)))
        value = float(scale * outputs[-1] + offset)
    return {"inputs": np.array(inputs), "outputs": np.array(outputs), "answer": outputs[-1]}


def stage(
    stage: int,
    steps_in_stage: int,
    recent_success: npt.ArrayLike,
    max_stage: int,
    min_steps: int = 200,
    max_steps: int = 200,
    threshold: float = 0.7,
) -> int:
    """Return the stage to train at next: one longer chain after long enough, or after enough success.

    The paper's schedule is fixed, ``min_steps = max_steps``; the adaptive one is [ours].

    Args:
        stage: present stage, from 1.
        steps_in_stage: steps taken in it.
        recent_success: ``(n,)`` successes of late.
        max_stage: last stage, which is never left.
        min_steps: steps before which no success moves on.
        max_steps: steps after which the stage ends anyway.
        threshold: mean success that moves on.
    """
    success = array("recent_success", recent_success, low=0.0, high=1.0)
    steps, shortest = whole_number("steps_in_stage", steps_in_stage), whole_number("min_steps", min_steps)
    last = whole_number("max_stage", max_stage, 1)
    mastered = steps >= shortest and success.size > 0 and success.mean() >= number("threshold", threshold)
    passed = mastered or steps >= whole_number("max_steps", max_steps, shortest)
    return min(whole_number("stage", stage, 1, last) + int(passed), last)


def _link(index: int, task: Mapping[str, float]) -> list[float]:
    if set(task) != set(LINK):
        raise ValueError(f"tasks[{index}]: expected {', '.join(LINK)}, got {', '.join(map(str, task))}")
    if task["lo"] > task["hi"]:
        raise ValueError(f"tasks[{index}]: expected lo up to hi, got {task['lo']} and {task['hi']}")
    return [task[name] for name in LINK]
