"""R replicas in training: environments, blocks of experience, and the seat learner that they teach."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from coopgym.algorithms.marl.environment import EnvironmentFactory, observation_map, reward_scales
from coopgym.algorithms.marl.evaluation import Evaluator
from coopgym.algorithms.marl.replicas import Replica, Streams
from coopgym.algorithms.marl.rollout import Collector, Rollout
from coopgym.algorithms.marl.seats import Context, extracted, nested

if TYPE_CHECKING:
    from coopgym.algorithms.marl.learner import Stacked


class Trainer:
    """Plays blocks with a seat learner in all seats and lets it learn from them.

    Args:
        learner: the algorithm.
        make: makes the environments.
        replicas: what to train, side by side.
        device: where everything lives.

    Raises:
        ValueError: the algorithm does not apply to the game.
    """

    def __init__(
        self, learner: Stacked, make: EnvironmentFactory, replicas: Sequence[Replica], device: torch.device
    ) -> None:
        self.learner, self.make = learner, make
        self.replicas = tuple(replicas)
        environment = make(
            (len(replicas), learner.num_envs),
            device=device,
            reward=[replica.reward for replica in replicas],
            validate=False,
        )
        game = environment.game
        learner.check(game)
        self.streams = Streams(
            [replica.seed for replica in replicas], f"{type(learner).__name__} {game.spec.id}", device
        )
        self.stochastic = environment.game.stochastic
        self.scale = reward_scales(make, replicas, learner.objective)
        self.collector = Collector(
            environment,
            self.scale,
            steps=learner.rollout_steps,
            objective=learner.objective,
            bootstrap_truncation=learner.bootstrap_truncation,
            device=device,
            seeds=self.streams.seeds(learner.num_envs),
            needs_state=learner.needs_state,
        )
        _, seats, steps, copies = self.collector.shape
        self.steps_per_block = steps * copies
        self.alive = torch.ones(len(replicas), dtype=torch.bool, device=device)
        """``(R,)`` False where a replica diverged and is frozen."""
        self.seats = learner.seats_learner(
            Context(
                game=game,
                view=environment.view,
                make=make,
                replicas=self.replicas,
                seats=tuple(range(seats)),
                steps=steps,
                copies=copies,
                inputs=self.collector.inputs,
                scale=self.scale.to(device, torch.float32),
                streams=self.streams,
                alive=self.alive,
                device=device,
            )
        )

    def learn(self, progress: float) -> dict[str, Tensor]:
        """Collect one block with the current policies and learn from it."""
        rollout = self.collect(progress)
        return {
            "reward": rollout.reward.flatten(1).mean(-1),
            "payoff": rollout.payoff.flatten(1).mean(-1),
            "cooperation": rollout.share.flatten(1).mean(-1),
            **self.seats.update(rollout, progress),
        }

    def collect(self, progress: float = 0.0) -> Rollout:
        """Play one block."""
        if self.stochastic:
            self.collector.reseed(self.streams.seeds(self.learner.num_envs))
        self.seats.begin(progress)
        return self.collector.collect(self.seats.act)

    def identity(self) -> dict[str, Any]:
        """Return what identifies this training and how to play its policies, as JSON values."""
        environment = self.collector.environment
        return {
            "algorithm": type(self.learner).__name__,
            "hyperparameters": self.learner.values(),
            "game": environment.game.spec.id,
            "game_parameters": environment.game.parameter_dict(),
            "view": environment.view,
            "endowments": environment.game.spec.endowments.tolist(),
            "policies": self.seats.policy_facts(),
            "replicas": [
                {"reward": replica.reward.name, "seed": replica.seed, "reward_scale": scale}
                for replica, scale in zip(self.replicas, self.scale.tolist(), strict=True)
            ],
        }

    def evaluator(self) -> Evaluator:
        """Make what plays the policies on their way."""
        facts = self.seats.policy_facts()
        return Evaluator(self.make, self.collector.environment, self.replicas, facts, self.streams.device)

    def policies(self) -> dict[str, Tensor]:
        """Return the policies as they stand, ``(R, n, ...)`` by name."""
        return self.seats.policy_tensors()

    def policy_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return policies ``policy.<name>`` ``(R, n, ...)`` and the observation map, as NumPy arrays."""
        gain, offset = observation_map(self.collector.environment)
        named = {f"policy.{name}": np.array(tensor.cpu().numpy()) for name, tensor in self.policies().items()}
        return named | {"observation.gain": gain, "observation.offset": offset}

    def state(self) -> dict[str, Tensor]:
        """Return every tensor that a resumed run continues from."""
        parts = nested({"seats": self.seats.state(), "collector": self.collector.state()})
        return {"alive": self.alive, "streams": self.streams.state(), **parts}

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""
        self.alive.copy_(state["alive"])
        self.streams.restore(state["streams"])
        self.seats.restore(extracted(state, "seats"))
        self.collector.restore(extracted(state, "collector"))
