"""A game among agents that are given by name, as the one seat that learns in it sees it.

Whoever plays with the learner remembers an episode, so all episodes of a batch begin and end together, and agents are
seated anew whenever they begin: nothing of them is left between two episodes.

Shapes: R replicas, B environment copies, N seats of the game, O observation entries, P agents who may be met.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from coopgym.agents.base import Agent, Seat, agent_actions
from coopgym.agents.registry import make_agent
from coopgym.agents.streams import EpisodeGenerator
from coopgym.algorithms.marl.core.environment import Environment, restore_rewards, reward_state
from coopgym.games.game import Game
from coopgym.games.spec import View
from coopgym.games.state import State

TOLD: tuple[View, str] = ("own", "private")
"""What partners see and are told to be paid, as in the scenarios in which strangers are met."""


def check_partnered(game: Game[Any], partners: Sequence[str]) -> None:
    """Make sure that a game can be learned among given agents.

    Raises:
        ValueError: nobody to meet there, or episodes that end apart.
    """
    id = game.spec.id
    if game.n_agents < 2:
        raise ValueError(f"partners={', '.join(partners)}: {id} has one seat, so nobody is met; leave partners out")
    if game.may_end_early:
        raise ValueError(
            f"partners={', '.join(partners)}: episodes of {id} may end early, and partners are seated anew when all "
            "episodes begin; train in games whose episodes all take the whole horizon"
        )
    _everybody(game, partners)


def _everybody(game: Game[Any], partners: Sequence[str]) -> tuple[str, ...]:
    """Name the P agents who may be met: an agent that plays like one of several in every episode names those.

    Raises:
        ValueError: they cannot be met in this game.
    """
    found: list[str] = []
    for name in partners:
        members = getattr(make_agent(name), "members", None)
        found += [name] if members is None else members(game.spec.id)
    return tuple(found)


@dataclass(frozen=True)
class _Company:
    """Agents by seat, who play together in some of the rows."""

    rows: slice
    agents: Mapping[int, Agent]


class PartneredEnvironment:
    """One seat of a batch of episodes; agents given by name fill all other seats.

    Who that is, is drawn for every episode: everybody who may be met is met equally often in a replica, up to one.
    Agents draw from streams of their episodes, so that a replica does not depend on those beside it.

    Args:
        inner: the game, in which episodes begin and end together; ``(R, B)``, all N seats.
        seat: the one whose actions are given.
        partners: names of agents.
    """

    def __init__(self, inner: Environment, seat: int, partners: Sequence[str]) -> None:
        self.game, self.view, self.observation_size = inner.game, inner.view, inner.observation_size
        self._inner, self._own = inner, slice(seat, seat + 1)
        self.names = _everybody(self.game, partners)
        """The P agents who may be met."""
        others = (each for each in range(self.game.n_agents) if each != seat)
        self._seats = {each: Seat.of(self.game, each, *TOLD) for each in others}
        self._seeds = np.empty((0, 0), dtype=np.uint64)
        self._elapsed = 0
        self._companies: tuple[_Company, ...] = ()
        self._order = np.empty(0, dtype=np.int64)
        self.episodes = 0
        """Episodes begun in each row; whoever sets it continues from there."""

    def reset(self, seed: int | Sequence[int] | None = None) -> Tensor:
        """Start all episodes and return observations ``(R, B, 1, O)``; partners draw by the rows' own seeds.

        Raises:
            ValueError: not one seed per row.
        """
        if seed is None or isinstance(seed, int):
            raise ValueError(f"seed={seed!r}: expected one seed per row, by which partners draw")
        self._seen = self._inner.reset(seed)
        self._seeds = np.asarray(seed, dtype=np.uint64).reshape(self._seen.shape[:2])
        self._elapsed = 0
        return self._seen[..., self._own, :]

    @property
    def state(self) -> State:
        """What holds now in all seats; partners follow one that is assigned only at the start of episodes."""
        return self._inner.state

    @state.setter
    def state(self, state: State) -> None:
        self._inner.state = state
        self._seen = self.game.observe(state, self.view)
        self._elapsed = int(state.t.flatten()[0])

    @property
    def reward_state(self) -> dict[str, Tensor]:
        """What transforms of the rewards of all seats remember."""
        return reward_state(self._inner)

    @reward_state.setter
    def reward_state(self, state: dict[str, Tensor]) -> None:
        restore_rewards(self._inner, state)

    def step(self, actions: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, dict[str, Any]]:
        """Play actions ``(R, B, 1)`` in endowment units; what is returned is that of the seat."""
        if self.between_episodes:
            self._begin()
        self._seen, rewards, terminated, truncated, info = self._inner.step(self._joint(actions))
        self._elapsed = (self._elapsed + 1) % self.game.spec.horizon
        own = {
            "payoffs": info["payoffs"][..., self._own],
            "final_observation": info["final_observation"][..., self._own, :],
        }
        return self._seen[..., self._own, :], rewards[..., self._own], terminated, truncated, info | own

    @property
    def between_episodes(self) -> bool:
        """Whether all episodes are about to begin."""
        return self._elapsed == 0

    def _joint(self, actions: Tensor) -> Tensor:
        """Return what all seats play, ``(R, B, N)``, given the seat's own actions ``(R, B, 1)``."""
        view, _ = TOLD
        told = self._seen if self.view == view else self.game.observe(self._inner.state, view)
        seen = told.flatten(0, 1).cpu().numpy().astype(np.float64)[self._order]
        joint = np.empty((len(seen), self.game.n_agents))
        for company in self._companies:
            for seat, agent in company.agents.items():
                joint[company.rows, seat] = agent_actions(self.game, seat, agent, seen[company.rows, seat])
        found = np.empty_like(joint)
        found[self._order] = joint
        played = torch.as_tensor(found, dtype=actions.dtype, device=actions.device).unflatten(0, actions.shape[:2])
        played[..., self._own] = actions
        return played

    def _begin(self) -> None:
        """Seat whoever is met in the episodes that begin."""
        seeds = self._seeds.flatten().tolist()
        met = np.concatenate([self._drawn(own) for own in self._seeds])
        self._order = np.argsort(met, kind="stable")
        bounds = np.searchsorted(met[self._order], np.arange(len(self.names) + 1)).tolist()
        self._companies = tuple(
            _Company(slice(start, end), dict(self._seated(name, [seeds[row] for row in self._order[start:end]])))
            for name, start, end in zip(self.names, bounds, bounds[1:], strict=False)
            if start < end
        )
        self.episodes += 1

    def _drawn(self, seeds: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Draw who is met in each of a replica's episodes ``(B,)``: everybody equally often, up to one."""
        rng = np.random.default_rng([int(seeds[0]), self.episodes, 0])
        places = rng.permutation(len(seeds)) + rng.integers(len(self.names))
        drawn: npt.NDArray[np.int64] = places % len(self.names)
        return drawn

    def _seated(self, name: str, seeds: Sequence[int]) -> Iterator[tuple[int, Agent]]:
        """Seat agents of a name in all other seats of the rows with such seeds."""
        for index, seat in self._seats.items():
            agent = make_agent(name)
            streams = [np.random.default_rng([seed, self.episodes, 1 + index]) for seed in seeds]
            agent.begin(seat, len(seeds), EpisodeGenerator(streams))
            yield index, agent
