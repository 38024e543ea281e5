"""ArenaRL: rollouts are compared in pairs and rewarded by their rank in a tournament (arXiv 2601.06487).

Scores are a matrix ``(G, G)``: entry (i, j) is what rollout i scores when it is compared with rollout j, summed over
both orders of presentation; the diagonal is not used.

Equals share the better rank, whatever their places in the group; only who advances from a match without a winner is
settled by the bracket. Averages are exact, so that equal scores have equal averages in any order.
"""

from __future__ import annotations

import statistics
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.llm.kernels.groups import Groups, zscore
from coopgym.algorithms.llm.kernels.validation import array, choice, floats, number, whole_numbers
from coopgym.typing import FloatArray

EPS = 1e-6
"""Added to the standard deviation of rank rewards."""


def rank_advantage(order: npt.ArrayLike, eps: float = EPS) -> FloatArray:
    """Return the group's z-scores (ddof 1) of ``R = 1 - rank / (G - 1)``.

    Args:
        order: ``(G,)`` rollouts, best first.
        eps: added to the standard deviation.

    Returns:
        ``(G,)`` per rollout; 0 for a single one.

    >>> rank_advantage([2, 0, 1]).round(3)
    array([ 0., -1.,  1.])
    """
    places = whole_numbers("order", order)
    if not np.array_equal(np.sort(places), np.arange(places.size)):
        raise ValueError(f"order: expected each rollout from 0 to {places.size - 1} once, got {places.tolist()}")
    return _standardised(1.0 - np.argsort(places) / max(places.size - 1, 1), number("eps", eps, 0.0))


