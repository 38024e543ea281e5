"""PPO, A2C and SAC of stable-baselines3 as learners of seats: cross-checks of our own, not for speed.

Every seat of every replica has an algorithm object of the library. All play the same environments as any learner here
and learn at the same time, each from its own observations and signal. Networks, losses, optimisers, buffers and
schedules are the library's; this module hands over the experience in the way of the library's own loops
(``collect_rollouts``), with levels in [-1, 1] as actions, of which the share of endowment is (level + 1)/2.

It differs from the library where all learners here are alike: observations come normalised, signals divided by the
replica's reward scale, and the horizon ends the game unless ``bootstrap_truncation`` says otherwise. Everything runs on
the CPU, where the library is fastest for small networks.

Source: Raffin et al. 2021, "Stable-Baselines3: Reliable Reinforcement Learning Implementations".

Shapes: R replicas, n seats, T steps and B environment copies of a block, O observation entries.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor, nn

from coopgym.algorithms.common.settings import hyperparameter
from coopgym.algorithms.marl.core.agent_learner import AgentLearner, Context
from coopgym.algorithms.marl.core.rollout_buffer import Rollout
from coopgym.algorithms.marl.core.trainer import ReplicaLearner
from coopgym.algorithms.marl.external.sb3_model import Model, require_library
from coopgym.games.game import Game


@dataclass(frozen=True, kw_only=True)
class SB3Learner(ReplicaLearner):
    """What the library's algorithms have in common. Defaults are the library's, except for copies and block lengths.

    Attributes:
        hidden: hidden layer sizes of each network.
        activation: ``"tanh"`` or ``"relu"``, between layers.
        gamma: discount factor γ.
        learning_rate: Adam's step size.
    """

    sources: ClassVar[str] = "Raffin et al. 2021"

    hidden: tuple[int, ...] = hyperparameter((64, 64), 1)
    activation: Literal["tanh", "relu"] = "tanh"
    gamma: float = hyperparameter(0.99, 0.0, 1.0)
    learning_rate: float = hyperparameter(1e-3, 0.0, above_low=True)

    def check(self, game: Game[Any]) -> None:
        require_library()
        super().check(game)

    @abstractmethod
    def algorithm(self, environment: Any, steps: int) -> Any:
        """Make the library's algorithm object.

        Args:
            environment: tells spaces and number of copies.
            steps: steps of a block.
        """

    @property
    def networks(self) -> dict[str, Any]:
        """The library's arguments for networks."""
        activation: type[nn.Module] = nn.Tanh if self.activation == "tanh" else nn.ReLU
        return {"net_arch": list(self.hidden), "activation_fn": activation}


@dataclass(frozen=True, kw_only=True)
class SB3OnPolicy(SB3Learner):
    """Hyper-parameters of PPO and A2C.

    Attributes:
        gae_lambda: λ of generalised advantage estimation.
        ent_coef: weight of the Gaussian's entropy.
        vf_coef: weight of the value loss.
        max_grad_norm: largest gradient norm of policy and value network together.
        log_std_init: log σ of the fresh policy.
    """

    gae_lambda: float = hyperparameter(0.95, 0.0, 1.0)
    ent_coef: float = hyperparameter(0.0, 0.0, recorded_as="entropy_coefficient")
    vf_coef: float = hyperparameter(0.5, 0.0, recorded_as="value_coefficient")
    max_grad_norm: float = hyperparameter(0.5, 0.0, above_low=True, recorded_as="max_gradient_norm")
    log_std_init: float = hyperparameter(0.0, recorded_as="initial_log_sigma")

    def agent_learner(self, context: Context) -> OnPolicySeats:
        return OnPolicySeats(self, context)

    @property
    def common(self) -> dict[str, Any]:
        """The library's arguments that PPO and A2C share."""
        return {
            "policy": "MlpPolicy",
            "learning_rate": self.learning_rate,
            "gamma": self.gamma,
            "gae_lambda": self.gae_lambda,
            "ent_coef": self.ent_coef,
            "vf_coef": self.vf_coef,
            "max_grad_norm": self.max_grad_norm,
            "policy_kwargs": {**self.networks, "log_std_init": self.log_std_init},
            "device": "cpu",
        }


