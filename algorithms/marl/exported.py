"""Policies as plain arrays, one class per form: what trained agents play, without torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from coopgym.agents.base import FloatArray


@dataclass(frozen=True, eq=False)
class Policy(ABC):
    """The policy of one seat: a perceptron, and a form that turns its outputs into shares of endowment."""

    game: str
    seat: int
    endowment: float
    gain: FloatArray
    """``(O,)`` with `offset`: from observations to the network's inputs."""
    offset: FloatArray
    facts: Mapping[str, Any]
    """What the form needs besides tensors; always ``activation``."""
    tensors: Mapping[str, FloatArray]
    """``weight_<layer>`` ``(in, out)`` and ``bias_<layer>`` ``(1, out)`` per layer, and what the form adds."""

    @abstractmethod
    def share(self, observation: FloatArray, rng: np.random.Generator | None = None) -> FloatArray:
        """Return shares of endowment ``(episodes,)`` for observations ``(episodes, O)``.

        Args:
            observation: as the game shows it.
            rng: draws from the policy; None plays its best guess.
        """

    @cached_property
    def layers(self) -> list[tuple[FloatArray, FloatArray]]:
        """Weights and biases in order."""
        count = sum(name.startswith("weight_") for name in self.tensors)
        return [(self.tensors[f"weight_{layer}"], self.tensors[f"bias_{layer}"]) for layer in range(count)]

    def outputs(self, observation: FloatArray) -> FloatArray:
        """Return the network's outputs ``(episodes, outputs)`` for observations ``(episodes, O)``."""
        values = observation * self.gain + self.offset
        for weight, bias in self.layers[:-1]:
            values = values @ weight + bias
            values = np.tanh(values) if self.facts["activation"] == "tanh" else np.maximum(values, 0.0)
        weight, bias = self.layers[-1]
        last: FloatArray = values @ weight + bias
        return last


class SquashedGaussian(Policy):
    """z = (tanh u + 1)/2 of u ~ N(μ, σ²); log σ is a tensor ``log_sigma`` ``(1,)`` or the network's second output."""

    def share(self, observation: FloatArray, rng: np.random.Generator | None = None) -> FloatArray:
        outputs = self.outputs(observation)
        latent = outputs[:, 0]
        if rng is not None:
            log_sigma = outputs[:, 1] if outputs.shape[1] == 2 else self.tensors["log_sigma"][0]
            latent = latent + np.exp(np.clip(log_sigma, *LOG_SIGMA_RANGE)) * rng.standard_normal(latent.shape)
        return 0.5 * (np.tanh(latent) + 1.0)


class Deterministic(Policy):
    """z = (tanh u + 1)/2 of the output u; draws add Gaussian noise of deviation ``facts["noise"]`` to tanh u."""

    def share(self, observation: FloatArray, rng: np.random.Generator | None = None) -> FloatArray:
        level = np.tanh(self.outputs(observation)[:, 0])
        if rng is not None:
            level = np.clip(level + self.facts["noise"] * rng.standard_normal(level.shape), -1.0, 1.0)
        return 0.5 * (level + 1.0)


class Categorical(Policy):
    """One of K equal levels on the own endowment by its logit.

    Draws take the level with probability (1 - ε)·softmax + ε/K, ε = ``facts["epsilon"]``.
    """

    def share(self, observation: FloatArray, rng: np.random.Generator | None = None) -> FloatArray:
        logits = self.outputs(observation)
        return _levels(logits, logits.argmax(1) if rng is None else _drawn(self._probabilities(logits), rng))

    def _probabilities(self, logits: FloatArray) -> FloatArray:
        weights = np.exp(logits - logits.max(1, keepdims=True))
        return _mixed(weights / weights.sum(1, keepdims=True), self.facts["epsilon"])


class ActionValues(Policy):
    """The one of K equal levels on the own endowment with the highest value.

    A share ``facts["epsilon"]`` of draws is uniform over the levels.
    """

    def share(self, observation: FloatArray, rng: np.random.Generator | None = None) -> FloatArray:
        values = self.outputs(observation)
        best = values.argmax(1)
        if rng is not None:
            best = _drawn(_mixed(np.eye(values.shape[1])[best], self.facts["epsilon"]), rng)
        return _levels(values, best)


POLICY_KINDS: Mapping[str, type[Policy]] = {
    "squashed_gaussian": SquashedGaussian,
    "deterministic": Deterministic,
    "categorical": Categorical,
    "action_values": ActionValues,
}
"""Forms by the names that training records use."""

LOG_SIGMA_RANGE = (-5.0, 1.0)
"""Bounds of log σ of every squashed Gaussian."""


def _mixed(probabilities: FloatArray, epsilon: float) -> FloatArray:
    return (1.0 - epsilon) * probabilities + epsilon / probabilities.shape[1]


def _drawn(probabilities: FloatArray, rng: np.random.Generator) -> Any:
    """Draw one column per row of ``(episodes, K)``."""
    thresholds = probabilities.cumsum(1)
    return (rng.random((len(probabilities), 1)) * thresholds[:, -1:] < thresholds).argmax(1)


def _levels(outputs: FloatArray, level: Any) -> FloatArray:
    """Return the shares that levels ``(episodes,)`` stand for."""
    share: FloatArray = level / (outputs.shape[1] - 1)
    return share
