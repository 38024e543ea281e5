"""Environments that act in endowment units, whatever their edition, and the same play through every interface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
import pytest

import coopgym
from coopgym.games.registry import games
from coopgym.typing import FloatArray

GAMES = games()
MODES = ("private", "integrated", "cooperative")
VIEWS = ("own", "full", "minimal")
COMPILER = "ignore:.*is deprecated:DeprecationWarning"
"""Torch's compiler uses parts of torch that torch warns of."""
every_game = pytest.mark.parametrize("game_id", GAMES)
every_mode = pytest.mark.parametrize("mode", MODES)
every_view = pytest.mark.parametrize("view", VIEWS)
every_game_mode_and_view = pytest.mark.parametrize(
    ("game_id", "mode", "view"),
    [
        pytest.param(game, mode, view, marks=[pytest.mark.slow] if (g + m + v) % 3 else [])
        for g, game in enumerate(GAMES)
        for m, mode in enumerate(MODES)
        for v, view in enumerate(VIEWS)
    ],
)
"""A Latin square: by default every two of the three meet, all three only among the slow tests."""


@dataclass(frozen=True)
class Played:
    """Rewards ``(steps, N)`` and flags ``(steps,)`` of an episode, up to its end or the last action."""

    rewards: FloatArray
    terminated: npt.NDArray[np.bool_]
    truncated: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, steps: list[tuple[Any, bool, bool]]) -> Played:
        rewards, terminated, truncated = zip(*steps, strict=True)
        return cls(np.array(rewards, dtype=float), np.array(terminated), np.array(truncated))


def seat_env(game_id: str, actions: str | None = "units", **keywords: Any) -> Any:
    """An environment of one seat, without the checks that `gymnasium.make` wraps around it."""
    return gymnasium.make(f"coopgym/{game_id}", disable_env_checker=True, actions=actions, **keywords).unwrapped


def joint_env(game_id: str, **keywords: Any) -> Any:
    return seat_env(game_id, control="joint", **keywords)


def vector_env(game_id: str, num_envs: int, actions: str | None = "units", **keywords: Any) -> Any:
    return gymnasium.make_vec(f"coopgym/{game_id}", num_envs=num_envs, actions=actions, **keywords)


parallel_env = partial(coopgym.parallel_env, actions="units")
aec_env = partial(coopgym.aec_env, actions="units")
torch_env = partial(coopgym.torch_env, actions="units")


def random_actions(game_id: str, steps: int, seed: int = 3, **keywords: Any) -> FloatArray:
    spec = coopgym.spec(game_id, **keywords)
    share = np.random.default_rng(seed).random((steps, spec.n_agents))
    return np.asarray(share * spec.endowments)


def by_agent(env: Any, levels: Any) -> dict[str, Any]:
    return {agent: np.array([level]) for agent, level in zip(env.possible_agents, levels, strict=True)}


def through_joint(game_id: str, actions: FloatArray, /, seed: int = 0, **keywords: Any) -> Played:
    env = joint_env(game_id, **keywords)
    env.reset(seed=seed)
    steps = []
    for action in actions:
        _, reward, terminated, truncated, info = env.step(action)
        assert reward == pytest.approx(info["rewards"].sum(), rel=1e-12)
        steps.append((info["rewards"], terminated, truncated))
        if terminated or truncated:
            break
    return Played.of(steps)


def through_parallel(game_id: str, actions: FloatArray, /, seed: int = 0, **keywords: Any) -> Played:
    env = parallel_env(game_id, **keywords)
    env.reset(seed=seed)
    steps = []
    for action in actions:
        _, rewards, terminated, truncated, _ = env.step(by_agent(env, action))
        assert len({*terminated.values()}) == len({*truncated.values()}) == 1
        steps.append(([*rewards.values()], terminated["agent_0"], truncated["agent_0"]))
        if not env.agents:
            break
    return Played.of(steps)


def through_aec(game_id: str, actions: FloatArray, /, seed: int = 0, **keywords: Any) -> Played:
    env = aec_env(game_id, **keywords)
    env.reset(seed=seed)
    steps = []
    for action in actions:
        for level in action:
            assert not any(env.rewards.values()) or env.agent_selection == "agent_0"
            env.step(np.array([level]))
        ended = [flags["agent_0"] for flags in (env.terminations, env.truncations)]
        steps.append(([env.rewards[agent] for agent in env.agents], *ended))
        if any(ended):
            break
    return Played.of(steps)


def through_vector(game_id: str, actions: FloatArray, /, seed: int = 0, **keywords: Any) -> Played:
    """The first of three rows; the others play something else."""
    env = vector_env(game_id, 3, control="joint", **keywords)
    env.reset(seed=seed)
    steps = []
    for action in actions:
        _, reward, terminated, truncated, info = env.step(np.stack([action, 0.5 * action, 0.9 * action]))
        np.testing.assert_allclose(reward, info["rewards"].sum(-1), rtol=1e-12)
        steps.append((info["rewards"][0], terminated[0], truncated[0]))
        if terminated[0] or truncated[0]:
            break
    return Played.of(steps)


def through_torch(game_id: str, actions: FloatArray, /, seed: int = 0, **keywords: Any) -> Played:
    """The first of three rows; the others play something else."""
    torch = pytest.importorskip("torch")
    env = torch_env(game_id, 3, dtype=torch.float64, **keywords)
    env.reset(seed=seed)
    steps = []
    for action in torch.tensor(actions):
        _, rewards, terminated, truncated, _ = env.step(torch.stack([action, 0.5 * action, 0.9 * action]))
        steps.append((rewards[0].numpy(), bool(terminated[0]), bool(truncated[0])))
        if terminated[0] or truncated[0]:
            break
    return Played.of(steps)


PLAYERS: dict[str, Callable[..., Played]] = {
    "joint": through_joint,
    "parallel": through_parallel,
    "aec": through_aec,
    "vector": through_vector,
    "torch": through_torch,
}
