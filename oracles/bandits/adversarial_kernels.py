"""The arithmetic of learners of chosen costs, sets, contexts and logs as pure functions, for worked examples."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from coopgym.oracles.bandits.adversarial import EXP3, EXP4, OnlineHedge, tuned_rate
from coopgym.oracles.bandits.contextual import LinUCB, cell_of, context_cells, context_width
from coopgym.oracles.bandits.learner import Instance
from coopgym.oracles.bandits.off_policy import off_policy_value
from coopgym.oracles.bandits.sets import FollowPerturbedLeader, SemiBandit
from coopgym.oracles.bandits.weighted_majority import WeightedMajority

Table = Sequence[Sequence[float]]


def weighted_majority(predictions: Table, labels: Sequence[int], eps: float) -> dict[str, Any]:
    """Weighted majority on tabled advice."""
    learner = WeightedMajority(experts=len(predictions[0]), epsilon=eps)
    learner.reset(arms=2, horizon=len(labels))
    for advice, label in zip(predictions, labels, strict=True):
        right = np.eye(2)[[label]]
        said = learner.choose(np.array([advice]))
        learner.update(said, right[0, said], right)
    best = int(learner.wrong.min())
    return {
        "mistakes": int(learner.mistakes[0]),
        "best_expert_mistakes": best,
        "final_weights": learner.weights()[0].tolist(),
        "bound": learner.mistake_bound(best),
    }


def hedge(costs: Table, eps: float) -> dict[str, Any]:
    """Hedge on tabled costs, in expectation."""
    table = np.asarray(costs)
    learner = OnlineHedge(epsilon=eps)
    learner.reset(arms=table.shape[1], horizon=len(table))
    expected = 0.0
    for row in table:
        expected += float(learner.probabilities()[0] @ row)
        learner.update(np.array([0]), 1.0 - row[:1], 1.0 - row[None])
    best = float(table.sum(0).min())
    return {
        "expected_cost": expected,
        "best_cost": best,
        "regret": expected - best,
        "next_probs": learner.probabilities()[0].tolist(),
        "bound": math.log(table.shape[1]) / eps + eps * best,
    }


def exp3(costs: Table, eta: float, u: Sequence[float]) -> dict[str, Any]:
    """EXP3 on tabled costs with supplied numbers."""
    table = np.asarray(costs)
    rounds, arms = table.shape
    learner = EXP3(eta=eta)
    learner.reset(arms, rounds)
    played = []
    for row, number in zip(table, u, strict=True):
        chosen = learner.act(np.array([[number]]))
        learner.update(chosen, 1.0 - row[chosen])
        played.append(int(chosen[0]))
    tuned = EXP3().declared_bound(rounds, Instance(arms, process="oblivious"))
    return {
        "arms": played,
        "total_cost": float(table[np.arange(rounds), played].sum()),
        "est_cum_cost": learner.costs[0].tolist(),
        "next_probs": learner.probabilities()[0].tolist(),
        "eta_star": tuned_rate(rounds, arms, arms),
        "bound": tuned,
    }


def exp4(costs: Table, advice: Sequence[Table], eta: float, gamma: float, u: Sequence[float]) -> dict[str, Any]:
    """EXP4 on tabled costs and advice with supplied numbers."""
    table, told = np.asarray(costs), np.asarray(advice)
    rounds, arms = table.shape
    learner = EXP4(eta=eta, gamma=gamma, experts=told.shape[1])
    learner.reset(arms, rounds)
    played = []
    for row, said, number in zip(table, told, u, strict=True):
        chosen = learner.act(np.array([[number]]), said[None])
        learner.update(chosen, 1.0 - row[chosen])
        played.append(int(chosen[0]))
    return {
        "arms": played,
        "total_cost": float(table[np.arange(rounds), played].sum()),
        "expert_cum": learner.costs[0].tolist(),
        "next_expert_probs": learner.weights()[0].tolist(),
        "bound_gamma0": EXP4(experts=told.shape[1]).bound_to_best_expert(rounds, arms),
    }


def perturbed_leader(costs: Table, actions: Table, perturbation: Sequence[float]) -> dict[str, Any]:
    """Follow the perturbed leader on tabled costs with a supplied perturbation."""
    table, sets = np.asarray(costs), np.asarray(actions, dtype=np.float64)
    learner = FollowPerturbedLeader(sets)
    learner.reset(horizon=len(table))
    learner.perturb(np.array([perturbation]))
    choices = []
    for row in table:
        choices.append(_place(learner.act(np.zeros((1, learner.draws)))[0], sets))
        learner.update(row[None])
    totals = table.sum(0) @ sets.T
    paid = float((table * sets[choices]).sum())
    return {
        "choices": choices,
        "total_cost": paid,
        "best_action": int(totals.argmin()),
        "best_cost": float(totals.min()),
        "regret": paid - float(totals.min()),
    }


def semi_bandit(costs: Table, actions: Table, eta: float, u: Sequence[float]) -> dict[str, Any]:
    """A semi-bandit on tabled costs with supplied numbers."""
    table, sets = np.asarray(costs), np.asarray(actions, dtype=np.float64)
    learner = SemiBandit(sets, eta=eta)
    learner.reset(horizon=len(table))
    choices = []
    for row, number in zip(table, u, strict=True):
        chosen = learner.act(np.array([[number]]))
        learner.update(np.where(chosen, row, np.nan))
        choices.append(_place(chosen[0], sets))
    return {
        "choices": choices,
        "total_cost": float((table * sets[choices]).sum()),
        "atom_est": learner.costs[0].tolist(),
        "next_probs": learner.probabilities()[0].tolist(),
    }


def linear_contexts(contexts: Sequence[Table], rewards: Table, alpha: float, lam: float) -> dict[str, Any]:
    """LinUCB on tabled contexts and rewards."""
    told, table = np.asarray(contexts), np.asarray(rewards)
    learner = LinUCB(features=told.shape[2], alpha=alpha, regularisation=lam)
    learner.reset(arms=told.shape[1], horizon=len(told))
    choices = []
    for seen, row in zip(told, table, strict=True):
        index = learner.index(seen[None])
        chosen = learner.choose(seen[None])
        learner.update(chosen, row[chosen])
        choices.append(int(chosen[0]))
    return {"choices": choices, "last_index": index[0].tolist(), "theta": learner.theta[0].tolist()}


def offline_evaluation(
    actions: Sequence[int],
    policy_actions: Sequence[int],
    propensities: Sequence[float],
    rewards: Sequence[float],
    reward_model: Table,
) -> dict[str, Any]:
    """Off-policy estimates of a tabled log."""
    value = off_policy_value(actions, rewards, propensities, policy_actions, reward_model)
    return {
        "ips": value.ips,
        "snips": value.snips,
        "dr": value.doubly_robust,
        "direct": value.direct,
        "ess": value.effective_samples,
    }


def lipschitz_contexts(T: int, L: float, K: int, queries: Sequence[float]) -> dict[str, Any]:
    """Cells of contexts in [0, 1]."""
    cells = context_cells(T, L, K)
    return {
        "eps": context_width(T, L, K),
        "cells": cells,
        "cell_of": cell_of(np.asarray(queries), cells).tolist(),
        "discretisation_error": L / cells,
    }


def _place(chosen: np.ndarray[Any, Any], sets: np.ndarray[Any, Any]) -> int:
    return int((sets == chosen).all(1).argmax())


KERNELS: Mapping[str, Callable[..., Any]] = {
    "weighted-majority": weighted_majority,
    "hedge": hedge,
    "exp3": exp3,
    "exp4": exp4,
    "fpl": perturbed_leader,
    "semi-bandit": semi_bandit,
    "linucb": linear_contexts,
    "offline-eval": offline_evaluation,
    "lipschitz-contexts": lipschitz_contexts,
}
"""Functions of named inputs by the ids of their worked examples."""
