"""The arithmetic of bandit learners as pure functions, for worked examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from coopgym.oracles.bandits.arms import AlternatingArms
from coopgym.oracles.bandits.elimination import SuccessiveElimination, count_bound
from coopgym.oracles.bandits.exploring import EpsilonGreedy, ExploreFirst, recommended_pulls
from coopgym.oracles.bandits.learner import Instance, OnlineLearner
from coopgym.oracles.bandits.ledger import RegretLedger
from coopgym.oracles.bandits.lipschitz import UniformDiscretisation, Zooming, cell_width, cells, midpoints
from coopgym.oracles.bandits.lower_bounds import bernoulli_kl, lai_robbins, pinsker_ratio
from coopgym.oracles.bandits.play import play_bandit
from coopgym.oracles.bandits.sample_means import gap_free_bound
from coopgym.oracles.bandits.thompson import ThompsonBeta, ThompsonGauss
from coopgym.oracles.bandits.upper_confidence import UCB1
from coopgym.typing import FloatArray


def explore_first(mu: Sequence[float], delta: float, T: int, N: int) -> dict[str, Any]:
    """Explore-first on alternating arms."""
    learner = ExploreFirst(pulls=N)
    ledger = _played(learner, mu, delta, T)
    return {
        "committed_arm": int(learner.choose()[0]),
        "exploration_means": learner.means()[0].tolist(),
        "counts": _whole(ledger.counts[0]),
        "total_reward": float(ledger.earned[0]),
        "regret": float(ledger.expected_regret[0]),
        "N_recommended": recommended_pulls(T, len(mu)),
    }


def epsilon_greedy(
    mu: Sequence[float], delta: float, u_explore: Sequence[float], u_arm: Sequence[float]
) -> dict[str, Any]:
    """Epsilon-greedy on alternating arms with supplied numbers."""
    learner, arms, T = EpsilonGreedy(), AlternatingArms(mu, delta), len(u_explore)
    arms.reset(T, 1, np.random.default_rng(0))
    learner.reset(len(mu), T)
    pulls = []
    for numbers in zip(u_explore, u_arm, strict=True):
        chosen = learner.act(np.array([numbers]))
        learner.update(chosen, arms.pull(chosen).rewards)
        pulls.append(int(chosen[0]))
    played = learner.counts[0] > 0.0
    return {
        "eps": learner.epsilon(np.arange(1, T + 1)).tolist(),
        "pulls": pulls,
        "counts": _whole(learner.counts[0]),
        "means": [float(mean) if seen else None for mean, seen in zip(learner.means()[0], played, strict=True)],
    }


def successive_elimination(mu: Sequence[float], delta: float, T: int) -> dict[str, Any]:
    """Successive elimination on alternating arms."""
    learner = SuccessiveElimination()
    ledger = _played(learner, mu, delta, T)
    after = learner.eliminated_after[0]
    return {
        "counts": _whole(ledger.counts[0]),
        "pulls_at_elimination": {str(arm): int(after[arm]) for arm in np.flatnonzero(after)},
        "active_at_end": np.flatnonzero(learner.active[0]).tolist(),
        "total_reward": float(ledger.earned[0]),
        "regret": float(ledger.expected_regret[0]),
        "count_bounds": [count_bound(T, gap) if gap > 0.0 else None for gap in Instance.of(mu).gaps or ()],
    }


def ucb1(mu: Sequence[float], delta: float, T: int) -> dict[str, Any]:
    """UCB1 on alternating arms."""
    learner = UCB1()
    ledger = _played(learner, mu, delta, T, record=True)
    assert ledger.arms is not None
    return {
        "counts": _whole(ledger.counts[0]),
        "first_pulls": ledger.arms[:20, 0].tolist(),
        "final_index": learner.index[0].tolist(),
        "regret": float(ledger.expected_regret[0]),
        "bound_instance": learner.declared_bound(T, Instance.of(mu)),
        "bound_free": gap_free_bound(T, len(mu)),
    }


def lower_bound(mu: Sequence[float]) -> dict[str, Any]:
    """Divergences of arms from the best, and the constant of Lai and Robbins."""
    best = max(mu)
    return {
        "kl_to_best": [float(bernoulli_kl(mean, best)) if mean < best else None for mean in mu],
        "lai_robbins": lai_robbins(mu),
        "pinsker_ratio": [float(pinsker_ratio(mean, best)) if mean < best else None for mean in mu],
    }


def thompson_beta(prior: Sequence[Sequence[float]], counts: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Posteriors of arms of which successes and failures were seen."""
    learner = ThompsonBeta(prior=tuple((alpha, beta) for alpha, beta in prior))
    learner.reset(len(prior), 1)
    for arm, (won, lost) in enumerate(counts):
        for reward in [1.0] * won + [0.0] * lost:
            learner.update(np.array([arm]), np.array([reward]))
    alpha, beta = learner.alpha[0], learner.beta[0]
    return {
        "alpha": alpha.tolist(),
        "beta": beta.tolist(),
        "mean": (alpha / (alpha + beta)).tolist(),
        "prob_best": learner.probabilities()[0].tolist(),
    }


