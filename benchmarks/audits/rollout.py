"""Play many ways of playing a game in one batch, in which only time is a loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coopgym.benchmarks.audits.action_plan import Chance, Conduct
from coopgym.benchmarks.metrics import evaluation_metrics
from coopgym.games.game import AnyGame, checked_view
from coopgym.games.spec import View
from coopgym.games.state import State
from coopgym.oracles.dynamic.unilateral_play import Agents
from coopgym.play import NOMINAL, Engine, Episodes, Policy, Totals, seated, unroll
from coopgym.rewards import MODES, RewardLayer, Rewards, reward_layer
from coopgym.typing import FloatArray

TRUST_AT_ONCE = 50_000
"""Entries of trust matrices in one batch: few enough to stay in a processor's cache."""


@dataclass(frozen=True, eq=False)
class Outcome:
    """What W ways to play come to, each as a mean over its episodes."""

    returns: FloatArray
    """``(W, N)`` undiscounted returns under the reward."""
    spread: FloatArray
    """``(W, N)`` standard deviations of the returns over episodes, divided by n."""
    payoffs: FloatArray
    """``(W, N)`` sums of material payoffs."""
    lengths: FloatArray
    """``(W,)`` steps played."""
    trust: FloatArray
    """``(W,)`` mean trust between different seats at the end."""

    @property
    def means(self) -> FloatArray:
        """``(W,)`` mean return over seats."""
        return self.returns.mean(axis=1)


def outcome(game: AnyGame, reward: str | RewardLayer, conduct: Conduct, chance: Chance) -> Outcome:
    """Play W ways under one reward, E episodes each. Payoff noise is at its mean."""
    layer, per_way = reward_layer(reward).evaluated, chance.episodes * game.n_agents**2
    parts = []
    for ways in _blocks(len(conduct), max(1, TRUST_AT_ONCE // per_way)):
        part = conduct[ways].repeated(chance.episodes)
        episodes = rollout(game, [layer], chance.start(game, ways), fixed_in_advance(part))
        parts.append(_summed_up(episodes, layer, chance.episodes))
    return Outcome(**{name: np.concatenate([vars(part)[name] for part in parts]) for name in vars(parts[0])})


def outcome_among(
    game: AnyGame,
    reward: str | RewardLayer,
    agents: Agents,
    conduct: Conduct,
    chance: Chance,
    view: View | None = None,
    seed: int = 0,
) -> tuple[Outcome, FloatArray]:
    """Play W ways with agents in all seats, who move whenever the conduct leaves a move to them.

    Args:
        game: on the NumPy backend.
        reward: what is counted, and what agents are told.
        agents: makes one fresh agent per seat.
        conduct: W ways; NaN leaves a move to the agent.
        chance: of the resets.
        view: what all seats see; None is the game's default view.
        seed: root of the agents' generators.

    Returns:
        The outcome, and the shares of endowment that were played, ``(T, W, N)``; 0 after an episode's end.

    Raises:
        ValueError: the agents are not one per seat, or their actions are not playable.
    """
    layer = reward_layer(reward).evaluated
    players = Seated(game, agents, layer.name, conduct.repeated(chance.episodes), checked_view(game, view), seed)
    episodes = rollout(game, [layer], chance.start(game, slice(0, len(conduct))), players)
    shares = np.stack(players.shares)
    shares *= np.arange(len(shares))[:, None, None] < episodes.lengths[:, None]
    played = shares.reshape(len(shares), len(conduct), chance.episodes, game.n_agents).mean(axis=2)
    return _summed_up(episodes, layer, chance.episodes), played


def evaluation(game: AnyGame, reward: str, held: FloatArray, chance: Chance) -> dict[str, Any]:
    """Return the evaluation columns of ``runs`` for actions ``(N,)`` that everybody holds."""
    layer = reward_layer(reward).evaluated
    layers = list({**MODES, layer.name: layer}.values())
    conduct = Conduct.levels(held[None]).repeated(chance.episodes)
    episodes = rollout(game, layers, chance.start(game, slice(0, 1)), fixed_in_advance(conduct))
    return evaluation_metrics(episodes, layer.name)


def fixed_in_advance(conduct: Conduct) -> Policy:
    """Choose what a conduct says, whatever the state."""
    return lambda t, _: conduct.at(t)


def rollout(game: AnyGame, layers: Sequence[Rewards], start: State, choose: Policy) -> Episodes:
    """Play a batch of episodes to their ends; steps after an episode's end do not count.

    Args:
        game: on the NumPy backend.
        layers: rewards to read the play under.
        start: states ``(rows,)`` after reset.
        choose: the joint actions of each step, within range.
    """
    return Episodes.of(game, Totals.of(unroll(game, choose, start=start, draws=NOMINAL), layers))


class Seated:
    """Agents that play unless a conduct moves for them. Keeps the shares of endowment that are played."""

    def __init__(self, game: AnyGame, agents: Agents, reward: str, conduct: Conduct, view: View, seed: int) -> None:
        """Seat fresh agents, one row of the conduct per episode; the rest as in `outcome_among`."""
        self._game, self._conduct = game, conduct
        self._policy = seated(game, agents(), [view] * game.n_agents, reward, len(conduct), seed)
        self._engine = Engine(game, reward, (len(conduct),))
        self.shares: list[FloatArray] = []
        """``(rows, N)`` shares of endowment of every step so far."""

    def __call__(self, t: int, state: State) -> FloatArray:
        """Return the joint actions ``(rows, N)`` of step t."""
        own, forced = self._policy(t, state), self._conduct.at(t)
        actions: FloatArray = self._engine.check(np.where(np.isnan(forced), own, forced))
        self.shares.append(actions / self._game.endowments)
        return actions


def _blocks(count: int, size: int) -> Iterator[slice]:
    for first in range(0, count, size):
        yield slice(first, min(first + size, count))


def _summed_up(episodes: Episodes, layer: Rewards, per_way: int) -> Outcome:
    def by_way(array: FloatArray) -> FloatArray:
        return array.reshape(-1, per_way, *array.shape[1:])

    returns = by_way(episodes.returns[layer.name])
    return Outcome(
        returns=returns.mean(axis=1),
        spread=returns.std(axis=1),
        payoffs=by_way(episodes.payoffs).mean(axis=1),
        lengths=by_way(episodes.lengths).mean(axis=1),
        trust=by_way(episodes.final["mean_trust"]).mean(axis=1),
    )
