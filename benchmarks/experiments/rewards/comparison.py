"""How far apart rewards are in a game, seat by seat, from episodes of uniform actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from coopgym.benchmarks.score.bootstrap import Bootstrap, interval, resampled
from coopgym.benchmarks.score.estimates import Estimate
from coopgym.benchmarks.score.replicates import Replicates
from coopgym.games.game import AnyGame
from coopgym.games.state import State, state_arrays
from coopgym.games.step import Step
from coopgym.play import Seeded, open_loop, unroll
from coopgym.rewards import RewardLayer, Rewards, reward_layer
from coopgym.rewards.pipeline import RunningRewards
from coopgym.rewards.sampled_distances import EpisodeMoments, Sample
from coopgym.typing import BoolArray, FloatArray, IntArray

REGRET = (
    "A distance of 0 asks for the same in every policy; the larger it is, the more of the range of returns may be lost "
    "where one reward is maximised in place of the other, up to all of it at 2."
)
"""What a distance means, in a sentence."""


@dataclass(frozen=True)
class Coverage:
    """Where rewards are compared: on the way of uniform actions from the game's own start.

    Attributes:
        episodes: how many, each of the game's length.
        gamma: discount under which potentials are none of a reward's business; that of the learners.
        seed: of actions and of the game's chance.
        resamples: of episodes, for intervals.

    Raises:
        ValueError: fewer than two episodes or one resample, or a discount out of range.
    """

    episodes: int = 256
    gamma: float = 0.99
    seed: int = 0
    resamples: int = 200

    def __post_init__(self) -> None:
        if self.episodes < 2:
            raise ValueError(f"episodes={self.episodes}: expected at least 2, of which intervals are made")
        if not 0.0 <= self.gamma < 1.0:
            raise ValueError(f"gamma={self.gamma!r}: expected a number in [0, 1)")

    def __str__(self) -> str:
        return (
            f"{self.episodes} episodes of uniform actions from the start, discount {self.gamma:g}; "
            f"95 % bootstrap intervals over episodes"
        )


USUAL = Coverage()
SEATS_IN_PAIRS = 8
"""Seats up to which values are fitted to what holds between every two of them."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Distances of K rewards in a game, by seat."""

    game: str
    rewards: tuple[str, ...]
    coverage: Coverage
    seats: tuple[int, ...]
    distance: FloatArray
    """``(seats, K, K)``, likewise the bounds of their intervals."""
    low: FloatArray
    high: FloatArray
    fitted: int = 0
    """Episodes that transforms have learned from before."""

    @property
    def covered(self) -> str:
        """Where the distances hold, in words."""
        learned = f"; learned transforms fitted on {self.fitted} such episodes before" if self.fitted else ""
        return f"{self.coverage}{learned}"

    def of_seat(self, seat: int) -> FloatArray:
        """Return the distances ``(K, K)`` between what one seat is paid."""
        return np.asarray(self.distance[self.seats.index(seat)])

    def between(self, seat: int, first: int, second: int) -> Estimate:
        """Return a distance with its interval."""
        place = (self.seats.index(seat), first, second)
        value, low, high = (float(each[place]) for each in (self.distance, self.low, self.high))
        return Estimate(value, low, high, self.coverage.episodes)


