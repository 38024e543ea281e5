"""Agents that know the rules but not the draws of a world, and infer the factors from what they earn."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.interpolate import RegularGridInterpolator

from coopgym.agents import Classifier
from coopgym.games.game import AnyGame
from coopgym.games.parameters import Parameters
from coopgym.oracles.agents.base import Oracle, drawn_world, registered_game
from coopgym.oracles.agents.solutions import Solution, uninformed_level
from coopgym.oracles.agents.tracking import StateTracker, joint_cooperation
from coopgym.oracles.dynamic.informed import drawn_states, informed_levels
from coopgym.oracles.games.rollout import initial_state, repeated
from coopgym.typing import FloatArray
from coopgym.worlds import factor_of_share

TRAINING_SEEDS = range(64)
"""Draws on which the best uninformed level is found; none of those that scores are made of."""
NODES = 9
"""Points per factor, evenly spaced in logarithms, at which the best levels are searched."""
ROUNDING = 1e-6
"""Error of a payoff as it is seen, as a part of its range: a little more than single precision."""
UNSURE = 0.05
"""Standard deviation above which a factor is not known yet."""
PROBE = 0.1
"""Distance, in shares, that a level keeps from the last while the cost factor is unknown: equal ones teach no more."""


@dataclass(frozen=True)
class Prior:
    """What is known of a factor before play: its range, its mean and its variance."""

    low: float
    high: float
    mean: float
    variance: float

    @classmethod
    def of_factor(cls, spread: float) -> Prior:
        """Return the prior of a factor whose logarithm is uniform on [-ln s, ln s]; its mean is (s - 1/s) / (2 ln s).

        >>> round(Prior.of_factor(2.0).mean, 4)
        1.082
        """
        mean = (spread - 1.0 / spread) / (2.0 * math.log(spread))
        square = (spread**2 - spread**-2) / (4.0 * math.log(spread))
        return cls(1.0 / spread, spread, mean, square - mean**2)

    def times_uniform(self, low: float, high: float) -> Prior:
        """Return the prior of this factor times an independent number that is uniform around its middle, over it."""
        middle = 0.5 * (low + high)
        relative = (high - low) ** 2 / (12.0 * middle**2)
        square = (self.variance + self.mean**2) * (1.0 + relative)
        return Prior(self.low * low / middle, self.high * high / middle, self.mean, square - self.mean**2)

    def nodes(self) -> FloatArray:
        """Return `NODES` logarithms from the least to the greatest."""
        return np.linspace(math.log(self.low), math.log(self.high), NODES)


def priors(game: AnyGame) -> tuple[Prior, Prior]:
    """Return the priors of the cost factor and of the synergy factor.

    A game that draws its synergy weight γ as well is played as if it had the median weight: what can be told apart from
    payoffs is their product alone, so that the second prior is that of g γ over the median.
    """
    factor, hidden = Prior.of_factor(drawn_world(game).spread), game.traits().hidden
    return factor, factor.times_uniform(*hidden["gamma"]) if "gamma" in hidden else factor


@lru_cache(maxsize=256)
def level_table(id: str, parameters: Parameters, seat: int) -> RegularGridInterpolator:
    """Return the best level of a seat to hold as a function of (ln m, ln g), found once in a process.

    Best for everybody's welfare. In a world in which each seat has a cost factor of its own, m is the seat's and the
    others' stand at their prior mean.

    Args:
        id: of the game.
        parameters: of the game, in a world.
        seat: one seat stands for all that are exchangeable with it.
    """
    game = registered_game(id, parameters)
    cost, synergy = priors(game)
    logs = np.stack(np.meshgrid(cost.nodes(), synergy.nodes(), indexing="ij"), axis=-1)
    m, g = np.exp(logs.reshape(-1, 2).T)
    costs, blocks = np.repeat(m[:, None], game.n_agents, axis=1), [list(group) for group in game.traits().exchangeable]
    if drawn_world(game).kind.private:
        costs[:, np.arange(game.n_agents) != seat] = cost.mean
        others = [[other for other in block if other != seat] for block in blocks]
        blocks = [[seat], *(block for block in others if block)]
    openings = replace(repeated(game, initial_state(game), (len(m),)), cost_factor=costs, synergy_factor=g)
    levels = informed_levels(game, openings, blocks)[:, seat].reshape(NODES, NODES)
    return RegularGridInterpolator((cost.nodes(), synergy.nodes()), levels)


class FactorEstimate:
    """Posterior mean and covariance of (m, g) in parallel episodes, by recursive least squares on payoffs.

    A payoff is affine in the factors, so that with a normal prior each one seen is an exact update (a Kalman filter
    whose state stands still).
    """

    def __init__(self, cost: Prior, synergy: Prior, episodes: int) -> None:
        """Know nothing but the priors."""
        self.priors = cost, synergy
        self.mean = np.tile([cost.mean, synergy.mean], (episodes, 1))
        """``(episodes, 2)``."""
        self.covariance = np.tile(np.diag([cost.variance, synergy.variance]), (episodes, 1, 1))
        """``(episodes, 2, 2)``."""

    def restart(self, rows: npt.NDArray[np.bool_], cost: FloatArray | None) -> None:
        """Return to the priors where the mask holds, or to a cost factor ``(episodes,)`` that is shown."""
        own, synergy = self.priors
        known = np.full(len(rows), own.mean) if cost is None else cost
        prior = np.stack([known, np.full(len(rows), synergy.mean)], axis=-1)
        spread = np.diag([own.variance if cost is None else 0.0, synergy.variance])
        self.mean = np.where(rows[:, None], prior, self.mean)
        self.covariance = np.where(rows[:, None, None], spread, self.covariance)

    def learn(self, slopes: FloatArray, earned: FloatArray, noise: float, rows: npt.NDArray[np.bool_]) -> None:
        """Take in one payoff where the mask holds.

        Args:
            slopes: ``(episodes, 2)`` what a unit of each factor adds to the payoff.
            earned: ``(episodes,)`` payoff without what is paid whatever the factors are.
            noise: standard deviation of its error.
            rows: ``(episodes,)``.
        """
        carried = (self.covariance @ slopes[..., None])[..., 0]
        gain = carried / ((slopes * carried).sum(-1) + noise**2)[:, None]
        surprise = earned - (slopes * self.mean).sum(-1)
        self.mean = np.where(rows[:, None], self.mean + gain * surprise[:, None], self.mean)
        updated = self.covariance - gain[:, :, None] * carried[:, None, :]
        self.covariance = np.where(rows[:, None, None], updated, self.covariance)

    def logarithms(self) -> FloatArray:
        """Return the logarithms ``(episodes, 2)`` of the means, within the priors' ranges."""
        low, high = np.array([(prior.low, prior.high) for prior in self.priors]).T
        return np.log(np.clip(self.mean, low, high))

    @property
    def cost_is_unknown(self) -> npt.NDArray[np.bool_]:
        """``(episodes,)`` whether the cost factor has not been found out."""
        return self.covariance[:, 0, 0] > UNSURE**2


