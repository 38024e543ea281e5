"""Which reward a behaviour looks like it is optimising: the reward inside it, held against those of the modes.

Every seat's behaviour is cloned on a grid of shares. The endogenous reward of the clone is α ln π up to a potential, so
that its STARC distance from any reward is that of ln π. Distances are taken in the decision problem that the seat had:
its own shares uniform on the grid, the others as they play, all shares of the seat tried at every step against the same
shares of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from coopgym.agents.base import Agent
from coopgym.algorithms.reward_models.endogenous import Clones, Cloning, clone
from coopgym.benchmarks.experiments.rewards.comparison import Coverage, state_features
from coopgym.benchmarks.score.bootstrap import Bootstrap, interval, resampled
from coopgym.benchmarks.score.estimates import Estimate
from coopgym.benchmarks.score.replicates import Replicates
from coopgym.games.game import AnyGame
from coopgym.games.state import State, map_arrays
from coopgym.games.step import Step
from coopgym.play import Seeded, play, unroll
from coopgym.play.episodes import seated
from coopgym.play.unroll import expected_step
from coopgym.rewards import RewardLayer, Rewards, reward_layer
from coopgym.rewards.sampled_distances import EpisodeMoments, Sample
from coopgym.typing import BoolArray, FloatArray, IntArray

MODES = ("private", "integrated", "cooperative")
"""Rewards that behaviours are held against unless others are named."""


@dataclass(frozen=True)
class ReadingSettings(Coverage):
    """How behaviours are read: what is cloned, and on which episodes rewards are compared.

    Attributes:
        episodes: on whose way rewards are compared.
        cloned: episodes that are cloned.
        cloning: how behaviour is cloned.

    Raises:
        ValueError: no episode to clone, or as `Coverage`.

    >>> print(ReadingSettings(cloned=20))
    20 episodes cloned on 21 levels; distances over 32 episodes in which one seat draws its shares uniformly and the ...
    """

    episodes: int = 32
    cloned: int = 50
    cloning: Cloning = field(default_factory=Cloning)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.cloned < 1:
            raise ValueError(f"cloned={self.cloned}: expected at least 1 episode")

    def __str__(self) -> str:
        return (
            f"{self.cloned} episodes cloned on {self.cloning.levels} levels; distances over {self.episodes} episodes "
            f"in which one seat draws its shares uniformly and the others play as they do, discount {self.gamma:g}"
        )


USUAL = ReadingSettings()


@dataclass(frozen=True, eq=False)
class Reading:
    """How far the reward inside a behaviour is from others, seat by seat."""

    game: str
    rewards: tuple[str, ...]
    settings: ReadingSettings
    distance: FloatArray
    """``(N, K)`` of K rewards, likewise the bounds of their intervals; STARC, 0 to 2."""
    low: FloatArray
    high: FloatArray
    between: FloatArray
    """``(N, K, K)`` how far the rewards are from one another on the same episodes: near ones cannot be told apart."""

    def of(self, seat: int, reward: int) -> Estimate:
        """Return a distance with its interval."""
        value, low, high = (float(each[seat, reward]) for each in (self.distance, self.low, self.high))
        return Estimate(value, low, high, self.settings.episodes)

    def nearest_first(self) -> Iterator[tuple[int, int]]:
        """Yield seats and rewards, of every seat the nearest first."""
        for seat, distances in enumerate(self.distance):
            for reward in distances.argsort():
                yield seat, int(reward)

    def nearest(self, seat: int | None = None) -> str:
        """Return the reward that is nearest to a seat's; None takes the mean distance over seats."""
        distances = self.distance.mean(0) if seat is None else self.distance[seat]
        return self.rewards[int(distances.argmin())]


