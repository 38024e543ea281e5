"""Agents around agents: what others decide is disturbed, or handed over in mid-episode."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.agents.base import Agent, Classifier, Seat, Strategy, playable_shares
from coopgym.agents.heuristics import Constant, TitForTat, checked_share
from coopgym.agents.streams import spawned
from coopgym.typing import FloatArray


class Wrapper(Strategy):
    """Base of agents that ask others, each of which watches the whole episode and draws from a stream of its own.

    Args:
        agents: whom it asks, by the names of its settings.
    """

    def __init__(self, **agents: Agent) -> None:
        self._agents = agents

    @property
    def classifier(self) -> Classifier:
        """The widest that any of them needs."""
        used = [getattr(agent, "classifier", _UNKNOWN) for agent in self._agents.values()]
        return Classifier(
            memory_depth=max(each.memory_depth for each in used),
            stochastic=any(each.stochastic for each in used),
            uses_horizon=any(each.uses_horizon for each in used),
        )

    def identity(self) -> dict[str, Any]:
        return super().identity() | {name: _told(agent) for name, agent in self._agents.items()}

    def begin(self, seat: Seat, episodes: int, rng: np.random.Generator) -> None:
        streams = [spawned(rng) for _ in self._agents]  # before it draws itself: how many it opens must not matter
        super().begin(seat, episodes, rng)
        for agent, stream in zip(self._agents.values(), streams, strict=True):
            agent.begin(seat, episodes, stream)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        for agent in self._agents.values():
            restart = getattr(agent, "restart", None)
            if restart is None:
                raise ValueError(f"{type(agent).__name__} has no restart(rows), which {type(self).__name__} needs here")
            restart(rows)

    def asked(self, observation: FloatArray) -> list[FloatArray]:
        """Return what each of them would play now, ``(episodes,)`` each."""
        endowment = self.seat.endowment
        return [
            playable_shares(agent.act(observation.copy()), self.episodes, endowment) for agent in self._agents.values()
        ]


class Noisy(Wrapper):
    """Plays what another agent decides, disturbed anew in every round.

    >>> from coopgym import make_game, play
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=4), [Noisy(Constant(0.5), noise=0.1), Constant(0.5)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0].round(2)
    array([0.64, 0.41, 0.57, 0.5 ])
    """

    citation = (
        "Bendor, J., Kramer, R. M. & Stout, S. (1991). When in doubt: cooperation in a noisy prisoner's dilemma. "
        "J. Conflict Resolut. 35, 691-719."
    )

    def __init__(self, agent: Agent | None = None, noise: float = 0.1) -> None:
        """Fix who decides, and the noise.

        Args:
            agent: who decides; None is tit-for-tat.
            noise: standard deviation of the normal disturbance of its share; what leaves [0, 1] is cut.
        """
        super().__init__(agent=TitForTat() if agent is None else agent)
        self.noise = checked_share("noise", noise)

    @property
    def classifier(self) -> Classifier:
        inner = super().classifier
        return Classifier(inner.memory_depth, inner.stochastic or self.noise > 0.0, inner.uses_horizon)

    def cooperate(self, observation: FloatArray) -> FloatArray:
        (share,) = self.asked(observation)
        return share + self.noise * self.draws.standard_normal()


class Changing(Wrapper):
    """Plays like one agent and, after some part of the episode, like another, who has watched from the beginning.

    >>> from coopgym import make_game, play
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=5), [Changing(at=0.4), Constant(0.8)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0]  # tit-for-tat, then somebody who defects
    array([0.5, 0.8, 0. , 0. , 0. ])
    """

    citation = (
        "Ravula, M., Alkoby, S. & Stone, P. (2019). Ad hoc teamwork with behavior switching agents. IJCAI, 550-556."
    )

    def __init__(self, first: Agent | None = None, second: Agent | None = None, at: float = 0.4) -> None:
        """Fix who plays, and when.

        Args:
            first: who plays until then; None is tit-for-tat.
            second: who plays from then on; None never cooperates.
            at: share of the horizon after which they change, rounded up to whole steps.
        """
        super().__init__(
            first=TitForTat() if first is None else first, second=Constant(0.0) if second is None else second
        )
        self.at = checked_share("at", at)

    @property
    def classifier(self) -> Classifier:
        inner = super().classifier
        return Classifier(inner.memory_depth, inner.stochastic, uses_horizon=True)

    def cooperate(self, observation: FloatArray) -> FloatArray:
        first, second = self.asked(observation)
        return np.where(self.round < math.ceil(self.at * self.seat.game.horizon), first, second)


_UNKNOWN = Classifier(memory_depth=math.inf, stochastic=True, uses_horizon=True)
"""Of an agent that does not say."""


def _told(agent: Agent) -> dict[str, Any]:
    """What an agent inside another is known by."""
    settings = agent.identity() if isinstance(agent, Strategy) else {}
    return {"agent": type(agent).__name__, "version": getattr(agent, "version", None), "settings": settings}
