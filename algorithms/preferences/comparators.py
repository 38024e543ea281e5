"""What tells which of two trajectories is preferred: functions of what trajectories came to.

Shapes: any leading dimensions, N seats, F features of a trajectory.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
from torch import Tensor

FEATURES = ("payoff", "welfare", "equality", "trust", "cooperation", "rise")
"""Own payoff; all seats' payoffs; how near these are to an equal split; mean trust at the end; mean share of endowment
played by all; and how much more was played in the second half of an episode than in the first."""
CRITERIA = ("payoff", "welfare", "equality", "trust")

TrajectoryComparator: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""How probably the first of two trajectories ``(..., F)`` is preferred, ``(...)``; swapped, the complement."""


def by_criteria(first: Tensor, second: Tensor) -> Tensor:
    """Return the share of payoff, welfare, equality and trust by which the first is ahead; ties count one half.

    >>> own, other = torch.tensor([2.0, 4.0, 0.0, 0.5, 0.5, 0.0]), torch.tensor([1.0, 5.0, 0.0, 0.4, 0.5, 0.0])
    >>> float(by_criteria(own, other))  # ahead by payoff and trust, behind by welfare, equal by equality
    0.625
    """
    places = [FEATURES.index(name) for name in CRITERIA]
    return _ahead(first[..., places] - second[..., places]).mean(-1)


def by_cycle(first: Tensor, second: Tensor) -> Tensor:
    """Prefer a little more cooperation to less, and none at all to very much: ½ + ½ sin(2π (c - c')).

    Every level c is beaten by another one, so that no scalar reward agrees with it.
    """
    place = FEATURES.index("cooperation")
    return 0.5 + 0.5 * torch.sin(2.0 * math.pi * (first[..., place] - second[..., place]))


def _by(name: str) -> TrajectoryComparator:
    place = FEATURES.index(name)
    return lambda first, second: _ahead(first[..., place] - second[..., place])


def _ahead(difference: Tensor) -> Tensor:
    tied = difference.abs() <= 1e-6
    return torch.where(tied, 0.5, (difference > 0.0).to(difference.dtype))


COMPARATORS: Mapping[str, TrajectoryComparator] = {
    "criteria": by_criteria,
    "cycle": by_cycle,
    "payoff": _by("payoff"),
    "rise": _by("rise"),
    "welfare": _by("welfare"),
}
"""By name. ``rise`` depends on the order of steps, which no reward of a single step sees."""
