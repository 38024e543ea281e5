"""LOLA: every seat follows the gradient of the return that it will have after the others' next learning step.

Sources: Foerster et al. 2018, "Learning with Opponent-Learning Awareness" (LOLA); Foerster et al. 2018, "DiCE: The
Infinitely Differentiable Monte-Carlo Estimator" (DiCE); Farquhar et al. 2019, "Loaded DiCE: Trading off Bias and
Variance in Any-Order Score Function Estimators for Reinforcement Learning" (loaded DiCE).

Seat i climbs J_i(θ_i, θ_j + η ∇_j J_j(θ)), to first order in η:

    ∇_i J_i + η Σ_j (∇_i ∇_j J_j)ᵀ ∇_j J_i,    j ≠ i

The loaded DiCE objective of a block is J_j = mean_t [(□(w_≤t) - □(w_<t)) A_j(t)], w_≤t the sum of the log-densities of
all seats' actions up to t. Its mixed derivative pairs actions s of i and s' of j with the advantage A_j(max(s, s')).
Contracted with v = ∇_j J_i it becomes a policy gradient of i, mean_s [W_i(s) ∇_i log π_i(s)], with weights

    W_i(s) = Σ_j [A_j(s) Σ_{t ≤ s} d_j(t) + Σ_{t > s} A_j(t) d_j(t)],    d_j(t) = ⟨∇_j log π_j(t), v⟩

So a seat learns as in REINFORCE, from its advantages plus η W_i, and second derivatives are never formed. Advantages
have deviation 1, which gives η the same meaning in every game. The noise of W grows as policies become sharp, so η is
lowered where η W would outweigh the advantages by more than a limit. Seats of other learners are part of the
environment.

Shapes: R replicas, n seats, m opponents, T steps and B environment copies of a block, S = T·B samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor

from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.common.squashed_gaussian import pre_tanh_log_prob
from coopgym.algorithms.marl.core.agent_learner import AgentLearner, Context
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.algorithms.marl.on_policy.reinforce import IndependentREINFORCE, REINFORCESeats
from coopgym.algorithms.marl.opponent_shaping.lola_exact import MOST_SEATS, ExactLOLASeats
from coopgym.games.game import Game


@dataclass(frozen=True, kw_only=True)
class LOLA(IndependentREINFORCE):
    """REINFORCE that shapes the others' learning.

    Policies have 32 units, for every pair of seats costs a gradient.

    Attributes:
        estimator: ``"dice"`` samples the derivatives; ``"exact"`` differentiates the game, where every seat plays its
            best guess. Signals of the released edition saturate and have no slope: use ``"dice"`` there.
        shaping: η, the step of the others that a seat looks ahead.
        shaping_limit: largest deviation of η W, in deviations of the advantages (``"dice"`` only).
        team_shaping_limit: the same with the team's objective: a team has nobody to win over, and the noise of W keeps
            it from its optimum.
        opponents: others m that a seat looks at per update; where there are more, m are drawn (``"dice"`` only).
    """

    sources: ClassVar[str] = "Foerster et al. 2018 (LOLA); Foerster et al. 2018 (DiCE); Farquhar et al. 2019"
    partnered: ClassVar[bool] = False
    min_agents: ClassVar[int] = 2

    hidden: tuple[int, ...] = hyperparameter((32,), 1)
    learning_rate: float = hyperparameter(5e-3, 0.0, above_low=True)
    estimator: Literal["dice", "exact"] = "dice"
    shaping: float = hyperparameter(0.3, 0.0)
    shaping_limit: float = hyperparameter(2.0, 0.0, above_low=True)
    team_shaping_limit: float = hyperparameter(0.5, 0.0, above_low=True)
    opponents: int = hyperparameter(5, 1)

    def check(self, game: Game[Any]) -> None:
        super().check(game)
        seats = len(game.spec.endowments)
        if self.estimator == "exact" and seats > MOST_SEATS:
            raise ValueError(
                f"estimator='exact' plays one episode per pair of at most {MOST_SEATS} seats, but {game.spec.id} has "
                f"{seats}; use estimator='dice'"
            )

    def agent_learner(self, context: Context) -> AgentLearner:
        if self.estimator == "exact":
            return ExactLOLASeats(self, context, shaping=self.shaping)
        return LOLASeats(self, context)


class LOLASeats(REINFORCESeats):
    """LOLA learners, one per seat and replica."""

    def __init__(self, settings: LOLA, context: Context) -> None:
        super().__init__(settings, context)
        self.eta, self.opponents = settings.shaping, settings.opponents
        self.limit = settings.team_shaping_limit if settings.objective == "team" else settings.shaping_limit

    def weights(self, block: Rollout) -> Tensor:
        advantage = self.advantages(block)
        shaping = self.eta * self.shaping(block, advantage)
        deviation = shaping.square().mean((-2, -1), keepdim=True).sqrt()
        return advantage + shaping * (self.limit / deviation.clamp(min=self.limit))

    def shaping(self, block: Rollout, advantage: Tensor) -> Tensor:
        """Return W ``(R, n, T, B)`` for advantages A of the same shape."""
        replicas, seats = self.context.lead
        replica = torch.arange(replicas, device=advantage.device).unsqueeze(1)
        seat = torch.arange(seats, device=advantage.device)
        total = torch.zeros_like(advantage)
        for offset in self.offsets().unbind(1):  # (R,)
            other = replica, (seat + offset.unsqueeze(1)) % seats  # j of every i, (R, n)
            policy = {name: value[other].requires_grad_() for name, value in self.parameters.values().items()}
            mean, log_sigma = self.policy(block.observation[other].flatten(2, 3), policy)
            log_prob = pre_tanh_log_prob(self.pre_tanh[other].flatten(2), mean, log_sigma)
            slope = directional(log_prob, list(policy.values()), advantage.flatten(2)).view_as(advantage)
            total += paired(advantage[other], slope, block.ended)
        return total * max(1.0, (seats - 1) / self.opponents)

    def offsets(self) -> Tensor:
        """Return how many seats further the opponents sit, ``(R, m)``: all of them, or a draw of those that fit."""
        replicas, seats = self.context.lead
        if self.opponents >= seats - 1:
            return torch.arange(1, seats, device=self.context.device).expand(replicas, -1)
        return 1 + self.context.streams.shuffles(1, seats - 1)[:, 0, : self.opponents]


def directional(log_prob: Tensor, parameters: Sequence[Tensor], advantage: Tensor) -> Tensor:
    """Return d = ⟨∇ log π(s), v⟩ ``(R, n, S)`` of every sample s along v = ∇J, J = mean_s A(s)·log π(s).

    v is linear in the samples' weights A/S, so d is the derivative of ½‖v‖² with respect to them.

    Args:
        log_prob: ``(R, n, S)`` log π of the samples, differentiable.
        parameters: ``(R, n, ...)`` of the policies.
        advantage: A, ``(R, n, S)``.
    """
    weight = (advantage / advantage.shape[-1]).requires_grad_()
    gradient = torch.autograd.grad((weight * log_prob).sum(), parameters, create_graph=True)
    half_square = torch.stack([part.square().sum() for part in gradient]).sum() / 2.0
    return torch.autograd.grad(half_square, weight)[0]


def paired(advantage: Tensor, slope: Tensor, ended: Tensor) -> Tensor:
    """Return A(s) Σ_{t ≤ s} d(t) + Σ_{t > s} A(t) d(t) within each episode.

    Args:
        advantage: A, ``(R, n, T, B)``.
        slope: d, ``(R, n, T, B)``.
        ended: ``(R, 1, T, B)`` where an episode ended.
    """
    before, after = slope.clone(), torch.zeros_like(slope)
    goes_on, both = (~ended).to(slope.dtype), advantage * slope
    for t in range(1, slope.shape[2]):
        before[:, :, t].addcmul_(goes_on[:, :, t - 1], before[:, :, t - 1])
    for t in range(slope.shape[2] - 2, -1, -1):
        after[:, :, t] = goes_on[:, :, t] * (after[:, :, t + 1] + both[:, :, t + 1])
    return advantage * before + after
