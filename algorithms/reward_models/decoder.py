"""Decoders of step rewards from factors, one per replica, fit to the returns of the latest episodes.

Shapes: R replicas, B copies, C episodes kept, M of a minibatch, K steps drawn of T, N agents, F factors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.random_streams import Streams
from coopgym.algorithms.common.stacked_networks import ACTIVATIONS, ParameterStack, initialise_mlp, mlp, mlp_shapes
from coopgym.algorithms.common.torch_defaults import torch_defaults
from coopgym.algorithms.reward_models.return_decomposition import decomposition_loss, linear_head

MAX_NORM = 10.0
CONSTANT = 1e-6
"""A factor that spreads less does not vary."""
OUTPUTS = 2
"""Columns of the last layer, of which the first is read: a single one is multiplied by other routines in one network
than in several, whose last digits differ."""
LEAST_SPREAD = 0.1
"""Returns are brought to a scale of their spread, or of this share of their mean, if that is larger."""


@dataclass(frozen=True)
class DecoderSettings:
    """How rewards are decoded; as the settings of `coopgym.algorithms.reward_models.lare.LaRe`."""

    layers: int
    width: int
    steps: int
    updates: int
    batch: int
    episodes: int
    learning_rate: float


class EpisodeMemory:
    """The latest C finished episodes of each replica: factors, lengths and returns.

    Args:
        replicas: R.
        shape: ``(T, N, F)`` of the factors of an episode.
        capacity: C.
        device: where it lives.
    """

    def __init__(self, replicas: int, shape: tuple[int, int, int], capacity: int, device: torch.device) -> None:
        self.factors = torch.zeros(replicas, capacity, *shape, device=device)
        self.lengths = torch.zeros(replicas, capacity, dtype=torch.int64, device=device)
        self.returns = torch.zeros(replicas, capacity, device=device)
        self.pushed = torch.zeros(replicas, dtype=torch.int64, device=device)
        """``(R,)`` episodes that were ever kept."""

    def push(self, over: Tensor, factors: Tensor, lengths: Tensor, returns: Tensor) -> None:
        """Keep the episodes that are over ``(R, B)``, of ``(R, B, ...)``, in place of the oldest."""
        replica, copy = over.nonzero(as_tuple=True)
        place = (self.pushed.unsqueeze(1) + over.cumsum(1) - 1)[replica, copy] % self.lengths.shape[1]
        self.factors[replica, place] = factors[replica, copy]
        self.lengths[replica, place] = lengths[replica, copy]
        self.returns[replica, place] = returns[replica, copy]
        self.pushed += over.sum(1)

    @property
    def kept(self) -> Tensor:
        """``(R, C)`` which places hold an episode."""
        return self.lengths > 0

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        return {"factors": self.factors, "lengths": self.lengths, "returns": self.returns, "pushed": self.pushed}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        for name, tensor in self.state().items():
            tensor.copy_(state[name])


class Decoder:
    """Predicts the reward of a step from an agent's factors and seat, so that sums over seats and steps are returns.

    Before it is first fit it predicts nothing but 0.

    Args:
        settings: how.
        replicas: R.
        agents: N.
        factors: F.
        device: where it lives.
    """

    @torch_defaults()
    def __init__(
        self, settings: DecoderSettings, replicas: int, agents: int, factors: int, device: torch.device
    ) -> None:
        self.settings = settings
        self._seats = torch.eye(agents, device=device)
        hidden = (settings.width,) * (settings.layers - 1)
        self._network = ParameterStack((replicas,), mlp_shapes(factors + agents, hidden, OUTPUTS), device)
        # All begin alike, and draw alike: what a replica learns follows from its own episodes only.
        streams = Streams([0], "decoder of rewards", torch.device("cpu"))
        single = ParameterStack((1,), mlp_shapes(factors + agents, hidden, OUTPUTS), device)
        initialise_mlp(single, settings.layers, streams.initial, 0.0)
        self._network.flat.copy_(single.flat.expand_as(self._network.flat))
        self._adam = StackedAdam(self._network, MAX_NORM)
        self._location, self._scale = torch.zeros(2, replicas, device=device)
        self._centre, self._spread = (
            torch.zeros(replicas, factors, device=device),
            torch.ones(replicas, factors, device=device),
        )
        self._fits = torch.zeros((), dtype=torch.int64)

    def __call__(self, factors: Tensor) -> Tensor:
        """Return rewards ``(R, ..., N)`` of factors ``(R, ..., N, F)``."""
        return self._in_units(self._decoded(self._network.values(), factors))

    @torch_defaults()
    def fit(self, memory: EpisodeMemory) -> None:
        """Learn from the episodes in memory; replicas without any stay as they are."""
        if not bool(memory.kept.any()):
            return
        self._scaled_by(memory)
        if self.settings.layers == 1:
            self._solve(memory)
        else:
            self._descend(memory)
        self._fits += 1

    def _decoded(self, network: Mapping[str, Tensor], factors: Tensor) -> Tensor:
        """Return predictions ``(R, ..., N)`` in units of the scale."""
        seen = self._with_seats(factors)
        decoded = mlp(network, self.settings.layers, seen.flatten(1, -2), ACTIVATIONS["relu"])
        return decoded[..., 0].view(seen.shape[:-1])

    def _with_seats(self, factors: Tensor) -> Tensor:
        """Return standardised factors and who the agent is, ``(R, ..., N, F + N)``."""
        aligned = (len(factors), *(1,) * (factors.dim() - 2), -1)
        standardised = (factors - self._centre.view(aligned)) / self._spread.view(aligned)
        seats = self._seats.to(factors.dtype)
        return torch.cat([standardised, seats.expand(*factors.shape[:-1], -1)], dim=-1)

    def _in_units(self, decoded: Tensor) -> Tensor:
        aligned = (-1, *(1,) * (decoded.dim() - 1))
        return self._location.view(aligned) + self._scale.view(aligned) * decoded

    def _scaled_by(self, memory: EpisodeMemory) -> None:
        """Take the units of returns and factors from the first episodes of replicas that have none yet.

        What returns cannot tell from a constant, such as the time in episodes of one length, then is told from it: it
        is 0 on average, and the smallest weights of the best leave it out.
        """
        kept = memory.kept
        seen, every = memory.factors.double(), (1, 2, 3)  # (R, C, T, N, F)
        played = _first(memory.lengths, seen.shape[2])[..., None, None].to(seen)
        total = (played.sum(every) * len(self._seats)).clamp(min=1.0)
        centre = (seen * played).sum(every) / total
        deviation = (seen - centre[:, None, None, None]) * played
        spread_of_factors = (deviation.square().sum(every) / total).sqrt()
        shares = memory.returns / (memory.lengths.clamp(min=1) * len(self._seats))
        count = kept.sum(1).clamp(min=1)
        mean = (shares * kept).sum(1) / count
        spread = (((shares - mean.unsqueeze(1)) * kept).square().sum(1) / count).sqrt()
        scale = torch.maximum(spread, LEAST_SPREAD * mean.abs()).clamp(min=1e-6)
        first = kept.any(1) & (self._scale == 0.0)
        self._location, self._scale = (
            torch.where(first, new, old) for new, old in ((mean, self._location), (scale, self._scale))
        )
        varies = torch.where(spread_of_factors > CONSTANT, spread_of_factors, 1.0)
        self._centre, self._spread = (
            torch.where(first.unsqueeze(1), new.to(old), old)
            for new, old in ((centre, self._centre), (varies, self._spread))
        )

    def _targets(self, returns: Tensor, lengths: Tensor) -> Tensor:
        """Return what the sum over seats is to be on average, ``(R, ·)``, in units of the scale."""
        seats = len(self._seats)
        scale = torch.where(self._scale > 0.0, self._scale, 1.0).unsqueeze(1)
        return (returns / lengths.clamp(min=1) - seats * self._location.unsqueeze(1)) / scale

    def _solve(self, memory: EpisodeMemory) -> None:
        seen = self._with_seats(memory.factors.double()).sum(-2)  # (R, C, T, F + N)
        played = _first(memory.lengths, seen.shape[2]).unsqueeze(-1)
        means = (seen * played).sum(2) / memory.lengths.clamp(min=1).unsqueeze(-1)
        targets = self._targets(memory.returns.double(), memory.lengths) * memory.kept
        weights = linear_head(means, targets).to(self._network.flat)
        with torch.no_grad():
            self._network["weight_0"][..., 0] = weights

    def _descend(self, memory: EpisodeMemory) -> None:
        settings, horizon = self.settings, memory.factors.shape[2]
        device = memory.factors.device
        drawing = torch.Generator().manual_seed(int(self._fits))
        drawn_steps = min(settings.steps or horizon, horizon)
        count = memory.kept.sum(1, keepdim=True)
        rows = torch.arange(len(count), device=device).unsqueeze(1)
        for _ in range(settings.updates):
            picks = torch.rand(settings.batch, generator=drawing).to(device)
            keys = torch.rand(settings.batch, horizon, generator=drawing).to(device)
            episode = (picks * count).to(torch.int64)  # (R, M)
            lengths = memory.lengths[rows, episode]
            beyond = ~_first(lengths, horizon)
            steps = (keys + beyond).argsort(dim=-1, stable=True)[..., :drawn_steps]  # (R, M, K)
            factors = memory.factors[rows.unsqueeze(-1), episode.unsqueeze(-1), steps]  # (R, M, K, N, F)
            predicted = self._decoded(self._network.named(), factors).sum(-1)
            targets = self._targets(memory.returns[rows, episode], lengths)
            used = _first(lengths.clamp(min=1), drawn_steps).to(predicted.dtype)
            losses = decomposition_loss(predicted, targets, lengths.clamp(min=1), used)  # (R, M)
            losses = (losses * (count > 0)).mean(1)
            self._adam.step(self._network.gradient(losses.sum()), losses.detach(), settings.learning_rate)

    def state(self) -> dict[str, Tensor]:
        """Return everything a resumed run needs."""
        adam = {f"adam_{name}": tensor for name, tensor in self._adam.state().items()}
        return {**self._network.state(), **adam, **self._units(), "alive": self._adam.alive, "fits": self._fits}

    def _units(self) -> dict[str, Tensor]:
        return {
            "location": self._location,
            "scale": self._scale,
            "centre": self._centre,
            "spread": self._spread,
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self._network.restore(state)
        self._adam.restore({name.removeprefix("adam_"): tensor for name, tensor in state.items()})
        for name, tensor in (self._units() | {"alive": self._adam.alive, "fits": self._fits}).items():
            tensor.copy_(state[name])


def _first(count: Tensor, of: int) -> Tensor:
    """Return ``(..., of)`` which places are among the first, ``count`` ``(...)`` of them."""
    return torch.arange(of, device=count.device) < count.unsqueeze(-1)
