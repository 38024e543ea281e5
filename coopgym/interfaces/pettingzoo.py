"""PettingZoo environments: all agents at once (Parallel) or one after the other (AEC)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box
from pettingzoo.utils.env import AECEnv, ParallelEnv

from coopgym.backend import Array
from coopgym.games.actions import real_numbers
from coopgym.games.game import AnyGame, checked_view
from coopgym.games.registry import make_game
from coopgym.games.state import State
from coopgym.interfaces.info import Info
from coopgym.interfaces.rendering import FRAMES_PER_SECOND, RENDER_MODES, Renderer
from coopgym.interfaces.spaces import (
    Observation,
    Space,
    joined_space,
    seat_action_space,
    seat_observation_space,
)
from coopgym.play.engine import Engine
from coopgym.registration import register_with_pettingzoo
from coopgym.rewards import RewardLayer
from coopgym.typing import Frame

register_with_pettingzoo()

Action = npt.NDArray[np.float32]


def _metadata(game: AnyGame) -> dict[str, Any]:
    return {
        "name": game.id,
        "render_modes": list(RENDER_MODES),
        "render_fps": FRAMES_PER_SECOND,
        "is_parallelizable": True,
    }


def _infos(game: AnyGame, agents: list[str], state: State, payoffs: npt.NDArray[np.float64]) -> dict[str, Info]:
    """Each agent's own bookkeeping in NumPy's numbers: what an agent may know about itself, and its payoff."""
    step = state.t[()]
    shares = state.last_action * game.action_scale
    levels = shares * game.spec.endowments
    trust = state.trust @ game.equal_weights
    return {
        agent: {"step": step, "own_action": level, "own_trust_mean": mean, "cooperation_rate": share, "payoff": payoff}
        for agent, level, mean, share, payoff in zip(agents, levels, trust, shares, payoffs, strict=True)
    }


def _with_horizon(parameters: dict[str, Any], max_cycles: int | None) -> dict[str, Any]:
    """Parameters of a game of which ``max_cycles`` is PettingZoo's name for ``max_steps``."""
    if max_cycles is None:
        return parameters
    if "max_steps" in parameters:
        raise TypeError("max_cycles and max_steps are two names of the horizon; expected one of them")
    return {**parameters, "max_steps": max_cycles}


