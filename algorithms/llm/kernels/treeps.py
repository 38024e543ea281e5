"""TreePS-RAG: a turn is worth the mean outcome of the leaves below it in a tree of turns (arXiv 2601.06922).

The value is the paper's; the form of the advantage (after TreeRL's local and global gains), its weights and the rule of
pruning are [ours].
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import zip_longest
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.trees import checked_parents
from coopgym.algorithms.llm.kernels.validation import (
    check_shape,
    flags,
    labels,
    number,
    optional,
    whole_number,
)
from coopgym.typing import FloatArray, IntArray


def values(parent: npt.ArrayLike, leaf_reward: Sequence[float | None]) -> FloatArray:
    """Return V(n), the mean reward over the leaves under each node.

    Args:
        parent: ``(nodes,)`` node above each node; node 0 is the root, -1, and parents come before their children.
        leaf_reward: ``(nodes,)`` outcome of each leaf; None for nodes with children.

    Returns:
        ``(nodes,)``.
    """
    total, leaves = _leaf_totals(checked_parents(parent), leaf_reward)
    return total / leaves


def advantages(
    parent: npt.ArrayLike,
    leaf_reward: Sequence[float | None],
    w_local: float = 1.0,
    w_global: float = 1.0,
    leaf_scale: bool = False,
) -> FloatArray:
    """Return ``A(n) = w_local (V(n) - V(parent)) + w_global (V(n) - V(root))``; 0 at the root.

    Args:
        parent: ``(nodes,)`` as in `values`.
        leaf_reward: ``(nodes,)`` as in `values`.
        w_local: weight of the gain over the parent.
        w_global: weight of the gain over the root.
        leaf_scale: divide by ``sqrt(leaves below)``, for trees flattened into root-to-leaf sequences in which a node
            repeats once per leaf.

    Returns:
        ``(nodes,)``.

    >>> parent, leaf_reward = [-1, 0, 0, 1, 1], [None, None, 0.0, 1.0, 0.0]
    >>> values(parent, leaf_reward).round(3), advantages(parent, leaf_reward, w_global=0.0).round(3)
    (array([0.333, 0.5  , 0.   , 1.   , 0.   ]), array([ 0.   ,  0.167, -0.333,  0.5  , -0.5  ]))
    """
    above = checked_parents(parent)
    total, leaves = _leaf_totals(above, leaf_reward)
    value = total / leaves
    local = value - value[np.maximum(above, 0)]
    gain = number("w_local", w_local) * local + number("w_global", w_global) * (value - value[0])
    return gain / np.sqrt(leaves) if leaf_scale else gain


def prune(
    parent: Sequence[Any],
    observations: Sequence[Sequence[Hashable]],
    terminal: npt.ArrayLike,
    tau: float = 0.8,
    width: int = 4,
) -> dict[str, list[int]]:
    """Return which proposed turns end in an answer and which are worth continuing.

    Among the unfinished siblings one whose observations have a Jaccard index of at least τ with one already kept is
    dropped (two that saw nothing saw the same). What is left is taken from the parents in turn, up to the width, so
    that no parent has all the places.

    Args:
        parent: ``(N,)`` id of each proposal's parent.
        observations: N collections of what the proposal's tools returned.
        terminal: ``(N,)`` whether the proposal answered.
        tau: similarity τ of duplicates.
        width: proposals to continue.

    Returns:
        ``leaves`` and ``frontier``, indices of proposals in ascending order.
    """
    parents = labels("parent", parent)
    check_shape("observations", (len(observations),), (len(parents),))
    answered = flags("terminal", terminal, (len(parents),))
    threshold = number("tau", tau, 0.0)
    seen = [frozenset(labels(f"observations[{index}]", items)) for index, items in enumerate(observations)]
    kept: dict[Hashable, list[int]] = {}
    for index in np.flatnonzero(~answered).tolist():
        siblings = kept.setdefault(parents[index], [])
        if all(_jaccard(seen[index], seen[sibling]) < threshold for sibling in siblings):
            siblings.append(index)
    in_turn = [index for turn in zip_longest(*kept.values()) for index in turn if index is not None]
    return {"leaves": np.flatnonzero(answered).tolist(), "frontier": sorted(in_turn[: whole_number("width", width)])}


def _leaf_totals(above: IntArray, leaf_reward: Sequence[float | None]) -> tuple[FloatArray, FloatArray]:
    reward, is_leaf = optional("leaf_reward", leaf_reward, above.size)
    childless = np.bincount(above[1:], minlength=above.size) == 0
    if (is_leaf != childless).any():
        node = int(np.flatnonzero(is_leaf != childless)[0])
        expected = "None, the node has children" if is_leaf[node] else "a number, the node has no children"
        raise ValueError(f"leaf_reward[{node}]={leaf_reward[node]}: expected {expected}")
    total, leaves = reward.copy(), is_leaf.astype(np.float64)
    for node in range(above.size - 1, 0, -1):  # children come after their parents
        total[above[node]] += total[node]
        leaves[above[node]] += leaves[node]
    return total, leaves


def _jaccard(first: frozenset[Hashable], second: frozenset[Hashable]) -> float:
    union = len(first | second)
    return len(first & second) / union if union else 1.0
