"""LOLA with exact derivatives: games are differentiable and deterministic, so one played episode tells the gradient.

Source: Foerster et al. 2018, "Learning with Opponent-Learning Awareness", §4.2.

Every seat plays its best guess, the mean of its policy, and J_i is the discounted sum of its training signal over one
episode. Each ordered pair (i, j) has an episode of its own with its own copy of all parameters, so that all pairs share
four backward passes.

Shapes: R replicas, n seats, m opponents of a seat, P parameters of a policy, O observation entries.
"""

from __future__ import annotations

import torch
from torch import Tensor

from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.policies import LOG_SIGMA_RANGE
from coopgym.algorithms.common.schedules import annealed
from coopgym.algorithms.common.squashed_gaussian import share
from coopgym.algorithms.common.stacked_networks import ParameterStack, mlp
from coopgym.algorithms.marl.core.agent_learner import Context
from coopgym.algorithms.marl.core.environment import episode, objective_signal, observation_map
from coopgym.algorithms.marl.core.gaussian_policy import GaussianSeats, moments
from coopgym.algorithms.marl.core.observation_history import ObservationHistory
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.algorithms.marl.on_policy.reinforce import IndependentREINFORCE

MOST_SEATS = 6
"""Pairs of seats grow as the square, and every pair copies the parameters of all seats."""


class ExactLOLASeats(GaussianSeats):
    """LOLA learners in all seats; blocks of experience only show what the policies earn.

    Args:
        settings: hyper-parameters of the policies and their optimiser.
        context: the training.
        shaping: η.

    Raises:
        ValueError: another learner has some of the seats.
    """

    def __init__(self, settings: IndependentREINFORCE, context: Context, *, shaping: float) -> None:
        if len(context.seats) < context.agents:
            raise ValueError("estimator='exact' plays the whole game and needs all of its seats; use estimator='dice'")
        super().__init__(context, context.inputs, settings.hidden, settings.activation, log_sigma=LOG_SIGMA_RANGE[0])
        self.settings, self.eta = settings, shaping
        optimiser = StackedAdam(self.parameters, settings.max_grad_norm, settings.adam_epsilon, alive=context.alive)
        self.adam = self.keep("adam", optimiser)
        replicas, seats = context.lead
        pairs = replicas, seats, seats - 1
        self.environment = context.make(
            pairs, device=context.device, reward=[replica.reward for replica in context.replicas], validate=False
        )
        self.stochastic = self.environment.game.stochastic
        maps = (torch.as_tensor(array, dtype=torch.float32) for array in observation_map(self.environment))
        self.gain, self.offset = (array.to(context.device) for array in maps)  # (n, O)
        shapes = {name: tuple(value.shape[2:]) for name, value in self.parameters.values().items()}
        self.copies = ParameterStack((*pairs, seats), shapes, context.device)
        """The parameters of all seats, once per pair."""
        seat = torch.arange(seats, device=context.device)
        self.ego = seat.unsqueeze(1).expand(-1, seats - 1)
        """``(n, n - 1)`` i of each pair."""
        self.opponent = (self.ego + torch.arange(1, seats, device=context.device)) % seats
        """``(n, n - 1)`` j of each pair."""

    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        """Take one step along the LOLA gradient.

        Returns:
            Metrics ``(R,)``: the mean of J over seats.
        """
        gradient, value = self.gradient()
        padded = torch.cat([-gradient, self.parameters.padding], dim=-1)
        learning_rate = annealed(self.settings.learning_rate, progress, self.settings.learning_rate_decay)
        self.adam.step(padded, -value.sum(-1), learning_rate)
        return {"value": value.mean(-1)}

    def gradient(self) -> tuple[Tensor, Tensor]:
        """Return ∇_i J_i + η Σ_j (∇_i ∇_j J_j)ᵀ ∇_j J_i ``(R, n, P)`` and J ``(R, n)``."""
        with torch.no_grad():
            self.copies.flat.copy_(self.parameters.flat[:, None, None])
        value = self.play()  # (R, n, m, n)

        def of(seat: Tensor, entries: Tensor) -> Tensor:
            """Take one seat's entry of (R, n, m, n, ...) in each pair."""
            index = seat.view(1, *seat.shape, *(1,) * (entries.dim() - 3))
            return entries.take_along_dim(index, dim=3).squeeze(3)

        def slope(scalar: Tensor, *, again: bool = False) -> Tensor:
            """Differentiate with respect to the parameters of all seats in each pair, (R, n, m, n, P)."""
            parts = torch.autograd.grad(scalar, self.copies.views, retain_graph=True, create_graph=again)
            return torch.cat([part.flatten(4) for part in parts], dim=-1)

        own = slope(of(self.ego, value).sum())
        theirs = of(self.opponent, slope(of(self.opponent, value).sum(), again=True))  # ∇_j J_j
        shaped = slope((theirs * of(self.opponent, own)).sum())
        shaping = of(self.ego, shaped).sum(2)
        return of(self.ego, own).mean(2) + self.eta * shaping, of(self.ego, value).detach().mean(2)

    def play(self) -> Tensor:
        """Play one episode per pair and return J of all seats, ``(R, n, m, n)``, differentiable in the copies."""
        environment, context = self.environment, self.context
        rows = self.copies.flat[..., 0, 0].numel()
        scale = context.scale.view(-1, 1, 1, 1)
        seeds = context.streams.seeds(1) if self.stochastic else [0] * len(context.replicas)
        by_row = [seed for seed in seeds for _ in range(rows // len(seeds))]
        total = torch.zeros(self.copies.lead, device=context.device)
        weight = torch.ones(self.copies.lead[:-1], device=context.device)
        history = ObservationHistory(context.history)

        def act(observation: Tensor) -> Tensor:
            seen = history.push(observation * self.gain + self.offset).unsqueeze(-2)  # (R, n, m, n, 1, O)
            mean, _ = moments(mlp(self.copies, self.policies.layers, seen, self.policies.activation).squeeze(-2))
            return share(mean)

        for step in episode(environment, act, by_row, context.horizon):
            total = total + weight.unsqueeze(-1) * objective_signal(step.rewards, self.settings.objective) / scale
            weight = self.settings.gamma * weight * ~step.ended
        return total
