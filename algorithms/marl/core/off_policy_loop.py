"""The base of off-policy learners: replay, warm-up, the ratio of updates to experience, targets.

Shapes: R replicas, n seats, M transitions of a minibatch, O observation entries, G entries of the compact state.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from coopgym.algorithms.common.optimiser import StackedAdam
from coopgym.algorithms.common.replay_buffer import ReplayBuffer
from coopgym.algorithms.common.settings import Settings, hyperparameter
from coopgym.algorithms.common.stacked_networks import ParameterStack
from coopgym.algorithms.common.value_normalisation import SteadyValue
from coopgym.algorithms.marl.core.agent_learner import AgentLearner, Context
from coopgym.algorithms.marl.core.rollout_buffer import Rollout


@dataclass(frozen=True, kw_only=True)
class ReplaySettings(Settings):
    """Settings of learners from replayed transitions.

    Attributes:
        hidden: hidden layer sizes of every network.
        activation: ``"tanh"`` or ``"relu"``, between layers.
        gamma: discount factor γ. Smaller than for learners from whole episodes: returns are undiscounted sums over a
            hundred steps, but trust answers within some twenty, and what lies beyond is mostly noise to a critic that
            trails behind its targets.
        learning_rate: Adam's step size.
        rollout_steps: steps T per block.
        buffer_size: transitions per replica that are kept. Few: a collapse of trust costs a hundred times what the best
            level gains over a good one, and critics tell those apart once experience of collapses has gone.
        batch_size: transitions M per update.
        learning_starts: environment steps with uniform actions, before the first update.
        steps_per_update: environment steps per gradient update.
        n_steps: rewards that targets add up before they ask the target networks (Sutton & Barto 2018, ch. 7). Values
            travel n times as fast; what was played on the way is not corrected for, as in Rainbow (Hessel et al. 2018)
            and D4PG (Barth-Maron et al. 2018).
        tau: share of the way that target networks move to the online ones with every update.
        max_grad_norm: largest gradient norm of one network.
        adam_epsilon: Adam's ε.
    """

    hidden: tuple[int, ...] = hyperparameter((64, 64), 1)
    activation: Literal["tanh", "relu"] = "relu"
    gamma: float = hyperparameter(0.97, 0.0, 1.0)
    learning_rate: float = hyperparameter(1e-3, 0.0, above_low=True)
    rollout_steps: int | None = hyperparameter(8, 1)
    buffer_size: int = hyperparameter(20_000, 1)
    batch_size: int = hyperparameter(128, 1)
    learning_starts: int = hyperparameter(1000, 0, recorded_as="warmup_steps")
    steps_per_update: int = hyperparameter(16, 1)
    n_steps: int = hyperparameter(8, 1)
    tau: float = hyperparameter(0.005, 0.0, 1.0, above_low=True)
    max_grad_norm: float = hyperparameter(10.0, 0.0, above_low=True, recorded_as="max_gradient_norm")
    adam_epsilon: float = hyperparameter(1e-8, 0.0, above_low=True)

    @property
    def step_cost(self) -> float:
        """Rough duration of a joint step of a replica in those of PPO."""
        return 4.0


@dataclass(frozen=True, eq=False)
class Batch:
    """A minibatch of transitions. Networks take it as it is: seats before samples."""

    observation: Tensor
    """``(R, n, M, O)``."""
    next_observation: Tensor
    """``(R, n, M, O)`` what was seen after the steps added up; anything where nothing follows."""
    level: Tensor
    """``(R, n, M)`` actions as levels 2z - 1 in [-1, 1] of the share z."""
    signal: Tensor
    """``(R, n, M)`` of up to n steps, discounted and added up; of fewer where an episode ended."""
    discount: Tensor
    """``(R, 1, M)`` γ^k after k steps; 0 where nothing follows."""
    time: Tensor
    """``(R, M)`` steps since the start of the episode."""
    next_time: Tensor
    """``(R, M)`` the same after the steps added up."""
    state: Tensor | None
    """``(R, M, G)`` compact global state."""
    next_state: Tensor | None
    """``(R, M, G)``."""


class OffPolicySeats(AgentLearner):
    """Keeps transitions and takes gradient updates on minibatches of them; subclasses say what an update is."""

    def __init__(self, settings: ReplaySettings, context: Context) -> None:
        super().__init__(context)
        self.options, self.activation = settings, settings.activation
        seats, inputs = len(context.seats), context.inputs
        fields = {"observation": (seats, inputs), "level": (seats,), "signal": (seats,), "time": ()}
        fields |= {"goes_on": (), "ended": ()}
        if context.needs_state:
            fields["state"] = (context.state_size,)
        if context.bootstrap_truncation:
            fields |= {f"final_{name}": fields[name] for name in ("observation", "state") if name in fields}
        self.replay = self.keep(
            "replay",
            ReplayBuffer(
                context.lead[0], settings.buffer_size, context.copies, fields, context.device, settings.n_steps
            ),
        )
        self.steady = self.keep(
            "steady",
            SteadyValue(
                context.lead,
                settings.gamma,
                context.horizon,
                context.device,
                endless=context.bootstrap_truncation,
            ),
        )

    @abstractmethod
    def improve(self, batch: Batch, progress: float) -> dict[str, Tensor]:
        """Take one gradient update and return metrics ``(R,)``."""

    @property
    def warming_up(self) -> bool:
        """Whether actions are still to be uniform."""
        return self.replay.pushed < self.options.learning_starts

    def optimiser(self, name: str, parameters: ParameterStack) -> StackedAdam:
        """Keep parameters and an optimiser of theirs under a name."""
        options = self.options
        self.keep(name, parameters)
        adam = StackedAdam(parameters, options.max_grad_norm, options.adam_epsilon, alive=self.context.alive)
        return self.keep(f"{name}_adam", adam)

    def update(self, block: Rollout, progress: float) -> dict[str, Tensor]:
        """Keep the block and take as many updates as it is worth; metrics are the latest."""
        before = self.replay.pushed
        self.replay.push(transitions(block))
        signal = block.signal.flatten(2)
        count = signal.shape[-1]
        self.steady.calibrate(signal, count / min(self.replay.pushed, max(self.replay.capacity, count)))
        if self.warming_up or self.replay.size == 0:
            return {}
        options = self.options
        updates = self.replay.pushed // options.steps_per_update - before // options.steps_per_update
        metrics: dict[str, Tensor] = {}
        for index in self.context.streams.integers(self.replay.size, (updates, options.batch_size)).unbind(1):
            metrics |= self.improve(self.batch(index), progress)
        return metrics

    def target(self, batch: Batch, next_value: Tensor) -> Tensor:
        """Return what critics regress on, ``(R, n, M)``: r + … + γ^k·V(s'), both values less what is steady.

        Args:
            batch: the transitions.
            next_value: the target critics' opinion of what follows, ``(R, n, M)``.
        """
        return batch.signal + batch.discount * (self.steady(batch.next_time) + next_value) - self.steady(batch.time)

    def batch(self, index: Tensor) -> Batch:
        """Return the transitions at places ``(R, M)`` of the replay, oldest first."""
        gamma, now = self.options.gamma, self.replay.fetch(index)
        signal, going = now["signal"], 1.0 - now["ended"]  # (R, M, n), (R, M)
        steps = torch.ones_like(index)
        for k in range(1, self.options.n_steps):
            then = self.replay.fetch(index, k, ("signal", "ended"))
            signal = signal + gamma**k * going.unsqueeze(-1) * then["signal"]
            steps += going.to(steps.dtype)
            going = going * (1.0 - then["ended"])
        last, following = self.replay.fetch(index, steps - 1), self.replay.fetch(index, steps)
        time = now["time"].to(torch.int64)
        return Batch(
            observation=now["observation"].transpose(1, 2),
            next_observation=last.get("final_observation", following["observation"]).transpose(1, 2),
            level=now["level"].transpose(1, 2),
            signal=signal.transpose(1, 2),
            discount=(last["goes_on"] * gamma**steps).unsqueeze(1),
            time=time,
            next_time=time + steps,
            state=now.get("state"),
            next_state=last.get("final_state", following.get("state")),
        )


def transitions(block: Rollout) -> dict[str, Any]:
    """Return a block as replay keeps it: ``(R, S, ...)`` in the order of time."""

    def by_time(tensor: Tensor) -> Tensor:
        return tensor.movedim(1, 3).flatten(1, 2)  # (R, n, T, B, ...) to (R, S, n, ...)

    found = {
        "observation": by_time(block.observation),
        "level": by_time(2.0 * block.share - 1.0),
        "signal": by_time(block.signal),
        "time": block.time.flatten(1),
        "goes_on": ~block.terminal.flatten(1),
        "ended": block.ended.flatten(1),
    }
    joint = {"state": block.state, "final_state": block.final_state}
    found |= {name: tensor.flatten(1, 2) for name, tensor in joint.items() if tensor is not None}
    if block.final_observation is not None:
        found["final_observation"] = by_time(block.final_observation)
    return found
