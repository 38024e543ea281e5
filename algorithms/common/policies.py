"""Policies as plain arrays, one class per form: what trained agents play, without torch.

What a form plays at best is written once for NumPy arrays and torch tensors, so that evaluation on a device during
training plays the same.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from array_api_compat import array_namespace
from scipy.special import expit, log_ndtr

from coopgym.agents.streams import EpisodeDraws
from coopgym.algorithms.common.learner_contract import NO_MEMORY
from coopgym.typing import FloatArray

GATES = 3
"""Reset gate, update gate and candidate of a gated recurrent unit, side by side in this order."""

_HALF_LOG_TAU = 0.5 * math.log(2.0 * math.pi)


def input_map(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return ``(gain, offset)`` with gain·observation + offset in [-1, 1] for observations within bounds.

    Entries without finite bounds pass unchanged; entries that never vary become zero.
    """
    bounded = np.isfinite(low) & np.isfinite(high)
    low, high = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
    gain = np.divide(2.0, high - low, out=np.zeros_like(low), where=high > low)
    return gain, -gain * (low + high) / 2.0


class Draw(NamedTuple):
    """Shares ``(episodes,)`` drawn from a policy, and how likely it was to draw them."""

    share: FloatArray
    log_prob: FloatArray
    """Log-density of each share, or its log-probability where it has one; NaN of a policy that leaves no choice."""


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
    """What the form needs besides tensors; always ``activation``, and ``history`` or ``memory`` where it remembers."""
    tensors: Mapping[str, FloatArray]
    """``weight_<layer>`` ``(in, out)`` and ``bias_<layer>`` ``(1, out)`` per layer, ``recurrent_weight`` and
    ``recurrent_bias`` of one that remembers, and what the form adds."""

    @staticmethod
    @abstractmethod
    def best_guess(outputs: Any) -> Any:
        """Return the shares of endowment ``(...)`` to play on outputs of the network ``(..., outputs)``.

        Both are NumPy arrays or torch tensors.
        """

    @abstractmethod
    def drawn(self, outputs: FloatArray, draws: EpisodeDraws) -> Draw:
        """Draw shares of endowment on outputs of the network ``(episodes, outputs)``."""

    @property
    def history(self) -> int:
        """Observations n that the network sees at once, oldest first."""
        return int(self.facts.get("history", 1))

    @property
    def recurrent(self) -> bool:
        """Whether the last hidden layer is a gated recurrent unit."""
        return self.facts.get("memory", NO_MEMORY) != NO_MEMORY

    def share(self, units: FloatArray) -> FloatArray:
        """Return the shares of endowment ``(episodes,)`` to play on what `units` returned."""
        share: FloatArray = self.best_guess(self.outputs(units))
        return share

    def draw(self, units: FloatArray, draws: EpisodeDraws) -> Draw:
        """Draw shares of endowment on what `units` returned."""
        return self.drawn(self.outputs(units), draws)

    @cached_property
    def layers(self) -> list[tuple[FloatArray, FloatArray]]:
        """Weights and biases in order."""
        count = sum(name.startswith("weight_") for name in self.tensors)
        return [(self.tensors[f"weight_{layer}"], self.tensors[f"bias_{layer}"]) for layer in range(count)]

    @cached_property
    def _input_map(self) -> tuple[FloatArray, FloatArray]:
        return np.tile(self.gain, self.history), np.tile(self.offset, self.history)

    def units(self, observation: FloatArray, before: FloatArray | None = None) -> FloatArray:
        """Return the last hidden layer ``(episodes, H)`` for the last observations ``(episodes, n·O)``.

        Args:
            observation: oldest first.
            before: the same after the step before, which is all that a recurrent policy remembers; None at the first.
        """
        gain, offset = self._input_map
        values = observation * gain + offset
        for weight, bias in self.layers[: -2 if self.recurrent else -1]:
            values = values @ weight + bias
            values = np.tanh(values) if self.facts["activation"] == "tanh" else np.maximum(values, 0.0)
        return self._remembered(values, before) if self.recurrent else values

    def outputs(self, units: FloatArray) -> FloatArray:
        """Return the network's outputs ``(episodes, outputs)`` for its last hidden layer ``(episodes, H)``."""
        weight, bias = self.layers[-1]
        outputs: FloatArray = units @ weight + bias
        return outputs

    def _remembered(self, values: FloatArray, before: FloatArray | None) -> FloatArray:
        """Take one step of the gated recurrent unit, as `gated_recurrence.unit` does."""
        weight, bias = self.layers[-2]
        recurrent_weight, recurrent_bias = self.tensors["recurrent_weight"], self.tensors["recurrent_bias"]
        if before is None:
            before = np.zeros((len(values), len(recurrent_weight)))
        own_reset, own_update, own_candidate = np.split(values @ weight + bias, GATES, axis=-1)
        reset, update, candidate = np.split(before @ recurrent_weight + recurrent_bias, GATES, axis=-1)
        fresh = np.tanh(own_candidate + expit(own_reset + reset) * candidate)
        after: FloatArray = fresh + expit(own_update + update) * (before - fresh)
        return after


