"""Paradigms against each other, and whether a change of the training reward turns their order around."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Literal, get_args

import numpy as np

from coopgym.benchmarks.score.estimates import Estimate, mean_estimate
from coopgym.benchmarks.score.grid import Task
from coopgym.benchmarks.score.scores import ScoreTable
from coopgym.typing import FloatArray

INDEPENDENT = frozenset({"ISAC", "IPPO", "IA2C", "IndependentREINFORCE", "LOLA", "SelfPlay_PPO", "FCP"})
"""Learners in which every seat learns from its own reward."""
CENTRALISED = frozenset({"MADDPG", "MATD3", "M3DDPG", "MASAC", "QMIX", "VDN", "COMA", "MAPPO", "MeanFieldAC"})
"""Learners with centralised training and decentralised execution."""

Representative = Literal["mean", "best"]
"""Who stands for a paradigm at a seed: the mean of its learners, or the one that is best under all other seeds, so
that the larger paradigm gains nothing from its larger choice of luck."""
ByPlace = Literal["game", "class"]


@dataclass(frozen=True)
class ParadigmGap:
    """Independent learners minus centralised ones at one place under one training reward, over paired seeds."""

    place: str
    """A configured game or a mechanism class."""
    reward_mode: str
    gap: Estimate | None
    """In scores on the table's metric; None where no seed has all learners."""


@dataclass(frozen=True)
class Crossover:
    """The gap at one place under two training rewards, over the seeds that both have."""

    place: str
    first: ParadigmGap
    second: ParadigmGap

    @property
    def judged(self) -> bool:
        """Whether both gaps have seeds enough for an interval."""
        return all(side.gap is not None and side.gap.low is not None for side in (self.first, self.second))

    @property
    def crossed(self) -> bool:
        """Whether the order turns around, with intervals that exclude zero on both sides."""
        one, other = self.first.gap, self.second.gap
        return bool(one and other and one.excludes_zero and other.excludes_zero and one.value * other.value < 0)


def paradigm_crossovers(
    table: ScoreTable,
    *,
    places: ByPlace = "game",
    representative: Representative = "mean",
    independent: Collection[str] = INDEPENDENT,
    centralised: Collection[str] = CENTRALISED,
) -> tuple[Crossover, ...]:
    """Compare paradigms at every place under every two reward modes.

    Both gaps of a crossover come from the same learners, seeds and games: learners take part where they have a score
    on every task of the place under both modes.

    Args:
        table: on a metric that means the same under every mode.
        places: compare within each game, or within each mechanism class on scores over its games.
        representative: who stands for a paradigm.
        independent: names of one paradigm.
        centralised: names of the other.

    Raises:
        ValueError: the metric changes with the reward mode, or an option is unknown.
    """
    if table.metric.endswith("return_mode"):
        raise ValueError(
            f"metric {table.metric!r} is read differently under each reward mode; "
            "a crossover needs a fixed one, such as 'welfare'"
        )
    if places not in get_args(ByPlace) or representative not in get_args(Representative):
        raise ValueError(
            f"places={places!r}, representative={representative!r}: expected one of {', '.join(get_args(ByPlace))}, "
            f"and one of {', '.join(get_args(Representative))}"
        )
    found = []
    for place in table.games if places == "game" else table.classes:
        here = table.where(partial(_at, place))
        for modes in combinations(here.modes, 2):
            first, second = _gaps(here, modes, representative, independent, centralised)
            found.append(Crossover(place, ParadigmGap(place, modes[0], first), ParadigmGap(place, modes[1], second)))
    return tuple(found)


def _at(place: str, task: Task) -> bool:
    return place in (task.game, task.mechanism_class)


def _gaps(
    table: ScoreTable,
    modes: tuple[str, str],
    representative: Representative,
    independent: Collection[str],
    centralised: Collection[str],
) -> tuple[Estimate | None, Estimate | None]:
    games = set.intersection(*({task.game for task in table.of_mode(mode).tasks} for mode in modes))
    compared = table.where(lambda task: task.reward_mode in modes and task.game in games).covering()
    sides = [[name for name in compared.names if name in paradigm] for paradigm in (independent, centralised)]
    if not all(sides):
        return None, None
    # (modes, learners, seeds) per side; a seed counts when every learner of both sides has it under both modes.
    scores = [np.array([[compared.of_mode(mode).by_seed(name) for name in side] for mode in modes]) for side in sides]
    paired = np.isfinite(np.concatenate(scores, axis=1)).all(axis=(0, 1))
    one, other = (_represented(each[..., paired], representative) for each in scores)
    first, second = one - other
    return mean_estimate(first), mean_estimate(second)


def _represented(scores: FloatArray, representative: Representative) -> FloatArray:
    """Scores ``(modes, learners, seeds)`` of a paradigm to those of who stands for it, ``(modes, seeds)``."""
    if representative == "mean":
        return scores.mean(1)
    elsewhere = scores.sum(-1, keepdims=True) - scores
    chosen = elsewhere.argmax(axis=1)[:, None]
    return np.take_along_axis(scores, chosen, axis=1)[:, 0]
