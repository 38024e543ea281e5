"""Proximal policy optimisation as newcomers copy it from single-file collections: a Gaussian on the plain action space.

The usual settings for continuous control: clipped actions, running normalisation of observations and rewards, cut off
where they are far out as the first ones are, a network and beside it a standard deviation for all states, which starts
at 1.
"""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium.wrappers import ClipAction, NormalizeObservation, NormalizeReward, TransformReward
from torch import Tensor, nn
from torch.distributions import Normal

STEPS, MINIBATCHES, EPOCHS = 2048, 32, 10
GAMMA, LAMBDA, CLIP, VALUE_WEIGHT, LARGEST_GRADIENT = 0.99, 0.95, 0.2, 0.5, 0.5
FAR_OUT = 10.0
"""Standard deviations at which normalised observations and rewards are cut off."""


def _layer(inputs: int, outputs: int, gain: float) -> nn.Linear:
    layer = nn.Linear(inputs, outputs)
    nn.init.orthogonal_(layer.weight, gain)
    nn.init.zeros_(layer.bias)
    return layer


def _network(inputs: int, outputs: int, last_gain: float) -> nn.Sequential:
    hidden = 2.0**0.5
    return nn.Sequential(
        *(_layer(inputs, 64, hidden), nn.Tanh(), _layer(64, 64, hidden), nn.Tanh(), _layer(64, outputs, last_gain))
    )


class PlainPPO:
    """An actor and a critic for one environment."""

    def __init__(self, env: gymnasium.Env[Any, Any], seed: int) -> None:
        torch.manual_seed(seed)
        self.seed = seed
        self.normaliser = NormalizeObservation(ClipAction(env))
        self.env = TransformReward(NormalizeReward(self.normaliser, gamma=GAMMA), self._cut_off)
        size = env.observation_space.shape[0]
        self.actor, self.critic = _network(size, 1, 0.01), _network(size, 1, 1.0)
        self.log_std = nn.Parameter(torch.zeros(1))
        self.parameters = [*self.actor.parameters(), *self.critic.parameters(), self.log_std]

    def learn(self, total: int) -> PlainPPO:
        optimiser = torch.optim.Adam(self.parameters, lr=3e-4, eps=1e-5)
        observation, _ = self.env.reset(seed=self.seed)
        updates = total // STEPS
        for update in range(updates):
            optimiser.param_groups[0]["lr"] = 3e-4 * (1.0 - update / updates)
            observation = self._improve(optimiser, *self._collect(observation))
        return self

    def act(self, observation: Any) -> Any:
        """The mean action for an observation as the environment gives it."""
        moments = self.normaliser.obs_rms
        seen = self._cut_off((observation - moments.mean) / np.sqrt(moments.var + self.normaliser.epsilon))
        with torch.no_grad():
            mean = self.actor(torch.as_tensor(seen, dtype=torch.float32)).numpy()
        return np.clip(mean, *(getattr(self.env.unwrapped.action_space, side) for side in ("low", "high")))

    @staticmethod
    def _cut_off(normalised: Any) -> Any:
        return np.clip(normalised, -FAR_OUT, FAR_OUT)

    def _policy(self, seen: Tensor) -> Normal:
        return Normal(self.actor(seen), self.log_std.exp())

    @torch.no_grad()
    def _collect(self, observation: Any) -> tuple[Any, list[Tensor]]:
        seen = torch.zeros(STEPS + 1, len(observation))
        actions, log_probs = torch.zeros(STEPS, 1), torch.zeros(STEPS, 1)
        rewards, ends = torch.zeros(STEPS), torch.zeros(STEPS)
        for t in range(STEPS):
            seen[t] = torch.as_tensor(self._cut_off(observation))
            policy = self._policy(seen[t])
            actions[t] = policy.sample()
            log_probs[t] = policy.log_prob(actions[t])
            observation, reward, terminated, truncated, _ = self.env.step(actions[t].numpy())
            rewards[t], ends[t] = float(reward), float(terminated or truncated)
            if terminated or truncated:
                observation, _ = self.env.reset()
        seen[STEPS] = torch.as_tensor(self._cut_off(observation))
        values = self.critic(seen)[:, 0]
        advantages, following = torch.zeros(STEPS), torch.zeros(())
        for t in reversed(range(STEPS)):
            goes_on = 1.0 - ends[t]
            error = rewards[t] + GAMMA * values[t + 1] * goes_on - values[t]
            advantages[t] = following = error + GAMMA * LAMBDA * goes_on * following
        return observation, [seen[:-1], actions, log_probs, advantages, advantages + values[:-1], values[:-1]]

    def _improve(self, optimiser: torch.optim.Adam, observation: Any, batch: list[Tensor]) -> Any:
        for _ in range(EPOCHS):
            for rows in torch.randperm(STEPS).chunk(MINIBATCHES):
                seen, actions, old, advantages, returns, old_values = (part[rows] for part in batch)
                advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
                ratio = (self._policy(seen).log_prob(actions) - old).exp()[:, 0]
                gain = torch.minimum(ratio * advantages, ratio.clamp(1.0 - CLIP, 1.0 + CLIP) * advantages)
                values = self.critic(seen)[:, 0]
                near = old_values + (values - old_values).clamp(-CLIP, CLIP)
                loss = torch.maximum((values - returns) ** 2, (near - returns) ** 2)
                optimiser.zero_grad()
                (VALUE_WEIGHT * 0.5 * loss.mean() - gain.mean()).backward()
                nn.utils.clip_grad_norm_(self.parameters, LARGEST_GRADIENT)
                optimiser.step()
        return observation
