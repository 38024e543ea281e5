"""Criteria by which agents are preferred to each other: what each is worth by every one of them, in the same places.

Every criterion is a number per agent, game and seed of which more is better. They measure different things and are not
put on one scale: whoever compares agents by several only asks in which place which is ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from coopgym.benchmarks.score.distribution import payoff_spread, worst_off
from coopgym.benchmarks.score.grid import SCRIPTED, RunGrid, Task, run_grid, self_play
from coopgym.benchmarks.score.scored_agents import AgentLayout, ScoredAgent
from coopgym.benchmarks.score.seed_scores import once_where_deterministic
from coopgym.benchmarks.score.stranger_scores import strangers_table
from coopgym.typing import BoolArray, FloatArray

AMONG_STRANGERS = "payoff"
"""The criterion that is about an agent alone among others, and so needs runs among strangers."""


@dataclass(frozen=True)
class Criterion:
    """What is asked of an agent."""

    meaning: str
    value: Callable[[RunGrid], FloatArray]
    """Of runs in self-play, ``(A, T, S)``; more is better."""


def _column(name: str, sign: float = 1.0) -> Callable[[RunGrid], FloatArray]:
    return lambda grid: sign * grid.column(name)


def _payoff_per_seat(grid: RunGrid) -> FloatArray:
    return grid.column("welfare") / np.array([task.n_agents for task in grid.tasks])[:, None]


def _closeness(grid: RunGrid) -> FloatArray:
    return -grid.measured("seat_payoffs", payoff_spread)


CRITERIA: Mapping[str, Criterion] = {
    AMONG_STRANGERS: Criterion(
        "its score among strangers; where nobody met any, what each of its copies earns", _payoff_per_seat
    ),
    "welfare": Criterion("sum of all seats' payoffs among its own copies", _column("welfare")),
    "equality": Criterion("how near its copies' payoffs are to an equal split", _closeness),
    "worst_off": Criterion(
        "payoff of the copy that gets least, as a share of an equal split",
        lambda grid: grid.measured("seat_payoffs", worst_off),
    ),
    "trust": Criterion("mean trust between its copies at the end", _column("mean_trust_final")),
    "reputation": Criterion(
        "how little reputation damage there is between its copies at the end", _column("mean_reputation_damage", -1.0)
    ),
    "cooperation": Criterion("mean share of endowment that its copies play", _column("cooperation_rate")),
    "duration": Criterion("steps before an episode ends", _column("episode_length")),
    "robustness": Criterion("how little a seat could gain by leaving its copies", _column("exploitability", -1.0)),
}
"""What agents may be compared by, by name."""


@dataclass(frozen=True, eq=False)
class CriterionValues:
    """What A agents are worth by C criteria in G games under S seeds; NaN where nothing is known."""

    criteria: tuple[str, ...]
    agents: tuple[ScoredAgent, ...]
    games: tuple[str, ...]
    seeds: tuple[int, ...]
    values: FloatArray
    """``(C, A, G, S)``; what leaves nothing to chance stands under every seed."""
    met_strangers: bool
    """Whether payoffs are those among strangers."""


def criterion_values(runs: pa.Table, criteria: Sequence[str]) -> CriterionValues:
    """Return what the agents of a corpus are worth by some criteria; a learner once for every reward it learned from.

    Args:
        runs: the ``runs`` table.
        criteria: names in `CRITERIA`.

    Raises:
        KeyError: an unknown name.
        ValueError: two runs in one place.

    >>> found = criterion_values(coopgym.load_corpus("rewards-v1").runs, ["welfare", "equality"])
    >>> found.values.shape[:3], found.games[0], found.met_strangers
    ((2, 17, 4), 'RecoveryRace-v1', False)
    """
    grid = run_grid(self_play(runs))
    strangers = strangers_table(runs) if AMONG_STRANGERS in criteria else None
    met = strangers is not None and bool(strangers.algorithms)
    drawn = np.array([task.setting.draws for task in grid.tasks], dtype=bool)
    scripted = np.array([each.kind in SCRIPTED for each in grid.algorithms], dtype=bool)
    played: BoolArray = np.asarray(grid.present.any(-1))
    layout = AgentLayout.of(grid.algorithms, grid.tasks, played)
    found: dict[str, _Placed] = {}
    for name in criteria:
        if met and strangers is not None and name == AMONG_STRANGERS:
            found[name] = _Placed(
                strangers.algorithms, strangers.tasks, strangers.seeds, strangers.scores, strangers.deterministic
            )
        else:
            values, once = once_where_deterministic(CRITERIA[name].value(grid), scripted, drawn)
            found[name] = _Placed(
                layout.agents, layout.games, grid.seeds, layout.place(values), layout.place(once) > 0.0
            )
    return _together(found, met)


@dataclass(frozen=True, eq=False)
class _Placed:
    """Values ``(A, G, S)`` of one criterion, and where ``(A, G)`` the first seed stands for all."""

    agents: tuple[ScoredAgent, ...]
    tasks: tuple[Task, ...]
    seeds: tuple[int, ...]
    values: FloatArray
    once: BoolArray


def _together(found: Mapping[str, _Placed], met: bool) -> CriterionValues:
    agents = tuple({agent.name: agent for each in found.values() for agent in each.agents}.values())
    games = tuple(dict.fromkeys(task.game for each in found.values() for task in each.tasks))
    seeds = tuple(sorted({seed for each in found.values() for seed in each.seeds}))
    names = [agent.name for agent in agents]
    values = np.full((len(found), len(agents), len(games), len(seeds)), np.nan)
    for number, each in enumerate(found.values()):
        rows = [names.index(agent.name) for agent in each.agents]
        columns = [games.index(task.game) for task in each.tasks]
        places = [seeds.index(seed) for seed in each.seeds]
        values[number][np.ix_(rows, columns, places)] = each.values
        for row, column in np.argwhere(each.once).tolist():
            values[number, rows[row], columns[column]] = each.values[row, column, 0]
    return CriterionValues(tuple(found), agents, games, seeds, values, met)