@dataclass(frozen=True, kw_only=True)
class SB3PPO(SB3OnPolicy):
    """Proximal policy optimisation as stable-baselines3 has it.

    Attributes:
        n_epochs: passes over a block.
        batch_size: samples of a minibatch.
        clip_range: ε of the clipped surrogate.
    """

    learning_rate: float = hyperparameter(3e-4, 0.0, above_low=True)
    n_epochs: int = hyperparameter(10, 1, recorded_as="epochs")
    batch_size: int = hyperparameter(64, 2)
    clip_range: float = hyperparameter(0.2, 0.0, 1.0, above_low=True, recorded_as="clip")

    def algorithm(self, environment: Any, steps: int) -> Any:
        from stable_baselines3 import PPO

        return PPO(
            env=environment,
            n_steps=steps,
            n_epochs=self.n_epochs,
            batch_size=self.batch_size,
            clip_range=self.clip_range,
            **self.common,
        )


@dataclass(frozen=True, kw_only=True)
class SB3A2C(SB3OnPolicy):
    """Advantage actor-critic as stable-baselines3 has it.

    Attributes:
        rms_prop_eps: RMSprop's ε.
    """

    rollout_steps: int | None = hyperparameter(5, 1)
    learning_rate: float = hyperparameter(7e-4, 0.0, above_low=True)
    gae_lambda: float = hyperparameter(1.0, 0.0, 1.0)
    rms_prop_eps: float = hyperparameter(1e-5, 0.0, above_low=True, recorded_as="rms_prop_epsilon")

    def algorithm(self, environment: Any, steps: int) -> Any:
        from stable_baselines3 import A2C

        return A2C(env=environment, n_steps=steps, rms_prop_eps=self.rms_prop_eps, **self.common)


@dataclass(frozen=True, kw_only=True)
class SB3SAC(SB3Learner):
    """Soft actor-critic as stable-baselines3 has it.

    Attributes:
        buffer_size: transitions that are kept.
        batch_size: transitions of an update.
        learning_starts: environment steps with uniform actions, before the first update.
        steps_per_update: environment steps per gradient update (the library: 1 with a single copy).
        tau: share of the way that target networks move to the online ones with every update.
    """

    hidden: tuple[int, ...] = hyperparameter((256, 256), 1)
    activation: Literal["tanh", "relu"] = "relu"
    learning_rate: float = hyperparameter(3e-4, 0.0, above_low=True)
    rollout_steps: int | None = hyperparameter(8, 1)
    buffer_size: int = hyperparameter(100_000, 1)
    batch_size: int = hyperparameter(256, 1)
    learning_starts: int = hyperparameter(1000, 0, recorded_as="warmup_steps")
    steps_per_update: int = hyperparameter(32, 1)
    tau: float = hyperparameter(0.005, 0.0, 1.0, above_low=True)

    def algorithm(self, environment: Any, steps: int) -> Any:
        from stable_baselines3 import SAC

        return SAC(
            "MlpPolicy",
            environment,
            learning_rate=self.learning_rate,
            buffer_size=self.buffer_size,
            batch_size=self.batch_size,
            tau=self.tau,
            gamma=self.gamma,
            replay_buffer_kwargs={"handle_timeout_termination": False},
            policy_kwargs=self.networks,
            device="cpu",
        )

    def agent_learner(self, context: Context) -> SACSeats:
        return SACSeats(self, context)


LOGGED = {"policy_gradient_loss", "policy_loss", "value_loss", "approx_kl", "actor_loss", "critic_loss", "ent_coef"}
"""What curves keep of what the library logs."""


