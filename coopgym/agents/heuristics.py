"""Simple agents and the classic reciprocal strategies, carried over to continuous cooperation.

Partners cooperate when their mean cooperation is at or above the mean of their norms, less a small tolerance.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from coopgym.agents.base import Classifier, Strategy
from coopgym.typing import FloatArray

TOLERANCE = 1e-3
"""Shares of endowment by which conduct may miss the norm without counting as defection."""


def checked_share(name: str, value: float) -> float:
    """Return a setting that is a share.

    Raises:
        ValueError: it is none.
    """
    if not 0.0 <= value <= 1.0:
        raise ValueError(f"{name}={value!r}: expected a share of endowment in [0, 1]")
    return float(value)


class Constant(Strategy):
    """Plays the same share of its endowment for ever.

    >>> from coopgym import make_game, play
    >>> play.play(make_game("TrustDilemma-v1"), [Constant(0.25), Constant(1.0)]).cooperation
    array([[0.25, 1.  ]])
    """

    classifier = Classifier(memory_depth=0)

    def __init__(self, level: float = 0.5, joint_box: bool = False) -> None:
        """Fix the level.

        Args:
            level: share of endowment.
            joint_box: take the share of the largest endowment in the game and clip, as the reference does.
        """
        self.level = checked_share("level", level)
        self.joint_box = joint_box

    def cooperate(self, observation: FloatArray) -> float:
        if not self.joint_box:
            return self.level
        return self.level * float(self.seat.game.endowments.max()) / self.seat.endowment


class Random(Strategy):
    """Plays uniformly at random on its own endowment.

    >>> from coopgym import make_game, play
    >>> drawn = play.play(make_game("TrustDilemma-v1"), [Random(), Random()], episodes=100).cooperation
    >>> drawn.mean(0).round(2)
    array([0.5, 0.5])
    """

    version: ClassVar[int] = 2
    classifier = Classifier(memory_depth=0, stochastic=True)

    def __init__(self, joint_box: bool = False) -> None:
        """Choose the range.

        Args:
            joint_box: draw on the largest endowment in the game and clip, as the reference does.
        """
        self.joint_box = joint_box

    def prepare(self) -> None:
        self._drawn = np.full(self.episodes, np.nan)

    def cooperate(self, observation: FloatArray) -> FloatArray:
        draw = self.draws.random()
        self._drawn = draw * float(self.seat.game.endowments.max()) / self.seat.endowment if self.joint_box else draw
        return self._drawn

    @property
    def action_logprob(self) -> FloatArray:
        """As `coopgym.agents.Agent.act` has it: uniform up to the largest endowment, what exceeds the own is cut."""
        reach = float(self.seat.game.endowments.max()) / self.seat.endowment if self.joint_box else 1.0
        cut = np.log1p(-1.0 / reach) if reach > 1.0 else 0.0
        return np.where(self._drawn < 1.0, -np.log(reach), cut)


class Reciprocal(Strategy):
    """Base of strategies that answer partners' mean cooperation of the last round."""

    def __init__(self, opening_level: float = 0.5) -> None:
        """Fix the first move.

        Args:
            opening_level: share of endowment played in the first round.
        """
        self.opening_level = checked_share("opening_level", opening_level)

    def partners(self, observation: FloatArray) -> FloatArray:
        """Partners' mean cooperation in the last round, ``(episodes,)``."""
        others = self.seat.partners_cooperation(observation)
        return others.sum(axis=1) / others.shape[1]

    def partners_defected(self, observation: FloatArray) -> npt.NDArray[np.bool_]:
        """Whether partners fell short of their norm in the last round; never before the first."""
        return (self.partners(observation) < self.seat.partners_norm - TOLERANCE) & (self.round > 0)

    def cooperative_level(self) -> float:
        """What cooperating means for this seat: the opening level or the norm, whichever is higher."""
        return max(self.opening_level, self.seat.norm)


