"""MatchTIR: a turn earns the quality with which its tool calls match scripted ones (arXiv 2601.10712)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment
from scipy.special import logsumexp

from coopgym.algorithms.llm.kernels.groups import Groups, zscore
from coopgym.algorithms.llm.kernels.ragged import Ragged, Rows
from coopgym.algorithms.llm.kernels.validation import array, choice, labels, number, whole_number
from coopgym.typing import FloatArray, IntArray

TIE = 1e-9
"""Totals of similarity this close, relative to their size, are tied: what earlier calls earn then counts for more."""
MARGINAL_ERROR = 1e-10
"""Largest error of a call's mass at which soft matching has converged."""
MAX_ITERATIONS = 1000


def similarity(pred: Mapping[str, Any], gold: Mapping[str, Any], numeric_tol: float = 0.0) -> float:
    """Return how well a call reproduces a scripted one, ``S = (1 + J + V) / (2 + |args_gold|)``; 0 for another tool.

    Args:
        pred: ``name`` and ``args`` of the call.
        gold: ``name`` and ``args`` of the scripted call.
        numeric_tol: difference up to which numbers are the same; equality is hopeless for continuous levels [ours].

    J is the Jaccard index of the argument names (1 if neither has any), V the number of scripted arguments that have
    the same value. Names of tools ignore case.

    Returns:
        In [0, 1].

    >>> scripted = {"name": "simulate", "args": {"level": 0.5, "steps": 10}}
    >>> similarity({"name": "simulate", "args": {"level": 0.5}}, scripted)  # (1 + 1/2 + 1) / (2 + 2)
    0.625
    """
    tolerance = number("numeric_tol", numeric_tol, 0.0)
    for name, call in (("pred", pred), ("gold", gold)):
        if not {"name", "args"} <= call.keys():
            raise ValueError(f"{name}: expected a call with 'name' and 'args', got {sorted(call)}")
    if pred["name"].casefold() != gold["name"].casefold():
        return 0.0
    given, scripted = pred["args"], gold["args"]
    names = given.keys() | scripted.keys()
    shared = given.keys() & scripted.keys()
    jaccard = len(shared) / len(names) if names else 1.0
    reproduced = sum(_same(given[key], scripted[key], tolerance) for key in shared)
    return (1.0 + jaccard + reproduced) / (2.0 + len(scripted))


def assign(
    sim: npt.ArrayLike, mode: str = "hungarian", unmatched: float = 0.0, reg: float = 0.1, rescale: bool = False
) -> FloatArray:
    """Return what each call earns from a matching with the scripted calls.

    Args:
        sim: ``(P, G)`` similarity of each call with each scripted one, non-negative.
        mode: ``"hungarian"`` maximises the total (the paper's Kuhn-Munkres); ``"greedy"`` takes the best remaining
            pair, as the public code does; ``"sinkhorn"`` is entropic transport between uniform masses, from which call
            i earns ``Σ_j T_ij S_ij``.
        unmatched: what a call without a partner earns; a partner of similarity 0 is none.
        reg: entropic regularisation of ``"sinkhorn"``.
        rescale: multiply soft rewards, which sum to at most 1, by the number of calls [ours].

    Returns:
        ``(P,)``. Of tied matchings the one in which earlier calls earn more.
    """
    choice("mode", mode, ("hungarian", "greedy", "sinkhorn"))
    similarities = array("sim", sim, (None, None), 0.0)
    earned = np.full(len(similarities), number("unmatched", unmatched))
    if similarities.size == 0:
        return earned
    if mode == "sinkhorn":
        plan = _transport(similarities, number("reg", reg))
        return (plan * similarities).sum(-1) * (len(similarities) if rescale else 1.0)
    calls, partners = _best_total(similarities) if mode == "hungarian" else _best_pairs(similarities)
    matched = similarities[calls, partners] > 0.0
    earned[calls[matched]] = similarities[calls, partners][matched]
    return earned


def turn_rewards(call_rewards: Rows, answer_turn: int | None = None, answer_score: float = 0.0) -> FloatArray:
    """Return the mean reward of each turn's calls, 0 without calls; the answer's turn earns the answer's score.

    Args:
        call_rewards: T rows, what each call of the turn earned.
        answer_turn: index of the turn that answers; None if none does.
        answer_score: what the answer earned.

    Returns:
        ``(T,)``.
    """
    calls = Ragged.of("call_rewards", call_rewards)
    rewards = calls.sums() / np.maximum(calls.lengths, 1)
    if answer_turn is not None:
        rewards[whole_number("answer_turn", answer_turn, 0, rewards.size - 1)] = number("answer_score", answer_score)
    return rewards


