"""A game as one seat sees it among fixed partners, as a small decision process estimated from play."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from coopgym.agents.base import Agent, Seat, Strategy
from coopgym.games.game import AnyGame
from coopgym.games.spec import View
from coopgym.games.step import Step
from coopgym.oracles.tabular.decision_process import TabularMDP
from coopgym.oracles.tabular.situations import Situations, told_by
from coopgym.play.draws import Seeded
from coopgym.play.episodes import seated
from coopgym.play.unroll import counted, unroll
from coopgym.rewards import RewardLayer, reward_layer
from coopgym.typing import FloatArray

VIEW: View = "own"
HELD = 0.15
"""Chance per step that the exploring seat draws a new level: held levels let trust move all its way."""
EPISODES, LEVELS, GAMMA = 512, 7, 0.99
TRUST_BINS, TIME_BINS = 5, 4
ROUNDS, LOOSE = 4, 0.3
"""Rounds in which the optimal policy of the process so far is played, and how often any level is played instead: what
situations lead to depends on how one came into them, and the optimum should be right about its own way."""
FEWEST_VISITS = 20
"""Steps that a pair needs to stand for itself."""


@dataclass(frozen=True)
class Abstraction:
    """The decision process of one seat: K situations that occur, and last of all the end, which pays nothing.

    Where a level was hardly played in a situation, the nearest one that was played stands for it.

    Attributes:
        game: on the NumPy backend.
        partners: of all other seats, in their order.
        seat: whose process it is.
        reward: the mode that pays.
        situations: how situations are told apart.
        known: ``(K,)`` those that occur.
        levels: ``(A,)`` shares of endowment that actions stand for.
        mdp: of K + 1 states.
        start: ``(K + 1,)`` distribution of first states.
        visits: ``(K, A)`` steps that it was estimated from.
    """

    game: AnyGame
    partners: Sequence[Agent]
    seat: int
    reward: str
    situations: Situations
    known: npt.NDArray[np.int64]
    levels: FloatArray
    mdp: TabularMDP
    start: FloatArray
    visits: npt.NDArray[np.int64]

    @cached_property
    def state_of(self) -> npt.NDArray[np.int64]:
        """States by situation; the nearest known one stands for a situation that did not occur."""
        places = np.stack(self.situations.parts(np.arange(self.situations.count)), -1)
        apart = np.abs(places[:, None] - places[None, self.known]).sum(-1)
        return apart.argmin(-1)

    def softened(self, loose: float) -> FloatArray:
        """Return the optimal policy ``(K + 1, A)``, which with a probability plays any level instead."""
        best = self.mdp.plan(self.mdp.optimal_values().argmax(-1))
        return (1.0 - loose) * best + loose / best.shape[1]

    def value(self, policy: FloatArray) -> float:
        """Return the discounted return that the process promises a policy ``(K + 1, A)``."""
        return float(self.start @ (policy * self.mdp.action_values(policy)).sum(-1))

    def played_value(self, policy: FloatArray, episodes: int = 64, seed: int = 1_000_000) -> float:
        """Return the mean discounted return of a policy ``(K + 1, A)`` that plays the game itself."""
        agents = list(self.partners)
        agents.insert(self.seat, SituationPolicy(self, policy))
        total = np.zeros(episodes)
        for step in _steps(self.game, agents, self.reward, episodes, seed):
            total += self.mdp.gamma**step.t * counted(step, step.rewards[:, self.seat])
        return float(total.mean())


class SituationPolicy(Strategy):
    """Plays a policy of an abstraction in the game.

    Args:
        abstraction: of a seat of the game.
        policy: ``(K + 1, A)`` probabilities.
    """

    def __init__(self, abstraction: Abstraction, policy: FloatArray) -> None:
        self._abstraction = abstraction
        self._cumulative = policy.cumsum(-1)

    def cooperate(self, observation: FloatArray) -> FloatArray:
        told = self._abstraction
        states = told.state_of[told.situations.seen(self.seat, observation, self.round)]
        chosen = (self._cumulative[states] < self.draws.random()[:, None]).sum(-1)
        return told.levels[np.minimum(chosen, len(told.levels) - 1)]


class Exploring(Strategy):
    """Draws one of some equally spaced levels and holds it for a while.

    Args:
        levels: how many.
    """

    def __init__(self, levels: int) -> None:
        self.levels = levels

    def prepare(self) -> None:
        self._held = np.floor(self.draws.random() * self.levels)

    def cooperate(self, observation: FloatArray) -> FloatArray:
        drawn, again = np.floor(self.draws.random() * self.levels), self.draws.random() < HELD
        self._held = np.where(again, drawn, self._held)
        return self._held / (self.levels - 1)


@dataclass(frozen=True)
class Fidelity:
    """How far an abstraction is from its game, over policies of the abstraction played in the game.

    Attributes:
        policies: their names.
        promised: ``(P,)`` discounted returns in the process.
        played: ``(P,)`` discounted returns in the game.
    """

    policies: tuple[str, ...]
    promised: FloatArray
    played: FloatArray

    @property
    def span(self) -> float:
        """Between the worst and the best that was played."""
        return float(np.ptp(self.played))

    @property
    def optimum_error(self) -> float:
        """What the optimal policy earns less than promised, as a share of the span."""
        return float(self.promised[0] - self.played[0]) / self.span

    @property
    def mean_error(self) -> float:
        """Mean absolute error, as a share of the span."""
        return float(np.abs(self.promised - self.played).mean()) / self.span

    @property
    def largest_error(self) -> float:
        """Largest absolute error, as a share of the span."""
        return float(np.abs(self.promised - self.played).max()) / self.span


def abstract_game(
    game: AnyGame,
    partners: Sequence[Agent],
    seat: int = 0,
    *,
    reward: str | RewardLayer = "private",
    trust_bins: int = TRUST_BINS,
    time_bins: int = TIME_BINS,
    levels: int = LEVELS,
    gamma: float = GAMMA,
    episodes: int = EPISODES,
    seed: int = 0,
) -> Abstraction:
    """Estimate the decision process of one seat among fixed partners from exploring play.

    Bounds between bins of trust lie halfway between quantiles of what occurs, which crowd where trust is lost, and
    equal widths, some of which hardly occur.

    Args:
        game: on the NumPy backend; the seat must see trust and its partners' actions.
        partners: of all other seats, in their order.
        seat: whose process it is.
        reward: the mode that pays; its transforms are left out.
        trust_bins: at least 1.
        time_bins: at least 1.
        levels: actions, at least 2.
        gamma: discount, below 1.
        episodes: to play.
        seed: of the first of them.

    Raises:
        ValueError: no such seat, another number of partners, or a number out of range.

    >>> from coopgym.agents import make_agent
    >>> small = abstract_game(coopgym.make_game("TrustDilemma-v1"), [make_agent("TitForTat")], episodes=64)
    >>> small.mdp.reward.shape, small.situations.shape
    ((59, 7), (5, 3, 4))
    """
    for name, number, least in (("trust_bins", trust_bins, 1), ("time_bins", time_bins, 1), ("levels", levels, 2)):
        if number < least:
            raise ValueError(f"{name}={number!r}: expected a whole number of at least {least}")
    place, layer = Seat.of(game, seat, VIEW, "private"), reward_layer(reward).evaluated
    log = _explored(game, partners, place, layer, levels, Exploring(levels), episodes, seed)
    parts = np.arange(1, trust_bins) / trust_bins
    edges = (0.5 * np.quantile(log.trust[log.alive], parts) + 0.5 * parts).round(2)
    situations = Situations(tuple(sorted({float(each) for each in edges})), time_bins)
    table = partial(_estimated, game, tuple(partners), place, layer.name, situations, gamma)
    found = table(log)
    for again in range(1, ROUNDS + 1):
        follower = SituationPolicy(found, found.softened(LOOSE))
        more = _explored(game, partners, place, layer, levels, follower, episodes, seed + again * episodes)
        log = log.beside(more)
        found = table(log)
    return found


def _estimated(
    game: AnyGame,
    partners: Sequence[Agent],
    place: Seat,
    reward: str,
    situations: Situations,
    gamma: float,
    log: _Log,
) -> Abstraction:
    """Count what followed what, and what it paid."""
    steps = np.arange(len(log.alive) + 1)[:, None]
    index = situations.index(log.trust_and_last, log.partner_and_last, place.partners_norm, steps, game.spec.horizon)
    before, after = index[:-1], index[1:]
    known = np.unique(before[log.alive])
    # Episodes end where they are over, and in situations in which nobody has ever acted.
    state = np.full(situations.count, len(known))
    state[known] = np.arange(len(known))
    reached = np.where(log.ended, len(known), state[after])
    pairs = state[before][log.alive], log.actions[log.alive]
    shape = len(known), int(log.levels)
    visits, paid, moved = np.zeros(shape, np.int64), np.zeros(shape), np.zeros((*shape, len(known) + 1))
    np.add.at(visits, pairs, 1)
    np.add.at(paid, pairs, log.rewards[log.alive])
    np.add.at(moved, (*pairs, reached[log.alive]), 1.0)
    rows, source, times = np.arange(len(known))[:, None], _nearest_level(visits), np.maximum(visits, 1)
    transition = np.zeros((len(known) + 1, log.levels, len(known) + 1))
    transition[-1, :, -1] = 1.0
    transition[:-1] = (moved / times[..., None])[rows, source]
    rewards = np.concatenate([(paid / times)[rows, source], np.zeros((1, log.levels))])
    mdp = TabularMDP(transition, rewards, gamma)
    start = np.bincount(state[before[0]], minlength=len(known) + 1) / before.shape[1]
    levels = np.linspace(0.0, 1.0, log.levels)
    return Abstraction(game, partners, place.index, reward, situations, known, levels, mdp, start, visits)


def fidelity(abstraction: Abstraction, episodes: int = 64, seed: int = 0) -> Fidelity:
    """Play policies of an abstraction in its game: the optimal one, every level held, mixtures and random ones.

    Args:
        abstraction: to be examined.
        episodes: per policy.
        seed: of the random policies.
    """
    mdp = abstraction.mdp
    states, actions = mdp.reward.shape
    rng = np.random.default_rng(seed)
    policies = {
        "optimal": mdp.plan(mdp.optimal_values().argmax(-1)),
        **{f"always {level:.0%}": mdp.plan([k] * states) for k, level in enumerate(abstraction.levels)},
        "uniform": np.full((states, actions), 1.0 / actions),
        **{f"random {k}": mdp.plan(rng.integers(actions, size=states)) for k in range(5)},
    }
    promised = [abstraction.value(policy) for policy in policies.values()]
    played = [abstraction.played_value(policy, episodes) for policy in policies.values()]
    return Fidelity(tuple(policies), np.array(promised), np.array(played))


@dataclass(frozen=True)
class _Log:
    """Exploring play, ``(T, E)`` each; ``*_and_last`` have what was seen after the last step too."""

    trust_and_last: FloatArray
    partner_and_last: FloatArray
    actions: npt.NDArray[np.int64]
    rewards: FloatArray
    ended: npt.NDArray[np.bool_]
    alive: npt.NDArray[np.bool_]
    levels: int
    """How many there are."""

    def beside(self, other: _Log) -> _Log:
        """Return both plays, side by side; shorter episodes are over for the rest."""
        arrays = {}
        for name, mine in vars(self).items():
            if name != "levels":
                theirs, longest = vars(other)[name], max(len(mine), len(vars(other)[name]))
                both = [np.pad(each, ((0, longest - len(each)), (0, 0))) for each in (mine, theirs)]
                arrays[name] = np.concatenate(both, axis=1)
        return _Log(**arrays, levels=self.levels)

    @property
    def trust(self) -> FloatArray:
        return self.trust_and_last[:-1]


def _explored(
    game: AnyGame,
    partners: Sequence[Agent],
    place: Seat,
    layer: RewardLayer,
    levels: int,
    explorer: Agent,
    episodes: int,
    seed: int,
) -> _Log:
    agents = list(partners)
    agents.insert(place.index, explorer)
    seen, played = list[tuple[FloatArray, FloatArray]](), list[tuple[FloatArray, ...]]()
    for step in _steps(game, agents, layer.name, episodes, seed):
        seen.append(told_by(place, game.observe_seat(step.before, VIEW, place.index)))
        last = told_by(place, game.observe_seat(step.transition.state, VIEW, place.index))
        action = np.rint(step.actions[:, place.index] / place.endowment * (levels - 1)).astype(np.int64)
        alive = np.ones(episodes, dtype=bool) if step.alive is None else step.alive
        played.append((action, step.rewards[:, place.index], step.ended, alive))
    trust, partner = (np.stack(each) for each in zip(*seen, last, strict=True))
    actions, rewards, ended, alive = (np.stack(each) for each in zip(*played, strict=True))
    return _Log(trust, partner, actions, rewards, ended, alive, levels)


def _steps(game: AnyGame, agents: Sequence[Agent], reward: str, episodes: int, seed: int) -> Iterator[Step]:
    policy = seated(game, agents, [VIEW] * game.n_agents, reward, episodes, seed)
    chance = Seeded(range(seed, seed + episodes))
    return unroll(game, policy, batch=(episodes,), draws=chance, rewards=reward_layer(reward))


def _nearest_level(visits: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return for all pairs ``(K, A)`` the nearest level that was played enough in the situation, itself as a rule."""
    levels = np.arange(visits.shape[1])
    enough = np.minimum(FEWEST_VISITS, visits.max(-1, keepdims=True))
    apart = np.abs(levels[:, None] - levels) + np.where(visits >= enough, 0, len(levels))[:, None, :]
    return apart.argmin(-1)
