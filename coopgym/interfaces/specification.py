"""What Gymnasium notes about an environment that it has made, in a form that can be written down and read back."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any

from gymnasium.envs.registration import EnvSpec

from coopgym.games.game import AnyGame
from coopgym.rewards import RewardLayer


class Specified:
    """An environment of a game, whose specification names how long episodes last, and plain values only.

    ``spec.max_episode_steps`` is the length of this very environment's episodes. The registry cannot hold it, as
    Gymnasium would cut longer games short there (``max_steps`` is a parameter of every game).
    """

    game: AnyGame
    _limit: int | None = None
    """After how many steps the environment itself cuts episodes short of the horizon, if it does."""
    _spec: EnvSpec | None = None

    @property
    def spec(self) -> EnvSpec | None:
        """How to make this environment again."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        if spec is not None:
            kwargs = {name: self._plain(name, value) for name, value in spec.kwargs.items()}
            kwargs.pop("max_episode_steps", None)
            longest = min(self.game.spec.horizon, self._limit or self.game.spec.horizon)
            spec = dataclasses.replace(spec, kwargs=kwargs, max_episode_steps=longest)
        self._spec = spec

    def _plain(self, name: str, value: Any) -> Any:
        """A keyword as JSON can hold it, where there is such a form."""
        if isinstance(value, RewardLayer):
            return value.name
        if isinstance(value, Enum):
            return value.value
        return vars(self.game.parameters).get(name, value)
