"""One algorithm of stable-baselines3 as a part of a training: with random numbers of its own, and a state to keep."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box
from torch import Tensor

from coopgym.extras import missing_extra

REPLAYED = ("observations", "next_observations", "actions", "rewards", "dones")


class Model:
    """An algorithm that is handed its experience instead of playing an environment.

    Args:
        make: makes the algorithm from an environment of the library, which only tells spaces and number of copies.
        inputs: observation entries.
        copies: environment copies.
        seed: of the algorithm's random numbers.

    Raises:
        ImportError: stable-baselines3 is not installed.
    """

    def __init__(self, make: Callable[[Any], Any], inputs: int, copies: int, seed: int) -> None:
        require_library()
        from stable_baselines3.common.logger import Logger
        from stable_baselines3.common.vec_env import DummyVecEnv

        numpy_state: Any = np.random.RandomState(seed).get_state()
        self._randomness = torch.Generator().manual_seed(seed).get_state(), numpy_state
        with self.own_randomness():
            self.algorithm = make(DummyVecEnv([partial(Unplayed, inputs)] * copies))
        self.algorithm.set_logger(Logger(None, []))
        self.updates = 0
        """Gradient updates taken."""
        self._count_updates()

    @contextmanager
    def own_randomness(self) -> Iterator[None]:
        """Let the library, which draws from global generators, draw the model's own numbers inside the block."""
        outer = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002  # the library uses this generator
        _set_randomness(*self._randomness)
        try:
            yield
        finally:
            self._randomness = torch.get_rng_state(), np.random.get_state()  # noqa: NPY002  # as above
            _set_randomness(*outer)

    def train(self, **arguments: int) -> dict[str, float]:
        """Let the algorithm learn from what its buffer holds and return what it logs."""
        with self.own_randomness():
            self.algorithm.train(**arguments)
        return {name.removeprefix("train/"): float(v) for name, v in self.algorithm.logger.name_to_value.items()}

    def _count_updates(self) -> None:
        policy = self.algorithm.policy
        optimiser = policy.optimizer if hasattr(policy, "action_net") else policy.actor.optimizer
        optimiser.register_step_post_hook(self._updated)

    def _updated(self, *_: object) -> None:
        self.updates += 1

    @property
    def finite(self) -> bool:
        """Whether all parameters are."""
        return all(bool(torch.isfinite(parameter).all()) for parameter in self.algorithm.policy.parameters())

    def state(self) -> dict[str, Tensor]:
        """Return every tensor that a resumed run continues from."""
        generator, (_, words, *place) = self._randomness
        found = dict(_leaves(self.algorithm.get_parameters()))
        found["updates"] = torch.tensor([self.algorithm._n_updates, self.updates])
        found["torch"], found["numpy"] = generator, torch.tensor([*words.tolist(), *place], dtype=torch.float64)
        if (variable := getattr(self.algorithm, "log_ent_coef", None)) is not None:
            found["log_ent_coef"] = variable.detach()
        if (buffer := getattr(self.algorithm, "replay_buffer", None)) is not None:
            found |= {f"replay.{name}": torch.from_numpy(getattr(buffer, name)) for name in REPLAYED}
            found["replay"] = torch.tensor([buffer.pos, buffer.full])
        return found

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self.algorithm.set_parameters(_filled(self.algorithm.get_parameters(), state), device="cpu")
        self.algorithm._n_updates, self.updates = state["updates"].tolist()
        *words, position, has_gauss, gauss = state["numpy"].tolist()
        numpy_state = ("MT19937", np.array(words, dtype=np.uint32), int(position), int(has_gauss), gauss)
        self._randomness = state["torch"].clone(), numpy_state
        if "log_ent_coef" in state:
            self.algorithm.log_ent_coef.data.copy_(state["log_ent_coef"])
        if "replay" in state:
            buffer = self.algorithm.replay_buffer
            for name in REPLAYED:
                getattr(buffer, name)[...] = state[f"replay.{name}"].numpy()
            position, full = state["replay"].tolist()
            buffer.pos, buffer.full = position, bool(full)


class Unplayed(gymnasium.Env[Any, Any]):
    """Tells an algorithm its spaces: observations and levels in [-1, 1]."""

    def __init__(self, inputs: int) -> None:
        self.observation_space = Box(-1.0, 1.0, (inputs,), np.float32)
        self.action_space = Box(-1.0, 1.0, (1,), np.float32)


def require_library() -> None:
    """Make sure that stable-baselines3 is there.

    Raises:
        ImportError: it is not; says what to install.
    """
    try:
        import stable_baselines3  # noqa: F401  # only looked for
    except ImportError as error:
        raise missing_extra("a learner of stable-baselines3", "stable_baselines3", "sb3,torch") from error


def _set_randomness(torch_state: Tensor, numpy_state: Any) -> None:
    torch.set_rng_state(torch_state)
    np.random.set_state(numpy_state)  # noqa: NPY002  # the library uses this generator


def _leaves(tree: Mapping[Any, Any], path: str = "") -> Iterator[tuple[str, Tensor]]:
    """Yield the tensors of nested dictionaries with their paths."""
    for key, value in tree.items():
        if isinstance(value, Tensor):
            yield f"{path}{key}", value
        elif isinstance(value, Mapping):
            yield from _leaves(value, f"{path}{key}/")


def _filled(tree: Mapping[Any, Any], leaves: Mapping[str, Tensor], path: str = "") -> dict[Any, Any]:
    """Return nested dictionaries with tensors by their paths; what optimisers have only after a step is added."""
    found: dict[Any, Any] = {}
    for key, value in tree.items():
        place = f"{path}{key}"
        if path.endswith("optimizer/") and key == "state":
            found[key] = _optimiser_state(leaves, f"{place}/")
        elif isinstance(value, Mapping):
            found[key] = _filled(value, leaves, f"{place}/")
        else:
            found[key] = leaves[place].clone() if place in leaves else value
    return found


def _optimiser_state(leaves: Mapping[str, Tensor], path: str) -> dict[int, dict[str, Tensor]]:
    found: dict[int, dict[str, Tensor]] = {}
    for place, tensor in leaves.items():
        if place.startswith(path):
            parameter, _, name = place.removeprefix(path).partition("/")
            found.setdefault(int(parameter), {})[name] = tensor.clone()
    return found