class InferringOracle(Oracle):
    """Base of agents that follow the state and infer the factors; in the fixed world they play its best constants.

    How the state moves does not depend on the factors, so that the game can be replayed from the actions seen. A payoff
    seen at an end of its range may have been beyond it, and teaches nothing. Where a world shifts, everything is drawn
    anew at once, so that another cost factor of one's own tells that what was known is over.
    """

    classifier = Classifier(memory_depth=math.inf)

    @classmethod
    def title(cls) -> str:
        return cls.__name__

    def solve(self, game: AnyGame) -> Solution:
        fixed = game.traits().world is None
        openings = repeated(game, initial_state(game), (1,)) if fixed else drawn_states(game, TRAINING_SEEDS)
        return uninformed_level(game, openings)

    def prepare(self) -> None:
        super().prepare()
        traits = self.game.traits()
        self._fixed = traits.world is None
        if traits.world is None:
            return
        if self.seat.view != "own":
            raise ValueError(
                f"{self.title()} infers what a world has drawn from its own payoffs, so it plays under view='own'; got "
                f"view={self.seat.view!r} in {self.game.id}. To know the factors, use Oracle_InformedPlan"
            )
        index, world = self.seat.index, traits.world
        group = next(group for group in traits.exchangeable if index in group)
        self._levels = level_table(self.game.id, self.game.parameters, group[0])
        self._spread = world.spread
        self._least, self._width = world.least[index], world.greatest[index] - world.least[index]
        self._noise = math.hypot(ROUNDING * self._width, traits.payoff_noise)
        self._tracker = StateTracker(self.game, self.episodes)
        self.estimate = FactorEstimate(*priors(self.game), self.episodes)
        self._own_cost = np.full(self.episodes, np.nan)

    def forget(self, rows: npt.NDArray[np.bool_]) -> None:
        if not self._fixed:
            self._tracker.restart(rows)

    def cooperate(self, observation: FloatArray) -> FloatArray:
        if not self._fixed:
            self._observe(observation)
        return self.choose(observation)

    @abstractmethod
    def choose(self, observation: FloatArray) -> FloatArray:
        """Return the shares ``(episodes,)`` to play, once what was seen has been taken in."""

    def best_level(self) -> FloatArray:
        """Return the level ``(episodes,)`` that is best for everybody if the factors are what they seem."""
        if self._fixed:
            return np.full(self.episodes, self.uninformed_level)
        levels: FloatArray = self._levels(self.estimate.logarithms())
        return levels

    @property
    def uninformed_level(self) -> float:
        """What to play of whom nothing is known."""
        return float(self.solution.shares[0, self.seat.index])

    def _observe(self, observation: FloatArray) -> None:
        going_on, columns = self.round > 0, self.seat.columns
        self._tracker.advance(joint_cooperation(self.seat, observation), going_on)
        cost = None
        new = ~going_on
        if "cost_factor" in columns:
            cost = factor_of_share(observation[:, columns["cost_factor"][0]], self._spread)
            new = new | (cost != self._own_cost)
            self._own_cost = cost
        share = observation[:, columns["payoff_share"][0]]
        fixed, slopes = self._affine_payoff()
        informative = going_on & ~new & (share > 0.0) & (share < 1.0)
        self.estimate.learn(slopes, self._least + self._width * share - fixed, self._noise, informative)
        self.estimate.restart(new, cost)

    def _affine_payoff(self) -> tuple[FloatArray, FloatArray]:
        """The seat's last payoff as a function of its factors: what is paid anyway ``(episodes,)``, and the slopes."""
        before, shares = self._tracker.before, self._tracker.state.last_action
        cost, synergy = np.ones_like(before.cost_factor), np.ones_like(before.synergy_factor)

        def paid(m: float, g: float) -> FloatArray:
            state = replace(before, cost_factor=m * cost, synergy_factor=g * synergy)
            payoffs: FloatArray = self.game.stage_payoffs(state, shares)[:, self.seat.index]
            return payoffs

        usual, dearer, better = paid(1.0, 1.0), paid(2.0, 1.0), paid(1.0, 2.0)
        slopes = np.stack([dearer - usual, better - usual], axis=-1)
        return usual - slopes.sum(-1), slopes


