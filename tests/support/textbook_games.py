"""Games of textbooks, whose solutions are known on paper."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import numpy as np

from coopgym.games.registry import make_game
from coopgym.oracles.games.normal_form import FloatArray, NormalForm
from coopgym.rewards import RewardLayer


class TextbookGame(NormalForm):
    """A one-shot game of N seats; the game it is built on only lends it the seats."""

    smooth = True

    def __init__(self, n_agents: int) -> None:
        super().__init__(make_game("PublicGoods-v1", n_agents=n_agents))

    def read(self, profiles: FloatArray, layers: Sequence[RewardLayer]) -> list[FloatArray]:
        return [self.rule(profiles) for _ in layers]

    @abstractmethod
    def rule(self, shares: FloatArray) -> FloatArray:
        """Utilities ``(..., N)`` of shares ``(..., N)``."""


class LinearPublicGood(TextbookGame):
    """π_i = 1 - c_i + m mean(c), 1 < m < N: nobody contributes, everybody should."""

    def __init__(self, n_agents: int, multiplier: float) -> None:
        super().__init__(n_agents)
        self.multiplier = multiplier

    def rule(self, shares: FloatArray) -> FloatArray:
        return 1.0 - shares + self.multiplier * shares.mean(-1, keepdims=True)


class Cournot(TextbookGame):
    """Linear demand without costs, π_i = q_i (1 - Σq): 1/(N + 1) each at once, 1/2, 1/4, 1/8 ... in sequence."""

    def rule(self, shares: FloatArray) -> FloatArray:
        return shares * (1.0 - shares.sum(-1, keepdims=True))


class Indifferent(TextbookGame):
    """The follower does not care; the leader's best move depends on what it does then."""

    def rule(self, shares: FloatArray) -> FloatArray:
        leader, follower = shares[..., 0], shares[..., 1]
        return np.stack([(follower - leader) * (1.0 - leader), np.zeros_like(follower)], axis=-1)
