"""Independent PPO: every seat learns its own policy and value function from its own reward.

Sources: Schulman et al. 2017, "Proximal Policy Optimization Algorithms"; Schulman et al. 2016, "High-Dimensional
Continuous Control Using Generalized Advantage Estimation"; de Witt et al. 2020, "Is Independent Learning All You Need
in the StarCraft Multi-Agent Challenge?". Implementation details after Andrychowicz et al. 2021, "What Matters in
On-Policy Reinforcement Learning?".

Shapes: R replicas, n seats, T steps and B environment copies of a block, S = T·B samples, M samples of a minibatch,
O observation entries.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from algorithms.marl.exported import LOG_SIGMA_RANGE
from algorithms.marl.hyperparameters import hyperparameter
from algorithms.marl.learner import Learner
from algorithms.marl.optimiser import StackedAdam, annealed
from algorithms.marl.policies import INITIAL_LOG_SIGMA, drawn_log_prob, entropy, latent_log_prob, share
from algorithms.marl.returns import generalised_advantages
from algorithms.marl.rollout import Rollout
from algorithms.marl.samples import reordered, standardised
from algorithms.marl.seat_networks import SeatNetworks
from algorithms.marl.seats import Context, SeatLearner
from algorithms.marl.values import TimedValueScale

POLICY, VALUE = 0, 1  # positions in the ensemble of networks


@dataclass(frozen=True, kw_only=True)
class IPPO(Learner):
    """Independent proximal policy optimisation.

    Policy and value networks share no parameters and each has its own clipped gradient, so there is no value
    coefficient: it would change nothing.

    Two hidden layers of 64 tanh units are those of Schulman et al. 2017, §6.1.

    Attributes:
        sharing: whether one pair of networks, told the seat, serves all seats (de Witt et al. 2020).
        epochs: passes over a block.
        minibatches: gradient steps per epoch; each sees M = S/minibatches samples of every seat of every replica.
        learning_rate_decay: last share of training over which the step size falls to zero (Andrychowicz et al.: 1).
        adam_epsilon: Adam's ε (1e-5: the original code base).
        max_gradient_norm: largest gradient norm of one network (0.5: same source).
        gae_lambda: λ of generalised advantage estimation.
        clip: ε of the clipped surrogate (0.2: Schulman et al. 2017, Table 3).
        entropy_coefficient: weight of the entropy of the share played.
        entropy_decay: last share of training over which that weight falls to zero.
        value_memory: samples that old statistics of returns count for against those of a new block.
    """

    sources: ClassVar[str] = "Schulman et al. 2017; de Witt et al. 2020"

    learning_rate: float = hyperparameter(2e-3, 0.0, above_low=True)
    sharing: bool = False
    epochs: int = hyperparameter(4, 1)
    minibatches: int = hyperparameter(8, 1)
    learning_rate_decay: float = hyperparameter(0.5, 0.0, 1.0)
    adam_epsilon: float = hyperparameter(1e-5, 0.0, above_low=True)
    max_gradient_norm: float = hyperparameter(0.5, 0.0, above_low=True)
    gae_lambda: float = hyperparameter(0.95, 0.0, 1.0)
    clip: float = hyperparameter(0.2, 0.0, 1.0, above_low=True)
    entropy_coefficient: float = hyperparameter(0.01, 0.0)
    entropy_decay: float = hyperparameter(0.2, 0.0, 1.0)
    value_memory: float = hyperparameter(8.0, 0.0, above_low=True)

    def seats_learner(self, context: Context) -> IPPOSeats:
        return IPPOSeats(self, context)


class IPPOSeats(SeatLearner):
    """Independent PPO learners, one per seat and replica.

    Policy and value networks have the same shape and see the same input, so all of them are one stack and cost one
    forward pass.
    """

    policy_kind = "squashed_gaussian"

    def __init__(self, settings: IPPO, context: Context) -> None:
        super().__init__(context)
        self.settings, self.activation = settings, settings.activation
        self.networks = SeatNetworks(
            context,
            context.inputs,
            settings.hidden,
            outputs=1,
            activation=settings.activation,
            ensemble=2,
            sharing=settings.sharing,
            extra={"log_sigma": (1,)},
        )
        self.networks.initialise(context, output_gain=0.01)
        self.parameters = self.keep("parameters", self.networks.parameters)
        with torch.no_grad():
            self.parameters["log_sigma"].fill_(INITIAL_LOG_SIGMA)
        optimiser = StackedAdam(self.parameters, settings.max_gradient_norm, settings.adam_epsilon, alive=context.alive)
        self.adam = self.keep("adam", optimiser)
        shape, memory = (*context.lead, context.horizon), settings.value_memory
        self.value_scale = self.keep("values", TimedValueScale(shape, memory, context.device, pooled=settings.sharing))
        self.latent = torch.zeros(*context.lead, context.steps, context.copies, device=context.device)

    def begin(self, progress: float) -> None:
        """Draw the block's noise and fix the policies that play it."""
        self.policy = self.parameters.part(dimension=1, index=POLICY)
        self.noise = self.context.streams.normal(tuple(self.latent.shape[1:]))  # (R, n, T, B)
        self.sigma = torch.exp(self.policy["log_sigma"])  # (R, n, 1)

    def act(self, t: int, observation: Tensor) -> Tensor:
        mean = self.networks(observation, self.policy).squeeze(-1)  # (R, n, B)
        return share(torch.addcmul(mean, self.sigma, self.noise[:, :, t], out=self.latent[:, :, t]))

    def log_prob(self) -> Tensor:
        """Return the log-densities ``(R, n, T, B)`` of the block's latents under the policies that drew them."""
        return drawn_log_prob(self.noise, self.policy["log_sigma"].unsqueeze(-1))

    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        """Improve policies and value functions on one block (Schulman et al. 2017, Algorithm 1).

        Returns:
            Metrics ``(R,)``, means over seats of the last epoch.
        """
        settings, parameters = self.settings, self.parameters
        observation, time = block.observation.flatten(2, 3), block.time.flatten(1)  # (R, n, S, O), (R, S)

        def estimates(lam: float) -> tuple[Tensor, Tensor]:
            """Advantages and returns by the present value function, (R, n, S) each."""
            values = self.value(observation, time).view_as(block.signal)  # (R, n, T, B)
            following = block.next_values(self.value, values)
            outcome = block.signal, values, following, block.terminal, block.ended
            advantage = generalised_advantages(*outcome, settings.gamma, lam)
            return advantage.flatten(2), (advantage + values).flatten(2)

        last = f"{self.networks.layers - 1}"
        last_layer = parameters["weight_" + last][:, VALUE], parameters["bias_" + last][:, VALUE]
        self.value_scale.update(estimates(lam=1.0)[1], time, *last_layer)
        advantage, returns = estimates(settings.gae_lambda)
        advantage, target = standardised(advantage), self.value_scale.normalise(returns, time)

        learning_rate = annealed(settings.learning_rate, progress, settings.learning_rate_decay)
        entropy_weight = annealed(settings.entropy_coefficient, progress, settings.entropy_decay)
        samples = (observation, self.latent.flatten(2), self.log_prob().flatten(2), advantage, target)
        trace: list[Tensor] = []
        for order in self.context.streams.shuffles(settings.epochs, time.shape[1]).unbind(1):  # (R, S)
            shuffled = [reordered(sample, order).chunk(settings.minibatches, dim=2) for sample in samples]
            trace.clear()
            for seen, latent, old_log_prob, gain, goal in zip(*shuffled, strict=True):  # (R, n, M, ...)
                mean, value = self.outputs(seen)  # (R, n, M)
                log_sigma = parameters["log_sigma"][:, POLICY]  # (R, n, 1)
                log_ratio = latent_log_prob(latent, mean, log_sigma) - old_log_prob
                ratio = torch.exp(log_ratio)
                clipped = ratio.clamp(1.0 - settings.clip, 1.0 + settings.clip)
                surrogate = torch.minimum(ratio * gain, clipped * gain).mean(-1)  # Eq. 7, (R, n)
                value_error = (value - goal).square().mean(-1)
                bonus = entropy(mean, log_sigma).mean(-1)

                # One scalar to differentiate, yet no replica or seat sees another: sums of their own means.
                loss = (value_error - surrogate - entropy_weight * bonus).sum(-1)  # (R,)
                self.adam.step(parameters.gradient(loss.sum()), loss, learning_rate)
                with torch.no_grad():
                    parameters["log_sigma"].clamp_(*LOG_SIGMA_RANGE)
                    kl = (ratio - 1.0 - log_ratio).mean(-1)
                    trace.append(torch.stack([surrogate, value_error, bonus, kl]))  # (4, R, N)
        means = torch.stack(trace, dim=-1).flatten(2).mean(-1)  # (4, R)
        return dict(zip(("surrogate", "value_loss", "entropy", "kl"), means.unbind(0), strict=True))

    def outputs(self, observation: Tensor) -> tuple[Tensor, Tensor]:
        """Return policy means and normalised values, ``(R, n, S)`` each, of observations ``(R, n, S, O)``."""
        mean, value = self.networks(observation).squeeze(-1).unbind(1)
        return mean, value

    @torch.no_grad()
    def value(self, observation: Tensor, time: Tensor) -> Tensor:
        """Return values ``(R, n, S)`` on the scale of the signal.

        Args:
            observation: ``(R, n, S, O)``.
            time: ``(R, S)`` steps since the start of the episode.
        """
        networks = self.parameters.part(dimension=1, index=VALUE)
        outputs = self.networks(observation, networks).squeeze(-1)
        return self.value_scale.denormalise(outputs, time)

    def policy_tensors(self) -> dict[str, Tensor]:
        return self.networks.per_seat(self.parameters.part(dimension=1, index=POLICY))
