"""Objectives: what is minimised, given log-probabilities and credit.

Losses and metrics of the parts of a minibatch add up to those of the whole: sums are divided by its totals. Shapes: B
trajectories, L tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.llm.kernels.validation import choice, number
from coopgym.algorithms.llm.method.minibatch import MiniBatch
from coopgym.algorithms.llm.method.slots import Objective

Aggregation = Literal["token_mean", "seq_mean_token_mean", "seq_mean_token_sum", "seq_sum_const"]

LARGEST_LOG_RATIO = 20.0
"""Beyond it a ratio of probabilities is cut, lest it overflow; the clip has long closed for all that may be gained."""


@dataclass(frozen=True, kw_only=True)
class Clip(Settings, Objective):
    """The clipped surrogate over any number of channels (PPO, arXiv 1707.06347; GRPO, 2402.03300; DAPO, 2503.14476).

    ``ρ = exp(logp - logp_old)``, ``ℓ = -min(ρA, clip(ρ, 1-ε_low, 1+ε_high) A)``, at most ``-cA`` where A < 0. Losses of
    channels are weighted and added up token by token, since clipping is not linear. The penalty for leaving the
    reference is ``β (e^d - d - 1)`` with ``d = logp_ref - logp``.

    Attributes:
        eps_low: clip range below.
        eps_high: clip range above.
        dual_clip: bound c on the loss of a negative advantage, in units of it; None is no bound.
        kl: weight β of the penalty; 0 needs no reference.
        entropy: weight of the policy's entropy, which is rewarded.
        aggregation: ``"token_mean"`` over all tokens; ``"seq_mean_token_mean"`` and ``"seq_mean_token_sum"`` over
            rollouts, of each one's mean or sum; ``"seq_sum_const"``, Dr. GRPO's (arXiv 2503.20783), is the sum over
            ``rollouts · norm_len``.
        norm_len: the constant length of ``"seq_sum_const"``, in tokens.
        own: channels whose means run over tokens of theirs, those with a weight, instead of all tokens.
    """

    eps_low: float = hyperparameter(0.2, 0.0, 1.0)
    eps_high: float = hyperparameter(0.28, 0.0)
    dual_clip: float | None = 3.0
    kl: float = hyperparameter(0.001, 0.0)
    entropy: float = hyperparameter(0.0, 0.0)
    aggregation: Aggregation = "token_mean"
    norm_len: int | None = hyperparameter(None, 1)
    own: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.dual_clip is not None:
            number("dual_clip", self.dual_clip, 1.0)
        choice("aggregation", self.aggregation, get_args(Aggregation))
        if self.aggregation == "seq_sum_const" and self.norm_len is None:
            raise ValueError("norm_len=None: aggregation='seq_sum_const' divides by it; expected a number of tokens")

    @property
    def needs_reference(self) -> bool:
        return self.kl > 0.0

    def loss(self, logp: Tensor, batch: MiniBatch) -> tuple[Tensor, dict[str, float]]:
        mask, tokens = batch.mask, batch.totals.tokens
        log_ratio = self.log_ratio(logp, batch)
        total = logp.new_zeros(())
        for channel, advantage in batch.adv.items():
            weight = batch.weight[channel]
            counted, count = mask, tokens
            if channel in self.own:
                counted, count = mask & (weight != 0.0), batch.totals.weighted[channel]
            losses = weight * self.surrogate(log_ratio, logp, advantage, batch)
            total = total + self._mean(losses, counted, count, batch)
        ratio = log_ratio.exp()
        outside = (ratio < 1.0 - self.eps_low) | (ratio > 1.0 + self.eps_high)
        metrics = {
            "outside_clip": _share(outside & mask, tokens),
            "kl_to_old": _share(torch.where(mask, log_ratio.expm1() - log_ratio, 0.0), tokens),
        }
        if self.kl:
            penalty = self._divergence(logp, batch)
            total = total + self.kl * self._mean(penalty, mask, tokens, batch)
            metrics["kl_to_reference"] = _share(torch.where(mask, penalty, 0.0), tokens)
        if batch.entropy is not None:
            metrics["entropy"] = _share(torch.where(mask, batch.entropy, 0.0), tokens)
        if self.entropy:
            total = total - self.entropy * self._mean(_given(batch.entropy, "entropy"), mask, tokens, batch)
        return total, metrics

    def log_ratio(self, logp: Tensor, batch: MiniBatch) -> Tensor:
        """Return ``log ρ`` of every token ``(B, L)``, 0 where none counts."""
        return torch.where(batch.mask, logp - batch.logp_old, 0.0).clamp(max=LARGEST_LOG_RATIO)

    def surrogate(self, log_ratio: Tensor, logp: Tensor, advantage: Tensor, batch: MiniBatch) -> Tensor:
        """Return the loss of every token ``(B, L)`` in a channel, before it is weighted."""
        ratio = log_ratio.exp()
        loss = -torch.minimum(ratio * advantage, ratio.clamp(1.0 - self.eps_low, 1.0 + self.eps_high) * advantage)
        if self.dual_clip is None:
            return loss
        return torch.where(advantage < 0.0, torch.minimum(loss, -self.dual_clip * advantage), loss)

    def _divergence(self, logp: Tensor, batch: MiniBatch) -> Tensor:
        return divergence(_given(batch.logp_ref, "log-probabilities of a reference policy"), logp, batch.mask)

    def _mean(self, loss: Tensor, counted: Tensor, count: int, batch: MiniBatch) -> Tensor:
        """Return this part's share of the minibatch's mean over the tokens counted, of which the whole has a count."""
        sums = torch.where(counted, loss, 0.0).sum(-1)
        match self.aggregation:
            case "token_mean":
                return sums.sum() / max(1, count)
            case "seq_mean_token_mean":
                sums = sums / counted.sum(-1).clamp(min=1)
            case "seq_sum_const":
                sums = sums / (self.norm_len or 1)
        return sums.sum() / batch.totals.sequences


@dataclass(frozen=True, kw_only=True)
class MixedPolicy(Clip):
    """SCOPE (arXiv 2602.24110): own tokens are clipped, a helper's earn ``f(π) A`` with ``f(π) = π / (π + γ)``.

    There is no ratio for what the policy did not sample; the shaping is LUFFY's (arXiv 2504.14945).

    Attributes:
        gamma: shaping γ; smaller is closer to imitation.
    """

    eps_high: float = hyperparameter(0.2, 0.0)
    dual_clip: float | None = None
    kl: float = hyperparameter(0.0, 0.0)
    gamma: float = hyperparameter(0.1, 0.0, above_low=True)

    def log_ratio(self, logp: Tensor, batch: MiniBatch) -> Tensor:
        return super().log_ratio(logp, batch).masked_fill(batch.off_policy, 0.0)

    def surrogate(self, log_ratio: Tensor, logp: Tensor, advantage: Tensor, batch: MiniBatch) -> Tensor:
        own = super().surrogate(log_ratio, logp, advantage, batch)
        probability = logp.exp()
        return torch.where(batch.off_policy, -probability / (probability + self.gamma) * advantage, own)


@dataclass(frozen=True, kw_only=True)
class NashProx(Clip):
    """Nash mirror prox (arXiv 2505.19731): what a rollout is preferred by, less ``β ln(π/ref) + (β/η) ln(π/slow)``.

    Both are penalties ``e^d - d - 1``, summed over the tokens of a rollout, as preferences are of rollouts; ``kl`` is
    β, and with the step η = 2β the second weighs one half.

    Attributes:
        proximity: weight β/η of the penalty for leaving the slow copy.
        decay: of the slow copy, a moving average of the policy, per update.
    """

    kl: float = hyperparameter(0.02, 0.0)
    dual_clip: float | None = None
    aggregation: Aggregation = "seq_mean_token_sum"
    proximity: float = hyperparameter(0.5, 0.0)
    decay: float = hyperparameter(0.99, 0.0, 1.0)

    @property
    def slow_decay(self) -> float | None:
        return self.decay

    def loss(self, logp: Tensor, batch: MiniBatch) -> tuple[Tensor, dict[str, float]]:
        total, metrics = super().loss(logp, batch)
        slow = _given(batch.logp_slow, "log-probabilities of a slow copy")
        penalty = divergence(slow, logp, batch.mask)
        metrics["kl_to_slow"] = _share(torch.where(batch.mask, penalty, 0.0), batch.totals.tokens)
        return total + self.proximity * self._mean(penalty, batch.mask, batch.totals.tokens, batch), metrics


@dataclass(frozen=True, kw_only=True)
class ClipWithCritic(Clip):
    """PPO: the clipped surrogate, and the squared error of a critic's values (arXiv 1707.06347, Eq. 9).

    Attributes:
        value_weight: weight of the critic's error, ``½ (V - return)²`` averaged over tokens.
    """

    value_weight: float = hyperparameter(0.5, 0.0)

    def loss(self, logp: Tensor, batch: MiniBatch) -> tuple[Tensor, dict[str, float]]:
        policy_loss, metrics = super().loss(logp, batch)
        values, returns = _given(batch.values, "a critic's values"), _given(batch.returns, "returns")
        error = torch.where(batch.mask, values - returns, 0.0).square()
        value_loss = 0.5 * error.sum() / max(1, batch.totals.tokens)
        return policy_loss + self.value_weight * value_loss, metrics | {"value_loss": value_loss.item()}


@dataclass(frozen=True)
class Imitation(Objective):
    """``-log π``, averaged over tokens: fine-tuning on rollouts as they are (InT's first stage, arXiv 2601.14209)."""

    def loss(self, logp: Tensor, batch: MiniBatch) -> tuple[Tensor, dict[str, float]]:
        return -torch.where(batch.mask, logp, 0.0).sum() / max(1, batch.totals.tokens), {}


def divergence(other: Tensor, logp: Tensor, mask: Tensor) -> Tensor:
    """Return ``e^d - d - 1`` with ``d = other - logp`` of every token ``(B, L)``, 0 where none counts."""
    gap = torch.where(mask, other - logp, 0.0).clamp(max=LARGEST_LOG_RATIO)
    return gap.expm1() - gap


def _share(values: Tensor, tokens: int) -> float:
    return values.detach().sum().item() / max(1, tokens)


def _given(tensor: Tensor | None, what: str) -> Tensor:
    if tensor is None:
        raise ValueError(f"the objective needs {what}, which the minibatch lacks")
    return tensor