class SB3Seats(AgentLearner):
    """One model per seat and replica; the library has no way to compute several at once."""

    def __init__(self, settings: SB3Learner, context: Context) -> None:
        super().__init__(context)
        self.activation = settings.activation
        seats = range(len(context.seats))
        self.models = {
            (replica, seat): self.keep(f"{replica}.{seat}", self._model(settings, int(rng.integers(2**31))))
            for replica, rng in enumerate(context.streams.initial)
            for seat in seats
        }

    def _model(self, settings: SB3Learner, seed: int) -> Model:
        context = self.context
        return Model(lambda env: settings.algorithm(env, context.steps), context.inputs, context.copies, seed)

    @property
    def gradient_updates(self) -> int:
        return max(model.updates for model in self.models.values())

    @property
    def learning(self) -> Iterator[tuple[int, int, Model]]:
        """The models of replicas that are not frozen, each with its replica and place among the seats."""
        alive = self.context.alive.tolist()
        return ((replica, seat, model) for (replica, seat), model in self.models.items() if alive[replica])

    @torch.no_grad()
    def act(self, t: int, observation: Tensor) -> Tensor:
        levels, seen = torch.zeros(observation.shape[:-1]), observation.cpu()
        for replica, seat, model in self.learning:
            with model.own_randomness():
                levels[replica, seat] = self.level(model, (replica, seat, t), seen[replica, seat])
        return (0.5 * (levels + 1.0)).to(observation.device)

    @abstractmethod
    def level(self, model: Model, place: tuple[int, int, int], observation: Tensor) -> Tensor:
        """Draw levels ``(B,)`` in [-1, 1] on observations ``(B, O)``.

        Args:
            model: whose policy draws.
            place: replica, seat and step of the block.
            observation: what the seat sees.
        """

    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        seats = len(self.context.seats)
        alive = self.context.alive
        alive &= torch.isfinite(block.signal).flatten(1).all(1)
        logged: dict[str, list[float]] = {}
        for replica, seat, model in self.learning:
            said = self.learn(model, block, replica, seat)
            for name in LOGGED & said.keys():
                logged.setdefault(name, [float("nan")] * len(self.models))[replica * seats + seat] = said[name]
        for replica, _, model in self.learning:
            alive[replica] &= model.finite
        return {name: torch.tensor(logged[name]).view(-1, seats).mean(1).to(alive.device) for name in sorted(logged)}

    @abstractmethod
    def learn(self, model: Model, block: Rollout, replica: int, seat: int) -> dict[str, float]:
        """Hand a model its part of a block, let it learn, and return what it logs."""

    def policy_tensors(self) -> dict[str, Tensor]:
        own = [self.policy_of(model.algorithm.policy) for model in self.models.values()]
        stacked = {name: torch.stack([policy[name].detach() for policy in own]) for name in own[0]}
        return {name: tensor.unflatten(0, self.context.lead) for name, tensor in stacked.items()}

    @abstractmethod
    def policy_of(self, policy: Any) -> dict[str, Tensor]:
        """Return the tensors of one of the library's policies by the names that exported policies use."""


