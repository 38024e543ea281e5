"""Play a game with any agents in its seats and keep what happened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.agents.base import Agent, FloatArray, Seat, action_logprobs, joint_answers, refuse_shared
from coopgym.agents.claims import claim
from coopgym.games.game import AnyGame, Transition
from coopgym.games.spec import View
from coopgym.games.state import State, select
from coopgym.interfaces.engine import Engine
from coopgym.interfaces.spaces import checked_view
from coopgym.rewards import MODES, RewardLayer, reward_layer


@dataclass(frozen=True)
class Episodes:
    """Finished episodes as arrays: E episodes, T steps (the longest), N agents.

    Steps after an episode's end hold zeros in every array; ``lengths`` tells where it ended.
    """

    returns: dict[str, FloatArray]
    """Undiscounted return ``(E, N)`` under private, integrated and cooperative rewards and the mode asked for."""
    payoffs: FloatArray
    """``(E, N)`` sums of material payoffs."""
    cooperation: FloatArray
    """``(E, N)`` mean share of endowment played."""
    lengths: FloatArray
    """``(E,)`` steps played."""
    terminated: FloatArray
    """``(E,)`` 1 where the relation ended before the horizon."""
    final: dict[str, FloatArray]
    """What the game tells of the last state in one number per episode, ``(E,)`` each; mean_trust, mean_effective_trust
    and mean_reputation_damage are always among them."""
    trajectory: Trajectory | None


@dataclass(frozen=True)
class Trajectory:
    """Step records, time first: ``(T, E, ...)``."""

    observations: FloatArray
    """``(T, E, N, obs_dim)`` what each seat saw before acting, in the recorded view."""
    actions: FloatArray
    """``(T, E, N)`` in endowment units."""
    shares: FloatArray
    """``(T, E, N)`` the same as shares of the endowments."""
    logprobs: FloatArray
    """``(T, E, N)`` how likely agents were to choose them (`coopgym.agents.Agent.act`); NaN where nobody says."""
    payoffs: FloatArray
    rewards: FloatArray
    """``(T, E, N)`` in the mode that was asked for."""
    trust: FloatArray
    """``(T, E, N, N)`` after the step."""
    damage: FloatArray
    alive: FloatArray
    """``(T, E)`` 1 while the episode was running when the step was taken."""
    terminated: FloatArray
    truncated: FloatArray
    final_observations: FloatArray
    """``(E, N, obs_dim)`` what each seat saw after the last step of its episode."""


def play(
    game: AnyGame,
    agents: Sequence[Agent],
    *,
    reward: str | RewardLayer = "integrated",
    views: View | Sequence[View] | None = None,
    episodes: int = 1,
    seed: int = 0,
    record: bool = False,
) -> Episodes:
    """Play ``episodes`` parallel episodes with one agent per seat.

    Args:
        game: a game on the NumPy backend.
        agents: one agent per seat.
        reward: the mode that agents are told and trajectories record.
        views: what each seat sees; None is the game's default view.
        episodes: episodes played side by side, the k-th reset with seed ``seed + k``.
        seed: also the root of every agent's own generator.
        record: keep step records.

    Raises:
        ValueError: the number of agents is wrong, one of them has two seats, or its actions are not playable.
    """
    if episodes < 1:
        raise ValueError(f"episodes={episodes!r}: expected a whole number of at least 1")
    if len(agents) != game.n_agents:
        raise ValueError(f"{game.id}: expected {game.n_agents} agents, one per seat, got {len(agents)}")
    refuse_shared(game, agents)
    layer = reward_layer(reward)
    seat_views = _seat_views(game, views)
    engine = Engine(game, layer, (episodes,))
    engine.reset(seed)
    claim(agents, object())
    streams = np.random.default_rng(seed).spawn(game.n_agents)
    for i, (agent, stream) in enumerate(zip(agents, streams, strict=True)):
        agent.begin(Seat.of(game, i, seat_views[i], layer.name), episodes, stream)
    tally = _Tally(game, layer, episodes, seat_views[0] if record else None)
    while tally.running.any():
        observations = {view: game.observe(engine.state, view) for view in set(seat_views)}
        asked = [(i, agent, observations[seat_views[i]][:, i]) for i, agent in enumerate(agents)]
        actions = np.stack(joint_answers(game, asked), axis=1)
        transition, rewards = engine.advance(actions)
        logprobs = action_logprobs(agents, episodes) if record else None
        tally.add(observations[seat_views[0]], actions, logprobs, rewards, transition)
    return tally.result()


def _seat_views(game: AnyGame, views: View | Sequence[View] | None) -> list[View]:
    if views is None or isinstance(views, str):
        return [checked_view(game, views)] * game.n_agents
    if len(views) != game.n_agents:
        raise ValueError(f"{game.id}: expected one view or {game.n_agents} views, got {len(views)}")
    return [checked_view(game, view) for view in views]


class _Tally:
    """Adds up what happens until every episode has ended; steps after an episode's end do not count."""

    def __init__(self, game: AnyGame, layer: RewardLayer, episodes: int, recorded: View | None) -> None:
        self._game = game
        self._recorded = recorded
        self._layers = {**MODES, layer.name: layer}
        shape = (episodes, game.n_agents)
        self.running = np.ones(episodes, dtype=bool)
        self._returns = {name: np.zeros(shape) for name in self._layers}
        self._payoffs = np.zeros(shape)
        self._cooperation = np.zeros(shape)
        self._lengths = np.zeros(episodes)
        self._terminated = np.zeros(episodes)
        self._final: State | None = None
        self._steps: list[dict[str, FloatArray]] = []

    def add(
        self,
        observations: FloatArray,
        actions: FloatArray,
        logprobs: FloatArray | None,
        rewards: FloatArray,
        transition: Transition,
    ) -> None:
        game, alive = self._game, self.running[:, None]
        shares = actions / game.spec.endowments * alive
        for name, layer in self._layers.items():
            self._returns[name] += layer(game, transition) * alive
        self._payoffs += transition.payoffs * alive
        self._cooperation += shares
        self._lengths += self.running
        ended = self.running & (transition.terminated | transition.truncated)
        self._terminated += ended & transition.terminated
        self._final = (
            transition.state if self._final is None else select(game.xp, self.running, transition.state, self._final)
        )
        if logprobs is not None:
            self._steps.append(
                {
                    "observations": observations * alive[..., None],
                    "actions": actions * alive,
                    "shares": shares,
                    "logprobs": np.where(alive, logprobs, 0.0),
                    "payoffs": transition.payoffs * alive,
                    "rewards": rewards * alive,
                    "trust": transition.state.trust * alive[..., None],
                    "damage": transition.state.damage * alive[..., None],
                    "alive": self.running.astype(np.float64),
                    "terminated": (transition.terminated & self.running).astype(np.float64),
                    "truncated": (transition.truncated & self.running).astype(np.float64),
                }
            )
        self.running = self.running & ~ended

    def result(self) -> Episodes:
        assert self._final is not None  # every episode has at least one step
        diagnostics = {name: np.asarray(value) for name, value in self._game.diagnostics(self._final).items()}
        trajectory = None
        if self._recorded is not None:
            records = {name: np.stack([step[name] for step in self._steps]) for name in self._steps[0]}
            final = self._game.observe(self._final, self._recorded)
            trajectory = Trajectory(**records, final_observations=np.asarray(final, dtype=np.float64))
        return Episodes(
            returns=self._returns,
            payoffs=self._payoffs,
            cooperation=self._cooperation / self._lengths[:, None],
            lengths=self._lengths,
            terminated=self._terminated,
            final={
                name: value.astype(np.float64)
                for name, value in diagnostics.items()
                if value.shape == self._lengths.shape and value.dtype.kind in "biuf"
            },
            trajectory=trajectory,
        )
