"""A reward model fit to preferences between trajectories (Bradley and Terry 1952; Christiano et al. 2017).

P(τ preferred to τ') = σ(Σ r(s_t, a_t) - Σ r(s'_t, a'_t)) with r linear in what a step shows, without its place in the
episode: the usual assumption, under which preferences are transitive and what came before a step does not matter.

Shapes: R replicas, B copies, E episodes kept with Q comparisons each, N seats, K features of a step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms.preferences.compared import ComparedTrajectories, ComparingTransform
from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.games.step import Step
from coopgym.rewards import LearnedTransform, register_transform

STEP_FEATURES = 8
"""Own share and its square, the mean share and its square and cube, own payoff, mean payoff, and trust."""
NEWTON = 8
"""Steps that fit a logistic regression from where it was."""


@register_transform
@dataclass(frozen=True)
class BradleyTerry(ComparingTransform):
    """Pays every agent a step reward fit to comparisons of finished trajectories with recent ones.

    It asks for the same comparisons as ``spo``, and pays nothing until there are some.

    Attributes:
        episodes: the latest whose comparisons are kept.
        ridge: penalty on squared weights, per comparison.

    >>> from coopgym import make_game, play
    >>> from coopgym.rewards import reward_layer
    >>> game = make_game("TrustDilemma-v1", max_steps=4)
    >>> rewards = reward_layer("cooperative + bradley_terry(welfare)").running(game, (8,))
    >>> levels = np.linspace(0.1, 0.9, 8)[:, None].repeat(2, 1)[None].repeat(4, 0)
    >>> for _ in range(3):
    ...     rewards.reset()
    ...     steps = play.unroll(game, play.open_loop(game, levels), batch=(8,), draws=play.NOMINAL)
    ...     paid = np.sum([rewards(step) for step in steps], axis=0)[:, 0]
    >>> int(paid.argmax()), bool(paid[0] < paid[2] < paid[4])  # as welfare, which is largest at 67 %
    (5, True)
    """

    kind = "bradley_terry"
    episodes: int = 512
    ridge: float = 1e-3

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.episodes < 1:
            raise ValueError(f"episodes={self.episodes}: expected at least 1")
        if not self.ridge > 0.0:
            raise ValueError(f"ridge={self.ridge!r}: expected a number above 0")

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> LearnedTransform:
        return _RunningBradleyTerry(self, game, batch)


class _RunningBradleyTerry(ComparedTrajectories):
    def __init__(self, declared: BradleyTerry, game: AnyGame, batch: tuple[int, ...]) -> None:
        super().__init__(declared, game, batch)
        replicas, copies, seats, queue = *self._rows, game.n_agents, declared.queue
        capacity = max(declared.episodes, copies)
        self._ridge = declared.ridge
        self._sums = self._zeros(replicas, copies, seats, STEP_FEATURES)
        self._ended = torch.zeros_like(self._sums)
        self._kept_sums = self._zeros(replicas, queue, seats, STEP_FEATURES)
        self._answers = self._zeros(replicas, copies, queue, seats)
        self._valid = torch.zeros(replicas, copies, queue, dtype=torch.bool, device=self._device)
        self._differences = self._zeros(replicas, capacity, queue, seats, STEP_FEATURES)
        self._preferred = self._zeros(replicas, capacity, queue, seats)
        self._counted = torch.zeros(replicas, capacity, queue, dtype=torch.bool, device=self._device)
        self._weights = self._zeros(replicas, seats, STEP_FEATURES)
        self._episodes = torch.zeros(replicas, dtype=torch.int64, device=self._device)

    def reset(self, episodes: Array | None = None) -> None:
        super().reset(episodes)
        anew = torch.ones_like(self._going_on) if episodes is None else self._mask(episodes)
        self._sums.masked_fill_(anew[..., None, None], 0.0)

    def __call__(self, step: Step, reward: Array) -> Array:
        shares, payoffs, trust = self.record(step)
        team = shares.mean(-1, keepdim=True).expand_as(shares)
        size = self._endowments.mean()
        mean = payoffs.mean(-1, keepdim=True).expand_as(payoffs) / size
        columns = [shares, shares**2, team, team**2, team**3, payoffs / size, mean, trust.unsqueeze(-1).expand_as(team)]
        features = torch.stack(columns, dim=-1)  # (R, B, N, K)
        self._sums += features
        paid = (features * self._weights.unsqueeze(1)).sum(-1)
        return self._game.backend.array(paid.reshape(tuple(reward.shape)))

    def end(self, alive: Array) -> None:
        over = self.over(alive)
        mask = over[..., None, None]
        self._ended.copy_(torch.where(mask, self._sums, self._ended))
        self._answers.copy_(torch.where(mask, self.compared(over), self._answers))
        self._valid |= over.unsqueeze(-1) & self.known.unsqueeze(1)

    def fit(self) -> None:
        replica, copy, place = self._places(self._episodes, self._preferred.shape[1])
        self._differences[replica, place] = (self._ended.unsqueeze(2) - self._kept_sums.unsqueeze(1))[replica, copy]
        self._preferred[replica, place] = self._answers[replica, copy]
        self._counted[replica, place] = self._valid[replica, copy]
        self._episodes += self._fresh.sum(1)
        replica, copy, place = self._places(self._pushed, self._kept.shape[1])
        self._kept_sums[replica, place] = self._ended[replica, copy]
        self._valid.zero_()
        super().fit()
        self._weights.copy_(self._fitted())

    def _fitted(self) -> Tensor:
        """Return the weights ``(R, N, K)`` of a logistic regression on all comparisons that are kept."""
        data = self._differences.permute(0, 3, 1, 2, 4).flatten(2, 3)  # (R, N, E Q, K)
        preferred = self._preferred.permute(0, 3, 1, 2).flatten(2)
        counted = self._counted.unsqueeze(1).expand(-1, data.shape[1], -1, -1).flatten(2).to(data.dtype)
        count = counted.sum(-1, keepdim=True).clamp(min=1.0)
        scale = ((data**2 * counted.unsqueeze(-1)).sum(2) / count).sqrt()
        scale = torch.where(scale > 1e-9, scale, torch.inf)
        rows, weights = data / scale.unsqueeze(2), torch.zeros_like(scale)
        penalty = self._ridge * torch.eye(STEP_FEATURES, dtype=data.dtype, device=self._device)
        for _ in range(NEWTON):
            chance = torch.sigmoid((rows * weights.unsqueeze(2)).sum(-1))
            error = (chance - preferred) * counted
            slope = (rows * error.unsqueeze(-1)).sum(2) / count + self._ridge * weights
            bend = (chance * (1.0 - chance) * counted).unsqueeze(-1) * rows
            weights = weights - torch.linalg.solve(rows.mT @ bend / count.unsqueeze(-1) + penalty, slope)
        return weights / scale

    def state(self) -> dict[str, Array]:
        return {**super().state(), **{name: getattr(self, f"_{name}") for name in _REMEMBERED}}

    def restore(self, state: Mapping[str, Array]) -> None:
        super().restore(state)
        for name in _REMEMBERED:
            getattr(self, f"_{name}").copy_(state[name])


_REMEMBERED = (
    "sums", "ended", "kept_sums", "answers", "valid", "differences", "preferred", "counted", "weights", "episodes",
)  # fmt: skip
