"""An agent that finds out which training partner it is among, and plays the best response to that one."""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from coopgym.agents import Classifier, Seat, Strategy, make_agent
from coopgym.agents.base import joint_actions
from coopgym.agents.streams import spawned
from coopgym.benchmarks.score.strangers import best_level, normalised_returns
from coopgym.benchmarks.strangers.anchors import STAND_IN_LEVEL
from coopgym.oracles.agents.base import registered_game
from coopgym.oracles.agents.tracking import StateTracker, joint_cooperation
from coopgym.oracles.dynamic.deviation_search import CONSTANTS
from coopgym.strangers import population, read_anchors
from coopgym.typing import FloatArray


class Identifying(Strategy):
    """Holds what the others do against what every training partner would do in their seats, and trusts the nearest.

    It knows the rules of the game, follows its state, and opens with the best single number of the training population.
    Its name is ``coopgym.benchmarks.strangers:Identifying``.

    Args:
        memory: weight that the error of a round has one round later; below 1 what others do now counts most.

    >>> from coopgym import make_game, play
    >>> seats = [Identifying(), make_agent("strangers:training/constant-0.7")]
    >>> shares = play.play(make_game("TrustDilemma-v1"), seats, views="own", record=True).trajectory.shares
    >>> response = read_anchors(population("TrustDilemma-v1", "training"))["visitor/0/constant-0.7"].plan
    >>> np.allclose(shares[1:, 0, 0], response[1:])  # one look is enough
    True
    """

    citation = (
        "Albrecht, S. V. & Stone, P. (2018). Autonomous agents modelling other agents. Artif. Intell. 258, 66-95."
    )
    """Sect. 4.2 of type-based reasoning: a known set of types, and beliefs over them."""
    version: ClassVar[int] = 1
    classifier = Classifier(memory_depth=math.inf, uses_horizon=True)

    def __init__(self, memory: float = 0.9) -> None:
        if not 0.0 <= memory <= 1.0:
            raise ValueError(f"memory={memory!r}: expected a weight in [0, 1]")
        self.memory = memory

    def prepare(self) -> None:
        """Look up responses, and seat every partner in imagination.

        Raises:
            ValueError: nobody has computed responses to the training population of this game.
        """
        seat = self.seat
        self._game = registered_game(seat.game.id, seat.game.parameters)
        known = population(seat.game.id, "training")
        first = next(group[0] for group in self._game.traits().exchangeable if seat.index in group)
        anchors = {name.partition(f"visitor/{first}/")[2]: each for name, each in read_anchors(known).items()}
        partners = [partner for partner in known.partners if partner.name in anchors]
        if not partners:
            raise ValueError(
                f"no responses to the training population of {seat.game.id}; "
                f"`coopgym strangers build {seat.game.id} --population training` computes them"
            )
        found = [anchors[partner.name] for partner in partners]
        self._plans = np.stack([each.plan + STAND_IN_LEVEL * each.follow for each in found])  # (K, T)
        self._gains = np.stack([each.gains for each in found])  # (K, F)
        random, ceilings = (np.array([getattr(each, name) for each in found]) for name in ("random", "ceiling"))
        levels = normalised_returns(np.stack([each.constants for each in found], axis=-1), random, ceilings)
        self._opening = float(CONSTANTS[best_level(levels)])
        self._others = [j for j in range(self._game.n_agents) if j != seat.index]
        self._seated = [(j, make_agent(partner.agent)) for partner in partners for j in self._others]
        for j, agent in self._seated:
            agent.begin(Seat.of(self._game, j, "own", seat.reward), self.episodes, spawned(self.rng))
        self._tracker = StateTracker(self._game, self.episodes)
        self._errors = np.zeros((len(partners), self.episodes))
        self._predicted = np.zeros((len(partners), self.episodes, len(self._others)))

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        self._tracker.restart(rows)
        self._errors[:, rows] = 0.0
        for _, agent in self._seated:
            agent.restart(rows)  # type: ignore[attr-defined]  # partners are strategies

    def cooperate(self, observation: FloatArray) -> FloatArray:
        played, going_on = joint_cooperation(self.seat, observation), self.round > 0
        missed = np.square(played[:, self._others] - self._predicted).sum(-1)  # (K, E)
        self._errors = np.where(going_on, self.memory * self._errors + missed, self._errors)
        self._tracker.advance(played, going_on)
        self._predicted = self._imagined()
        likeliest = self._errors.argmin(0)
        return np.where(going_on, self._response(likeliest, observation), self._opening)

    def _imagined(self) -> FloatArray:
        """What every partner would play now in the others' seats, as shares ``(K, E, N - 1)``."""
        seen = self._game.observe(self._tracker.state, "own")
        answers = joint_actions(self._game, [(j, agent, seen[:, j]) for j, agent in self._seated])
        shares = np.stack(answers) / np.array([self._game.endowments[j] for j, _ in self._seated])[:, None]
        return np.moveaxis(shares.reshape(-1, len(self._others), self.episodes), 1, 2)

    def _response(self, partner: npt.NDArray[np.int64], observation: FloatArray) -> FloatArray:
        """The best response to one partner per episode, as its anchor keeps it, ``(episodes,)``."""
        now = np.minimum(self.round, self._plans.shape[1] - 1)
        blocks = np.stack([observation[:, columns].mean(1) for columns in self.seat.columns.values()], axis=1)
        response: FloatArray = self._plans[partner, now] + (blocks * self._gains[partner]).sum(1)
        return response
