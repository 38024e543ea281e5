"""Speed of bandits: many replicas side by side against a plain loop over the rounds of one after the other."""

from __future__ import annotations

import math

import numpy as np

from coopgym.benchmarks.perf.measure import Ratio, compare, rate
from coopgym.oracles.bandits import UCB1, StochasticArms, play_bandit

ROUNDS, REPLICAS, ARMS = 10_000, 1000, 21
SAMPLE = 4
"""Replicas that the plain loop plays in one measurement; its rate does not depend on their number."""
MEANS = np.linspace(0.2, 0.8, ARMS)


def c20(quick: bool = False) -> Ratio:
    """Rounds of UCB1 per CPU second on the default grid of 21 arms: 1,000 replicas at once against a plain loop."""
    rounds = ROUNDS // 10 if quick else ROUNDS
    return compare(
        lambda: rate(lambda: play_bandit(UCB1(), StochasticArms(MEANS), rounds, REPLICAS), 1, rounds * REPLICAS),
        lambda: rate(lambda: [_plain(rounds, seed) for seed in range(SAMPLE)], 1, rounds * SAMPLE),
        quick,
        id="C20", title="UCB1, 1,000 replicas side by side ÷ a plain loop over rounds", unit="rounds/s", floor=50.0,
        aim=100.0,
    )  # fmt: skip


def _plain(rounds: int, seed: int) -> float:
    """UCB1 as one would write it down, with the logarithm taken out of the loop; returns the reward."""
    means, draws = MEANS.tolist(), np.random.default_rng(seed).random(rounds).tolist()
    counts, sums, exploration = [0] * ARMS, [0.0] * ARMS, 2.0 * math.log(rounds)
    for t in range(rounds):
        if t < ARMS:
            arm = t
        else:
            best = -1.0
            for k in range(ARMS):
                index = sums[k] / counts[k] + math.sqrt(exploration / counts[k])
                if index > best:
                    best, arm = index, k
        counts[arm] += 1
        sums[arm] += draws[t] < means[arm]
    return sum(sums)
