"""Independent PPO: every seat learns its own policy and value function from its own reward.

Sources: Schulman et al. 2017, "Proximal Policy Optimization Algorithms"; Schulman et al. 2016, "High-Dimensional
Continuous Control Using Generalized Advantage Estimation"; de Witt et al. 2020, "Is Independent Learning All You Need
in the StarCraft Multi-Agent Challenge?". Implementation details after Andrychowicz et al. 2021, "What Matters in
On-Policy Reinforcement Learning?".

Shapes: R replicas, N seats, T steps and B environment copies of a block, S = T·B samples, M samples of a minibatch,
O observation entries.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from algorithms.marl.environment import (
    OBJECTIVES,
    EnvironmentFactory,
    Objective,
    environment_factory,
    is_stochastic,
    observation_map,
    reward_scales,
)
from algorithms.marl.hyperparameters import Hyperparameters, hyperparameter
from algorithms.marl.networks import ParameterStack, initialise_mlp, mlp, mlp_shapes, tanh_
from algorithms.marl.optimiser import StackedAdam, annealed
from algorithms.marl.policies import (
    INITIAL_LOG_SIGMA,
    LOG_SIGMA_RANGE,
    drawn_log_prob,
    entropy,
    latent_log_prob,
    share,
)
from algorithms.marl.replicas import Replica, Streams, cross
from algorithms.marl.result import TrainingResult
from algorithms.marl.returns import generalised_advantages
from algorithms.marl.rollout import Collector, Rollout
from algorithms.marl.training import ProgressCallback, train_blocks
from algorithms.marl.values import TimedValueScale
from coopgym.games.spec import View
from coopgym.rewards import RewardLayer

ACTIVATIONS = {"tanh": tanh_, "relu": torch.relu_}
POLICY, VALUE = 0, 1  # positions in the head dimension of the stacked networks


@dataclass(frozen=True, kw_only=True)
class IPPO(Hyperparameters):
    """Independent proximal policy optimisation.

    Policy and value networks share no parameters and each has its own clipped gradient, so there is no value
    coefficient: it would change nothing.

    Attributes:
        objective: ``"individual"``, each seat's own reward, or ``"team"``, the sum over seats for all.
        hidden: hidden layer sizes of policy and value networks (2×64: Schulman et al. 2017, §6.1).
        activation: ``"tanh"`` (same source) or ``"relu"``.
        num_envs: environment copies B.
        rollout_steps: steps T per block; None is one full episode.
        epochs: passes over a block.
        minibatches: gradient steps per epoch; each sees M = S/minibatches samples of every seat of every replica.
        learning_rate: Adam's step size.
        learning_rate_decay: last share of training over which the step size falls to zero (Andrychowicz et al.: 1).
        adam_epsilon: Adam's ε (1e-5: the original code base).
        max_gradient_norm: largest gradient norm of one network (0.5: same source).
        gamma: discount factor γ.
        gae_lambda: λ of generalised advantage estimation.
        clip: ε of the clipped surrogate (0.2: Schulman et al. 2017, Table 3).
        entropy_coefficient: weight of the entropy of the share played.
        entropy_decay: last share of training over which that weight falls to zero.
        value_memory: samples that old statistics of returns count for against those of a new block.
        bootstrap_truncation: treat the horizon as an interruption instead of as the end of the game.
    """

    objective: Objective = "individual"
    hidden: tuple[int, ...] = hyperparameter((64, 64), 1)
    activation: Literal["tanh", "relu"] = "tanh"
    num_envs: int = hyperparameter(64, 1)
    rollout_steps: int | None = hyperparameter(None, 1)
    epochs: int = hyperparameter(4, 1)
    minibatches: int = hyperparameter(8, 1)
    learning_rate: float = hyperparameter(2e-3, 0.0, above_low=True)
    learning_rate_decay: float = hyperparameter(0.5, 0.0, 1.0)
    adam_epsilon: float = hyperparameter(1e-5, 0.0, above_low=True)
    max_gradient_norm: float = hyperparameter(0.5, 0.0, above_low=True)
    gamma: float = hyperparameter(0.99, 0.0, 1.0)
    gae_lambda: float = hyperparameter(0.95, 0.0, 1.0)
    clip: float = hyperparameter(0.2, 0.0, 1.0, above_low=True)
    entropy_coefficient: float = hyperparameter(0.01, 0.0)
    entropy_decay: float = hyperparameter(0.2, 0.0, 1.0)
    value_memory: float = hyperparameter(8.0, 0.0, above_low=True)
    bootstrap_truncation: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.objective not in OBJECTIVES:
            raise ValueError(f"objective={self.objective!r}: expected one of {', '.join(OBJECTIVES)}")
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation={self.activation!r}: expected one of {', '.join(ACTIVATIONS)}")

    def train(
        self,
        game: str | EnvironmentFactory,
        rewards: Iterable[str | RewardLayer] = ("integrated",),
        seeds: Iterable[int] = (0,),
        env_steps: int = 500_000,
        *,
        game_parameters: Mapping[str, Any] | None = None,
        view: View | None = None,
        device: str | torch.device = "cpu",
        progress: ProgressCallback | None = None,
        checkpoint: str | Path | None = None,
        checkpoint_every: int = 10,
    ) -> TrainingResult:
        """Train one replica per reward and seed, all at once.

        Args:
            game: a registered id, or a function that makes a torch environment as `coopgym.torch_env` does.
            rewards: reward modes or layers, crossed with ``seeds``.
            seeds: a replica's result depends on its own seed and configuration only.
            env_steps: joint steps per replica, rounded up to whole blocks of B·T.
            game_parameters: keywords of the game.
            view: what seats see; None is the game's default.
            device: where everything runs.
            progress: called after every block with the steps done and planned.
            checkpoint: folder to resume from, if it holds a checkpoint, and to write to.
            checkpoint_every: blocks between checkpoints.

        Raises:
            TypeError: ``rewards`` or ``seeds`` of the wrong kind.
            ValueError: an unknown game or reward, nothing to train, a budget below 1, an unusable checkpoint.
        """
        replicas = cross(rewards, seeds)
        learner = IPPOLearner(self, environment_factory(game, game_parameters, view), replicas, torch.device(device))
        run = learner.identity() | {"env_steps": env_steps}
        ledger = train_blocks(
            learner,
            env_steps,
            run=run,
            progress=progress,
            checkpoint=checkpoint,
            checkpoint_every=checkpoint_every,
        )
        entries = [
            {**entry, "diverged_at": diverged_at, "curves": curves}
            for entry, diverged_at, curves in zip(run["replicas"], ledger.diverged_at, ledger.curves, strict=True)
        ]
        counts = {"env_steps": ledger.env_steps, "gradient_updates": learner.adam.steps}
        return TrainingResult({**run, **counts, "replicas": entries}, learner.policy_tensors())


class IPPOLearner:
    """R replicas of N independent PPO learners.

    Policy and value networks have the same shape and see the same input, so all 2·R·N of them are one stack with
    leading dimensions ``(R, 2, N)`` and cost one forward pass.
    """

    def __init__(
        self, settings: IPPO, make: EnvironmentFactory, replicas: Sequence[Replica], device: torch.device
    ) -> None:
        self.settings = settings
        self.replicas = replicas
        environment = make(
            (len(replicas), settings.num_envs),
            device=device,
            reward=[replica.reward for replica in replicas],
            validate=False,
        )
        name = f"{type(settings).__name__} {environment.game.spec.id}"
        self.streams = Streams([replica.seed for replica in replicas], name, device)
        self.stochastic = is_stochastic(environment)
        self.scale = reward_scales(make, replicas, settings.objective)
        self.collector = Collector(
            environment,
            self.scale,
            steps=settings.rollout_steps,
            objective=settings.objective,
            bootstrap_truncation=settings.bootstrap_truncation,
            device=device,
            seeds=self.streams.seeds(settings.num_envs),
        )
        r, n, steps, copies = self.collector.shape
        self.steps_per_block = steps * copies
        self.layers = len(settings.hidden) + 1
        self.activation = ACTIVATIONS[settings.activation]
        shapes = mlp_shapes(self.collector.inputs, settings.hidden, 1) | {"log_sigma": (1,)}
        self.parameters = ParameterStack((r, 2, n), shapes, device)
        initialise_mlp(self.parameters, self.layers, self.streams.initial, output_gain=0.01)
        with torch.no_grad():
            self.parameters["log_sigma"].fill_(INITIAL_LOG_SIGMA)
        self.adam = StackedAdam(self.parameters, settings.max_gradient_norm, settings.adam_epsilon)
        self.value_scale = TimedValueScale((r, n, environment.game.spec.horizon), settings.value_memory, device)
        self.latent = torch.zeros(r, n, steps, copies, device=device)

    @property
    def alive(self) -> Tensor:
        """``(R,)`` False where a replica diverged and is frozen."""
        return self.adam.alive

    def learn(self, progress: float) -> dict[str, Tensor]:
        """Collect one block with the current policies and update on it."""
        rollout, log_prob = self.collect()
        metrics = self.update(rollout, log_prob, progress)
        return {
            "reward": rollout.reward.flatten(1).mean(-1),
            "payoff": rollout.payoff.flatten(1).mean(-1),
            "cooperation": rollout.cooperation.flatten(1).mean(-1),
            **metrics,
        }

    @torch.no_grad()
    def collect(self) -> tuple[Rollout, Tensor]:
        """Play one block; return it with the log-densities ``(R, N, T, B)`` of the latents drawn."""
        if self.stochastic:
            self.collector.reseed(self.streams.seeds(self.settings.num_envs))
        policy = self.parameters.part(dimension=1, index=POLICY)
        noise = self.streams.normal(tuple(self.latent.shape[1:]))  # (R, N, T, B)
        log_sigma = policy["log_sigma"]  # (R, N, 1)
        sigma = torch.exp(log_sigma)

        def act(t: int, observation: Tensor) -> Tensor:
            mean = mlp(policy, self.layers, observation, self.activation).squeeze(-1)  # (R, N, B)
            return share(torch.addcmul(mean, sigma, noise[:, :, t], out=self.latent[:, :, t]))

        return self.collector.collect(act), drawn_log_prob(noise, log_sigma.unsqueeze(-1))

    def update(self, rollout: Rollout, log_prob: Tensor, progress: float) -> dict[str, Tensor]:
        """Improve policies and value functions on one block (Schulman et al. 2017, Algorithm 1).

        Args:
            rollout: the block.
            log_prob: log-densities of its latents under the policies that played it, ``(R, N, T, B)``.
            progress: share of the budget spent, in [0, 1).

        Returns:
            Metrics ``(R,)``, means over seats of the last epoch.
        """
        settings, parameters = self.settings, self.parameters
        observation, time = rollout.observation.flatten(2, 3), rollout.time.flatten(1)  # (R, N, S, O), (R, S)

        def estimates(lam: float) -> tuple[Tensor, Tensor]:
            """Advantages and returns by the present value function, (R, N, S) each."""
            values = self.value(observation, time).view_as(rollout.signal)  # (R, N, T, B)
            following = rollout.next_values(self.value, values)
            outcome = rollout.signal, values, following, rollout.terminal, rollout.ended
            advantage = generalised_advantages(*outcome, settings.gamma, lam)
            return advantage.flatten(2), (advantage + values).flatten(2)

        last = f"{self.layers - 1}"
        last_layer = parameters["weight_" + last][:, VALUE], parameters["bias_" + last][:, VALUE]
        self.value_scale.update(estimates(lam=1.0)[1], time, *last_layer)
        advantage, returns = estimates(settings.gae_lambda)
        advantage, target = standardised(advantage), self.value_scale.normalise(returns, time)

        learning_rate = annealed(settings.learning_rate, progress, settings.learning_rate_decay)
        entropy_weight = annealed(settings.entropy_coefficient, progress, settings.entropy_decay)
        samples = (observation, self.latent.flatten(2), log_prob.flatten(2), advantage, target)
        trace: list[Tensor] = []
        for order in self.streams.shuffles(settings.epochs, self.steps_per_block).unbind(1):  # (R, S)
            shuffled = [reordered(sample, order).chunk(settings.minibatches, dim=2) for sample in samples]
            trace.clear()
            for seen, latent, old_log_prob, gain, goal in zip(*shuffled, strict=True):  # (R, N, M, ...)
                mean, value = self.outputs(seen)  # (R, N, M)
                log_sigma = parameters["log_sigma"][:, POLICY]  # (R, N, 1)
                log_ratio = latent_log_prob(latent, mean, log_sigma) - old_log_prob
                ratio = torch.exp(log_ratio)
                clipped = ratio.clamp(1.0 - settings.clip, 1.0 + settings.clip)
                surrogate = torch.minimum(ratio * gain, clipped * gain).mean(-1)  # Eq. 7, (R, N)
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
        """Return policy means and normalised values, ``(R, N, S)`` each, of observations ``(R, N, S, O)``."""
        both = observation.unsqueeze(1).expand(-1, 2, -1, -1, -1)
        mean, value = mlp(self.parameters, self.layers, both, self.activation).squeeze(-1).unbind(1)
        return mean, value

    @torch.no_grad()
    def value(self, observation: Tensor, time: Tensor) -> Tensor:
        """Return values ``(R, N, S)`` on the scale of the signal.

        Args:
            observation: ``(R, N, S, O)``.
            time: ``(R, S)`` steps since the start of the episode.
        """
        networks = self.parameters.part(dimension=1, index=VALUE)
        outputs = mlp(networks, self.layers, observation, self.activation).squeeze(-1)
        return self.value_scale.denormalise(outputs, time)

    def identity(self) -> dict[str, Any]:
        """Return what identifies this training and how to play its policies, as JSON values."""
        environment = self.collector.environment
        return {
            "algorithm": type(self.settings).__name__,
            "hyperparameters": dataclasses.asdict(self.settings),
            "game": environment.game.spec.id,
            "game_parameters": environment.game.parameter_dict(),
            "view": environment.view,
            "endowments": environment.game.spec.endowments.tolist(),
            "activation": self.settings.activation,
            "replicas": [
                {"reward": replica.reward.name, "seed": replica.seed, "reward_scale": scale}
                for replica, scale in zip(self.replicas, self.scale.tolist(), strict=True)
            ],
        }

    def policy_tensors(self) -> dict[str, Any]:
        """Return policies ``policy.<parameter>`` ``(R, N, ...)`` and the observation map, as NumPy arrays."""
        gain, offset = observation_map(self.collector.environment)
        policy = self.parameters.part(dimension=1, index=POLICY)
        named = {f"policy.{name}": tensor.cpu().numpy() for name, tensor in policy.items()}
        return named | {"observation.gain": gain, "observation.offset": offset}

    def state(self) -> dict[str, Tensor]:
        """Return every tensor that a resumed run continues from."""
        parts = {"adam": self.adam.state(), "values": self.value_scale.state(), "collector": self.collector.state()}
        nested = {f"{part}.{name}": tensor for part, state in parts.items() for name, tensor in state.items()}
        return {"parameters": self.parameters.flat, "streams": self.streams.state(), **nested}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""

        def part(prefix: str) -> dict[str, Tensor]:
            return {name.removeprefix(prefix): tensor for name, tensor in state.items() if name.startswith(prefix)}

        self.parameters.flat.copy_(state["parameters"])
        self.streams.restore(state["streams"])
        self.adam.restore(part("adam."))
        self.value_scale.restore(part("values."))
        self.collector.restore(part("collector."))


def standardised(samples: Tensor) -> Tensor:
    """Bring samples ``(R, N, S)`` to mean 0 and standard deviation 1 along the last dimension."""
    centred = samples - samples.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True).sqrt() + 1e-8)


def reordered(samples: Tensor, order: Tensor) -> Tensor:
    """Reorder samples ``(R, N, S, ...)`` by each replica's own order ``(R, S)``, the same for all seats."""
    r, n, s = samples.shape[:3]
    rows = order.unsqueeze(1) + s * torch.arange(r * n, device=order.device).view(r, n, 1)
    return samples.flatten(0, 2).index_select(0, rows.flatten()).unflatten(0, (r, n, s))
