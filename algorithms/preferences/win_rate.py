"""Self-play preference optimisation over trajectories: the reward of one is how often it is preferred to recent ones.

Source: Swamy et al. 2024, "A Minimaximalist Approach to Reinforcement Learning from Human Feedback"
(arXiv:2401.04056). With a learner of the PPO family it is their deep version: ``cooperative + spo(criteria)``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from coopgym.algorithms.preferences.compared import ComparedTrajectories, ComparingTransform
from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.step import Step
from coopgym.rewards import LearnedTransform, register_transform


@register_transform
@dataclass(frozen=True)
class WinRate(ComparingTransform):
    """Pays every agent, at the end of an episode, how often it is preferred to recent trajectories; nothing before.

    No reward model stands between preferences and learning, so that they may cycle, err, and depend on the order of
    steps. The first episodes are paid one half, as ties.

    Attributes:
        weight: of the win rate.

    >>> from coopgym import make_game, play
    >>> from coopgym.rewards import reward_layer
    >>> game = make_game("TrustDilemma-v1", max_steps=4)
    >>> rewards = reward_layer("cooperative + spo(welfare)").running(game, (3,))
    >>> levels = play.open_loop(game, np.array([0.2, 0.5, 0.9])[:, None].repeat(2, 1)[None].repeat(4, 0))
    >>> for _ in range(2):
    ...     rewards.reset()
    ...     paid = [rewards(step) for step in play.unroll(game, levels, batch=(3,), draws=play.NOMINAL)]
    >>> paid[0][:, 0], paid[-1][:, 0].round(3)  # nothing on the way; at the end, among all three, oneself included
    (array([0., 0., 0.]), array([0.167, 0.833, 0.5  ]))
    """

    kind = "spo"
    weight: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.weight > 0.0 and math.isfinite(self.weight)):
            raise ValueError(f"weight={self.weight!r}: expected a number above 0")

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> LearnedTransform:
        return _RunningWinRate(self, game, batch)


class _RunningWinRate(ComparedTrajectories):
    def __init__(self, declared: WinRate, game: AnyGame, batch: tuple[int, ...]) -> None:
        super().__init__(declared, game, batch)
        self._weight = declared.weight

    def __call__(self, step: Step, reward: Array) -> Array:
        self.record(step)
        return self._game.xp.zeros_like(reward)

    def end(self, alive: Array) -> Array | None:
        over = self.over(alive)
        known = self.known[:, None, :, None].to(self._kept.dtype)
        wins = (self.compared(over) * known).sum(2) / known.sum(2).clamp(min=1.0)  # (R, B, N)
        wins = wins + 0.5 * (known.sum(2) == 0.0)
        paid = self._weight * wins * over.unsqueeze(-1)
        return self._game.backend.array(paid.reshape(*tuple(alive.shape), -1))[None]
