"""Bandits as agents that reckon with rewards of any kind, that look at a context, or that follow other agents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.agents import Strategy
from coopgym.agents.streams import EpisodeGenerator, spawned
from coopgym.oracles.agents.bandits import BanditAgent
from coopgym.oracles.bandits.adversarial import EXP3, EXP4, OnlineHedge
from coopgym.oracles.bandits.contextual import LinUCB
from coopgym.oracles.bandits.portfolio import EXPERTS, Expert, Experts
from coopgym.typing import FloatArray


class BanditEXP3(BanditAgent):
    """Weights shares by what they seem to cost, whoever decides that."""

    learner = EXP3


class BanditHedge(BanditAgent):
    """Weights shares by what every one of them would have cost: it learns from payoffs that it did not get."""

    learner = OnlineHedge


class BanditLinUCB(BanditAgent):
    """Plays the share that may pay most, given its trust in others, their last shares and the time gone."""

    learner = LinUCB


class PortfolioPolicy(BanditAgent):
    """Follows other agents, each as often as it seems to pay (EXP4).

    Every expert looks out from the portfolio's seat. What it would play is spread over the two levels next to it, and
    all experts learn from what is then played. Its guarantee compares with the best expert's advice against what others
    played; partners who would have answered that expert otherwise void it.

    >>> from coopgym import make_game, play
    >>> from coopgym.agents import make_agent
    >>> game, portfolio = make_game("TrustDilemma-v1"), PortfolioPolicy(experts=["Constant_00", "Constant_100"])
    >>> played = play.play(game, [portfolio, make_agent("TitForTat")], reward="private", record=True)
    >>> np.unique(played.trajectory.shares[:, 0, 0])  # what experts say, and nothing else
    array([0., 1.])
    """

    learner = EXP4

    def __init__(
        self, experts: Sequence[Expert] = EXPERTS, levels: int | None = None, lasting: bool = False, **settings: Any
    ) -> None:
        """Name the experts, agents or their names; the rest is as in `BanditAgent`.

        Raises:
            ValueError: no expert, an unknown name, or settings that the learner does not take.
            TypeError: an expert that is no agent.
        """
        if not experts:
            raise ValueError("experts: expected at least one agent or its name")
        super().__init__(levels, lasting, experts=len(experts), **settings)
        self.experts = tuple(experts)
        self._experts = Experts(experts, self._shares)

    def identity(self) -> dict[str, Any]:
        return {**super().identity(), "experts": [_told(expert) for expert in self.experts]}

    def prepare(self) -> None:
        super().prepare()
        own = spawned(self.rng)
        streams = own.streams if isinstance(own, EpisodeGenerator) else own.spawn(self.episodes)
        self._experts.begin(self.seat, streams)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        super().forget(rows)
        self._experts.restart(rows)

    def context(self, observation: FloatArray) -> FloatArray:
        return self._experts.advice(observation)


def _told(expert: Expert) -> str | dict[str, Any]:
    """What an expert is known by, the same in every process."""
    if isinstance(expert, str):
        return expert
    return {"agent": type(expert).__name__, "settings": expert.identity() if isinstance(expert, Strategy) else {}}


ADVERSARIAL_BANDITS: dict[str, type[BanditAgent]] = {
    "Bandit_EXP3": BanditEXP3,
    "Bandit_Hedge": BanditHedge,
    "Bandit_LinUCB": BanditLinUCB,
    "Bandit_Portfolio": PortfolioPolicy,
}
"""These by the names that they are registered under."""
