"""Policies as plain arrays, one class per form: what trained agents play, without torch.

What a form plays at best is written once for NumPy arrays and torch tensors, so that evaluation on a device during
training plays the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from array_api_compat import array_namespace

from coopgym.agents.base import FloatArray
from coopgym.agents.streams import EpisodeDraws


def input_map(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``(gain, offset)`` with gain·observation + offset in [-1, 1] for observations within bounds.

    Entries without finite bounds pass unchanged; entries that never vary become zero.
    """
    bounded = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
    gain = np.divide(2.0, high - low, out=np.zeros_like(low), where=high > low)
    return gain, -gain * (low + high) / 2.0


@dataclass(frozen=True, eq=False)
class Policy(ABC):
    """The policy of one seat: a perceptron, and a form that turns its outputs into shares of endowment."""

    game: str
    seat: int
    parameters: Mapping[str, Any]
    """Parameters of the game that it was trained on, as JSON values."""
    gain: FloatArray
    """``(O,)`` with `offset`: from observations to the network's inputs."""
    offset: FloatArray
    facts: Mapping[str, Any]
    """What the form needs besides tensors; always ``activation``."""
    tensors: Mapping[str, FloatArray]
    """``weight_<layer>`` ``(in, out)`` and ``bias_<layer>`` ``(1, out)`` per layer, and what the form adds."""

    @staticmethod
    @abstractmethod
    def best_guess(outputs: Any) -> Any:
        """Return the shares of endowment ``(...)`` to play on outputs of the network ``(..., outputs)``.

        Both are NumPy arrays or torch tensors.
        """

    @abstractmethod
    def drawn(self, outputs: FloatArray, draws: EpisodeDraws) -> FloatArray:
        """Draw shares of endowment ``(episodes,)`` on outputs of the network ``(episodes, outputs)``."""

    def share(self, observation: FloatArray, draws: EpisodeDraws | None = None) -> FloatArray:
        """Return shares of endowment ``(episodes,)`` for observations ``(episodes, O)``.

        Args:
            observation: as the game shows it.
            draws: of as many episodes, to draw from the policy; None plays its best guess.
        """
        outputs = self.outputs(observation)
        share: FloatArray = self.best_guess(outputs) if draws is None else self.drawn(outputs, draws)
        return share

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

    @staticmethod
    def best_guess(outputs: Any) -> Any:
        return 0.5 * (array_namespace(outputs).tanh(outputs[..., 0]) + 1.0)

    def drawn(self, outputs: FloatArray, draws: EpisodeDraws) -> FloatArray:
        log_sigma = outputs[:, 1] if outputs.shape[1] == 2 else self.tensors["log_sigma"][0]
        sigma = np.exp(np.clip(log_sigma, *LOG_SIGMA_RANGE))
        return 0.5 * (np.tanh(outputs[:, 0] + sigma * draws.standard_normal()) + 1.0)


class ClippedGaussian(Policy):
    """z = (u cut to [-1, 1] + 1)/2 of u ~ N(μ, σ²); log σ is a tensor ``log_sigma`` ``(1,)``."""

    @staticmethod
    def best_guess(outputs: Any) -> Any:
        return 0.5 * (array_namespace(outputs).clip(outputs[..., 0], -1.0, 1.0) + 1.0)

    def drawn(self, outputs: FloatArray, draws: EpisodeDraws) -> FloatArray:
        noise = np.exp(self.tensors["log_sigma"][0]) * draws.standard_normal()
        return self.best_guess(outputs + noise[:, None])


class Deterministic(Policy):
    """z = (tanh u + 1)/2 of the output u; draws add Gaussian noise of deviation ``facts["noise"]`` to tanh u."""

    @staticmethod
    def best_guess(outputs: Any) -> Any:
        return SquashedGaussian.best_guess(outputs)

    def drawn(self, outputs: FloatArray, draws: EpisodeDraws) -> FloatArray:
        level = np.tanh(outputs[:, 0]) + self.facts["noise"] * draws.standard_normal()
        return 0.5 * (np.clip(level, -1.0, 1.0) + 1.0)


class Categorical(Policy):
    """One of K equal levels on the own endowment by its logit.

    Draws take the level with probability (1 - ε)·softmax + ε/K, ε = ``facts["epsilon"]``.
    """

    @staticmethod
    def best_guess(outputs: Any) -> Any:
        return array_namespace(outputs).argmax(outputs, axis=-1) / (outputs.shape[-1] - 1)

    def drawn(self, outputs: FloatArray, draws: EpisodeDraws) -> FloatArray:
        weights = np.exp(outputs - outputs.max(1, keepdims=True))
        return _drawn_levels(weights / weights.sum(1, keepdims=True), self.facts["epsilon"], draws)


class ActionValues(Policy):
    """The one of K equal levels on the own endowment with the highest value.

    A share ``facts["epsilon"]`` of draws is uniform over the levels.
    """

    @staticmethod
    def best_guess(outputs: Any) -> Any:
        return Categorical.best_guess(outputs)

    def drawn(self, outputs: FloatArray, draws: EpisodeDraws) -> FloatArray:
        return _drawn_levels(np.eye(outputs.shape[1])[outputs.argmax(1)], self.facts["epsilon"], draws)


POLICY_KINDS: Mapping[str, type[Policy]] = {
    "squashed_gaussian": SquashedGaussian,
    "clipped_gaussian": ClippedGaussian,
    "deterministic": Deterministic,
    "categorical": Categorical,
    "action_values": ActionValues,
}
"""Forms by the names that training records use."""

LOG_SIGMA_RANGE = (-5.0, 1.0)
"""Bounds of log σ of every squashed Gaussian."""


def _drawn_levels(probabilities: FloatArray, epsilon: float, draws: EpisodeDraws) -> FloatArray:
    """Draw one of K equal levels per row of ``(episodes, K)``, a share ε of the draws uniformly."""
    levels = probabilities.shape[1]
    thresholds = ((1.0 - epsilon) * probabilities + epsilon / levels).cumsum(1)
    chosen = (draws.random()[:, None] * thresholds[:, -1:] < thresholds).argmax(1)
    share: FloatArray = chosen / (levels - 1)
    return share