class Inferring(InferringOracle):
    """Infers the factors from what it earns and plays the level that is best for everybody if they are what they seem.

    Where seats share one cost factor, it opens with the best uninformed level and keeps its second level away from its
    first: payoffs of one level do not tell costs from synergy.
    """

    citation = (
        "Åström, K. J. & Wittenmark, B. (1973). On self tuning regulators. Automatica 9, 185-199 (certainty-equivalent "
        "control by recursive least squares)."
    )

    def choose(self, observation: FloatArray) -> FloatArray:
        level = self.best_level()
        if self._fixed:
            return level
        unknown = self.estimate.cost_is_unknown
        probing = np.where(unknown, _away_from(self.seat.own_cooperation(observation), level), level)
        opening = np.where(unknown, self.uninformed_level, level)
        return np.where(self.round == 0, opening, probing)


class ThompsonModels(InferringOracle):
    """Draws the factors from what is believed of them, every round anew, and plays the level that is best for them.

    Thompson sampling over models instead of one posterior per level: the prior is the world's, and one payoff teaches
    of all levels at once. As far as one level does not tell costs from synergy, drawing explores.
    """

    citation = (
        "Thompson, W. R. (1933). On the likelihood that one unknown probability exceeds another in view of the "
        "evidence of two samples. Biometrika 25, 285-294; Osband, I., Russo, D. & Van Roy, B. (2013). (More) efficient "
        "reinforcement learning via posterior sampling. NeurIPS 26."
    )
    classifier = Classifier(memory_depth=math.inf, stochastic=True)
    learns = True

    def choose(self, observation: FloatArray) -> FloatArray:
        if self._fixed:
            return self.best_level()
        normals = np.stack([self.draws.standard_normal(), self.draws.standard_normal()], axis=-1)
        # Rounding may leave a covariance that is known to be zero a little below it.
        spread, axes = np.linalg.eigh(self.estimate.covariance)
        scaled = np.sqrt(np.maximum(spread, 0.0)) * normals
        drawn = self.estimate.mean + (axes @ scaled[..., None])[..., 0]
        low, high = np.array([(prior.low, prior.high) for prior in self.estimate.priors]).T
        levels: FloatArray = self._levels(np.log(np.clip(drawn, low, high)))
        return levels


def _away_from(last: FloatArray, level: FloatArray) -> FloatArray:
    """The level where it is `PROBE` or more away from the last one, else one that is just so far."""
    up, down = last + PROBE, last - PROBE
    nearest = np.where((level >= last) & (up <= 1.0) | (down < 0.0), up, down)
    return np.where(np.abs(level - last) < PROBE, nearest, level)


class ExploreThenCommit(InferringOracle):
    """Plays some levels in turn, then for good the level that the payoffs they revealed imply."""

    citation = (
        "Robbins, H. (1952). Some aspects of the sequential design of experiments. Bull. AMS 58, 527-535; "
        "Garivier, A., Lattimore, T. & Kaufmann, E. (2016). On explore-then-commit strategies. NeurIPS 29."
    )

    def __init__(self, steps: int = 4, levels: Sequence[float] = (0.25, 0.5, 0.75, 1.0)) -> None:
        """Choose how to explore.

        Args:
            steps: how long.
            levels: shares of endowment, played in turn.

        Raises:
            ValueError: a negative number of steps, no level, or one outside [0, 1].
        """
        if steps < 0:
            raise ValueError(f"steps={steps!r}: expected a whole number of at least 0")
        if not levels or not all(0.0 <= level <= 1.0 for level in levels):
            raise ValueError(f"levels={levels!r}: expected at least one share of the endowment, each in [0, 1]")
        self.steps, self.levels = steps, tuple(levels)

    def prepare(self) -> None:
        super().prepare()
        self._committed = np.zeros(self.episodes)

    def choose(self, observation: FloatArray) -> FloatArray:
        self._committed = np.where(self.round == self.steps, self.best_level(), self._committed)
        explored = np.array(self.levels)[self.round % len(self.levels)]
        return np.where(self.round < self.steps, explored, self._committed)