class TitForTat(Reciprocal):
    """Opens at a fixed level, then answers with the share that the others played.

    Modes of the answer: ``mean`` of the others, ``neighbour`` (the next seat in the ring), ``min`` of the others, and
    ``reference``, which is bit-compatible with the reference implementation: raw units of the ring neighbour, an
    opening at half of the largest endowment, and no reset between episodes.

    >>> from coopgym import make_game, play
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=4), [TitForTat(), Constant(0.8)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0]
    array([0.5, 0.8, 0.8, 0.8])
    """

    citation = "Axelrod, R. (1984). The Evolution of Cooperation. Basic Books."
    classifier = Classifier(memory_depth=1)
    MODES = ("mean", "neighbour", "min", "reference")

    def __init__(self, opening_level: float = 0.5, mode: str = "mean") -> None:
        """Fix the first move and how the others are answered.

        Args:
            opening_level: share of endowment played in the first round.
            mode: one of ``MODES``.
        """
        super().__init__(opening_level)
        if mode not in self.MODES:
            raise ValueError(f"mode={mode!r}: expected one of {', '.join(self.MODES)}")
        self.mode = mode
        self._opened = False

    def cooperate(self, observation: FloatArray) -> FloatArray:
        if self.mode == "reference":
            return self._reference(self.seat.partners_cooperation(observation))
        return self.opening(self.opening_level, self._answer(observation))

    def _answer(self, observation: FloatArray) -> FloatArray:
        if self.mode == "mean":
            return self.partners(observation)
        others = self.seat.partners_cooperation(observation)
        if self.mode == "min":
            least: FloatArray = others.min(axis=1)
            return least
        # The partners of seat i stand in ascending order, so seat i + 1 is at position i; the last seat's is the first.
        return others[:, self.seat.index % others.shape[1]]

    def _reference(self, others: FloatArray) -> FloatArray:
        endowments = self.seat.game.endowments
        if not self._opened:
            self._opened = True
            return np.full(self.episodes, 0.5 * float(endowments.max()) / self.seat.endowment)
        neighbour = (self.seat.index + 1) % self.seat.game.n_agents
        units = others[:, self.seat.index % others.shape[1]] * float(endowments[neighbour])
        return units / self.seat.endowment


class GenerousTitForTat(TitForTat):
    """Tit-for-tat that makes up for part of what the others' answer falls short of full cooperation.

    >>> from coopgym import make_game, play
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=4), [GenerousTitForTat(generosity=0.25), Constant(0.2)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0]  # 0.2 and a quarter of what it lacks
    array([0.5, 0.4, 0.4, 0.4])
    """

    citation = "Nowak, M. A. & Sigmund, K. (1992). Tit for tat in heterogeneous populations. Nature 355, 250-253."

    def __init__(self, opening_level: float = 0.5, generosity: float = 0.1) -> None:
        """Fix the first move and the generosity.

        Args:
            opening_level: share of endowment played in the first round.
            generosity: part of the shortfall that is forgiven.
        """
        super().__init__(opening_level)
        self.generosity = checked_share("generosity", generosity)

    def cooperate(self, observation: FloatArray) -> FloatArray:
        answer = self.partners(observation)
        return self.opening(self.opening_level, answer + self.generosity * (1.0 - answer))


class ThresholdTitForTat(Reciprocal):
    """Stays a margin above its norm as long as the others keep to theirs, otherwise answers with what they played.

    >>> from coopgym import make_game, play
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=4), [ThresholdTitForTat(), Constant(0.2)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0]  # the norm is 0.3
    array([0.35, 0.2 , 0.2 , 0.2 ])
    """

    citation = "Axelrod, R. (1984). The Evolution of Cooperation. Basic Books."
    classifier = Classifier(memory_depth=1)

    def __init__(self, margin: float = 0.05) -> None:
        """Fix the margin.

        Args:
            margin: share of endowment above the norm.
        """
        super().__init__()
        self.margin = checked_share("margin", margin)

    def cooperate(self, observation: FloatArray) -> FloatArray:
        return np.where(self.partners_defected(observation), self.partners(observation), self.seat.norm + self.margin)


class GrimTrigger(Reciprocal):
    """Cooperates until the others fall short of the norm once, then never again.

    >>> from coopgym import make_game, play
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=4), [GrimTrigger(), Constant(0.2)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0]
    array([0.5, 0. , 0. , 0. ])
    """

    citation = "Friedman, J. W. (1971). A non-cooperative equilibrium for supergames. Rev. Econ. Stud. 38, 1-12."
    classifier = Classifier(memory_depth=math.inf)

    def prepare(self) -> None:
        self._triggered = np.zeros(self.episodes, dtype=bool)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        self._triggered[rows] = False

    def cooperate(self, observation: FloatArray) -> FloatArray:
        self._triggered |= self.partners_defected(observation)
        return np.where(self._triggered, 0.0, self.cooperative_level())


