"""Latent rewards (LaRe; Qu et al. 2025): step rewards decoded from symbolic factors, learned from returns alone."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms.common.torch_defaults import torch_defaults
from coopgym.algorithms.reward_models.decoder import Decoder, DecoderSettings, EpisodeMemory
from coopgym.algorithms.reward_models.expressions import GREATEST
from coopgym.algorithms.reward_models.factors import FACTOR_SETS, OWN, FactorFields
from coopgym.backend import Array
from coopgym.games.game import AnyGame
from coopgym.rewards import LearnedTransform, ObservedStep, RewardTransform, register_transform

LEAST = {"layers": 1, "width": 1, "steps": 0, "updates": 1, "batch": 1, "episodes": 1}


@register_transform
@dataclass(frozen=True)
class LaRe(RewardTransform):
    """Pays each agent a reward decoded from its factors, in place of the episode's rewards, which come at its end.

    The sum over agents and steps of what is decoded is fit to the sum of what all agents get at the end. How it is
    split between agents is not told by returns; it follows from what their factors explain.

    Attributes:
        factors: a set of `coopgym.algorithms.reward_models.factors.FACTOR_SETS`.
        shared: pay every agent the mean over agents, instead of its own part.
        layers: of the decoder; with 1 it is linear and solved by least squares.
        width: of hidden layers.
        steps: steps K of an episode that an update looks at; 0 is all of them.
        updates: gradient steps per fit.
        batch: episodes per gradient step.
        episodes: the latest that are kept, at least as many as are played side by side.
        learning_rate: Adam's step size.

    >>> from coopgym import make_game, play
    >>> from coopgym.rewards import reward_layer
    >>> game = make_game("PublicGoods-v1", max_steps=5)
    >>> rewards = reward_layer("cooperative + episodic + lare(layers=1)").running(game, (8,))
    >>> plans = np.random.default_rng(0).random((2, 5, 8, 5))
    >>> for plan in plans:  # the first eight episodes teach it
    ...     rewards.reset()
    ...     paid = [rewards(s) for s in play.unroll(game, play.open_loop(game, plan), batch=(8,), draws=play.NOMINAL)]
    ...     print(np.sum(paid).round(-1))
    0.0
    ...
    """

    kind = "lare"
    learned = True
    factors: str = "rules"
    shared: bool = False
    layers: int = 3
    width: int = 256
    steps: int = 64
    updates: int = 32
    batch: int = 16
    episodes: int = 256
    learning_rate: float = 3e-4

    def __post_init__(self) -> None:
        if self.factors not in FACTOR_SETS:
            raise ValueError(f"unknown factors {self.factors!r}; known sets: {', '.join(FACTOR_SETS)}")
        for name, least in LEAST.items():
            if getattr(self, name) < least:
                raise ValueError(f"{name}={getattr(self, name)}: expected at least {least}")
        if not (self.learning_rate > 0.0 and math.isfinite(self.learning_rate)):
            raise ValueError(f"learning_rate={self.learning_rate!r}: expected a number above 0")

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"observation"})

    def follows(self, earlier: Sequence[RewardTransform]) -> None:
        if not earlier or earlier[-1].kind != "episodic":
            raise ValueError(
                f"{self.name} redistributes what comes at the end of an episode and must follow episodic: "
                f"'cooperative + episodic + {self.name}'"
            )

    def check(self, game: AnyGame) -> None:
        FACTOR_SETS[self.factors].parsed(game)

    def running(self, game: AnyGame, batch: tuple[int, ...]) -> LearnedTransform:
        return _RunningLaRe(self, game, batch)


class _RunningLaRe(LearnedTransform):
    """One decoder per replica, and what has been seen of episodes that go on: ``(R, B, ...)``."""

    @torch_defaults()
    def __init__(self, declared: LaRe, game: AnyGame, batch: tuple[int, ...]) -> None:
        self._game, self._shared = game, declared.shared
        self._factors = FACTOR_SETS[declared.factors].parsed(game)
        self._fields = FactorFields(game, {OWN, *(name for factor in self._factors for name in factor.fields)})
        self._device = torch.device(game.backend.device or "cpu")
        replicas = batch[0] if len(batch) > 1 else 1
        self._rows = replicas, math.prod(batch) // replicas
        steps, agents, factors = game.spec.horizon, game.n_agents, len(self._factors)
        settings = DecoderSettings(
            declared.layers,
            declared.width,
            declared.steps,
            declared.updates,
            declared.batch,
            max(declared.episodes, self._rows[1]),
            declared.learning_rate,
        )
        self._decoder = Decoder(settings, replicas, agents, factors, self._device)
        shape = (steps, agents, factors)
        self._finished = EpisodeMemory(replicas, shape, settings.episodes, self._device)
        self._seen = torch.zeros(*self._rows, *shape, device=self._device)
        self._return = torch.zeros(self._rows, device=self._device)
        self._elapsed = torch.zeros(self._rows, dtype=torch.int64, device=self._device)
        self._going_on = torch.ones(self._rows, dtype=torch.bool, device=self._device)

    def reset(self, episodes: Array | None = None) -> None:
        anew = torch.ones_like(self._going_on) if episodes is None else self._mask(episodes)
        self._return.masked_fill_(anew, 0.0)
        self._elapsed.masked_fill_(anew, 0)
        self._going_on |= anew

    def __call__(self, step: ObservedStep, reward: Array) -> Array:
        fields = self._fields(step)
        columns = [
            torch.as_tensor(factor(fields), dtype=torch.float32, device=self._device) for factor in self._factors
        ]
        factors = torch.stack(columns, dim=-1).nan_to_num(0.0, GREATEST, -GREATEST).clamp(-GREATEST, GREATEST)
        factors = factors.view(*self._rows, *factors.shape[-2:])
        self._record(factors.detach(), torch.as_tensor(reward, dtype=torch.float32, device=self._device).detach())
        paid = self._decoder(factors)
        if self._shared:
            paid = paid.mean(-1, keepdim=True).expand_as(paid)
        return self._game.backend.array(paid.reshape(tuple(reward.shape)))

    @torch.no_grad()
    def _record(self, factors: Tensor, reward: Tensor) -> None:
        time = self._elapsed.clamp(max=self._seen.shape[2] - 1)
        place = time.view(*self._rows, 1, 1, 1).expand(-1, -1, 1, *factors.shape[-2:])
        self._seen.scatter_(2, place, factors.unsqueeze(2))
        self._return += reward.sum(-1).view(self._rows)
        self._elapsed += 1

    def end(self, alive: Array) -> None:
        going_on = self._going_on & self._mask(alive)
        over = self._going_on & ~going_on
        self._finished.push(over, self._seen, self._elapsed, self._return)
        self._going_on.copy_(going_on)

    def fit(self) -> None:
        self._decoder.fit(self._finished)

    def _mask(self, episodes: Array) -> Tensor:
        return torch.as_tensor(episodes, device=self._device).view(self._rows)

    def state(self) -> dict[str, Array]:
        return {
            **self._own(),
            **{f"finished.{name}": tensor for name, tensor in self._finished.state().items()},
            **{f"decoder.{name}": tensor for name, tensor in self._decoder.state().items()},
        }

    def restore(self, state: Mapping[str, Array]) -> None:
        for name, tensor in self._own().items():
            tensor.copy_(state[name])
        self._finished.restore(_within(state, "finished."))
        self._decoder.restore(_within(state, "decoder."))

    def _own(self) -> dict[str, Tensor]:
        return {
            "seen": self._seen,
            "return": self._return,
            "elapsed": self._elapsed,
            "going_on": self._going_on,
        }


def _within(state: Mapping[str, Array], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}
