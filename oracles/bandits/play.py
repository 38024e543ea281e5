"""Let a learner play arms, all replicas at once, and keep the ledger."""

from __future__ import annotations

import numpy as np

from coopgym.oracles.bandits.arms import Arms, Outcome
from coopgym.oracles.bandits.learner import OnlineLearner, check_choice
from coopgym.oracles.bandits.ledger import RegretLedger
from coopgym.typing import FloatArray, IntArray

CURVE = 50
"""Rounds after which regret is kept, unless something else is asked for."""


def play_bandit(
    learner: OnlineLearner,
    arms: Arms,
    horizon: int,
    replicas: int = 1,
    rng: np.random.Generator | int = 0,
    *,
    record: bool = False,
    resimulate: bool = False,
    curve: int = CURVE,
) -> RegretLedger:
    """Play T rounds in R replicas and return the ledger.

    A learner sees the rewards of arms that it did not choose only if it declares ``full_feedback``, and a context only
    if it declares ``contextual``.

    Args:
        learner: is reset first.
        arms: likewise.
        horizon: T.
        replicas: R.
        rng: all chance; a seed, or a generator.
        record: keep every round's arms, rewards and probabilities.
        resimulate: play all rounds again under every arm, for policy regret, where the arms can do that.
        curve: how many points of the regret curve are kept, evenly spaced.

    Raises:
        ValueError: a learner that needs what these arms do not show or chooses what is no arm, or rewards outside
            [0, 1] or of another shape.

    >>> from coopgym.oracles.bandits import StochasticArms, UCB1
    >>> ledger = play_bandit(UCB1(), StochasticArms([0.8, 0.6, 0.5, 0.3]), horizon=2000, replicas=50)
    >>> round(ledger.expected_regret.mean()), round(ledger.declared), bool(ledger.of_declared < 1)
    (86, 629, True)
    """
    chance = np.random.default_rng(rng)
    of_learner, of_arms = chance.spawn(2)
    learner.reset(arms.count, horizon, replicas)
    arms.reset(horizon, replicas, of_arms)
    book, nothing = _Book(learner, arms, record, curve), np.empty((replicas, 0))
    for t in range(horizon):
        seen = arms.context() if learner.contextual else None
        if learner.contextual and seen is None:
            raise ValueError(f"{type(learner).__name__} needs a context, which {type(arms).__name__} does not show")
        likely = learner.probabilities(seen) if record else None
        chosen = learner.act(of_learner.random((replicas, learner.draws)) if learner.draws else nothing, seen)
        check_choice(type(learner).__name__, chosen, replicas, arms.count)
        outcome = arms.pull(chosen)
        _check(outcome, arms, replicas)
        if learner.full_feedback and outcome.all_rewards is None:
            raise ValueError(
                f"{type(learner).__name__} needs the rewards of all arms, which {type(arms).__name__} does not show"
            )
        learner.update(chosen, outcome.rewards, outcome.all_rewards if learner.full_feedback else None)
        book.enter(t, chosen, outcome, likely)
    return book.closed(resimulate)


class _Book:
    """Sums over the rounds of a play, and records where they are wanted."""

    def __init__(self, learner: OnlineLearner, arms: Arms, record: bool, curve: int) -> None:
        self._learner, self._arms = learner, arms
        horizon, replicas, count = learner.horizon, learner.replicas, arms.count
        self._rows, self._record = np.arange(replicas), record
        self._earned = np.zeros(replicas)
        self._counts = np.zeros((replicas, count))
        self._instead: FloatArray | None = None
        self._gaps = arms.gaps()
        self._kept = np.unique(np.linspace(1, horizon, min(max(curve, 1), horizon)).round().astype(np.int64))
        self._curve = np.full((len(self._kept), replicas), np.nan)
        self._points = 0
        played = (horizon, replicas) if record else (0, 0)
        self._played, self._brought, self._likely = np.zeros(played, np.int64), np.zeros(played), np.zeros(played)

    def enter(self, t: int, chosen: IntArray, outcome: Outcome, likely: FloatArray | None) -> None:
        """Write down a round."""
        self._earned += outcome.rewards
        self._counts.reshape(-1)[self._learner.offsets + chosen] += 1.0
        if outcome.all_rewards is not None:
            if self._instead is None:
                count = self._arms.count
                self._instead = np.zeros((len(self._rows), count, count))
            self._instead[self._rows, chosen] += outcome.all_rewards
        if likely is not None:
            self._played[t], self._brought[t] = chosen, outcome.rewards
            self._likely[t] = likely[self._rows, chosen]
        if t + 1 == self._kept[self._points]:
            self._curve[self._points] = self._regret()
            self._points = min(self._points + 1, len(self._kept) - 1)

    def closed(self, resimulate: bool) -> RegretLedger:
        """Return the ledger."""
        learner, arms = self._learner, self._arms
        return RegretLedger(
            learner=type(learner).__name__,
            horizon=learner.horizon,
            instance=arms.instance,
            declared=learner.declared_bound(learner.horizon, arms.instance),
            earned=self._earned,
            counts=self._counts,
            gaps=self._gaps,
            instead=self._instead,
            always=arms.always() if resimulate else None,
            rounds=self._kept,
            curve=self._curve,
            arms=self._played if self._record else None,
            rewards=self._brought if self._record else None,
            probabilities=self._likely if self._record else None,
        )

    def _regret(self) -> FloatArray | float:
        if self._gaps is not None:
            return (self._counts * self._gaps).sum(1)
        return np.nan if self._instead is None else self._instead.sum(1).max(1) - self._earned


def _check(outcome: Outcome, arms: Arms, replicas: int) -> None:
    rewards, rest = outcome.rewards, outcome.all_rewards
    expected = replicas, arms.count
    if rewards.shape != expected[:1] or (rest is not None and rest.shape != expected):
        shapes = rewards.shape if rest is None else (rewards.shape, rest.shape)
        raise ValueError(
            f"{type(arms).__name__}: rewards of shape {shapes}; expected (replicas,) = {expected[:1]}, and where all "
            f"are known (replicas, arms) = {expected}"
        )
    if not (rewards.min() >= 0.0 and rewards.max() <= 1.0):
        raise ValueError(
            f"{type(arms).__name__}: rewards from {rewards.min():g} to {rewards.max():g}; expected them in [0, 1], "
            "scaled by bounds that are fixed before play"
        )
