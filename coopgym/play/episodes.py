"""Play a game with any agents in its seats and keep what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from coopgym.agents.base import Agent, Seat, action_logprobs, check_distinct_agents, joint_actions
from coopgym.agents.claims import claim
from coopgym.games.game import AnyGame, checked_view
from coopgym.games.spec import View
from coopgym.games.state import State
from coopgym.games.step import Step
from coopgym.play.draws import Seeded
from coopgym.play.unroll import Policy, Totals, counted, unroll
from coopgym.rewards import MODES, RewardLayer, reward_layer
from coopgym.typing import FloatArray


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
    trajectory: Trajectory | None = None

    @classmethod
    def of(cls, game: AnyGame, totals: Totals, trajectory: Trajectory | None = None) -> Episodes:
        """Return the episodes ``(E,)`` that the totals of all their steps describe."""
        diagnostics = {name: np.asarray(value) for name, value in game.diagnostics(totals.last).items()}
        return cls(
            returns=totals.rewards,
            payoffs=totals.payoffs,
            cooperation=totals.shares / totals.lengths[:, None],
            lengths=totals.lengths,
            terminated=totals.terminated.astype(np.float64),
            final={
                name: value.astype(np.float64)
                for name, value in diagnostics.items()
                if value.shape == totals.lengths.shape and value.dtype.kind in "biuf"
            },
            trajectory=trajectory,
        )


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
    watch: Callable[[Step], object] | None = None,
) -> Episodes:
    """Play ``episodes`` parallel episodes with one agent per seat.

    Args:
        game: a game on the NumPy backend.
        agents: one agent per seat.
        reward: the mode that agents are told and trajectories record; its transforms, which are for learning, are left
            out.
        views: what each seat sees; None is the game's default view.
        episodes: episodes played side by side, the k-th reset with seed ``seed + k``.
        seed: also the root of every agent's own generator.
        record: keep step records.
        watch: is told every step, to keep what of it is wanted.

    Raises:
        ValueError: the number of agents is wrong, one of them has two seats, or its actions are not playable.

    >>> from coopgym.agents import make_agent
    >>> result = play(coopgym.make_game("TrustDilemma-v1"), [make_agent("TitForTat"), make_agent("Constant_20")])
    >>> result.cooperation, result.payoffs.round(1), result.final["mean_trust"].round(2)
    (array([[0.203, 0.2  ]]), array([[108.9, 109.4]]), array([0.05]))
    """
    if episodes < 1:
        raise ValueError(f"episodes={episodes!r}: expected a whole number of at least 1")
    layer = reward_layer(reward).evaluated
    layer.check(game)
    seat_views = _seat_views(game, views)
    policy = seated(game, agents, seat_views, layer.name, episodes, seed)
    totals, recorded = Totals([*MODES.values(), layer]), []
    chance = Seeded(range(seed, seed + episodes))
    for step in unroll(game, policy, batch=(episodes,), draws=chance, rewards=layer):
        totals.add(step)
        if watch is not None:
            watch(step)
        if record:
            recorded.append(_recorded(step, seat_views[0], action_logprobs(agents, episodes)))
    trajectory = _joined(recorded, game.observe(totals.last, seat_views[0])) if record else None
    return Episodes.of(game, totals, trajectory)


def seated(
    game: AnyGame, agents: Sequence[Agent], views: Sequence[View], reward: str, episodes: int, seed: int
) -> Policy:
    """Let agents begin, one per seat, and return the policy that they are together.

    Args:
        game: on the NumPy backend.
        agents: one agent per seat.
        views: what each seat sees.
        reward: the mode that they are told.
        episodes: episodes played side by side.
        seed: root of every agent's own generator.

    Raises:
        ValueError: the number of agents is wrong, or one of them has two seats.

    >>> from coopgym.agents import make_agent
    >>> game, agents = coopgym.make_game("TrustDilemma-v1"), [make_agent("Constant_20"), make_agent("Constant_80")]
    >>> policy = seated(game, agents, ["own", "own"], "private", episodes=1, seed=0)
    >>> policy(0, game.initial_state((1,)))
    array([[20., 80.]])
    """
    if len(agents) != game.n_agents:
        raise ValueError(f"{game.id}: expected {game.n_agents} agents, one per seat, got {len(agents)}")
    check_distinct_agents(game, agents)
    claim(agents, object())
    streams = np.random.default_rng(seed).spawn(game.n_agents)
    for i, (agent, stream) in enumerate(zip(agents, streams, strict=True)):
        agent.begin(Seat.of(game, i, views[i], reward), episodes, stream)

    def answered(t: int, state: State) -> FloatArray:
        seen = {view: game.observe(state, view) for view in set(views)}
        asked = [(i, agent, seen[views[i]][:, i]) for i, agent in enumerate(agents)]
        return np.stack(joint_actions(game, asked), axis=1)

    return answered


def _seat_views(game: AnyGame, views: View | Sequence[View] | None) -> list[View]:
    if views is None or isinstance(views, str):
        return [checked_view(game, views)] * game.n_agents
    if len(views) != game.n_agents:
        raise ValueError(f"{game.id}: expected one view or {game.n_agents} views, got {len(views)}")
    return [checked_view(game, view) for view in views]


def _recorded(step: Step, view: View, logprobs: FloatArray) -> dict[str, FloatArray]:
    """The record of one step, by the names of `Trajectory`."""
    transition = step.transition
    values = {
        "observations": step.game.observe(step.before, view),
        "actions": step.actions,
        "shares": step.actions / step.game.spec.endowments,
        "logprobs": logprobs,
        "payoffs": transition.payoffs,
        "rewards": step.rewards,
        "trust": transition.state.trust,
        "damage": transition.state.damage,
        "alive": np.ones(len(step.actions)),
        "terminated": transition.terminated.astype(np.float64),
        "truncated": transition.truncated.astype(np.float64),
    }
    return {name: counted(step, value) for name, value in values.items()}


def _joined(steps: Sequence[dict[str, FloatArray]], final: FloatArray) -> Trajectory:
    records = {name: np.stack([step[name] for step in steps]) for name in steps[0]}
    return Trajectory(**records, final_observations=np.asarray(final, dtype=np.float64))
