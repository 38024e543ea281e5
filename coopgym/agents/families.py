"""Strategies with parameters of character: exploiters, farmers of trust, and those that forgive more or less."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from coopgym.agents.base import Classifier, Strategy
from coopgym.agents.heuristics import Reciprocal, checked_share
from coopgym.typing import FloatArray


class Exploiter(Strategy):
    """Cooperates until the others trust it, then lives off their trust until little of it is left.

    >>> from coopgym import make_game, play
    >>> from coopgym.agents.heuristics import Constant
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=5), [Exploiter(trust=0.6), Constant(0.8)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0]
    array([0.8, 0.8, 0. , 0. , 0. ])
    """

    citation = "Axelrod, R. (1980). More effective choice in the Prisoner's Dilemma. J. Conflict Resolut. 24, 379-403."
    """Of Tranquilizer, which cooperates until that has become a habit, and then defects ever more often."""
    classifier = Classifier(memory_depth=math.inf)

    def __init__(self, cooperation: float = 0.8, trust: float = 0.7, rebuild: float = 0.0) -> None:
        """Fix what it does, and when.

        Args:
            cooperation: share of endowment played while trust is built.
            trust: mean trust of the others from which on it defects.
            rebuild: mean trust below which it cooperates anew; 0 is never reached.

        Raises:
            ValueError: a number that is no share, or a trust to rebuild that is not below the trust to exploit.
        """
        self.cooperation = checked_share("cooperation", cooperation)
        self.trust = checked_share("trust", trust)
        self.rebuild = checked_share("rebuild", rebuild)
        if not self.rebuild < self.trust:
            raise ValueError(f"rebuild={rebuild!r}: expected less than trust={trust!r}")

    def prepare(self) -> None:
        self._exploiting = np.zeros(self.episodes, dtype=bool)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        self._exploiting[rows] = False

    def cooperate(self, observation: FloatArray) -> FloatArray:
        trusted = self.seat.trust_received(observation)
        self._exploiting = np.where(self._exploiting, trusted >= self.rebuild, trusted >= self.trust)
        return np.where(self._exploiting, 0.0, self.cooperation)


class TitsForTats(Reciprocal):
    """Answers so many defections in a row with so many rounds of defection: few for many forgive, many for one do not.

    >>> from coopgym import make_game, play
    >>> from coopgym.agents.heuristics import Constant
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=6), [TitsForTats(tits=1, tats=2), Constant(0.2)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0]
    array([0.5, 0.5, 0. , 0.5, 0. , 0.5])
    """

    citation = (
        "Axelrod, R. (1984). The Evolution of Cooperation. Basic Books (tit for two tats); Knight, V. et al. (2016). "
        "An open framework for the reproducible study of the iterated prisoner's dilemma. J. Open Res. Softw. 4, e35."
    )
    classifier = Classifier(memory_depth=math.inf)

    def __init__(self, opening_level: float = 0.5, tits: int = 1, tats: int = 2) -> None:
        """Fix the first move and the measure.

        Args:
            opening_level: share of endowment played in the first round; the norm, where that is higher, and this
                whenever it cooperates.
            tits: rounds of defection in an answer, at least 1.
            tats: defections in a row that are answered, at least 1.
        """
        super().__init__(opening_level)
        self.tits, self.tats = _count("tits", tits), _count("tats", tats)

    def prepare(self) -> None:
        self._suffered = np.zeros(self.episodes, dtype=np.int64)
        self._punish = np.zeros(self.episodes, dtype=np.int64)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        for memory in (self._suffered, self._punish):
            memory[rows] = 0

    def cooperate(self, observation: FloatArray) -> FloatArray:
        self._suffered = np.where(self.partners_defected(observation), self._suffered + 1, 0)
        provoked = self._suffered >= self.tats
        self._suffered[provoked] = 0
        self._punish = np.where(provoked, self.tits, self._punish)
        punishing = self._punish > 0
        self._punish = np.maximum(self._punish - 1, 0)
        return np.where(punishing, 0.0, self.cooperative_level())


class Forgiver(Reciprocal):
    """Cooperates as long as the others have defected in no more than a share of the rounds so far.

    >>> from coopgym import make_game, play
    >>> from coopgym.agents.heuristics import Constant
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=5), [Forgiver(tolerance=0.5), Constant(0.2)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0]
    array([0.5, 0. , 0. , 0. , 0. ])
    """

    citation = (
        "Knight, V. et al. (2016). An open framework for the reproducible study of the iterated prisoner's dilemma. "
        "J. Open Res. Softw. 4, e35."
    )
    classifier = Classifier(memory_depth=math.inf)

    def __init__(self, opening_level: float = 0.5, tolerance: float = 0.1) -> None:
        """Fix the first move and the tolerance.

        Args:
            opening_level: share of endowment played in the first round, and whenever it cooperates; the norm, where
                that is higher.
            tolerance: share of rounds in which the others may have defected.
        """
        super().__init__(opening_level)
        self.tolerance = checked_share("tolerance", tolerance)

    def prepare(self) -> None:
        self._defections = np.zeros(self.episodes, dtype=np.int64)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        self._defections[rows] = 0

    def cooperate(self, observation: FloatArray) -> FloatArray:
        self._defections += self.partners_defected(observation)
        return np.where(self._defections > self.tolerance * self.round, 0.0, self.cooperative_level())


class Oscillator(Strategy):
    """Builds trust for some rounds, lets it fall for some, and so on: the farmer of rewards for trust gained.

    >>> from coopgym import make_game, play
    >>> from coopgym.agents.heuristics import Constant
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=6), [Oscillator(build=2, drop=1), Constant(0.8)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0]
    array([1., 1., 0., 1., 1., 0.])
    """

    citation = (
        "Gao, J. et al. (2024). On designing effective RL reward at training time for LLM reasoning. arXiv:2410.15115."
    )
    """Of policies that repeat what a process reward pays for; carried over to trust."""
    classifier = Classifier(memory_depth=0)

    def __init__(self, build: int = 30, drop: int = 3, cooperation: float = 1.0) -> None:
        """Fix the cycle.

        Args:
            build: rounds of cooperation in a cycle, at least 1.
            drop: rounds of defection after them, at least 1.
            cooperation: share of endowment played while trust is built.
        """
        self.build, self.drop = _count("build", build), _count("drop", drop)
        self.cooperation = checked_share("cooperation", cooperation)

    def cooperate(self, observation: FloatArray) -> FloatArray:
        return np.where(self.round % (self.build + self.drop) < self.build, self.cooperation, 0.0)


def _count(name: str, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name}={value!r}: expected a whole number of at least 1")
    return value