def advantages(
    turn_rewards: Rows, group: Sequence[Any], lam: float = 0.9, eps: float = 1e-6, singleton: str = "zero"
) -> list[FloatArray]:
    """Return ``A_t = (A^traj + A^turn_t) / 2``.

    ``A^traj`` is the z-score of ``Σ_t r_t`` in the group, ``A^turn_t`` that of ``D_t = Σ_{k≥t} λ^{k-t} r_k`` over the
    group's trajectories that reach turn t; both with ddof 1.

    Args:
        turn_rewards: N rows ``(T,)``.
        group: ``(N,)`` id of each trajectory's group.
        lam: discount λ.
        eps: added to standard deviations.
        singleton: what is alone in its group or at its turn gets: ``"zero"`` [ours], or ``"raw"`` as in the public
            code, which hands long trajectories a free advantage.

    Returns:
        N rows ``(T,)``.
    """
    rewards = Ragged.of("turn_rewards", turn_rewards)
    groups = Groups.by(labels("group", group, rewards.lengths.size))
    added = number("eps", eps, 0.0)
    trajectory = zscore(rewards.sums(), groups, ddof=1, eps=added, singleton=singleton)
    peers = Groups.by(list(zip(groups.codes[rewards.rows].tolist(), rewards.columns.tolist(), strict=True)))
    turn = zscore(rewards.returns(number("lam", lam, 0.0)), peers, ddof=1, eps=added, singleton=singleton)
    return rewards.with_values((trajectory[rewards.rows] + turn) / 2.0).split()


def _same(given: Any, scripted: Any, tolerance: float) -> bool:
    if _is_number(given) and _is_number(scripted):
        return bool(abs(given - scripted) <= tolerance)
    return bool(given == scripted)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def _best_total(similarities: FloatArray) -> tuple[IntArray, IntArray]:
    n_calls = len(similarities)
    earliness = np.arange(n_calls, 0, -1)[:, None] / n_calls
    return linear_sum_assignment(similarities * (1.0 + TIE * earliness), maximize=True)


def _best_pairs(similarities: FloatArray) -> tuple[IntArray, IntArray]:
    remaining = similarities.copy()
    pairs = np.empty((min(remaining.shape), 2), dtype=np.intp)
    for index in range(len(pairs)):
        call, partner = pairs[index] = np.unravel_index(remaining.argmax(), remaining.shape)
        remaining[call], remaining[:, partner] = -1.0, -1.0
    return pairs[:, 0], pairs[:, 1]


def _transport(similarities: FloatArray, reg: float) -> FloatArray:
    """Plan ``(P, G)`` of entropic transport: Sinkhorn's iterations, each followed by a Newton step if that is better.

    Sinkhorn alone crawls where two matchings are nearly as good.
    """
    if reg <= 0.0:
        raise ValueError(f"reg={reg:g}: expected a positive regularisation")
    n_calls, n_scripted = similarities.shape
    scaled = similarities / reg
    mass = np.concatenate([np.full(n_calls, 1.0 / n_calls), np.full(n_scripted, 1.0 / n_scripted)])
    column = np.zeros(n_scripted)
    for _ in range(MAX_ITERATIONS):
        row = -np.log(n_calls) - logsumexp(scaled + column, axis=1)
        column = -np.log(n_scripted) - logsumexp(scaled + row[:, None], axis=0)
        plan = np.exp(scaled + row[:, None] + column)
        missing = mass - _marginals(plan)
        if np.abs(missing).max() < MARGINAL_ERROR:
            return plan
        step = _newton_step(plan, missing)
        exponent = scaled + (row + step[:n_calls])[:, None] + column + step[n_calls:]
        stepped = np.exp(np.minimum(exponent, 0.0))  # no plan moves more than all the mass
        if np.abs(mass - _marginals(stepped)).max() < np.abs(missing).max():
            column += step[n_calls:]
    raise ValueError(f"reg={reg:g}: soft matching has not converged; expected a larger regularisation, such as 0.1")


def _marginals(plan: FloatArray) -> FloatArray:
    return np.concatenate([plan.sum(1), plan.sum(0)])


def _newton_step(plan: FloatArray, missing: FloatArray) -> FloatArray:
    slopes = np.block([[np.diag(plan.sum(1)), plan], [plan.T, np.diag(plan.sum(0))]])
    return np.linalg.lstsq(slopes, missing)[0]