def thompson_gauss(
    prior_mean: float, prior_var: float, noise_var: float, rewards: Sequence[Sequence[float]]
) -> dict[str, Any]:
    """Posteriors of arms with normal rewards."""
    learner = ThompsonGauss(prior_mean, prior_var, noise_var)
    learner.reset(len(rewards), 1)
    for arm, brought in enumerate(rewards):
        for reward in brought:
            learner.learn(np.array([arm]), np.array([reward]), None)
    return {
        "post_mean": learner.mean[0].tolist(),
        "post_var": learner.variance[0].tolist(),
        "prob_arm0_best": float(learner.probabilities()[0, 0]),
    }


def lipschitz_uniform(T: int, L: float) -> dict[str, Any]:
    """Cells of uniform discretisation and what they cost."""
    count = cells(T, L)
    return {
        "eps": cell_width(T, L),
        "K": count,
        "first_arms": midpoints(count)[:3].tolist(),
        "discretisation_error": L / (2.0 * count),
        "regret_bound": UniformDiscretisation(L).declared_bound(T, Instance(count, lipschitz=L)),
    }


def zooming(T: int, L: float, M: int, mean: Mapping[str, Any]) -> dict[str, Any]:
    """Zooming without noise on a tent."""
    means = mean["top"] - mean["slope"] * np.abs(midpoints(M) - mean["at"])
    learner = Zooming(lipschitz=L)
    ledger = _played(learner, means, 0.0, T)
    active = np.flatnonzero(learner.active[0])
    counts, played = ledger.counts[0], ledger.counts[0] > 0.0
    gaps = means.max() - means
    # The radius of so many rounds, not of one more: what every arm played has to keep.
    within = gaps[played] <= 3.0 * learner.radius(counts[played] - 1.0)
    return {
        "active_count": len(active),
        "active_points": midpoints(M)[active].tolist(),
        "counts": _whole(counts[active]),
        "most_played": float(midpoints(M)[counts.argmax()]),
        "regret": float(ledger.expected_regret[0]),
        "gap_le_3r": bool(within.all()),
    }


def _played(
    learner: OnlineLearner, mu: Sequence[float] | FloatArray, delta: float, T: int, record: bool = False
) -> RegretLedger:
    return play_bandit(learner, AlternatingArms(mu, delta), T, record=record)


def _whole(numbers: FloatArray) -> list[int]:
    return numbers.astype(int).tolist()


KERNELS: Mapping[str, Callable[..., Any]] = {
    "explore-first": explore_first,
    "eps-greedy": epsilon_greedy,
    "successive-elimination": successive_elimination,
    "ucb1": ucb1,
    "lower-bound": lower_bound,
    "thompson-beta": thompson_beta,
    "thompson-gauss": thompson_gauss,
    "lipschitz-uniform": lipschitz_uniform,
    "zooming": zooming,
}
"""Functions of named inputs by the ids of their worked examples."""
