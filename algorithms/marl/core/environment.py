"""What learners ask of an environment, and how its observations and rewards are brought to a common scale.

Beside that the compact global state, which centralised critics and mixers see, and what tells the seats of a shared
network apart.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, runtime_checkable

import numpy as np
import torch
from torch import Tensor

import coopgym
from coopgym.algorithms.common.learner_contract import Objective
from coopgym.algorithms.common.policies import input_map
from coopgym.algorithms.common.random_streams import Replica
from coopgym.games.game import Game
from coopgym.games.spec import View
from coopgym.games.state import State


class Environment(Protocol):
    """A batch of episodes on one device, as `coopgym.torch_env` makes it. Arrays lead with the batch ``(R, B)``."""

    @property
    def game(self) -> Game[Any]:
        """The configured game."""

    @property
    def view(self) -> View:
        """What seats see."""

    @property
    def observation_size(self) -> int:
        """Length of one seat's observation."""

    state: State
    """What holds now; assigning one continues from it."""

    def reset(self, seed: int | Sequence[int] | None = None) -> Tensor:
        """Start all episodes and return observations ``(*batch, N, observation_size)``."""

    def step(self, actions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, dict[str, Any]]:
        """Play actions ``(*batch, N)`` in endowment units; finished episodes start again in the same call."""


@runtime_checkable
class RemembersRewards(Protocol):
    """An environment whose rewards remember what was. One of a user's own need not be any."""

    reward_state: dict[str, Tensor]
    """What transforms of rewards remember, by name; assigning one continues from it."""


def reward_state(environment: Environment) -> dict[str, Tensor]:
    """Return what the rewards of an environment remember."""
    return environment.reward_state if isinstance(environment, RemembersRewards) else {}


def restore_rewards(environment: Environment, state: Mapping[str, Tensor]) -> None:
    """Let the rewards of an environment continue from what `reward_state` returned."""
    if isinstance(environment, RemembersRewards):
        environment.reward_state = dict(state)


EnvironmentFactory: TypeAlias = Callable[..., Environment]
"""Makes an environment from ``num_envs`` and the keywords ``device``, ``reward``, ``dtype`` and ``validate``."""


@dataclass(slots=True)
class EnvironmentStep:
    """What one step of a batch of episodes brought. Arrays lead with the batch."""

    shares: Tensor
    """``(*batch, N)`` of endowment played."""
    rewards: Tensor
    """``(*batch, N)``."""
    ended: Tensor
    """``(*batch)`` whether the episode ended with this step."""
    info: dict[str, Any]


def episode(
    environment: Environment, act: Callable[[Tensor], Tensor], seed: int | Sequence[int], steps: int
) -> Iterator[EnvironmentStep]:
    """Play from a reset and yield every step. Differentiable if the environment is.

    Args:
        environment: its rows go on to other episodes where they end.
        act: shares of endowment ``(*batch, N)`` from observations ``(*batch, N, O)``.
        seed: of the reset.
        steps: how many to play.
    """
    observation = environment.reset(seed=seed)
    endowments = torch.tensor(environment.game.spec.endowments, dtype=observation.dtype, device=observation.device)
    for _ in range(steps):
        shares = act(observation)
        observation, rewards, terminated, truncated, info = environment.step(shares * endowments)
        yield EnvironmentStep(shares, rewards, terminated | truncated, info)


def environment_factory(
    game: str | EnvironmentFactory, parameters: Mapping[str, Any] | None, view: View | None
) -> EnvironmentFactory:
    """Return the maker of environments for a game id, or the given maker with parameters and view filled in."""
    keywords = {**(parameters or {}), **({} if view is None else {"view": view})}
    if isinstance(game, str):
        return functools.partial(coopgym.torch_env, game, actions="units", **keywords)
    return functools.partial(game, **keywords)


def observation_map(environment: Environment) -> tuple[np.ndarray, np.ndarray]:
    """Return `input_map` of what the seats see, ``(gain, offset)``, ``(N, O)`` each."""
    return input_map(*environment.game.observation_bounds(environment.view))


def objective_signal(rewards: Tensor, objective: Objective) -> Tensor:
    """Return what each seat is trained on, ``(..., N)``: its own reward, or the sum of all."""
    return rewards if objective == "individual" else rewards.sum(-1, keepdim=True).expand_as(rewards)


def reward_scales(make: EnvironmentFactory, replicas: Sequence[Replica], objective: Objective) -> Tensor:
    """Return one positive scale per replica, ``(R,)``: the size of the mean signal when everybody plays 50 %.

    Computed over one episode in double precision, so it is the same number for every seed, learner and device, and for
    every transform of a mode. Where the signal (nearly) cancels, as in zero-sum rewards, the size of the mean payoff
    stands in for it.
    """
    scales = {replica.reward: 0.0 for replica in replicas}
    for reward in scales:
        environment = make(_SCALE_COPIES, device="cpu", reward=reward.evaluated, dtype=torch.float64)
        scales[reward] = _size_of_signal(environment, objective)
    return torch.tensor([scales[replica.reward] for replica in replicas], dtype=torch.float64)


def _size_of_signal(environment: Environment, objective: Objective) -> float:
    half = torch.full((_SCALE_COPIES, environment.game.n_agents), 0.5, dtype=torch.float64)
    signal, payoff, horizon = 0.0, 0.0, environment.game.spec.horizon
    for step in episode(environment, lambda _: half, 0, horizon):
        signal += float(objective_signal(step.rewards, objective).mean()) / horizon
        payoff += float(step.info["payoffs"].abs().mean()) / horizon
    return abs(signal) if abs(signal) > 0.01 * payoff else payoff or 1.0


_SCALE_COPIES = 16


def compact_state(state: State, action_scale: Tensor, horizon: int) -> Tensor:
    """Summarise a state by 5N + 1 numbers in [-1, 1], ``(*batch, G)``, instead of its N² relations.

    In this order: last shares of endowment, mean trust given and received, mean reputation damage held against others
    and held by others, ``(N,)`` each, and the time as a share of the horizon. A world adds log₂ of its factors, N + 1
    numbers, which no seat may know: what policies infer from histories, critics have to see.

    Args:
        state: of a batch of games.
        action_scale: factors from actions as the state has them to shares of endowment, ``(N,)``.
        horizon: steps of an episode.
    """
    partners = max(state.trust.shape[-1] - 1, 1)
    blocks = [
        state.last_action * action_scale,
        (state.trust.sum(-1) - 1.0) / partners,  # without the diagonal, which is one
        (state.trust.sum(-2) - 1.0) / partners,
        state.damage.sum(-1) / partners,
        state.damage.sum(-2) / partners,
        state.t.to(state.trust.dtype).unsqueeze(-1) / horizon,
    ]
    compact = torch.cat(blocks, dim=-1).mul_(2.0).sub_(1.0)
    if state.cost_factor is None:
        return compact
    return torch.cat([compact, state.cost_factor.log2(), state.synergy_factor.log2().unsqueeze(-1)], dim=-1)


def seat_features(game: Game[Any], seats: tuple[int, ...], device: torch.device) -> Tensor:
    """Describe seats by what never changes, ``(n, N + 3)``.

    A one-hot index, then endowment as a share of the largest, bargaining share and baseline as a share of endowment.
    """
    spec = game.spec
    facts = [spec.endowments / spec.endowments.max(), spec.shares, spec.baselines / spec.endowments]
    table = torch.cat(
        [torch.eye(len(spec.endowments)), torch.as_tensor(np.array(facts), dtype=torch.float32).mT], dim=1
    )
    return table[list(seats)].to(device)
