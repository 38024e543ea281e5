"""Value heads on a scale of their own: statistics of returns by time of the episode, per replica and seat."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor


class TimeBaseline:
    """Mean returns by time of the episode, m[t], per replica and seat: all that can be known without observations.

    Shapes: R replicas, N seats, S samples, H steps of an episode.

    Args:
        shape: ``(R, N, H)``.
        memory: number of samples that old means count for against those of a new block.
        device: where the means live.
    """

    def __init__(self, shape: tuple[int, int, int], memory: float, device: torch.device) -> None:
        self.memory = memory
        self.mean = torch.zeros(shape, device=device)
        """m, ``(R, N, H)``."""
        self.seen = torch.zeros(shape[0], shape[2], dtype=torch.bool, device=device)
        """``(R, H)`` which times have been reached."""

    def at(self, time: Tensor) -> Tensor:
        """Return m at times ``(R, S)``, ``(R, N, S)``; the end of the episode counts as its last step."""
        index = time.clamp(max=self.mean.shape[-1] - 1).unsqueeze(1).expand(-1, self.mean.shape[1], -1)
        return self.mean.gather(2, index)

    @torch.no_grad()
    def average(self, returns: Tensor, time: Tensor) -> None:
        """Take in a block of returns. Seats with returns that are not finite keep their means.

        Args:
            returns: ``(R, N, S)``, not bootstrapped where the block shows how the episode ended.
            time: ``(R, S)`` steps since the start of the episode, in [0, H).
        """
        index = time.unsqueeze(1).expand_as(returns)
        count = torch.zeros_like(self.mean).scatter_add_(2, index, torch.ones_like(returns))
        total = torch.zeros_like(self.mean).scatter_add_(2, index, returns)
        trust = torch.where(self.seen.unsqueeze(1), count / (count + self.memory), (count > 0.0).to(count.dtype))
        mean = self.mean.lerp(total / count.clamp(min=1.0), trust)
        self.mean.copy_(torch.where(torch.isfinite(returns).all(-1, keepdim=True), mean, self.mean))
        self.seen |= count[:, 0] > 0.0

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        return {"mean": self.mean, "seen": self.seen}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])


class ValueNormaliser(TimeBaseline):
    """Splits a value into what depends on time alone and a normalised rest: V(s) = m[t] + σ·network(s).

    These games pay about the same every step, so most of a return is time to go: a hundred times the effect of an
    action. A network that had to learn it would leave errors larger than that effect, and errors that go with the state
    mislead the policy. The table m holds mean returns by time, exactly; the network starts at zero and learns the rest.
    σ is the running deviation of returns from m. When σ moves, the last layer is rescaled so that σ·network stays
    what it was (PopArt; van Hasselt et al. 2016).

    Shapes: R replicas, N seats, S samples, H steps of an episode.

    Args:
        shape: ``(R, N, H)``.
        memory: number of samples that old means and deviations count for against those of a new block.
        device: where the statistics live.
        pooled: keep one deviation for all seats, which share one network.
    """

    def __init__(
        self, shape: tuple[int, int, int], memory: float, device: torch.device, *, pooled: bool = False
    ) -> None:
        super().__init__(shape, memory, device)
        self.pooled = pooled
        self.variance = torch.zeros(shape[0], 1 if pooled else shape[1], device=device)
        """σ², ``(R, N)``, or ``(R, 1)`` for all seats; zero before the first block."""

    @property
    def std(self) -> Tensor:
        """σ, shaped as the variance, at least 0.001 in units of the reward scale."""
        return self.variance.clamp(min=1e-6).sqrt()

    def normalise(self, returns: Tensor, time: Tensor) -> Tensor:
        """Bring returns ``(R, N, S)`` at times ``(R, S)`` to the scale of the network."""
        return (returns - self.at(time)) / self.std[..., None]

    def denormalise(self, outputs: Tensor, time: Tensor) -> Tensor:
        """Bring network outputs ``(R, N, S)`` at times ``(R, S)`` to the scale of returns."""
        return outputs * self.std[..., None] + self.at(time)

    @torch.no_grad()
    def update(self, returns: Tensor, time: Tensor, weight: Tensor, bias: Tensor) -> None:
        """Take in a block of returns. Seats with returns that are not finite keep their statistics.

        Args:
            returns: ``(R, N, S)``, not bootstrapped where the block shows how the episode ended.
            time: ``(R, S)`` steps since the start of the episode, in [0, H).
            weight: the network's last weights ``(R, N, in, 1)``, or ``(R, 1, in, 1)`` pooled, rescaled in place.
            bias: the network's last bias, likewise.
        """
        old_std, started = self.std, self.variance > 0.0
        finite = torch.isfinite(returns).all(-1)  # (R, N)
        self.average(returns, time)

        samples = returns.shape[-1]
        spread = (returns - self.at(time)).square().mean(-1)
        if self.pooled:
            spread, finite = spread.mean(1, keepdim=True), finite.all(1, keepdim=True)
        variance = self.variance.lerp(spread, torch.where(started, samples / (samples + self.memory), 1.0))
        self.variance.copy_(torch.where(finite, variance, self.variance))
        ratio = torch.where(started, old_std / self.std, 1.0)[..., None, None]
        weight.mul_(ratio)
        bias.mul_(ratio)

    def state(self) -> dict[str, Tensor]:
        return {**super().state(), "variance": self.variance}


class SteadyValue:
    """What it is worth to earn the same signal c every step from time t on: b[t] = c·(1 - γ^(H - t))/(1 - γ).

    Off-policy critics learn Q - b. Most of a value here is time to go, and that part is known: with a signal that never
    changes, the network has nothing to learn. It shifts no optimum, since b depends on time alone. Where c is not what
    is earned, the gap times the steps to go is left to the network and hides what a single action changes.

    Args:
        shape: ``(R, n)``.
        gamma: discount factor γ.
        horizon: steps H of an episode.
        endless: whether the signal is thought to go on beyond the horizon, as truncated episodes that bootstrap do.
        device: where it lives.

    Raises:
        ValueError: an endless signal without discount.
    """

    def __init__(
        self, shape: tuple[int, int], gamma: float, horizon: int, device: torch.device, *, endless: bool = False
    ) -> None:
        if endless and gamma == 1.0:
            raise ValueError("gamma=1.0: expected less than 1 together with bootstrap_truncation")
        left = torch.arange(horizon, -1, -1, dtype=torch.float64, device=device)
        value = left if gamma == 1.0 else (1.0 - gamma ** (torch.inf if endless else left)) / (1.0 - gamma)
        self._value_of_one = torch.as_tensor(value, dtype=torch.float32, device=device).expand(horizon + 1)
        self.signal = torch.zeros(shape, device=device)
        """c, ``(R, n)``."""

    def calibrate(self, signal: Tensor, weight: float = 1.0) -> None:
        """Move c a share ``weight`` of the way to the mean of signals ``(R, n, S)``."""
        self.signal.lerp_(signal.mean(-1), weight)

    def __call__(self, time: Tensor) -> Tensor:
        """Return b ``(R, n, S)`` at times ``(R, S)`` in [0, H]."""
        return self.signal.unsqueeze(-1) * self._value_of_one[time].unsqueeze(1)

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        return {"signal": self.signal}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self.signal.copy_(state["signal"])


class TargetNormaliser:
    """The unit σ in which off-policy critics answer: the running deviation of their targets, per replica and seat.

    When σ moves, the last layers are rescaled so that σ·network stays what it was (PopArt; van Hasselt et al. 2016).

    Args:
        shape: ``(R, n)``.
        rate: weight of a new minibatch.
        device: where it lives.
    """

    def __init__(self, shape: tuple[int, int], rate: float, device: torch.device) -> None:
        self.rate = rate
        self.variance = torch.zeros(shape, device=device)
        """σ², ``(R, n)``; zero before the first minibatch."""

    @property
    def std(self) -> Tensor:
        """σ ``(R, n)``, at least 0.001 in units of the reward scale."""
        return self.variance.clamp(min=1e-6).sqrt()

    def normalise(self, values: Tensor) -> Tensor:
        """Bring values ``(R, n, M)`` to the scale of the networks."""
        return values / self.std.unsqueeze(-1)

    def denormalise(self, outputs: Tensor) -> Tensor:
        """Bring network outputs ``(R, n, M)`` to the scale of the signal."""
        return outputs * self.std.unsqueeze(-1)

    @torch.no_grad()
    def update(self, targets: Tensor, layers: Iterable[Tensor]) -> None:
        """Take in targets. Seats with targets that are not finite keep their scale.

        Args:
            targets: ``(R, n, M)`` in units of the signal, M at least 2.
            layers: weights and biases of last layers, ``(R, n, in, 1)`` or ``(R, E, n, in, 1)``, rescaled in place.
        """
        old, started = self.std, self.variance > 0.0
        variance = self.variance.lerp(targets.var(-1), torch.where(started, self.rate, 1.0))
        self.variance.copy_(torch.where(torch.isfinite(variance), variance, self.variance))
        ratio = torch.where(started, old / self.std, 1.0)
        for layer in layers:
            layer.mul_(ratio.view(len(ratio), *(1,) * (layer.dim() - 4), -1, 1, 1))

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        return {"variance": self.variance}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self.variance.copy_(state["variance"])
