"""Portfolios: experts are agents of the suite, and EXP4 learns whom to follow."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from coopgym.agents import Agent, Seat, make_agent
from coopgym.agents.base import playable_shares
from coopgym.agents.streams import EpisodeGenerator
from coopgym.games.game import AnyGame
from coopgym.oracles.bandits.arms import Outcome
from coopgym.oracles.bandits.game_bandit import GameBandit
from coopgym.oracles.bandits.others import OthersLike
from coopgym.oracles.bandits.reward_bounds import LEVELS
from coopgym.rewards import RewardLayer
from coopgym.typing import BoolArray, FloatArray, IntArray

Expert: TypeAlias = str | Agent

EXPERTS: tuple[Expert, ...] = (
    "Constant_00",
    "Constant_50",
    "Constant_100",
    "TitForTat",
    "GrimTrigger",
    "Oracle_Nash",
    "Oracle_SocialOptimum",
)
"""Who advises unless somebody else is named: three constants, two that reciprocate, an equilibrium and an optimum."""


def spread_over_levels(shares: FloatArray, levels: FloatArray) -> FloatArray:
    """Return the distributions over levels next to shares whose mean they are, ``(..., K)``.

    Args:
        shares: ``(...)`` in [0, 1]; those outside the levels stand for the nearest.
        levels: ``(K,)`` ascending, two or more.

    >>> spread_over_levels(np.array([0.0, 0.125, 0.5]), np.array([0.0, 0.5, 1.0]))
    array([[1.  , 0.  , 0.  ],
           [0.75, 0.25, 0.  ],
           [0.  , 1.  , 0.  ]])
    """
    inside = np.clip(shares, levels[0], levels[-1])
    below = np.clip(np.searchsorted(levels, inside, side="right") - 1, 0, len(levels) - 2)
    upper = (inside - levels[below]) / (levels[below + 1] - levels[below])
    places = np.arange(len(levels))
    spread: FloatArray = np.where(places == below[..., None], 1.0 - upper[..., None], 0.0)
    return spread + np.where(places == below[..., None] + 1, upper[..., None], 0.0)


class Experts:
    """Agents who all look out from one seat and say what they would play there; what is played may be another's advice.

    >>> game = coopgym.make_game("TrustDilemma-v1")
    >>> experts = Experts(["TitForTat", "Constant_75"], np.array([0.0, 0.5, 1.0]))
    >>> experts.begin(Seat.of(game, 0, "own", "private"), [np.random.default_rng(0)])
    >>> opening = game.observe(game.initial_state((1,)), "own")[:, 0]
    >>> experts.advice(opening)  # tit-for-tat opens with one half; three quarters are spread over two levels
    array([[[0. , 1. , 0. ],
            [0. , 0.5, 0.5]]])
    """

    def __init__(self, experts: Sequence[Expert], levels: FloatArray) -> None:
        """Name the agents; those that are given as objects are copied.

        Raises:
            ValueError: no expert, or an unknown name.
            TypeError: what is no agent.
        """
        if not experts:
            raise ValueError("experts: expected at least one agent or its name")
        self._agents = [make_agent(one) if isinstance(one, str) else copy.deepcopy(one) for one in experts]
        for agent in self._agents:
            if isinstance(agent, type) or not isinstance(agent, Agent):
                raise TypeError(
                    f"expert {agent!r} is no agent: expected a name, or begin(seat, episodes, rng) and act(observation)"
                )
        self._levels = levels

    def __len__(self) -> int:
        return len(self._agents)

    def begin(self, seat: Seat, streams: Sequence[np.random.Generator]) -> None:
        """Start an episode per stream in a seat."""
        self._endowment = seat.endowment
        by_row = [stream.spawn(len(self)) for stream in streams]
        for agent, own in zip(self._agents, zip(*by_row, strict=True), strict=True):
            agent.begin(seat, len(streams), EpisodeGenerator(own))

    def advice(self, observation: FloatArray) -> FloatArray:
        """Return what every expert would play, as distributions over levels, ``(R, N, K)``; once a step.

        Args:
            observation: ``(R, obs_dim)`` what the seat sees.

        Raises:
            ValueError: an answer that is not one share per replica.
        """
        rows = len(observation)
        said = [playable_shares(agent.act(observation.copy()), rows, self._endowment) for agent in self._agents]
        return spread_over_levels(np.stack(said, axis=1), self._levels)

    def restart(self, rows: BoolArray) -> None:
        """Start new episodes in some rows.

        Raises:
            ValueError: an expert that cannot.
        """
        for agent in self._agents:
            restart = getattr(agent, "restart", None)
            if restart is None:
                raise ValueError(
                    f"expert {type(agent).__name__} has no restart(rows), which batches whose episodes end at "
                    "different times need"
                )
            restart(rows)


class PortfolioBandit(GameBandit):
    """A game seen from one seat whose context is what experts advise there, ``(R, N, K)``: for `EXP4`.

    A round is a step. Experts are begun anew with every episode, see the seat's own last action, whoever advised it,
    and nothing else of each other. Policy regret is to the best share held throughout, as in `GameBandit`.

    >>> from coopgym.oracles.bandits import EXP4, play_bandit
    >>> game = coopgym.make_game("TrustDilemma-v1")
    >>> bandit = PortfolioBandit(game, others="TitForTat", experts=["Constant_00", "TitForTat"], levels=5)
    >>> ledger = play_bandit(EXP4(experts=2), bandit, horizon=200, replicas=3, resimulate=True)
    >>> bool((ledger.external_regret < 10).all()), bool((ledger.policy_regret > 40).all())  # no expert is followed long
    (True, True)
    """

    def __init__(
        self,
        game: AnyGame,
        seat: int = 0,
        others: OthersLike = "TitForTat",
        *,
        experts: Sequence[Expert] = EXPERTS,
        levels: int | npt.ArrayLike = LEVELS,
        reward: str | RewardLayer = "private",
        counterfactuals: bool = True,
    ) -> None:
        """Choose a game, a seat, whom to play with and who advises; the rest is as in `GameBandit`.

        Raises:
            ValueError: as `GameBandit`, or no expert.
            TypeError: an expert that is no agent.
        """
        super().__init__(game, seat, others, levels=levels, reward=reward, counterfactuals=counterfactuals)
        self.experts = Experts(experts, self.levels)

    def reset(self, horizon: int, replicas: int, rng: np.random.Generator) -> None:
        super().reset(horizon, replicas, rng)
        streams = np.random.default_rng((self._seed, replicas)).spawn(replicas)
        self.experts.begin(self._view, streams)
        self._advice: FloatArray | None = None

    def context(self) -> FloatArray:
        """Return what the experts advise in this round, ``(R, N, K)``; they are asked once."""
        if self._advice is None:
            observed = np.asarray(self.game.observe(self._state, "own"), dtype=np.float64)[:, self.seat]
            self._advice = self.experts.advice(observed)
        return self._advice

    def pull(self, chosen: IntArray) -> Outcome:
        self.context()
        outcome = super().pull(chosen)
        self._advice = None
        begun = np.broadcast_to(self._state.t, (len(chosen),)) == 0
        if begun.any():
            self.experts.restart(begun)
        return outcome
