"""IGPO: a turn earns the rise it causes in the policy's own probability of the correct answer (arXiv 2510.14967)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.groups import Groups, zscore
from coopgym.algorithms.llm.kernels.ragged import Ragged, Rows
from coopgym.algorithms.llm.kernels.validation import array, choice, labels, number
from coopgym.typing import FloatArray


def turn_rewards(belief_logp: Rows, outcome: npt.ArrayLike, belief: str = "logprob") -> list[FloatArray]:
    """Return gains in belief ``r_t = b_t - b_{t-1}``, and the outcome for the last turn.

    Args:
        belief_logp: N rows ``(T,)``: mean log-probability s_t of the gold answer's tokens before each turn.
        outcome: ``(N,)`` outcome rewards.
        belief: ``"logprob"``, b = s, or ``"prob"``, b = exp(s).

    Returns:
        N rows ``(T,)``. A belief that is not finite gains nothing, and the next gain counts from the last one that is;
        a first finite belief has nothing to gain on [ours].

    >>> turn_rewards([np.log([0.1, 0.4, 0.2])], outcome=[1.0], belief="prob")  # one turn taught, one misled
    [array([ 0.3, -0.2,  1. ])]
    """
    choice("belief", belief, ("logprob", "prob"))
    beliefs = Ragged.of("belief_logp", belief_logp, shortest=1, finite=False)
    known = np.flatnonzero(np.isfinite(beliefs.values))
    values = beliefs.values[known]
    gain = np.diff(np.exp(values) if belief == "prob" else values)
    same_row = np.diff(beliefs.rows[known]) == 0
    rewards = np.zeros(beliefs.values.size)
    rewards[known[1:][same_row] - 1] = gain[same_row]  # what is believed before turn t + 1, turn t has earned
    rewards[beliefs.last] = array("outcome", outcome, (beliefs.lengths.size,))
    return beliefs.with_values(rewards).split()


def advantages(
    turn_rewards: Rows,
    group: Sequence[Any],
    gamma: float = 1.0,
    norm: str = "separate",
    eps: float = 1e-6,
    var_floor: float = 1e-8,
) -> list[FloatArray]:
    """Return ``A_t = Σ_{k≥t} γ^{k-t} z_k``, with ``z = (r - mean) / (sqrt(var_pop + var_floor) + eps)`` in each group.

    Args:
        turn_rewards: N rows ``(T,)``, the outcome last.
        group: ``(N,)`` id of each trajectory's group.
        gamma: discount factor γ.
        norm: ``"separate"`` standardises gains and outcomes each in a pool of its own, ``"joint"`` in one.
        eps: added to the standard deviation.
        var_floor: added to the variance.

    Returns:
        N rows ``(T,)``. A gain of exactly 0 is a sample like any other.

    >>> np.round(advantages([[0.3, 1.0], [0.1, 0.0]], group=["a", "a"]), 3)
    array([[ 2.,  1.],
           [-2., -1.]])
    """
    choice("norm", norm, ("separate", "joint"))
    rewards = Ragged.of("turn_rewards", turn_rewards, shortest=1)
    owners = Groups.by(labels("group", group, rewards.lengths.size)).codes[rewards.rows]
    is_outcome = np.zeros(owners.size, dtype=np.intp)
    if norm == "separate":
        is_outcome[rewards.last] = 1
    pools = Groups.by(list(zip(owners.tolist(), is_outcome.tolist(), strict=True)))
    z = zscore(
        rewards.values, pools, ddof=0, eps=number("eps", eps, 0.0), var_floor=number("var_floor", var_floor, 0.0)
    )
    return rewards.with_values(rewards.with_values(z).returns(number("gamma", gamma, 0.0))).split()