def compare(
    game: AnyGame,
    rewards: Sequence[str | RewardLayer],
    coverage: Coverage = USUAL,
    seats: Sequence[int] | None = None,
    fitting: int = 0,
) -> Comparison:
    """Return the distances of rewards in a game, seat by seat.

    Args:
        game: on the NumPy backend.
        rewards: two or more, with transforms or without.
        coverage: the episodes they are compared on.
        seats: whose rewards; None for everybody's.
        fitting: episodes of uniform actions that transforms learn from before, in whole rounds of the coverage's.

    Raises:
        ValueError: fewer than two rewards, one twice, an unknown one, or one that does not fit the game, needs
            whole episodes, or has to learn first without episodes to learn from; a seat that the game has not, or too
            few episodes.

    >>> from coopgym import make_game
    >>> game, few = make_game("TrustDilemma-v1", max_steps=8), Coverage(episodes=16)
    >>> found = compare(game, ["private", "private + oni"], few, fitting=64)
    >>> found.fitted, bool(found.of_seat(0)[0, 1] > 0.0)
    (64, True)
    """
    layers = [reward_layer(each) for each in rewards]
    names = tuple(layer.name for layer in layers)
    chosen = tuple(range(game.n_agents)) if seats is None else tuple(seats)
    if len(names) < 2:
        raise ValueError(f"{len(names)} reward to compare: expected at least two, such as private and cooperative")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice!r} is given twice; expected different rewards")
    if strangers := [seat for seat in chosen if not 0 <= seat < game.n_agents]:
        raise ValueError(f"seat {strangers[0]}: {game.id} has seats 0 to {game.n_agents - 1}")
    if fitting < 0:
        raise ValueError(f"fitting={fitting}: expected at least 0 episodes")
    learned = [each.name for layer in layers for each in layer.transforms if each.learned]
    if learned and not fitting:
        raise ValueError(
            f"{learned[0]} pays what it has learned, and here it has learned nothing; say on how many episodes of "
            "uniform actions it is to be fitted before, such as --fitting 1024 (fitting=1024)"
        )
    rounds = -(-fitting // coverage.episodes) if learned else 0
    moments = _moments(game, layers, coverage, chosen, rounds)

    def by_seat(replicates: Replicates, counts: IntArray) -> FloatArray:
        return _own_blocks(moments.distances(counts), len(chosen)).reshape(len(counts), -1)

    episodes = Replicates.of(np.arange(float(coverage.episodes)), axes=("runs",))
    settings = Bootstrap(resamples=coverage.resamples, seed=coverage.seed)
    drawn = resampled(episodes, by_seat, settings, settings.generator("reward distances", game.id))
    bounds = interval(episodes, by_seat, drawn, settings)
    shape = (len(chosen), len(names), len(names))
    value, low, high = (np.reshape(each, shape) for each in (by_seat(episodes, episodes.once), *bounds))
    return Comparison(game.id, names, coverage, chosen, value, low, high, rounds * coverage.episodes)


def classical_scaling(distances: FloatArray) -> FloatArray:
    """Return points ``(K, 2)`` of a plane whose distances come close to some others ``(K, K)`` (Torgerson 1952).

    >>> classical_scaling(np.abs(np.subtract.outer([0.0, 1.0, 4.0], [0.0, 1.0, 4.0]))).round(2) + 0.0
    array([[-1.67,  0.  ],
           [-0.67,  0.  ],
           [ 2.33,  0.  ]])
    """
    centre = np.eye(len(distances)) - 1.0 / len(distances)
    sizes, directions = np.linalg.eigh(-0.5 * centre @ distances**2 @ centre)
    largest = directions[:, ::-1][:, :2]
    # A direction has no sign of its own: the point furthest out lies on the positive side.
    signs = np.sign(np.take_along_axis(largest, np.abs(largest).argmax(0)[None], axis=0))
    return np.asarray(largest * signs * np.sqrt(np.maximum(sizes[::-1][:2], 0.0)))


def _own_blocks(distances: FloatArray, seats: int) -> FloatArray:
    """Of distances ``(B, K N, K N)`` those of one seat's own rewards, ``(B, N, K, K)``."""
    kinds = distances.shape[-1] // seats
    parted = distances.reshape(len(distances), kinds, seats, kinds, seats)
    return np.einsum("bknln->bnkl", parted)


def _moments(
    game: AnyGame, layers: Sequence[Rewards], coverage: Coverage, seats: Sequence[int], rounds: int
) -> EpisodeMoments:
    """Play, and sum up the rewards of every step, reward by reward and in it seat by seat."""
    batch = (coverage.episodes,)
    running = [layer.running(game, batch) for layer in layers]
    for each in (each for each in running if each.learned):
        for step in _explored(game, coverage, range(1, rounds + 1), each):
            each(step)
    seen = partial(state_features, game, coverage.gamma)
    before, after, paid, alive = list[FloatArray](), list[FloatArray](), list[FloatArray](), list[BoolArray]()
    for each in running:
        each.reset()
    for step in _explored(game, coverage, [0]):
        before.append(seen(step.before, step.t))
        after.append(seen(step.transition.state, step.t + 1) * ~step.ended[..., None])
        paid.append(np.concatenate([each(step)[..., seats] for each in running], axis=-1))
        alive.append(np.ones(batch, dtype=bool) if step.alive is None else step.alive)
    sample = Sample(np.stack(before), np.stack(after), np.stack(paid), np.stack(alive))
    return EpisodeMoments.of(sample, coverage.gamma)


def _explored(
    game: AnyGame, coverage: Coverage, rounds: Iterable[int], rewards: RunningRewards | None = None
) -> Iterator[Step]:
    """Play rounds of the coverage's episodes, other ones in each; whatever rewards them begins each anew."""
    batch, horizon = (coverage.episodes,), game.spec.horizon
    for number in rounds:
        if rewards is not None:
            rewards.reset()
        # The first round's numbers are older than the others.
        key = [coverage.seed, horizon, game.n_agents, *([number] if number else [])]
        shares = np.random.default_rng(key).random((horizon, *batch, game.n_agents))
        first = coverage.seed + number * coverage.episodes
        draws = Seeded(range(first, first + coverage.episodes))
        yield from unroll(game, open_loop(game, shares), batch=batch, draws=draws)


def state_features(game: AnyGame, gamma: float, state: State, t: int) -> FloatArray:
    """What the game remembers, beside itself weighted by the discounted time that is left, ``(..., F)``."""
    remembered = np.concatenate([np.ones((*state.t.shape, 1)), *_remembered(game, state)], axis=-1, dtype=np.float64)
    left = (1.0 - gamma ** (game.spec.horizon - t)) / ((1.0 - gamma) * game.spec.horizon)
    return np.concatenate([remembered, left * remembered], axis=-1)


def _remembered(game: AnyGame, state: State) -> list[FloatArray]:
    """All that a joint controller would see; among many seats each seat's means over the others."""
    if game.n_agents <= SEATS_IN_PAIRS:
        return [game.observe_jointly(state, "full"), game.extra_state(state)]
    rows, dims = state.t.shape, state.t.ndim
    arrays = [array.mean(-1) if array.ndim > dims + 1 else array for array in state_arrays(state).values()]
    return [array.reshape((*rows, -1)) for array in arrays]