class WinStayLoseShift(Reciprocal):
    """Repeats its last move after the others cooperated, and changes it after they did not.

    >>> from coopgym import make_game, play
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=4), [WinStayLoseShift(), Constant(0.2)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0]
    array([0.5, 0. , 0.5, 0. ])
    """

    citation = "Nowak, M. A. & Sigmund, K. (1993). A strategy of win-stay, lose-shift. Nature 364, 56-58."
    classifier = Classifier(memory_depth=1)

    def prepare(self) -> None:
        self._cooperating = np.ones(self.episodes, dtype=bool)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        self._cooperating[rows] = True

    def cooperate(self, observation: FloatArray) -> FloatArray:
        self._cooperating ^= self.partners_defected(observation)
        return np.where(self._cooperating, self.cooperative_level(), 0.0)


class Gradual(Reciprocal):
    """Answers the n-th defection with n rounds of defection, then calms down with two rounds of cooperation.

    Defections during punishment and calm count towards n and are not answered on their own.

    >>> from coopgym import make_game, play
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=12), [Gradual(), Constant(0.2)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0]
    array([0.5, 0. , 0.5, 0.5, 0. , 0. , 0. , 0. , 0.5, 0.5, 0. , 0. ])
    """

    citation = (
        "Beaufils, B., Delahaye, J.-P. & Mathieu, P. (1997). Our meeting with gradual. Artificial Life V, 202-209."
    )
    classifier = Classifier(memory_depth=math.inf)
    CALM_ROUNDS = 2

    def prepare(self) -> None:
        self._defections = np.zeros(self.episodes, dtype=np.int64)
        self._punish = np.zeros(self.episodes, dtype=np.int64)
        self._calm = np.zeros(self.episodes, dtype=np.int64)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        for memory in (self._defections, self._punish, self._calm):
            memory[rows] = 0

    def cooperate(self, observation: FloatArray) -> FloatArray:
        idle = (self._punish == 0) & (self._calm == 0)
        provoked = self.partners_defected(observation) & idle
        self._defections += self.partners_defected(observation)
        self._punish = np.where(provoked, self._defections, self._punish)
        self._calm = np.where(provoked, self.CALM_ROUNDS, self._calm)
        punishing = self._punish > 0
        self._calm = np.where(punishing, self._calm, np.maximum(self._calm - 1, 0))
        self._punish = np.maximum(self._punish - 1, 0)
        return np.where(punishing, 0.0, self.cooperative_level())


class ProportionalReciprocity(Reciprocal):
    """Moves its cooperation above or below the norm in proportion to how far the others are above or below theirs.

    >>> from coopgym import make_game, play
    >>> game, seats = make_game("TrustDilemma-v1", max_steps=4), [ProportionalReciprocity(strength=0.5), Constant(0.5)]
    >>> play.play(game, seats, record=True).trajectory.shares[:, 0, 0]  # half of 0.2 above the norm of 0.3
    array([0.5, 0.4, 0.4, 0.4])
    """

    citation = "Falk, A. & Fischbacher, U. (2006). A theory of reciprocity. Games Econ. Behav. 54, 293-315."
    classifier = Classifier(memory_depth=1)

    def __init__(self, opening_level: float = 0.5, strength: float = 1.0) -> None:
        """Fix the first move and the strength.

        Args:
            opening_level: share of endowment played in the first round.
            strength: change of own cooperation per change of the others', at least 0.
        """
        super().__init__(opening_level)
        if not (math.isfinite(strength) and strength >= 0.0):
            raise ValueError(f"strength={strength!r}: expected a finite number of at least 0")
        self.strength = strength

    def cooperate(self, observation: FloatArray) -> FloatArray:
        kindness = self.partners(observation) - self.seat.partners_norm
        return self.opening(self.opening_level, self.seat.norm + self.strength * kindness)
