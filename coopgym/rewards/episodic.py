"""Episodic rewards: nothing on the way, and all of it at the end, as where only results are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.rewards.transforms import RewardTransform, RunningTransform, register_transform


@register_transform
@dataclass(frozen=True)
class Episodic(RewardTransform):
    """Holds rewards back until the episode ends, and then pays their undiscounted sum.

    An episode that is cut short of its end pays nothing.

    >>> from coopgym import make_game, play
    >>> from coopgym.rewards import reward_layer
    >>> game = make_game("TrustDilemma-v1", max_steps=3)
    >>> rewards = reward_layer("private + episodic").running(game, ())
    >>> rewards.reset()
    >>> steps = play.unroll(game, lambda t, _: game.endowments, draws=play.NOMINAL)
    >>> np.round([rewards(step) for step in steps], 2)[:, 0]
    array([0. , 0. , 5.2])
    """

    kind = "episodic"
    bounded_sum = True
    per_agent = True

    @property
    def needs(self) -> frozenset[str]:
        return frozenset()

    def follows(self, earlier: Sequence[RewardTransform]) -> None:
        for transform in earlier:
            if transform.learned or transform.kind == self.kind:
                raise ValueError(
                    f"{self.name} after {transform.name} would hold back again what that pays; write {self.name} "
                    "first, and once"
                )

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> RunningTransform:
        return _RunningEpisodic(game, batch)


class _RunningEpisodic(RunningTransform):
    """What is owed ``(..., N)``, and which episodes ``(...)`` have not been paid."""

    def __init__(self, game: AnyGame, batch: tuple[int, ...]) -> None:
        self._game, self._batch = game, batch
        self.reset()

    def reset(self, episodes: Array | None = None) -> None:
        xp, backend = self._game.xp, self._game.backend
        if episodes is None:
            self._owed = backend.array(xp.zeros((*self._batch, self._game.n_agents)))
            self._unpaid = self._owed[..., 0] == 0.0
        else:
            self._owed = xp.where(episodes[..., None], xp.zeros_like(self._owed), self._owed)
            self._unpaid = self._unpaid | episodes

    def __call__(self, step: Any, reward: Array) -> Array:
        self._owed = self._owed + reward
        return self._game.xp.zeros_like(reward)

    def end(self, alive: Array) -> Array:
        due = self._unpaid & ~alive
        self._unpaid = self._unpaid & alive
        return (self._owed * due[..., None])[None]

    def state(self) -> dict[str, Array]:
        return {"owed": self._owed, "unpaid": self._unpaid}

    def restore(self, state: Mapping[str, Array]) -> None:
        self._owed, self._unpaid = state["owed"], state["unpaid"]
