"""Bandits as agents: learning baselines that know how rewards are reckoned, and nothing of what is best."""

from __future__ import annotations

import math
from dataclasses import asdict, is_dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from coopgym.agents import Classifier, Strategy
from coopgym.games.parameters import Parameters
from coopgym.games.step import Step
from coopgym.oracles.agents.base import registered_game
from coopgym.oracles.agents.tracking import StateTracker, joint_cooperation
from coopgym.oracles.bandits.elimination import SuccessiveElimination
from coopgym.oracles.bandits.exploring import EpsilonGreedy, ExploreFirst
from coopgym.oracles.bandits.game_bandit import counterfactual_rewards, seat_context
from coopgym.oracles.bandits.learner import DeterministicLearner, OnlineLearner
from coopgym.oracles.bandits.lipschitz import Zooming
from coopgym.oracles.bandits.reward_bounds import reward_bounds, square_root_grid
from coopgym.oracles.bandits.thompson import ThompsonBeta, ThompsonGauss
from coopgym.oracles.bandits.upper_confidence import UCB1
from coopgym.play import expected_step
from coopgym.rewards import Rewards, reward_layer
from coopgym.typing import FloatArray

LEVELS = 6
"""Shares to choose from: with T = 100 rounds and rewards of slope 2, uniform discretisation asks for 5."""
PAYOFF_COLUMNS = ("payoff_share", "last_payoff")
"""Observed payoffs between fixed bounds, which games show where something is drawn that payoffs depend on."""


class BanditAgent(Strategy):
    """Adapter that lets an `OnlineLearner` play a seat: arms are shares, a round is a step.

    It learns during an episode; with ``lasting`` also from one episode of a row to the next, where a partner's episodes
    are restarted. A reward is the seat's, reckoned from the actions that it sees and scaled by fixed bounds; where a
    world or a reset draws what payoffs depend on, it is the payoff that the seat is shown. Subclasses name a learner.

    >>> from coopgym import make_game, play
    >>> from coopgym.agents import make_agent
    >>> game = make_game("PublicGoods-v1", n_agents=2)
    >>> played = play.play(game, [make_agent("Bandit_UCB1"), make_agent("Constant_50")], reward="private", record=True)
    >>> played.trajectory.shares[:7, 0, 0].round(2)  # all shares once, then what may pay most
    array([0.  , 0.04, 0.16, 0.36, 0.64, 1.  , 0.16])
    """

    learns = True
    step_cost = 10.0
    learner: ClassVar[type[OnlineLearner]]
    levels_by_default: ClassVar[int] = LEVELS

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if "learner" in vars(cls):
            cls.citation = cls.learner.citation

    def __init__(self, levels: int | None = None, lasting: bool = False, **settings: Any) -> None:
        """Fix the grid and the learner.

        Args:
            levels: shares to choose from, evenly spaced in their square root.
            lasting: keep what was learned when the episode of a row is restarted.
            settings: of the learner.

        Raises:
            TypeError, ValueError: settings that the learner does not take.
        """
        self.levels = self.levels_by_default if levels is None else levels
        self.lasting = lasting
        self._shares = square_root_grid(self.levels)
        self._learner = self.learner(**settings)
        self.action_logprob: FloatArray | None = None

    @property
    def classifier(self) -> Classifier:
        stochastic = not isinstance(self._learner, DeterministicLearner)
        return Classifier(memory_depth=math.inf, stochastic=stochastic, uses_horizon=True)

    def identity(self) -> dict[str, Any]:
        settings: dict[str, Any] = asdict(self._learner) if is_dataclass(self._learner) else {}
        return {"levels": self.levels, "lasting": self.lasting, **settings}

    def prepare(self) -> None:
        spec = self.seat.game
        self._game = registered_game(spec.id, spec.parameters)
        shown = [self.seat.columns[name][0] for name in PAYOFF_COLUMNS if name in self.seat.columns]
        self._shown = shown[0] if shown else None
        if self._learner.full_feedback and self._shown is not None:
            raise ValueError(
                f"{type(self).__name__} learns from what every share would have paid, which nobody can reckon in "
                f"{spec.id} where something is drawn; choose a bandit that learns from its own payoffs"
            )
        self._rewards: Rewards = reward_layer(self.seat.reward).evaluated
        low, high = _bounds(spec.id, spec.parameters, self.seat.reward, self.levels)[self.seat.index]
        self._low, self._width = low, high - low
        self._tracker = StateTracker(self._game, self.episodes)
        self._learner.reset(len(self._shares), spec.horizon, self.episodes)
        self._chosen = np.zeros(self.episodes, dtype=np.int64)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        self._tracker.restart(rows)
        if not self.lasting:
            self._learner.restart(rows)

    def cooperate(self, observation: FloatArray) -> FloatArray:
        going_on = self.round > 0
        joint = joint_cooperation(self.seat, observation)
        if going_on.any():
            self._tracker.advance(joint, going_on)
            paid, table = self._paid(observation, joint)
            self._learner.update_where(going_on, self._chosen, paid, table)
        context = self.context(observation) if self._learner.contextual else None
        numbers = [self.draws.random() for _ in range(self._learner.draws)]
        likely = self._learner.probabilities(context) if self._learner.explicit else None
        self._chosen = self._learner.act(np.stack(numbers, -1) if numbers else np.empty((self.episodes, 0)), context)
        if likely is not None:
            self.action_logprob = np.log(likely[np.arange(self.episodes), self._chosen])
        return self._shares[self._chosen]

    def context(self, observation: FloatArray) -> FloatArray:
        """Return what a contextual learner sees before it chooses, ``(episodes, ...)``: trust, last shares and time."""
        return seat_context(self.seat, observation, self.round)

    def _paid(self, observation: FloatArray, joint: FloatArray) -> tuple[FloatArray, FloatArray | None]:
        """Scaled reward of the last step ``(episodes,)``, and of all shares if the learner learns from them."""
        if self._shown is not None:
            return np.clip(observation[:, self._shown], 0.0, 1.0), None
        game, before, actions = self._game, self._tracker.before, joint * self._game.spec.endowments
        if self._learner.full_feedback:
            levels, seat = self._shares, self.seat.index
            table = self._scaled(counterfactual_rewards(game, seat, self._rewards, levels, before, actions))
            return table[np.arange(self.episodes), self._chosen], table
        step = Step(game, 0, before, actions, expected_step(game, before, actions))
        return self._scaled(self._rewards(step)[:, self.seat.index]), None

    def _scaled(self, paid: FloatArray) -> FloatArray:
        scaled: FloatArray = np.clip((paid - self._low) / self._width, 0.0, 1.0)
        return scaled