def read_reward(
    game: AnyGame,
    agents: Callable[[], Sequence[Agent]],
    rewards: Sequence[str | RewardLayer] = MODES,
    settings: ReadingSettings = USUAL,
) -> Reading:
    """Return how far the reward inside a behaviour is from others.

    Args:
        game: on the NumPy backend.
        agents: makes fresh agents, one per seat, that play the behaviour; trained ones should draw their actions.
        rewards: modes to hold it against.
        settings: how it is read.

    Raises:
        ValueError: no reward, an unknown one, one with transforms, or one that does not fit the game.

    >>> from coopgym import make_game
    >>> from coopgym.agents import make_agent
    >>> game = make_game("TrustDilemma-v1", max_steps=10)
    >>> generous = lambda: [make_agent("Noisy(agent=Constant(level=0.98), noise=0.1)") for _ in range(2)]
    >>> read_reward(game, generous, settings=ReadingSettings(cloned=8, episodes=8)).nearest()
    'cooperative'
    """
    layers = [reward_layer(each) for each in rewards]
    if not layers:
        raise ValueError("no reward to hold the behaviour against; name at least one, such as private")
    for layer in layers:
        layer.check(game)
        if layer.transforms:
            raise ValueError(f"{layer.name}: transforms may remember earlier steps; expected modes, such as private")
    clones = cloned(game, agents(), settings)
    found = [_seat_distances(game, seat, agents, clones, layers, settings) for seat in range(game.n_agents)]
    value, low, high = (np.stack(each) for each in zip(*found, strict=True))
    names, (distance, lowest, highest) = (
        tuple(layer.name for layer in layers),
        (x[:, -1, :-1] for x in (value, low, high)),
    )
    return Reading(game.id, names, settings, distance, lowest, highest, value[:, :-1, :-1])


def cloned(game: AnyGame, agents: Sequence[Agent], settings: ReadingSettings) -> Clones:
    """Return clones of what agents do in episodes of a game."""
    trajectory = play(game, agents, views="own", episodes=settings.cloned, seed=settings.seed, record=True).trajectory
    assert trajectory is not None
    running = trajectory.alive.astype(bool)
    return clone(trajectory.observations[running], trajectory.shares[running], settings.cloning)


def _seat_distances(
    game: AnyGame,
    seat: int,
    agents: Callable[[], Sequence[Agent]],
    clones: Clones,
    layers: Sequence[Rewards],
    settings: ReadingSettings,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Distances ``(K + 1, K + 1)`` between K rewards and a seat's endogenous one, and the bounds of their intervals."""
    moments = EpisodeMoments.of(_tried(game, seat, agents, clones, layers, settings), settings.gamma)

    def distances(replicates: Replicates, counts: IntArray) -> FloatArray:
        return moments.distances(counts).reshape(len(counts), -1)

    episodes = Replicates.of(np.arange(float(settings.episodes)), axes=("runs",))
    drawing = Bootstrap(resamples=settings.resamples, seed=settings.seed)
    drawn = resampled(episodes, distances, drawing, drawing.generator("reward reading", game.id, str(seat)))
    bounds, kinds = interval(episodes, distances, drawn, drawing), len(layers) + 1
    value, low, high = (np.reshape(each, (kinds, kinds)) for each in (distances(episodes, episodes.once), *bounds))
    return value, low, high


def _tried(
    game: AnyGame,
    seat: int,
    agents: Callable[[], Sequence[Agent]],
    clones: Clones,
    layers: Sequence[Rewards],
    settings: ReadingSettings,
) -> Sample:
    """Episodes in which a seat draws its shares from the grid, and what modes and its clone say of all of the grid."""
    batch, levels, gamma = settings.episodes, clones.levels, settings.gamma
    rng, grid = np.random.default_rng([settings.seed, seat]), np.linspace(0.0, 1.0, levels)
    others = seated(game, agents(), ["own"] * game.n_agents, layers[0].name, batch, settings.seed)
    endowment, every = game.endowments[seat], np.repeat(np.arange(batch), levels)

    def explored(t: int, state: State) -> FloatArray:
        actions = others(t, state).copy()
        actions[:, seat] = grid[rng.integers(levels, size=batch)] * endowment
        return actions

    here, there, paid, alive = list[FloatArray](), list[FloatArray](), list[FloatArray](), list[BoolArray]()
    for step in unroll(game, explored, batch=(batch,), draws=Seeded(range(settings.seed, settings.seed + batch))):
        before, actions = map_arrays(lambda array: array[every], step.before), step.actions[every]
        actions[:, seat] = np.tile(grid * endowment, batch)
        tried = Step(game, step.t, before, actions, expected_step(game, before, actions))
        after = state_features(game, gamma, tried.transition.state, step.t + 1) * ~tried.ended[:, None]
        likely = clones.log_probabilities(game.observe(step.before, "own"))[:, seat]
        modes = np.stack([layer(tried)[:, seat] for layer in layers], axis=-1).reshape(batch, levels, -1)
        here.append(state_features(game, gamma, step.before, step.t))
        there.append(after.reshape(batch, levels, -1))
        paid.append(np.concatenate([modes, likely[..., None]], axis=-1))
        alive.append(np.ones(batch, dtype=bool) if step.alive is None else step.alive)
    return Sample(np.stack(here), np.stack(there), np.stack(paid), np.stack(alive))
