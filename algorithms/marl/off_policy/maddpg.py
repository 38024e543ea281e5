"""MADDPG: every seat's deterministic policy climbs a critic of its own that sees the global state and all actions.

Source: Lowe et al. 2017, "Multi-Agent Actor-Critic for Mixed Cooperative-Competitive Environments".

Critics are linear at the output and see the compact global state instead of all observations; actions are levels in
[-1, 1]. Experience begins with uniform actions. Seats played by other learners are part of the environment.

Shapes: R replicas, n seats, B environment copies, M transitions of a minibatch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from coopgym.algorithms.common.schedules import annealed, falling
from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.marl.core.agent_learner import AgentNetworks, Context
from coopgym.algorithms.marl.core.off_policy_loop import Batch, OffPolicySeats, ReplaySettings
from coopgym.algorithms.marl.core.rollout_buffer import needed
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.off_policy.critic_ensemble import Critics, CriticSettings


@dataclass(frozen=True, kw_only=True)
class MADDPG(CriticSettings, ReplaySettings, ReplicaLearner):
    """Multi-agent deep deterministic policy gradient.

    Attributes:
        learning_rate: Adam's step size of the policies.
        noise: deviation of the noise on actions, in levels, at the beginning.
        final_noise: the same at the end. Where trust breaks off just below the best level, policies stay some three
            deviations away from that edge.
        noise_decay: share of training over which it falls.
        pre_tanh_cost: cost of squared policy outputs before the tanh, in units of the reward scale; without it,
            policies that reach a bound stay there (Andrychowicz et al. 2017, "Hindsight Experience Replay", appendix
            A).
    """

    sources: ClassVar[str] = "Lowe et al. 2017"
    needs_state: ClassVar[bool] = True

    learning_rate: float = hyperparameter(3e-4, 0.0, above_low=True)
    noise: float = hyperparameter(0.1, 0.0)
    final_noise: float = hyperparameter(0.02, 0.0)
    noise_decay: float = hyperparameter(0.5, 0.0, 1.0)
    pre_tanh_cost: float = hyperparameter(1e-3, 0.0, recorded_as="latent_cost")

    def agent_learner(self, context: Context) -> MADDPGSeats:
        return MADDPGSeats(self, context)


class MADDPGSeats(OffPolicySeats):
    """Deterministic policies and centralised critics of all seats and replicas.

    Args:
        settings: hyper-parameters.
        context: the training it is part of.
        critics: number of critics per seat.
    """

    policy_kind = "deterministic"

    def __init__(self, settings: MADDPG, context: Context, critics: int = 1) -> None:
        super().__init__(settings, context)
        self.settings = settings

        def policies() -> AgentNetworks:
            return AgentNetworks(context, context.inputs, settings.hidden, 1, settings.activation)

        self.actor, self.actor_target = policies(), policies()
        self.actor.initialise(context, output_gain=0.01)
        self.actor_target.parameters.follow(self.actor.parameters)
        self.actor_adam = self.optimiser("actor", self.actor.parameters)
        self.keep("actor_target", self.actor_target.parameters)
        self.critics = Critics(self, context.state_size + len(context.seats), critics)
        self.own = torch.eye(len(context.seats), dtype=torch.bool, device=context.device).unsqueeze(1)  # (n, 1, n)

    def begin(self, progress: float) -> None:
        """Draw the noise of a block: levels while warming up, deviations from the policy later."""
        context, settings = self.context, self.settings
        shape = len(context.seats), context.steps, context.copies
        if self.warming_up:
            self.drawn = 2.0 * context.streams.uniform(shape) - 1.0  # (R, n, T, B)
        else:
            sigma = falling(settings.noise, settings.final_noise, progress, settings.noise_decay)
            self.drawn = sigma * context.streams.normal(shape)
        self.policy = self.actor.parameters.values()

    def act(self, t: int, observation: Tensor) -> Tensor:
        level = self.drawn[:, :, t]
        if not self.warming_up:
            level = (self.levels(self.actor, observation, self.policy) + level).clamp(-1.0, 1.0)
        return 0.5 * (level + 1.0)

    def levels(self, actor: AgentNetworks, observation: Tensor, parameters: dict[str, Tensor] | None = None) -> Tensor:
        """Return the levels ``(R, n, M)`` in (-1, 1) that policies play on observations ``(R, n, M, O)``."""
        return torch.tanh(actor(observation, parameters).squeeze(-1))

    def joint(self, levels: Tensor) -> Tensor:
        """Show everybody the same levels ``(R, n, M)``, as ``(R, n, M, n)``."""
        return levels.transpose(1, 2).unsqueeze(1).expand(-1, levels.shape[1], -1, -1)

    def critic_input(self, state: Tensor, levels: Tensor) -> Tensor:
        """Return what critics see ``(R, n, M, G + n)`` of states ``(R, M, G)`` and joint levels ``(R, n, M, n)``."""
        return torch.cat([state.unsqueeze(1).expand(-1, levels.shape[1], -1, -1), levels], dim=-1)

    def following(self, observation: Tensor) -> Tensor:
        """Return the levels ``(R, n, M)`` that targets reckon with at the next observations ``(R, n, M, O)``."""
        return self.levels(self.actor_target, observation)

    def value(self, critic: Callable[[Tensor], Tensor], state: Tensor, levels: Tensor) -> Tensor:
        """Return what states and joint levels are worth to every seat, ``(R, n, M)``.

        Args:
            critic: critics that answer on what they see, ``(R, n, M, G + n)``.
            state: ``(R, M, G)``.
            levels: ``(R, n, M, n)``, for every seat that judges those of the seats that act.
        """
        return critic(self.critic_input(state, levels))

    def improve(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Update critics, policies and targets."""
        pace = annealed(1.0, progress, self.settings.learning_rate_decay)
        return self.improve_critics(batch, pace) | self.improve_policies(batch, pace)

    def improve_critics(self, batch: Batch, pace: float) -> dict[str, Tensor]:
        """Regress critics on what came of the actions played (Lowe et al. 2017, Eq. 6)."""
        with torch.no_grad():
            following = self.joint(self.following(batch.next_observation))
            target = self.target(batch, self.value(self.critics.foreseen, needed(batch.next_state), following))
        seen = self.critic_input(needed(batch.state), self.joint(batch.level))
        return {"value_loss": self.critics.regress(seen, target, pace * self.settings.critic_learning_rate)}

    def improve_policies(self, batch: Batch, pace: float) -> dict[str, Tensor]:
        """Let policies climb their critics (Eq. 5) and targets follow."""
        settings = self.settings
        pre_tanh = self.actor(batch.observation)  # (R, n, M, 1)
        own = torch.tanh(pre_tanh)
        chosen = torch.where(self.own, own, self.joint(batch.level))
        value = self.value(self.critics.first, needed(batch.state), chosen).mean(-1)  # (R, n)
        loss = (settings.pre_tanh_cost * pre_tanh.square().mean((2, 3)) - value).sum(-1)
        self.actor_adam.step(self.actor.parameters.gradient(loss.sum()), loss, pace * settings.learning_rate)
        self.actor_target.parameters.follow(self.actor.parameters, settings.tau)
        self.critics.follow(settings.tau)
        return {"value": value.detach().mean(-1)}

    def policy_facts(self) -> list[dict[str, Any]]:
        return [{**facts, "noise": self.settings.final_noise} for facts in super().policy_facts()]

    def policy_tensors(self) -> dict[str, Tensor]:
        return self.actor.per_seat()
