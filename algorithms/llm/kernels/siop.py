"""SIOP: turns earn the support they raise for their rollout's own cluster of answers (arXiv 2605.04984)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from coopgym.algorithms.llm.kernels.groups import Groups
from coopgym.algorithms.llm.kernels.ragged import Ragged, Rows
from coopgym.algorithms.llm.kernels.validation import array, labels, number, optional
from coopgym.typing import FloatArray

FLAT = 1e-6
"""Standard deviation of a pool below which its rewards are only centred."""


def target(cluster: Sequence[Any], evidence: Sequence[float | None], eta: float = 1.0) -> FloatArray:
    """Return q of each rollout's cluster, ``q(c) ∝ m(c) exp(η e(c))``.

    m is the cluster's share of the group's valid answers, e the mean evidence of its members that have any (0 if none).

    Args:
        cluster: ``(G,)`` id of each rollout's cluster; None without an answer.
        evidence: ``(G,)`` how well observations support the answer; None if unknown.
        eta: weight η of evidence.

    Returns:
        ``(G,)``; 0 without an answer, 1 for all answers of a single cluster.

    >>> target(["a", "a", "b", None], evidence=[None, None, None, None])
    array([0.66666667, 0.66666667, 0.33333333, 0.        ])
    """
    names = labels("cluster", cluster)
    support, known = optional("evidence", evidence, len(names))
    valid = np.array([name is not None for name in names], dtype=np.bool_)
    mass = np.zeros(len(names))
    if not valid.any():
        return mass
    clusters = Groups.by([name for name in names if name is not None])
    evidenced = clusters.sums(known[valid].astype(np.float64))
    mean_evidence = clusters.sums(support[valid]) / np.maximum(evidenced, 1.0)
    q = softmax(np.log(clusters.sizes) + number("eta", eta) * mean_evidence)
    mass[valid] = q[clusters.codes]
    return mass


def turn_rewards(
    ref_logp: npt.ArrayLike, alpha: npt.ArrayLike, q: float, lam: float = 0.5, eps: float = 1e-8
) -> FloatArray:
    """Return ``r_t = q [log(p_t + ε) - log(p_{t-1} + ε)]`` with ``p_t = Σ_r α_r exp(ref_logp_tr)``, and (1 - λ) q last.

    Args:
        ref_logp: ``(T + 1, R)`` mean log-probability of each reference answer before the first and after each turn.
        alpha: ``(R,)`` weights of the references.
        q: target of the rollout's cluster; 0 without an answer.
        lam: share λ of the target that gains stand for.
        eps: added to support.

    Returns:
        ``(T,)``. A rollout of one turn earns ``(1 - λ) q`` only, without a gain.
    """
    reference = array("ref_logp", ref_logp, (None, None))
    if len(reference) < 2:
        raise ValueError(f"ref_logp: expected at least two contexts, before and after a turn, got {len(reference)}")
    weight = array("alpha", alpha, reference.shape[1:], 0.0)
    mass = number("q", q, 0.0, 1.0)
    support = np.log(np.exp(reference) @ weight + number("eps", eps, 0.0))
    rewards = mass * np.diff(support) if len(reference) > 2 else np.zeros(1)
    rewards[-1] += (1.0 - number("lam", lam, 0.0, 1.0)) * mass
    return rewards


def advantages(turn_rewards: Rows, group: Sequence[Any], gamma: float = 1.0, eps: float = 1e-6) -> list[FloatArray]:
    """Return discounted sums over turns of rewards standardised over all turns of the group, with ddof 1.

    Args:
        turn_rewards: N rows ``(T,)``; those of rollouts without an answer, all 0, stay in the pool.
        group: ``(N,)`` id of each rollout's group.
        gamma: discount factor γ.
        eps: added to the standard deviation.

    Returns:
        N rows ``(T,)``. A pool with a standard deviation below 1e-6 is centred only; a pool of one gets 0.
    """
    rewards = Ragged.of("turn_rewards", turn_rewards)
    owners = Groups.by(labels("group", group, rewards.lengths.size)).codes
    pools = Groups.by(owners[rewards.rows].tolist())
    deviation = pools.centred(rewards.values)
    spread = np.sqrt(pools.variances(deviation, ddof=1))
    scale = np.where(spread < FLAT, 1.0, spread + number("eps", eps, 0.0))
    z = deviation / scale[pools.codes]
    return rewards.with_values(rewards.with_values(z).returns(number("gamma", gamma, 0.0))).split()