def round_robin(score: npt.ArrayLike) -> dict[str, Any]:
    """Let everyone meet everyone: a win counts 1, a tie ½.

    Equal wins share the better rank, and the reward is ``(worst rank - rank) / (worst rank - 1)``.

    Returns:
        ``wins`` ``(G,)``, ``adv`` ``(G,)`` (0 where all are tied) and ``matches``.
    """
    scores = _scores(score)
    size = len(scores)
    won = (scores > scores.T) + 0.5 * (scores == scores.T)
    wins = won.sum(-1) - won.diagonal()
    return {"wins": wins, "adv": _shared_rank_advantage(_better(wins)), "matches": size * (size - 1) // 2}


def anchor(score: npt.ArrayLike) -> dict[str, Any]:
    """Let everyone meet rollout 0, which gets its mean score; equal scores rank as equal wins in `round_robin`.

    Returns:
        ``adv`` ``(G,)`` (0 where all are tied) and ``matches``.
    """
    scores = _scores(score)
    return {"adv": _shared_rank_advantage(_better(_seed_scores(scores))), "matches": len(scores) - 1}


def single_elimination(score: npt.ArrayLike, byes: str = "proper") -> dict[str, Any]:
    """Seed against rollout 0, then play a knockout in which the top two seeds can only meet in the final.

    The higher score advances, of equals the one listed earlier in the bracket. Ranked are the winner, then the losers
    of the last round, and so on; inside a round by the average of all scores so far, those of seeding included. Equal
    averages share the better rank, and where all scores are the same nobody is ahead [ours].

    Args:
        score: ``(G, G)``.
        byes: what happens if G is no power of two: ``"proper"`` lets the top seeds pass the first round [ours];
            ``"compact"`` closes the gaps, as the public code does, so that strong seeds may meet early; who is left
            over in a round stands first in the next one.

    Returns:
        ``order`` ``(G,)``, best first, equals by their place in the bracket; ``adv`` ``(G,)`` (0 where all are tied);
        and ``matches``, 2G - 2.
    """
    choice("byes", byes, ("proper", "compact"))
    scores = _scores(score)
    size = len(scores)
    seeds = _descending(_seed_scores(scores)).tolist()
    earned = [scores[0, 1:].tolist(), *([value] for value in scores[1:, 0].tolist())]
    compact = byes == "compact"
    places = [place for place in _bracket(size) if place < size or not compact]
    pairs = [[seeds[place] for place in pair if place < size] for pair in _paired(places)]
    rounds: list[list[int]] = []
    while True:
        winners, losers = _play(pairs, scores, earned)
        rounds.append(losers)
        if len(winners) == 1:
            break
        if compact and len(pairs[-1]) == 1:
            winners = [winners[-1], *winners[:-1]]
        pairs = _paired(winners)
    average = [statistics.mean(scored) if scored else 0.0 for scored in earned]
    order = [*winners, *chain.from_iterable(sorted(losers, key=lambda i: -average[i]) for losers in reversed(rounds))]
    survived = np.full(size, len(rounds), dtype=np.float64)
    for survived_rounds, losers in enumerate(rounds):
        survived[losers] = survived_rounds
    better = np.zeros(size) if _all_equal(scores) else _better(survived, np.array(average))
    return {"order": np.array(order, dtype=np.intp), "adv": _shared_rank_advantage(better), "matches": 2 * size - 2}


def _play(pairs: list[list[int]], scores: FloatArray, earned: list[list[float]]) -> tuple[list[int], list[int]]:
    """Play a round, note what everyone scores, and return winners and losers; who has no opponent advances."""
    winners = [pair[0] for pair in pairs]
    losers = []
    for match, pair in enumerate(pairs):
        if len(pair) == 1:
            continue
        first, second = pair
        earned[first].append(scores[first, second])
        earned[second].append(scores[second, first])
        if scores[second, first] > scores[first, second]:
            winners[match] = second
        losers.append(first if winners[match] == second else second)
    return winners, losers


def _paired(entries: list[int]) -> list[list[int]]:
    return [entries[index : index + 2] for index in range(0, len(entries), 2)]


def _bracket(size: int) -> list[int]:
    """Seeds (from 0) in the order of a bracket, so that the first meets the last and the top two only in the final."""
    places = [0]
    while len(places) < size:
        places = [seed for place in places for seed in (place, 2 * len(places) - 1 - place)]
    return places


def _scores(score: npt.ArrayLike) -> FloatArray:
    scores = floats("score", score).copy()
    if scores.ndim != 2 or not scores.size or scores.shape[0] != scores.shape[1]:
        raise ValueError(f"score: expected a square matrix for at least one rollout, got shape {scores.shape}")
    np.fill_diagonal(scores, 0.0)
    return array("score", scores, scores.shape)


def _seed_scores(scores: FloatArray) -> FloatArray:
    seeded = scores[:, 0].copy()
    seeded[0] = statistics.mean(scores[0, 1:].tolist()) if len(scores) > 1 else 0.0
    return seeded


def _all_equal(scores: FloatArray) -> bool:
    off_diagonal = scores[~np.eye(len(scores), dtype=bool)]
    return off_diagonal.size == 0 or bool(np.ptp(off_diagonal) == 0.0)


def _better(first: FloatArray, second: FloatArray | None = None) -> FloatArray:
    """How many rollouts are ahead of each, ``(G,)``: by a first number and, among equals in it, by a second."""
    ahead = first > first[:, None]
    if second is not None:
        ahead |= (first == first[:, None]) & (second > second[:, None])
    return ahead.sum(-1).astype(np.float64)


def _shared_rank_advantage(better: FloatArray) -> FloatArray:
    """Z-scores of ``(worst rank - rank) / (worst rank - 1)``, where a rank is one more than the number ahead."""
    return _standardised(1.0 - better / max(better.max(), 1.0), EPS)


def _descending(values: FloatArray) -> npt.NDArray[np.intp]:
    return np.argsort(-values, kind="stable")


def _standardised(rewards: FloatArray, eps: float) -> FloatArray:
    return zscore(rewards, Groups.whole(rewards.size), ddof=1, eps=eps)
