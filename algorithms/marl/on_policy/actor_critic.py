"""Actor-critic learning with Gaussian policies: play a block, estimate advantages, follow the policy gradient.

What IA2C, IPPO, MAPPO and their relatives have in common. Sources: Williams 1992, "Simple Statistical
Gradient-Following Algorithms for Connectionist Reinforcement Learning"; Schulman et al. 2016, "High-Dimensional
Continuous Control Using Generalized Advantage Estimation"; details after Andrychowicz et al. 2021, "What Matters in
On-Policy Reinforcement Learning?".

Shapes: R replicas, n seats, T steps and B environment copies of a block, S = T·B samples, M samples of a gradient
step, O observation entries, G entries of what the value function judges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Tensor

from coopgym.algorithms.common.advantage_estimation import generalised_advantages
from coopgym.algorithms.common.schedules import annealed, falling
from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.common.squashed_gaussian import (
    INITIAL_LOG_SIGMA,
    drawn_log_prob,
    entropy,
    pre_tanh_log_prob,
    share,
)
from coopgym.algorithms.common.value_normalisation import ValueNormaliser
from coopgym.algorithms.marl.core.agent_learner import AgentLearner, Context, Part
from coopgym.algorithms.marl.core.rollout_buffer import Rollout, standardised


@dataclass(frozen=True, kw_only=True)
class ActorCriticSettings(Settings):
    """Settings of all actor-critics here.

    Policy and value networks share no parameters and each has its own clipped gradient, so there is no value
    coefficient: it would change nothing.

    σ is learned below a bound that may fall. Where trust breaks down below some level, a policy with noise keeps a
    distance from that level which its mean does not need, so that noise has to go while means still learn. The gradient
    shrinks σ by itself, but too late where other seats make it noisy.

    Two hidden layers of 64 tanh units are those of Schulman et al. 2017, §6.1.

    Attributes:
        hidden: hidden layer sizes of every network.
        activation: ``"tanh"`` or ``"relu"``, between layers.
        gamma: discount factor γ.
        learning_rate: Adam's step size.
        learning_rate_decay: last share of training over which the step size falls to zero (Andrychowicz et al.: 1).
        adam_epsilon: Adam's ε (1e-5: the original code base).
        max_grad_norm: largest gradient norm of one network (0.5: same source).
        gae_lambda: λ of generalised advantage estimation.
        ent_coef: weight of the entropy of the share played.
        entropy_decay: last share of training over which that weight falls to zero.
        value_memory: samples that old statistics of returns count for against those of a new block.
        final_sigma: bound on σ at the end of training; 0.5, the initial σ, leaves it to the gradient. A bound is not
            free: with 0.03, IPPO misses the private equilibrium of TeamProduction-v1 in 150,000 steps.
        sigma_decay: share of training over which the bound falls there, by equal factors, from the initial σ.
    """

    hidden: tuple[int, ...] = hyperparameter((64, 64), 1)
    activation: Literal["tanh", "relu"] = "tanh"
    gamma: float = hyperparameter(0.99, 0.0, 1.0)
    learning_rate: float = hyperparameter(1e-3, 0.0, above_low=True)
    learning_rate_decay: float = hyperparameter(0.5, 0.0, 1.0)
    adam_epsilon: float = hyperparameter(1e-5, 0.0, above_low=True)
    max_grad_norm: float = hyperparameter(0.5, 0.0, above_low=True, recorded_as="max_gradient_norm")
    gae_lambda: float = hyperparameter(0.95, 0.0, 1.0)
    ent_coef: float = hyperparameter(0.01, 0.0, recorded_as="entropy_coefficient")
    entropy_decay: float = hyperparameter(0.2, 0.0, 1.0)
    value_memory: float = hyperparameter(8.0, 0.0, above_low=True)
    final_sigma: float = hyperparameter(0.5, 0.0, 0.5, above_low=True)
    sigma_decay: float = hyperparameter(0.8, 0.0, 1.0)


class ActorCriticNetworks(Protocol):
    """Policies N(μ, σ²) and value functions of the seats, with their optimisers."""

    @property
    def parts(self) -> Mapping[str, Part]:
        """What a resumed run has to find as it was."""

    @property
    def log_sigma(self) -> Tensor:
        """``(R, n, 1)``, or ``(R, 1, 1)`` where the seats share."""

    def policy(self) -> dict[str, Tensor]:
        """Return a copy of the policies as they stand."""

    def begin(self) -> None:
        """Begin a block with what is remembered."""

    def means(self, observation: Tensor, policy: Mapping[str, Tensor]) -> Tensor:
        """Return μ ``(R, n, B)`` of a copied policy for the block's next observations ``(R, n, B, O)``."""

    def forget(self, ended: Tensor) -> None:
        """Forget the episodes that ended with the last step, ``(R, B)``."""

    def remembered(self, block: Rollout) -> tuple[Tensor, ...]:
        """Return what `outputs` has to know of memories; nothing where there are none."""

    def recalled(self, block: Rollout) -> Rollout:
        """Return the block with observations that tell value functions what they remember, as `values` takes them."""

    def outputs(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Return μ and normalised values, ``(R, n, S)`` each, to be differentiated.

        Args:
            inputs: observations ``(R, n, S, O)`` and, where it is not the same, what value functions judge; behind
                them what `remembered` returned.
        """

    def values(self, critic_input: Tensor) -> Tensor:
        """Return normalised values ``(R, n, S)``."""

    def value_head(self) -> tuple[Tensor, Tensor]:
        """Return the last weights ``(R, n, in, 1)`` and biases ``(R, n, 1, 1)`` of the value functions."""

    def limit_noise(self, log_sigma: float) -> None:
        """Bring log σ below a bound, in place."""

    def step(self, losses: Tensor, learning_rate: float) -> None:
        """Take one gradient step along losses ``(R,)``."""

    def per_seat(self) -> dict[str, Tensor]:
        """Return the policies as every seat would own them, ``(R, n, ...)``."""


class ActorCriticSeats(AgentLearner):
    """Gaussian actor-critics, one per seat and replica; one gradient step per block along the policy gradient.

    Args:
        settings: hyper-parameters.
        context: the seats.
        networks: policies and value functions.
        times: number of times that values tell apart; None is the steps of an episode.
        pooled: whether one value function serves all seats.
    """

    policy_kind = "squashed_gaussian"

    def __init__(
        self,
        settings: ActorCriticSettings,
        context: Context,
        networks: ActorCriticNetworks,
        *,
        times: int | None = None,
        pooled: bool = False,
    ) -> None:
        super().__init__(context)
        self.settings, self.activation, self.networks = settings, settings.activation, networks
        for name, part in networks.parts.items():
            self.keep(name, part)
        shape = (*context.lead, times or context.horizon)
        self.value_scale = self.keep(
            "values", ValueNormaliser(shape, settings.value_memory, context.device, pooled=pooled)
        )
        self.pre_tanh = torch.zeros(*context.lead, context.steps, context.copies, device=context.device)

    def begin(self, progress: float) -> None:
        """Draw the block's noise and fix the policies that play it."""
        self.networks.limit_noise(self.highest_log_sigma(progress))
        self.networks.begin()
        self.policy = self.networks.policy()
        self.noise = self.context.streams.normal(tuple(self.pre_tanh.shape[1:]))  # (R, n, T, B)
        self.sigma = torch.exp(self.policy["log_sigma"])  # (R, n, 1)

    def highest_log_sigma(self, progress: float) -> float:
        """Return the bound on log σ, which falls linearly."""
        final = math.log(self.settings.final_sigma)
        return falling(INITIAL_LOG_SIGMA, final, progress, self.settings.sigma_decay)

    def act(self, t: int, observation: Tensor) -> Tensor:
        mean = self.networks.means(observation, self.policy)  # (R, n, B)
        return share(torch.addcmul(mean, self.sigma, self.noise[:, :, t], out=self.pre_tanh[:, :, t]))

    def forget(self, ended: Tensor) -> None:
        self.networks.forget(ended)

    def log_prob(self) -> Tensor:
        """Return the log-densities ``(R, n, T, B)`` of the block's draws, before tanh, under its policies."""
        return drawn_log_prob(self.noise, self.policy["log_sigma"].unsqueeze(-1))

    def inputs(self, block: Rollout) -> tuple[Tensor, ...]:
        """Return what policies see, ``(R, n, S, O)``, and, where it is not the same, what value functions judge."""
        return (block.observation.flatten(2, 3),)

    def next_values(self, block: Rollout, values: Tensor) -> Tensor:
        """Return V(s_{t+1}) ``(R, n, T, B)`` given V(s_t)."""
        return block.next_values(self.value, values)

    def batches(self, samples: Sequence[Tensor]) -> Iterator[list[tuple[Tensor, ...]]]:
        """Yield what each pass over the block's samples ``(R, n, S, ...)`` takes gradient steps on."""
        yield [tuple(samples)]

    def surrogate(self, ratio: Tensor, advantage: Tensor) -> Tensor:
        """Return what policies increase, ``(R, n, M)``: the gradient of the ratio, which is 1, is that of log π.

        Args:
            ratio: of the density of the values before tanh to that when they were drawn, ``(R, n, M)``.
            advantage: of the samples.
        """
        return ratio * advantage

    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        """Improve policies and value functions on one block.

        Returns:
            Metrics ``(R,)``, means over seats of the last pass.
        """
        settings, networks = self.settings, self.networks
        inputs, time = self.inputs(block), block.time.flatten(1)  # (R, n, S, ...), (R, S)
        recalled = networks.recalled(block)
        critic_input = self.inputs(recalled)[-1]

        def estimates(lam: float) -> tuple[Tensor, Tensor]:
            """Advantages and returns by the present value function, (R, n, S) each."""
            values = self.value(critic_input, time).view_as(block.signal)  # (R, n, T, B)
            following = self.next_values(recalled, values)
            outcome = block.signal, values, following, block.terminal, block.ended
            advantage = generalised_advantages(*outcome, settings.gamma, lam)
            return advantage.flatten(2), (advantage + values).flatten(2)

        self.value_scale.update(estimates(lam=1.0)[1], time, *networks.value_head())
        advantage, returns = estimates(settings.gae_lambda)
        advantage, target = standardised(advantage), self.value_scale.normalise(returns, time)

        learning_rate = annealed(settings.learning_rate, progress, settings.learning_rate_decay)
        entropy_weight = annealed(settings.ent_coef, progress, settings.entropy_decay)
        inputs = (*inputs, *networks.remembered(block))
        samples = (*inputs, self.pre_tanh.flatten(2), self.log_prob().flatten(2), advantage, target)
        trace: list[Tensor] = []
        for batches in self.batches(samples):
            trace.clear()
            for *seen, pre_tanh, old_log_prob, advantage, goal in batches:  # (R, n, M, ...)
                mean, value = networks.outputs(*seen)  # (R, n, M)
                log_sigma = networks.log_sigma  # (R, n, 1)
                log_ratio = pre_tanh_log_prob(pre_tanh, mean, log_sigma) - old_log_prob
                ratio = torch.exp(log_ratio)
                surrogate = self.surrogate(ratio, advantage).mean(-1)  # (R, n)
                value_error = (value - goal).square().mean(-1)
                bonus = entropy(mean, log_sigma).mean(-1)

                # One scalar to differentiate, yet no replica or seat sees another: sums of their own means.
                loss = (value_error - surrogate - entropy_weight * bonus).sum(-1)  # (R,)
                networks.step(loss, learning_rate)
                with torch.no_grad():
                    kl = (ratio - 1.0 - log_ratio).mean(-1)
                    trace.append(torch.stack([surrogate, value_error, bonus, kl]))  # (4, R, n)
        means = torch.stack(trace, dim=-1).flatten(2).mean(-1)  # (4, R)
        return dict(zip(("surrogate", "value_loss", "entropy", "kl"), means.unbind(0), strict=True))

    def value(self, critic_input: Tensor, time: Tensor) -> Tensor:
        """Return values ``(R, n, S)`` on the scale of the signal.

        Args:
            critic_input: ``(R, n, S, G)``.
            time: ``(R, S)`` steps since the start of the episode.
        """
        return self.value_scale.denormalise(self.networks.values(critic_input), time)

    def policy_tensors(self) -> dict[str, Tensor]:
        return self.networks.per_seat()