class CoopParallelEnv(ParallelEnv[str, Observation, Action]):
    """All agents act at once.

    Actions: per agent ``(1,)`` (or a number), how much it cooperates. Observations: what the agent's seat sees under
    the view. ``infos`` hold step, own action in endowment units, own mean trust, cooperation rate (the same action as a
    share of the endowment) and payoff.

    Where newcomers take seats (``entry=True``), the agent that is replaced is terminated and the newcomer is in
    ``agents`` from then on, under a name of its own, as nobody comes back to life in PettingZoo: of N seats,
    ``agent_k`` sits in seat k modulo N.

    Args:
        id: for example ``"TrustDilemma-v1"``.
        reward: text, a mode or `Rewards`, as `coopgym.reward_layer` takes it.
        view: ``"own"``, ``"full"``, ``"minimal"`` or None for the game's default.
        actions: ``"symmetric"``, ``"share"`` or ``"units"``, as in `coopgym.interfaces.gymnasium.make_env`.
        render_mode: ``"ansi"``, ``"human"``, ``"rgb_array"`` or None.
        max_cycles: PettingZoo's name for the horizon, ``max_steps``; None for the game's own.
        parameters: keywords of the game.

    Attributes:
        max_cycles: the horizon; a smaller number set later truncates episodes earlier, and changes nothing else.

    Raises:
        ValueError: an unknown id, reward, view, unit of actions or render mode, or a parameter out of range.
        TypeError: an unknown parameter, or the horizon given twice.

    >>> env = CoopParallelEnv("TrustDilemma-v1", reward="private", actions="share")
    >>> observations, infos = env.reset(seed=0)
    >>> observations, rewards, *_ = env.step({"agent_0": 0.0, "agent_1": 1.0})
    >>> {agent: round(float(reward), 2) for agent, reward in rewards.items()}
    {'agent_0': 1.23, 'agent_1': -0.49}
    """

    def __init__(
        self,
        id: str,
        reward: str | RewardLayer = "integrated",
        view: str | None = None,
        actions: str | None = None,
        render_mode: str | None = None,
        max_cycles: int | None = None,
        **parameters: Any,
    ) -> None:
        self.game = make_game(id, **_with_horizon(parameters, max_cycles))
        self.metadata = _metadata(self.game)
        self.view = checked_view(self.game, view)
        self.render_mode = render_mode
        self.max_cycles = self.game.spec.horizon
        self._entries_before: Array = None
        n = self.game.n_agents
        self.possible_agents = [f"agent_{k}" for k in range(n * (1 + self.game.most_entries))]
        self.agents: list[str] = []
        self.engine = Engine(self.game, reward, actions=actions)
        actions_of = [seat_action_space(self.engine.scale, seat) for seat in range(n)]
        seen_by = [seat_observation_space(self.game, self.view, self.engine.scale, seat) for seat in range(n)]
        self.action_spaces = {agent: actions_of[k % n] for k, agent in enumerate(self.possible_agents)}
        self.observation_spaces = {agent: seen_by[k % n] for k, agent in enumerate(self.possible_agents)}
        self.state_space = joined_space(seen_by)
        self._renderer = Renderer(self.game, render_mode)

    @property
    def unwrapped(self) -> CoopParallelEnv:
        return self

    def observation_space(self, agent: str) -> Space:
        """Observation space of an agent, always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space:
        """Action space of an agent, always the same object."""
        return self.action_spaces[agent]

    def _observations(self) -> dict[str, Observation]:
        seen = self.game.observe(self.engine.state, self.view).astype(np.float32)
        return {agent: own.copy() for agent, own in zip(self.agents, seen, strict=True)}

    def reset(
        self, seed: int | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, Info]]:
        """Start an episode; options as in `Engine.reset`."""
        # PettingZoo's own conformance test passes a placeholder of this name; every other unknown option is an error.
        known = options
        if isinstance(options, Mapping):
            known = {name: value for name, value in options.items() if name != "options"}
        self.engine.reset(seed, known)
        self._entries_before = self.game.entries(self.engine.state)
        self.agents = self.possible_agents[: self.game.n_agents]
        self._renderer.restart(self.engine.state)
        return self._observations(), _infos(self.game, self.agents, self.engine.state, np.zeros(self.game.n_agents))

    def step(
        self, actions: Mapping[str, Any]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, Info]]:
        """Play one joint step.

        Raises:
            ValueError: an agent without an action, an unknown agent, or an action that is not playable.
            RuntimeError: the episode is over.
        """
        if not self.agents:
            raise RuntimeError(f"{self.game.id}: the episode is over (or never began); call reset() before step()")
        return self.advance(self.engine.check(self._joint(actions)))

    def advance(
        self, levels: npt.NDArray[np.float64]
    ) -> tuple[dict[str, Observation], dict[str, float], dict[str, bool], dict[str, bool], dict[str, Info]]:
        """Play one joint step of checked cooperation levels ``(N,)`` in endowment units."""
        agents = self.agents
        transition, rewards = self.engine.advance(levels)
        state = transition.state
        terminated, truncated = bool(transition.terminated), bool(transition.truncated or state.t >= self.max_cycles)
        self._renderer.note(state, transition.payoffs)
        told = (
            self._observations(),
            dict(zip(agents, rewards.tolist(), strict=True)),
            dict.fromkeys(agents, terminated),
            dict.fromkeys(agents, truncated),
            _infos(self.game, agents, state, transition.payoffs),
        )
        if terminated or truncated:
            self.agents = []
        elif self.game.most_entries:
            self._seat_newcomers(state, levels, *told)
        return told

    def _seat_newcomers(
        self,
        state: State,
        levels: npt.NDArray[np.float64],
        observations: dict[str, Observation],
        rewards: dict[str, float],
        terminations: dict[str, bool],
        truncations: dict[str, bool],
        infos: dict[str, Info],
    ) -> None:
        """Let newcomers follow whom they replace, who is told that its time is over, and begin with nothing earned."""
        n, entries = self.game.n_agents, self.game.entries(state) - self._entries_before
        occupants = [self.possible_agents[seat + n * turn] for seat, turn in enumerate(entries.tolist())]
        for seat, (old, new) in enumerate(zip(self.agents, occupants, strict=True)):
            if new != old:
                observations[new], infos[new] = observations[old].copy(), {**infos[old], "payoff": np.float64(0.0)}
                rewards[new], terminations[new], truncations[new] = 0.0, False, False
                terminations[old] = True
                played = levels[seat]
                infos[old] |= {"own_action": played, "cooperation_rate": played / self.game.spec.endowments[seat]}
        self.agents = occupants

    def _joint(self, actions: Mapping[str, Any]) -> npt.NDArray[np.float64]:
        try:
            numbers = [actions[agent] for agent in self.agents]
        except (KeyError, TypeError) as error:
            raise self._misaddressed(actions) from error
        if len(actions) != len(numbers):
            raise self._misaddressed(actions)
        try:
            joint = np.array(real_numbers(numbers), dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{self.game.id}: expected one number of shape (1,) per agent: {error}") from error
        if joint.size != len(numbers):
            raise ValueError(
                f"{self.game.id}: expected one number of shape (1,) per agent, got shape {joint.shape[1:]}"
            )
        return joint.reshape(-1)

    def _misaddressed(self, actions: Any) -> ValueError:
        given = list(actions) if isinstance(actions, Mapping) else actions
        return ValueError(f"{self.game.id}: expected a dictionary of actions for {self.agents}, got {given}")

    def state(self) -> Observation:
        """Return the observations of all agents, one after the other."""
        return self.game.observe(self.engine.state, self.view).astype(np.float32).reshape(-1)

    def render(self) -> str | Frame | None:
        """Draw the current state in the render mode; None without one."""
        return self._renderer.render(self.engine.state)

    def close(self) -> None:
        """Nothing to release."""


class CoopAECEnv(AECEnv[str, Observation, Action]):
    """Agents act in seat order; the joint step is played when the last of them has acted.

    Where a game reveals moves (the released edition, as in the reference) an observation ends with what earlier movers
    of this round have played, in endowment units, -1 while unknown. In the formal edition moves stay simultaneous.
    Arguments and errors as in `CoopParallelEnv`.

    >>> env = CoopAECEnv("TrustDilemma-v1", reward="private", actions="share")
    >>> env.reset(seed=0)
    >>> for agent in env.agent_iter(max_iter=2):
    ...     env.step(np.array([0.3]))
    >>> env.agent_selection, round(float(env.rewards["agent_0"]), 2)
    ('agent_0', 1.69)
    """

    def __init__(
        self,
        id: str,
        reward: str | RewardLayer = "integrated",
        view: str | None = None,
        actions: str | None = None,
        render_mode: str | None = None,
        max_cycles: int | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__()
        self._parallel = CoopParallelEnv(id, reward, view, actions, render_mode, max_cycles, **parameters)
        self.game = self._parallel.game
        self.metadata = self._parallel.metadata
        self.render_mode = render_mode
        self.possible_agents = self._parallel.possible_agents
        self.agents: list[str] = []
        self.action_spaces = self._parallel.action_spaces
        self.state_space = self._parallel.state_space
        self._reveals = self.game.spec.reveals_moves
        self.observation_spaces = {
            agent: self._with_revealed(space) for agent, space in self._parallel.observation_spaces.items()
        }

    @property
    def max_cycles(self) -> int:
        """After how many rounds an episode is truncated, if not earlier at the horizon."""
        return self._parallel.max_cycles

    @max_cycles.setter
    def max_cycles(self, rounds: int) -> None:
        self._parallel.max_cycles = rounds

    def _with_revealed(self, space: Space) -> Space:
        if not self._reveals:
            return space
        upper = self.game.spec.endowments.astype(np.float32)
        low = np.concatenate([space.low, np.full_like(upper, -1.0)])
        return Box(low, np.concatenate([space.high, upper]), dtype=np.float32)

    def observation_space(self, agent: str) -> Space:
        """Observation space of an agent, always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Space:
        """Action space of an agent, always the same object."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: Mapping[str, Any] | None = None) -> None:
        """Start an episode; options as in `Engine.reset`."""
        self._observations, self.infos = self._parallel.reset(seed, options)
        self.agents = self._parallel.agents[:]
        self.rewards = dict.fromkeys(self.agents, 0.0)
        self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
        self.terminations = dict.fromkeys(self.agents, False)
        self.truncations = dict.fromkeys(self.agents, False)
        self._moves: dict[str, float] = {}
        self.agent_selection = self.agents[0]

    def observe(self, agent: str) -> Observation:
        """Return what an agent sees now."""
        seen = self._observations[agent]
        if not self._reveals:
            return seen.copy()
        revealed = [self._moves.get(other, -1.0) for other in self.game.spec.agents]
        return np.concatenate([seen, np.asarray(revealed, dtype=np.float32)])

    def step(self, action: Any) -> None:
        """Take the selected agent's action; finished agents must pass None.

        Raises:
            ValueError: an action that is not playable, at once and with nothing changed.
            RuntimeError: the episode is over.
        """
        if not self.agents:
            raise RuntimeError(f"{self.game.id}: the episode is over (or never began); call reset() before step()")
        agent = self.agent_selection
        if self.terminations[agent] or self.truncations[agent]:
            self._was_dead_step(action)
            return
        movers = self._parallel.agents
        seat = movers.index(agent)
        self._moves[agent] = float(self._parallel.engine.check_seat(seat, action))
        self._cumulative_rewards[agent] = 0.0
        if seat + 1 < len(movers):
            self.agent_selection = movers[seat + 1]
            self._clear_rewards()
            return
        self._observations, self.rewards, self.terminations, self.truncations, self.infos = self._parallel.advance(
            np.array(list(self._moves.values()))
        )
        self._moves = {}
        going_on = self._parallel.agents
        over = [agent for agent in self.rewards if self.terminations[agent] or self.truncations[agent]]
        self.agents = over + going_on
        self.agent_selection = (going_on or over)[0]
        self._cumulative_rewards = {agent: self._cumulative_rewards.get(agent, 0.0) for agent in self.agents}
        self._accumulate_rewards()
        if going_on:
            self._deads_step_first()

    def state(self) -> Observation:
        """Return the observations of all agents, one after the other."""
        return self._parallel.state()

    def render(self) -> str | Frame | None:
        """Draw the current state in the render mode; None without one."""
        return self._parallel.render()

    def close(self) -> None:
        """Nothing to release."""


parallel_env = CoopParallelEnv
"""The name under which `coopgym` offers it, as PettingZoo's own environments do."""

aec_env = CoopAECEnv
"""Likewise."""