class OnPolicySeats(SB3Seats):
    """Seats that learn by PPO or A2C. Buffers hold what was drawn; what is played is cut to [-1, 1]."""

    policy_kind = "clipped_gaussian"

    def __init__(self, settings: SB3OnPolicy, context: Context) -> None:
        super().__init__(settings, context)
        self.settings = settings
        self.drawn, self.value, self.log_prob = torch.zeros(3, *context.lead, context.steps, context.copies)

    def level(self, model: Model, place: tuple[int, int, int], observation: Tensor) -> Tensor:
        action, value, log_prob = model.algorithm.policy(observation)
        self.drawn[place], self.value[place], self.log_prob[place] = action[:, 0], value[:, 0], log_prob
        return self.drawn[place].clamp(-1.0, 1.0)

    @torch.no_grad()
    def learn(self, model: Model, block: Rollout, replica: int, seat: int) -> dict[str, float]:
        policy, buffer = model.algorithm.policy, model.algorithm.rollout_buffer
        reward, ended = block.signal[replica, seat].cpu(), block.ended[replica, 0].cpu()  # (T, B)
        if block.final_observation is not None:
            final = policy.predict_values(block.final_observation[replica, seat].cpu().flatten(0, 1)).view_as(reward)
            reward = reward + self.settings.gamma * final * (ended & ~block.terminal[replica, 0].cpu())
        observation, starts = _arrays(block.observation[replica, seat], block.time[replica] == 0)
        buffer.reset()
        for t in range(len(reward)):
            place = replica, seat, t
            drawn = self.drawn[place].numpy()
            buffer.add(observation[t], drawn, reward[t].numpy(), starts[t], self.value[place], self.log_prob[place])
        last = policy.predict_values(block.last_observation[replica, seat, 0].cpu())
        buffer.compute_returns_and_advantage(last, ended[-1].numpy())
        with torch.enable_grad():
            return model.train()

    def policy_of(self, policy: Any) -> dict[str, Tensor]:
        return _layers(policy.mlp_extractor.policy_net, policy.action_net) | {"log_sigma": policy.log_std}


class SACSeats(SB3Seats):
    """Seats that learn by SAC."""

    policy_kind = "squashed_gaussian"

    def __init__(self, settings: SB3SAC, context: Context) -> None:
        super().__init__(settings, context)
        self.settings = settings

    def _played(self, model: Model) -> int:
        """Environment steps that a model has in its buffer, or had once."""
        buffer = model.algorithm.replay_buffer
        return (buffer.buffer_size if buffer.full else buffer.pos) * self.context.copies

    def level(self, model: Model, place: tuple[int, int, int], observation: Tensor) -> Tensor:
        if self._played(model) < self.settings.learning_starts:
            return 2.0 * torch.rand(len(observation)) - 1.0
        return model.algorithm.actor(observation)[:, 0]

    def learn(self, model: Model, block: Rollout, replica: int, seat: int) -> dict[str, float]:
        following = block.final_observation
        if following is None:
            following = torch.cat([block.observation[:, :, 1:], block.last_observation], dim=2)
        level = 2.0 * block.share[replica, seat] - 1.0
        seen, signal = block.observation[replica, seat], block.signal[replica, seat]
        for step in zip(
            *_arrays(seen, following[replica, seat], level, signal, block.terminal[replica, 0]), strict=True
        ):
            model.algorithm.replay_buffer.add(*step, [])
        if self._played(model) < self.settings.learning_starts:
            return {}
        played = len(level) * self.context.copies
        updates = max(round(played / self.settings.steps_per_update), 1)
        return model.train(gradient_steps=updates, batch_size=self.settings.batch_size)

    def policy_of(self, policy: Any) -> dict[str, Tensor]:
        actor = policy.actor
        return _layers(actor.latent_pi, actor.mu, actor.log_std)


def _arrays(*tensors: Tensor) -> list[np.ndarray]:
    return [tensor.cpu().numpy() for tensor in tensors]


def _layers(hidden: Iterable[nn.Module], *outputs: nn.Linear) -> dict[str, Tensor]:
    """Return weights ``(in, out)`` and biases ``(1, out)`` of hidden layers and of outputs side by side."""
    layers: list[tuple[Tensor, Tensor]] = [
        (module.weight, module.bias) for module in hidden if isinstance(module, nn.Linear)
    ]
    layers.append((torch.cat([output.weight for output in outputs]), torch.cat([output.bias for output in outputs])))
    weights = {f"weight_{layer}": weight.T for layer, (weight, _) in enumerate(layers)}
    return weights | {f"bias_{layer}": bias.unsqueeze(0) for layer, (_, bias) in enumerate(layers)}
