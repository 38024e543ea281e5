"""V-STAR: value-guided search, and credit from comparing siblings under one prefix (arXiv 2602.10699)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.groups import Groups, zscore
from coopgym.algorithms.llm.kernels.ragged import Ragged
from coopgym.algorithms.llm.kernels.trees import checked_parents, depths
from coopgym.algorithms.llm.kernels.validation import array, labels, number, whole_numbers
from coopgym.typing import FloatArray


def sibling_advantages(
    paths: Sequence[Sequence[Hashable]], rewards: npt.ArrayLike, eps: float = 1e-4
) -> list[FloatArray]:
    """Return, for each turn of each path, the z-score of its score among its siblings'.

    A node is a prefix of a path and its score the mean reward of the paths through it; siblings share all but their
    last turn. ``(score - mean) / (std_pop + eps)`` over distinct siblings, 0 for one without any.

    Args:
        paths: N sequences of canonical turns, root first.
        rewards: ``(N,)``.
        eps: added to the standard deviation.

    Returns:
        N rows as long as the paths. Over distinct siblings they sum to 0.
    """
    reward = array("rewards", rewards, (len(paths),))
    numbers: dict[tuple[int, Hashable], int] = {}
    visited: list[int] = []
    for index, path in enumerate(paths):
        node = -1
        for turn in labels(f"paths[{index}]", path):
            node = numbers.setdefault((node, turn), len(numbers))
            visited.append(node)
    passages = Ragged(np.array(visited, dtype=np.float64), np.array([len(path) for path in paths], dtype=np.intp))
    nodes = Groups(np.array(visited, dtype=np.intp), len(numbers))
    score = nodes.means(reward[passages.rows])
    families = Groups.by([parent for parent, _ in numbers])
    advantage = zscore(score, families, ddof=0, eps=number("eps", eps, 0.0))
    return passages.with_values(advantage[nodes.codes]).split()


def select(
    parent: npt.ArrayLike,
    value: npt.ArrayLike,
    entropy: npt.ArrayLike,
    visits: npt.ArrayLike,
    lam: float = 0.1,
    beta: float = 1.0,
) -> dict[str, Any]:
    """Descend from the root by ``G + β sqrt(ln(N_root + 1) / (N + 1))`` with priority ``G = V + λH``.

    Args:
        parent: ``(nodes,)`` node above each node; node 0 is the root, -1, and parents come before their children.
        value: ``(nodes,)`` values V.
        entropy: ``(nodes,)`` entropies H of the policy.
        visits: ``(nodes,)`` visits N.
        lam: weight λ of entropy.
        beta: weight β of exploration.

    Returns:
        ``path`` from the root to a leaf, ``priority`` ``(nodes,)``, and whether to ``expand`` the leaf: if its priority
        is at least the mean priority of its depth.
    """
    above = checked_parents(parent)
    spread = number("lam", lam) * array("entropy", entropy, above.shape, 0.0)
    priority = array("value", value, above.shape) + spread
    visited = whole_numbers("visits", visits, above.size)
    bound = priority + number("beta", beta, 0.0) * np.sqrt(np.log(visited[0] + 1) / (visited + 1))
    path = [0]
    while (children := np.flatnonzero(above == path[-1])).size:
        path.append(int(children[bound[children].argmax()]))
    peers = priority[depths(above) == len(path) - 1]
    return {"path": path, "priority": priority, "expand": bool(priority[path[-1]] >= peers.mean())}


def td(values: npt.ArrayLike, rewards: npt.ArrayLike, gamma: float = 0.99) -> dict[str, Any]:
    """Return one-step targets ``r_d + γ V_{d+1}`` of a value head and its mean squared error; nothing follows the last.

    Args:
        values: ``(D,)`` values V per depth.
        rewards: ``(D,)`` dense rewards.
        gamma: discount factor γ.

    Returns:
        ``targets`` ``(D,)`` and ``loss``.

    >>> td(values=[0.5, 0.5], rewards=[0.0, 1.0], gamma=0.8)
    {'targets': array([0.4, 1. ]), 'loss': 0.13}
    """
    value = array("values", values)
    reward = array("rewards", rewards, value.shape)
    if not value.size:
        raise ValueError("values: expected at least one depth, got none")
    targets = reward + number("gamma", gamma, 0.0, 1.0) * np.append(value[1:], 0.0)
    return {"targets": targets, "loss": float(((value - targets) ** 2).mean())}
