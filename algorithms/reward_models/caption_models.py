"""What captions are worth: as they are labelled, or by a network that has learned from labels or comparisons."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, logsigmoid

from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.random_streams import Streams
from coopgym.algorithms.common.stacked_networks import ACTIVATIONS, ParameterStack, initialise_mlp, mlp, mlp_shapes
from coopgym.algorithms.reward_models.caption_labels import UNKNOWN, YES

WIDTH, LAYERS, UPDATES, LEARNING_RATE, MAX_NORM = 16, 2, 16, 1e-2, 10.0
LEAST_LABELS = 8
"""Labels from which on networks learn; the publication waits for 25,000, of captions without number."""
FIRST_COUNT = 1e-4
"""Weight of the mean 0 and variance 1 that running moments begin with."""


class CaptionModel(ABC):
    """Values of C captions for K agents that know nothing of one another.

    Args:
        agents: K.
        features: ``(C, F)`` of the captions.
    """

    def __init__(self, agents: int, features: Tensor) -> None:
        self.values = torch.zeros(agents, len(features), device=features.device)
        """``(K, C)``; 0 for what is not known."""

    @abstractmethod
    def fit(self, label: Tensor, seen: Tensor) -> None:
        """Learn from labels ``(K, C)``; ``seen`` ``(K, C)`` counts the captions since the last time."""

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        return {"values": self.values}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])


class Retrieved(CaptionModel):
    """The stored label: 1 for what is helpful."""

    def fit(self, label: Tensor, seen: Tensor) -> None:
        self.values.copy_(label == YES)


class Scored(CaptionModel):
    """A network that scores captions; all begin alike."""

    def __init__(self, agents: int, features: Tensor) -> None:
        super().__init__(agents, features)
        shapes = mlp_shapes(features.shape[1], (WIDTH,), 1)
        self._features = features
        self._network = ParameterStack((agents,), shapes, features.device)
        single = ParameterStack((1,), shapes, features.device)
        initialise_mlp(single, LAYERS, Streams([0], "scores of captions", torch.device("cpu")).initial, 1.0)
        self._network.flat.copy_(single.flat.expand_as(self._network.flat))
        self._adam = StackedAdam(self._network, MAX_NORM)

    def fit(self, label: Tensor, seen: Tensor) -> None:
        known = label != UNKNOWN
        learns = known.sum(-1) >= LEAST_LABELS
        for _ in range(UPDATES if bool(learns.any()) else 0):
            losses = self.losses(self._scores(self._network.named()), label, known) * learns
            self._adam.step(self._network.gradient(losses.sum()), losses.detach(), LEARNING_RATE)
        self._valued(self._scores(self._network.values()), seen, learns.unsqueeze(-1))

    @abstractmethod
    def losses(self, scores: Tensor, label: Tensor, known: Tensor) -> Tensor:
        """Return what each network is to lower, ``(K,)``."""

    @abstractmethod
    def _valued(self, scores: Tensor, seen: Tensor, learns: Tensor) -> None:
        """Set values from scores ``(K, C)``, of the networks that have learned ``(K, 1)``."""

    def _scores(self, network: Mapping[str, Tensor]) -> Tensor:
        features = self._features.expand(len(self.values), -1, -1)
        return mlp(network, LAYERS, features, ACTIVATIONS["tanh"])[..., 0]

    def state(self) -> dict[str, Tensor]:
        adam = {f"adam_{name}": tensor for name, tensor in self._adam.state().items()}
        return {**super().state(), **self._network.state(), **adam, "alive": self._adam.alive}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        self.values.copy_(state["values"])
        self._network.restore(state)
        self._adam.restore({name.removeprefix("adam_"): tensor for name, tensor in state.items()})
        self._adam.alive.copy_(state["alive"])


class Classified(Scored):
    """1 for what a classifier takes to be helpful."""

    def losses(self, scores: Tensor, label: Tensor, known: Tensor) -> Tensor:
        each = binary_cross_entropy_with_logits(scores, (label == YES).to(scores), reduction="none")
        return (each * known).sum(-1) / known.sum(-1).clamp(min=1)

    def _valued(self, scores: Tensor, seen: Tensor, learns: Tensor) -> None:
        self.values.copy_((scores > 0.0) & learns)


class Ranked(Scored):
    """A score learned from comparisons of labels, standardised by the captions that were seen, 0 below a threshold."""

    def __init__(self, agents: int, features: Tensor, threshold: float) -> None:
        super().__init__(agents, features)
        self._threshold = threshold
        self._count = torch.full((agents,), FIRST_COUNT, device=features.device)
        self._mean, self._variance = torch.zeros_like(self._count), torch.ones_like(self._count)

    def losses(self, scores: Tensor, label: Tensor, known: Tensor) -> Tensor:
        preferred = 0.5 + 0.5 * (label.unsqueeze(-1) - label.unsqueeze(-2)).to(scores)
        pairs = (known.unsqueeze(-1) & known.unsqueeze(-2)).triu(1)
        each = preference_loss(scores.unsqueeze(-1) - scores.unsqueeze(-2), preferred)
        return (each * pairs).sum((-2, -1)) / pairs.sum((-2, -1)).clamp(min=1)

    def _valued(self, scores: Tensor, seen: Tensor, learns: Tensor) -> None:
        moments = updated_moments((self._count, self._mean, self._variance), scores, seen * learns)
        for kept, new in zip((self._count, self._mean, self._variance), moments, strict=True):
            kept.copy_(new)
        standard = standardised(scores, self._mean.unsqueeze(-1), self._variance.unsqueeze(-1))
        self.values.copy_(thresholded(standard, self._threshold) * learns)

    def state(self) -> dict[str, Tensor]:
        return {**super().state(), "count": self._count, "mean": self._mean, "variance": self._variance}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        super().restore(state)
        for name, tensor in (("count", self._count), ("mean", self._mean), ("variance", self._variance)):
            tensor.copy_(state[name])


def preference_loss(difference: Tensor, preferred: Tensor) -> Tensor:
    """Return -p ln σ(d) - (1 - p) ln σ(-d), Bradley and Terry with ties.

    Args:
        difference: of scores, the first less the second.
        preferred: 1 where the first is preferred, 0 where the second is, ½ for a tie.
    """
    return -(preferred * logsigmoid(difference) + (1.0 - preferred) * logsigmoid(-difference))


def updated_moments(
    moments: tuple[Tensor, Tensor, Tensor], values: Tensor, weights: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return count, mean and sample variance ``(K,)`` after a batch, as parallel updates have them (Chan et al. 1979).

    Args:
        moments: count, mean and variance so far.
        values: ``(K, C)``.
        weights: ``(K, C)`` how often each value came.
    """
    count, mean, variance = moments
    more = weights.sum(-1).to(values)
    batch_mean = (weights * values).sum(-1) / more.clamp(min=1)
    squares = (weights * (values - batch_mean.unsqueeze(-1)).square()).sum(-1)
    batch_variance = squares / (more - 1.0).clamp(min=1.0)
    total = count + more
    gap = batch_mean - mean
    spread = variance * count + batch_variance * more + gap.square() * count * more / total
    return total, mean + gap * more / total, spread / total


def standardised(scores: Tensor, mean: Tensor, variance: Tensor) -> Tensor:
    """Return scores in units of their running standard deviation, from their running mean."""
    return (scores - mean) / (variance + _TINY).sqrt()


def thresholded(scores: Tensor, threshold: float) -> Tensor:
    """Return scores, with 0 in place of those below a threshold."""
    return torch.where(scores < threshold, 0.0, scores)


_TINY = 1e-8
