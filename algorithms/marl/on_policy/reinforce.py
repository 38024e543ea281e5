"""Independent REINFORCE: every seat follows the gradient of its own return, estimated from whole episodes.

Source: Williams 1992, "Simple Statistical Gradient-Following Algorithms for Connectionist Reinforcement Learning".

All copies of the game play at the same time, so the mean return by time of the episode is a baseline for nothing; in
these games, which are deterministic and pay about the same every step, it explains most of a return. Returns never
cross the end of an episode. Where the block cuts an episode, the mean return by time stands for what would have
followed. As usual the factor γ^t of the t-th step is left out.

Shapes: R replicas, n seats, T steps and B environment copies of a block, S = T·B samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor

from coopgym.algorithms.common.advantage_estimation import generalised_advantages
from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.schedules import annealed
from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.common.squashed_gaussian import entropy, pre_tanh_log_prob
from coopgym.algorithms.common.value_normalisation import TimeBaseline
from coopgym.algorithms.marl.core.agent_learner import AgentLearner, Context
from coopgym.algorithms.marl.core.gaussian_policy import GaussianSeats
from coopgym.algorithms.marl.core.rollout_buffer import Rollout, standardised
from coopgym.algorithms.marl.core.trainer import ReplicaLearner


@dataclass(frozen=True, kw_only=True)
class IndependentREINFORCE(ReplicaLearner):
    """REINFORCE in every seat, with reward-to-go and a baseline by time; one gradient step per block.

    Attributes:
        hidden: hidden layer sizes of every network.
        activation: ``"tanh"`` or ``"relu"``, between layers.
        gamma: discount factor γ.
        learning_rate: Adam's step size.
        learning_rate_decay: last share of training over which the step size falls to zero.
        adam_epsilon: Adam's ε.
        max_grad_norm: largest gradient norm of one policy.
        ent_coef: weight of the entropy of the share played.
        entropy_decay: last share of training over which that weight falls to zero.
        baseline_memory: samples that the baseline of old blocks counts for against those of a new one.
    """

    sources: ClassVar[str] = "Williams 1992"
    partnered: ClassVar[bool] = True

    hidden: tuple[int, ...] = hyperparameter((64, 64), 1)
    activation: Literal["tanh", "relu"] = "tanh"
    gamma: float = hyperparameter(0.99, 0.0, 1.0)
    learning_rate: float = hyperparameter(3e-3, 0.0, above_low=True)
    learning_rate_decay: float = hyperparameter(0.5, 0.0, 1.0)
    adam_epsilon: float = hyperparameter(1e-5, 0.0, above_low=True)
    max_grad_norm: float = hyperparameter(0.5, 0.0, above_low=True, recorded_as="max_gradient_norm")
    ent_coef: float = hyperparameter(0.01, 0.0, recorded_as="entropy_coefficient")
    entropy_decay: float = hyperparameter(1.0, 0.0, 1.0)
    baseline_memory: float = hyperparameter(8.0, 0.0, above_low=True)

    def agent_learner(self, context: Context) -> AgentLearner:
        return REINFORCESeats(self, context)


class REINFORCESeats(GaussianSeats):
    """REINFORCE learners, one per seat and replica."""

    def __init__(self, settings: IndependentREINFORCE, context: Context) -> None:
        super().__init__(context, context.inputs, settings.hidden, settings.activation)
        self.settings = settings
        optimiser = StackedAdam(self.parameters, settings.max_grad_norm, settings.adam_epsilon, alive=context.alive)
        self.adam = self.keep("adam", optimiser)
        shape = (*context.lead, context.horizon)
        self.baseline = self.keep("baseline", TimeBaseline(shape, settings.baseline_memory, context.device))

    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        """Take one step along the policy gradient (Williams 1992, Eq. 11, with the baseline of the time step).

        Returns:
            Metrics ``(R,)``, means over seats.
        """
        settings, pre_tanh = self.settings, self.pre_tanh.flatten(2)
        weight = self.weights(block).flatten(2)  # (R, n, S)
        mean, log_sigma = self.policy(block.observation.flatten(2, 3))
        surrogate = (weight * pre_tanh_log_prob(pre_tanh, mean, log_sigma)).mean(-1)  # (R, n)
        bonus = entropy(mean, log_sigma).mean(-1)

        # One scalar to differentiate, yet no replica or seat sees another: sums of their own means.
        loss = -(surrogate + annealed(settings.ent_coef, progress, settings.entropy_decay) * bonus).sum(-1)
        learning_rate = annealed(settings.learning_rate, progress, settings.learning_rate_decay)
        self.adam.step(self.parameters.gradient(loss.sum()), loss, learning_rate)
        return {"entropy": bonus.detach().mean(-1)}

    def weights(self, block: Rollout) -> Tensor:
        """Return what the log-densities of the block's actions are weighted by, ``(R, n, T, B)``: here, advantages."""
        return self.advantages(block)

    @torch.no_grad()
    def advantages(self, block: Rollout) -> Tensor:
        """Return rewards-to-go less the baseline, ``(R, n, T, B)`` with deviation 1; they enter the baseline."""
        time, baseline = block.time.flatten(1), self.baseline

        def expected(time: Tensor) -> Tensor:
            return baseline.at(time).view_as(block.signal)

        known = expected(time)
        outcome = block.signal, known, expected(time + 1), block.terminal, block.ended
        returns = known + generalised_advantages(*outcome, self.settings.gamma, lam=1.0)
        baseline.average(returns.flatten(2), time)
        return standardised((returns - expected(time)).flatten(2)).view_as(returns)
