"""Cycles of majorities: where no ranking, and so no scalar reward, agrees with every pairwise majority."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import connected_components

from coopgym.oracles.preferences.preference_matrix import COMPLEMENT, PreferenceMatrix
from coopgym.typing import BoolArray, IntArray


@dataclass(frozen=True)
class MajorityCycle:
    """Options each of which a majority prefers to the next, and the last to the first."""

    options: tuple[int, ...]
    """In the order in which they beat each other, the lowest first."""
    weakest: float
    """The smallest of the majorities that make it."""

    def __str__(self) -> str:
        return " > ".join(map(str, (*self.options, self.options[0])))


def majority_cycles(preferences: PreferenceMatrix) -> tuple[MajorityCycle, ...]:
    """Return the strongest cycle of every set of options that lead to each other by majorities, the strongest first.

    Of all cycles in such a set it is one whose weakest majority is as large as it can be, and as short as such a cycle
    can be through the majority that closes it. There is none exactly where some ranking agrees with every majority.

    >>> cycle, = majority_cycles(PreferenceMatrix.of([[0.5, 0.9, 0.2], [0.1, 0.5, 0.8], [0.8, 0.2, 0.5]]))
    >>> str(cycle), cycle.weakest
    ('0 > 1 > 2 > 0', 0.8)
    """
    count, labels = connected_components(preferences.majorities, directed=True, connection="strong")
    components = (np.flatnonzero(labels == label) for label in range(count))
    found = [_strongest(preferences, members) for members in components if len(members) > 1]
    return tuple(sorted(found, key=lambda cycle: (-cycle.weakest, cycle.options)))


def top_cycle(preferences: PreferenceMatrix) -> IntArray:
    """Return the smallest set of options each of which a majority prefers to every option outside (Smith 1973).

    It holds a single option, the Condorcet winner, or several that majorities and ties lead around.

    >>> top_cycle(PreferenceMatrix.of([[0.5, 0.5, 0.9], [0.5, 0.5, 0.7], [0.1, 0.3, 0.5]]))
    array([0, 1])
    """
    unbeaten = ~preferences.majorities.T
    _, labels = connected_components(unbeaten, directed=True, connection="strong")
    for label in np.unique(labels):
        members = labels == label
        if preferences.majorities[np.ix_(members, ~members)].all():
            return np.flatnonzero(members)
    raise AssertionError("one component of a complete graph beats all others")


def _strongest(preferences: PreferenceMatrix, members: IntArray) -> MajorityCycle:
    """Add majorities from the largest down until one closes a cycle, and go round by the fewest."""
    table = preferences.probabilities[np.ix_(members, members)]
    rows, columns = np.nonzero(table - 0.5 > COMPLEMENT)
    beats = np.zeros(table.shape, dtype=bool)
    for place in np.argsort(-table[rows, columns], kind="stable"):
        row, column = int(rows[place]), int(columns[place])
        back = _shortest_path(beats, column, row)
        if back is not None:
            lowest = back.index(min(back))
            options = members[[*back[lowest:], *back[:lowest]]].tolist()
            return MajorityCycle(tuple(options), float(table[row, column]))
        beats[row, column] = True
    raise AssertionError("options that lead to each other are on a cycle")


def _shortest_path(edges: BoolArray, start: int, end: int) -> list[int] | None:
    """Return the vertices of a shortest path, both ends included."""
    before = {start: start}
    waiting = deque([start])
    while waiting:
        vertex = waiting.popleft()
        if vertex == end:
            path = [end]
            while path[-1] != start:
                path.append(before[path[-1]])
            return path[::-1]
        for following in np.flatnonzero(edges[vertex]).tolist():
            if following not in before:
                before[following] = vertex
                waiting.append(following)
    return None