class BanditExploreFirst(BanditAgent):
    """Tries every share in turn, then holds the one that paid most."""

    learner = ExploreFirst


class BanditEpsilonGreedy(BanditAgent):
    """Plays what paid most, and now and then any share."""

    learner = EpsilonGreedy


class BanditSuccessiveElimination(BanditAgent):
    """Plays shares in turn until they are surely not the best."""

    learner = SuccessiveElimination


class BanditUCB1(BanditAgent):
    """Plays the share that may pay most."""

    learner = UCB1


class BanditThompsonBeta(BanditAgent):
    """Plays shares as often as they are likely to pay most; rewards are tossed like coins."""

    learner = ThompsonBeta


class BanditThompsonGauss(BanditAgent):
    """Plays shares as often as they are likely to pay most; rewards are taken for normal."""

    learner = ThompsonGauss


class BanditZooming(BanditAgent):
    """Refines its shares where they pay much."""

    learner = Zooming
    step_cost = 20.0
    levels_by_default = 64


BANDITS: dict[str, type[BanditAgent]] = {
    "Bandit_ExploreFirst": BanditExploreFirst,
    "Bandit_EpsilonGreedy": BanditEpsilonGreedy,
    "Bandit_SuccessiveElimination": BanditSuccessiveElimination,
    "Bandit_UCB1": BanditUCB1,
    "Bandit_ThompsonBeta": BanditThompsonBeta,
    "Bandit_ThompsonGauss": BanditThompsonGauss,
    "Bandit_Zooming": BanditZooming,
}
"""Bandits as agents by the names that they are registered under."""


@lru_cache(maxsize=256)
def _bounds(id: str, parameters: Parameters, reward: str, levels: int) -> FloatArray:
    return reward_bounds(registered_game(id, parameters), reward_layer(reward).evaluated, square_root_grid(levels))
