"""Replicas: the training runs that one call trains side by side, and the random stream that each of them owns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import torch
from torch import Tensor

from coopgym.rewards import RewardLayer, Rewards, reward_layer
from coopgym.worlds import TEST_SEEDS


@dataclass(frozen=True)
class Replica:
    """One training run: a reward and a seed. It does not depend on the replicas beside it."""

    reward: Rewards
    seed: int

    @property
    def name(self) -> tuple[str, int]:
        """What records carry: the reward's name and the seed."""
        return self.reward.name, self.seed


def cross(rewards: Iterable[str | RewardLayer], seeds: Iterable[int]) -> tuple[Replica, ...]:
    """Pair every reward with every seed, rewards slowest.

    Raises:
        TypeError: ``rewards`` is a single name, or a seed is not a whole number.
        ValueError: an unknown reward, a negative seed, nothing to train, or a pair given twice.

    >>> [(each.reward.name, each.seed) for each in cross(["private", "svo=45"], seeds=[0, 1])]
    [('private', 0), ('private', 1), ('svo=45', 0), ('svo=45', 1)]
    """
    if isinstance(rewards, str | RewardLayer):
        raise TypeError(f"rewards={rewards!r}: expected a sequence such as [{rewards!r}]")
    layers, numbers = [reward_layer(reward) for reward in rewards], list(seeds)
    if not layers or not numbers:
        raise ValueError(f"nothing to train: got {len(layers)} rewards and {len(numbers)} seeds, expected at least one")
    for seed in numbers:
        if isinstance(seed, bool) or not isinstance(seed, Integral):
            raise TypeError(f"seed={seed!r}: expected a whole number")
        if seed < 0:
            raise ValueError(f"seed={seed}: expected a number of at least 0")
        if seed in TEST_SEEDS:
            raise ValueError(
                f"seed={seed}: {TEST_SEEDS.start} to {TEST_SEEDS.stop - 1} are the seeds that play in worlds is scored "
                "on; train on others"
            )
    replicas = tuple(Replica(layer, int(seed)) for layer in layers for seed in numbers)
    names = [replica.name for replica in replicas]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"replica {name} is given {names.count(name)} times; rewards and seeds must be distinct")
    return replicas


class Streams:
    """One random stream per replica, keyed by its seed and a name shared by all.

    Draws are made replica by replica, so a replica's numbers never depend on how many others there are. The reward is
    left out of the key: replicas that differ only in their reward see the same noise and compare as pairs.

    Args:
        seeds: one seed per replica, R of them.
        name: what else determines the streams, for instance the learner and the game.
        device: where torch numbers are drawn.
    """

    def __init__(self, seeds: Sequence[int], name: str, device: torch.device) -> None:
        words = np.frombuffer(hashlib.sha256(name.encode()).digest(), dtype=np.uint32).tolist()
        roots = [np.random.SeedSequence([seed, *words]) for seed in seeds]
        initial, training = zip(*(root.spawn(2) for root in roots), strict=True)
        self.device = device
        self.initial = [np.random.default_rng(sequence) for sequence in initial]
        """One NumPy generator per replica, for initial weights."""
        self._generators = [
            torch.Generator(device).manual_seed(int(sequence.generate_state(1, np.uint64)[0] >> np.uint64(1)))
            for sequence in training
        ]

    def seeds(self, copies: int) -> list[int]:
        """Draw one seed per environment copy, R·B of them, replica by replica."""
        draws = [torch.randint(2**31, (copies,), generator=g, device=self.device) for g in self._generators]
        return torch.cat(draws).tolist()

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        """Draw standard normal numbers ``(R, *shape)``."""
        return torch.stack([torch.randn(shape, generator=g, device=self.device) for g in self._generators])

    def uniform(self, shape: tuple[int, ...]) -> Tensor:
        """Draw numbers uniform on [0, 1), ``(R, *shape)``."""
        return torch.stack([torch.rand(shape, generator=g, device=self.device) for g in self._generators])

    def integers(self, high: int, shape: tuple[int, ...]) -> Tensor:
        """Draw whole numbers uniform on [0, high), ``(R, *shape)``."""
        return torch.stack([torch.randint(high, shape, generator=g, device=self.device) for g in self._generators])

    def shuffles(self, times: int, size: int) -> Tensor:
        """Draw random orders of ``range(size)``, ``(R, times, size)``."""
        keys = [torch.rand(times, size, generator=g, device=self.device) for g in self._generators]
        return torch.stack(keys).argsort(dim=-1, stable=True)

    def state(self) -> Tensor:
        """Return the generators' states, ``(R, bytes)``."""
        return torch.stack([generator.get_state() for generator in self._generators])

    def restore(self, state: Tensor) -> None:
        """Continue from a state that `state` returned."""
        for generator, row in zip(self._generators, state, strict=True):
            generator.set_state(row.clone())


class Branches(Streams):
    """The streams of G members per replica, which draw from the replica's own stream side by side: R·G streams.

    Args:
        trunk: one stream per replica.
        members: members G of each replica.
    """

    def __init__(self, trunk: Streams, members: int) -> None:
        self._trunk, self._members, self.device = trunk, members, trunk.device
        self.initial = [rng for rng in trunk.initial for _ in range(members)]

    def seeds(self, copies: int) -> list[int]:
        return self._trunk.seeds(self._members * copies)

    def normal(self, shape: tuple[int, ...]) -> Tensor:
        return self._trunk.normal((self._members, *shape)).flatten(0, 1)

    def uniform(self, shape: tuple[int, ...]) -> Tensor:
        return self._trunk.uniform((self._members, *shape)).flatten(0, 1)

    def integers(self, high: int, shape: tuple[int, ...]) -> Tensor:
        return self._trunk.integers(high, (self._members, *shape)).flatten(0, 1)

    def shuffles(self, times: int, size: int) -> Tensor:
        return self._trunk.shuffles(self._members * times, size).unflatten(1, (self._members, times)).flatten(0, 1)

    def state(self) -> Tensor:
        return self._trunk.state()

    def restore(self, state: Tensor) -> None:
        self._trunk.restore(state)