class SquashedGaussian(Policy):
    """z = (tanh u + 1)/2 of u ~ N(μ, σ²); log σ is a tensor ``log_sigma`` ``(1,)`` or the network's second output."""

    @staticmethod
    def best_guess(outputs: Any) -> Any:
        return 0.5 * (array_namespace(outputs).tanh(outputs[..., 0]) + 1.0)

    def drawn(self, outputs: FloatArray, draws: EpisodeDraws) -> Draw:
        log_sigma = np.clip(outputs[:, 1] if outputs.shape[1] == 2 else self.tensors["log_sigma"][0], *LOG_SIGMA_RANGE)
        noise = draws.standard_normal()
        u = outputs[:, 0] + np.exp(log_sigma) * noise
        log_slope = math.log(2.0) - 2.0 * np.logaddexp(u, -u)  # of z in u, stable for every u
        return Draw(0.5 * (np.tanh(u) + 1.0), _normal_log_density(noise) - log_sigma - log_slope)


class ClippedGaussian(Policy):
    """z = (u cut to [-1, 1] + 1)/2 of u ~ N(μ, σ²); log σ is a tensor ``log_sigma`` ``(1,)``."""

    @staticmethod
    def best_guess(outputs: Any) -> Any:
        return 0.5 * (array_namespace(outputs).clip(outputs[..., 0], -1.0, 1.0) + 1.0)

    def drawn(self, outputs: FloatArray, draws: EpisodeDraws) -> Draw:
        return _clipped_draw(outputs[:, 0], float(np.exp(self.tensors["log_sigma"][0])), draws.standard_normal())


class Deterministic(Policy):
    """z = (tanh u + 1)/2 of the output u; draws add Gaussian noise of deviation ``facts["noise"]`` to tanh u."""

    @staticmethod
    def best_guess(outputs: Any) -> Any:
        return SquashedGaussian.best_guess(outputs)

    def drawn(self, outputs: FloatArray, draws: EpisodeDraws) -> Draw:
        return _clipped_draw(np.tanh(outputs[:, 0]), self.facts["noise"], draws.standard_normal())


class Categorical(Policy):
    """One of K equal levels on the own endowment by its logit.

    Draws take the level with probability (1 - ε)·softmax + ε/K, ε = ``facts["epsilon"]``.
    """

    @staticmethod
    def best_guess(outputs: Any) -> Any:
        return array_namespace(outputs).argmax(outputs, axis=-1) / (outputs.shape[-1] - 1)

    def drawn(self, outputs: FloatArray, draws: EpisodeDraws) -> Draw:
        weights = np.exp(outputs - outputs.max(1, keepdims=True))
        return _drawn_levels(weights / weights.sum(1, keepdims=True), self.facts["epsilon"], draws)


class ActionValues(Policy):
    """The one of K equal levels on the own endowment with the highest value.

    A share ``facts["epsilon"]`` of draws is uniform over the levels.
    """

    @staticmethod
    def best_guess(outputs: Any) -> Any:
        return Categorical.best_guess(outputs)

    def drawn(self, outputs: FloatArray, draws: EpisodeDraws) -> Draw:
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


def _normal_log_density(noise: FloatArray) -> FloatArray:
    return -0.5 * noise**2 - _HALF_LOG_TAU


def _clipped_draw(mean: FloatArray, sigma: float, noise: FloatArray) -> Draw:
    """Draw z = (u cut to [-1, 1] + 1)/2 of u = mean + sigma·noise ``(episodes,)``; the ends have a probability each."""
    u = mean + sigma * noise
    share = 0.5 * (np.clip(u, -1.0, 1.0) + 1.0)
    if sigma == 0.0:
        return Draw(share, np.full_like(share, np.nan))
    within = _normal_log_density(noise) - math.log(sigma) + math.log(2.0)
    ends = log_ndtr((mean * np.sign(u) - 1.0) / sigma)
    return Draw(share, np.where(np.abs(u) < 1.0, within, ends))


def _drawn_levels(probabilities: FloatArray, epsilon: float, draws: EpisodeDraws) -> Draw:
    """Draw one of K equal levels per row of ``(episodes, K)``, a share ε of the draws uniformly."""
    levels = probabilities.shape[1]
    mixed = (1.0 - epsilon) * probabilities + epsilon / levels
    thresholds = mixed.cumsum(1)
    chosen = (draws.random()[:, None] * thresholds[:, -1:] < thresholds).argmax(1)
    return Draw(chosen / (levels - 1), np.log(np.take_along_axis(mixed, chosen[:, None], 1)[:, 0]))
