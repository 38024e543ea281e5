"""Compact letter display: which algorithms cannot be told apart, in letters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coopgym.typing import BoolArray


def compact_letters(different: BoolArray) -> list[str]:
    """Give items letters so that two share one just when they do not differ significantly.

    Items should come best first, so that the letter a goes to the best. Piepho (2004), J. Comput. Graph. Stat. 13,
    456-466, insert and absorb.

    Args:
        different: ``(A, A)`` symmetric, True where two items differ.

    Raises:
        ValueError: the matrix is not square, not symmetric, or an item differs from itself.

    >>> different = np.array([[False, False, True], [False, False, False], [True, False, False]])
    >>> compact_letters(different)  # the first differs from the last, and neither from the second
    ['a', 'ab', 'b']
    """
    if different.ndim != 2 or not np.array_equal(different, different.T) or different.diagonal().any():
        raise ValueError("expected a symmetric square matrix of who differs from whom, False on its diagonal")
    n_items = len(different)
    groups = [frozenset(range(n_items))]
    for first, second in np.argwhere(np.triu(different)).tolist():
        groups = _without_absorbed(
            [part for group in groups for part in _split(group, first, second)],
        )
    groups.sort(key=sorted)
    names = [_name(number) for number in range(len(groups))]
    return ["".join(name for name, group in zip(names, groups, strict=True) if i in group) for i in range(n_items)]


def _split(group: frozenset[int], first: int, second: int) -> Sequence[frozenset[int]]:
    return (group - {second}, group - {first}) if {first, second} <= group else (group,)


def _without_absorbed(groups: Sequence[frozenset[int]]) -> list[frozenset[int]]:
    """Drop groups that lie within another."""
    distinct = set(groups)
    return [group for group in distinct if not any(group < other for other in distinct)]


def _name(number: int) -> str:
    """Return a, b, …, z, and a to z with primes after that."""
    return chr(ord("a") + number % 26) + "′" * (number // 26)
