"""The loop that every learner shares: blocks until the budget is spent, curves, divergence, checkpoints.

Evaluation curves show what policies on their way would earn if training stopped there, playing their best guesses.
Snapshots of the policies wait and are played together, because an episode of many policies takes little longer than
an episode of one. Nothing of it touches the training: episodes are other ones, and so are their random numbers.

Shapes: R replicas, K snapshots, P ≥ K·R policies of each seat, N seats, E episodes, O observation entries.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor

from coopgym.algorithms.common.checkpoint import read_checkpoint, require_like, write_checkpoint
from coopgym.algorithms.common.gated_recurrence import recurrent_step
from coopgym.algorithms.common.learner_contract import NO_MEMORY, CurvePoint, ProgressCallback
from coopgym.algorithms.common.policies import POLICY_KINDS
from coopgym.algorithms.common.random_streams import Replica, Streams
from coopgym.algorithms.common.settings import Settings
from coopgym.algorithms.common.stacked_networks import ACTIVATIONS, mlp
from coopgym.algorithms.common.training_record import curves
from coopgym.algorithms.marl.core.environment import Environment, EnvironmentFactory, episode, observation_map
from coopgym.algorithms.marl.core.observation_history import ObservationHistory
from coopgym.mechanisms.trust import mean_over_pairs
from coopgym.record_fields import Check, each, fields, nullable, whole
from coopgym.rewards import MODES

STOCHASTIC_EPISODES = 16
"""Episodes per policy where the game draws random numbers; the same draws at every point of a curve."""
SEATS_APART = 8
"""Games of up to this many seats have curves of every seat."""
LANES = 32
"""Policies fill a multiple of this, so that vectorised arithmetic treats each alike, however many there are."""
MOST_WAITING = 2**24
"""Parameters that may wait to be played."""


class Evaluator:
    """Keeps snapshots of policies and plays them.

    Args:
        make: makes environments of the game.
        environment: one of them.
        replicas: what is being trained.
        groups: facts of the policies, as `AgentLearner.policy_facts` returns them.
        device: where episodes are played.
        history: observations that policies see at once.
    """

    def __init__(
        self,
        make: EnvironmentFactory,
        environment: Environment,
        replicas: Sequence[Replica],
        groups: Sequence[Mapping[str, Any]],
        device: torch.device,
        history: int = 1,
    ) -> None:
        self.make, self.groups, self.device, self.history = make, groups, device, history
        spec = environment.game.spec
        self.horizon = spec.horizon
        self.n_agents = spec.n_agents
        self.gain, self.offset = (
            torch.as_tensor(part, dtype=torch.float32, device=device).unsqueeze(1)  # (N, 1, O)
            for part in observation_map(environment)
        )
        self.episodes = STOCHASTIC_EPISODES if environment.game.stochastic else 1
        streams = Streams([replica.seed for replica in replicas], f"evaluation {spec.id}", torch.device("cpu"))
        self.seeds = streams.seeds(self.episodes)
        self.waiting: list[tuple[int, dict[str, Tensor]]] = []

    def snapshot(self, env_steps: int, policies: Mapping[str, Tensor]) -> None:
        """Keep a copy of the policies ``(R, n, ...)`` after so many steps."""
        self.waiting.append((env_steps, {name: tensor.detach().clone() for name, tensor in policies.items()}))

    @property
    def full(self) -> bool:
        """Whether enough snapshots wait."""
        return sum(tensor.numel() for _, tensors in self.waiting for tensor in tensors.values()) > MOST_WAITING

    def results(self) -> list[tuple[int, dict[str, Tensor]]]:
        """Play what waits and return steps with metrics ``(R,)``, oldest first.

        ``eval_welfare`` is the sum of payoffs over an episode and all seats, ``eval_return_<mode>`` the same of what
        the mode pays on the same trajectory, ``eval_payoff/<seat>`` a seat's part of the welfare where there are few
        seats, ``eval_cooperation`` the mean share of endowment played, ``eval_trust`` the mean trust at the end.
        """
        if not self.waiting:
            return []
        steps, snapshots = zip(*self.waiting, strict=True)
        self.waiting = []
        together = {name: torch.cat([tensors[name] for tensors in snapshots]) for name in snapshots[0]}
        count = len(next(iter(together.values())))
        padding = -count % LANES
        policies = {
            name: torch.cat([tensor, tensor[-1:].expand(padding, *tensor.shape[1:])])
            for name, tensor in together.items()
        }
        seeds = self.seeds * len(steps) + self.seeds[-self.episodes :] * padding
        played = {
            name: values[:count].view(len(steps), -1).unbind(0) for name, values in self._play(policies, seeds).items()
        }
        return [(step, {name: values[k] for name, values in played.items()}) for k, step in enumerate(steps)]

    @torch.no_grad()
    def _play(self, policies: Mapping[str, Tensor], seeds: list[int]) -> dict[str, Tensor]:
        """Play policies ``(P, n, ...)`` in all three reward modes at once; return metrics ``(P,)``."""
        batch = len(seeds) // self.episodes, self.episodes  # (P, E)
        environment = self.make((len(MODES), *batch), device=self.device, reward=list(MODES), validate=False)
        running = torch.ones(batch, device=self.device)
        returns = torch.zeros(len(MODES), *batch, device=self.device)
        length, trust = torch.zeros(2, *batch, device=self.device)
        payoffs, cooperation = torch.zeros(2, *batch, self.n_agents, device=self.device)
        history = ObservationHistory(self.history)
        units: dict[str, Tensor] = {}

        def act(seen: Tensor) -> Tensor:  # (modes, P, E, N, O)
            inputs = torch.addcmul(self.offset, seen[0].transpose(1, 2), self.gain)  # (P, N, E, O)
            share = self._shares(policies, history.push(inputs), units)
            return share.expand(len(MODES), *share.shape)

        for step in episode(environment, act, seeds * len(MODES), self.horizon):
            returns += step.rewards.sum(-1) * running
            payoffs += step.info["payoffs"][0] * running.unsqueeze(-1)
            cooperation += step.shares[0] * running.unsqueeze(-1)
            length += running
            trust = torch.where(running > 0.0, mean_over_pairs(step.info["final_state"].trust[0]), trust)
            running = running * ~step.ended[0]
            for remembered in units.values():
                remembered.masked_fill_(step.ended[0][:, None, :, None], 0.0)
        seats = payoffs.unbind(-1) if self.n_agents <= SEATS_APART else ()
        return {
            "eval_welfare": payoffs.sum(-1).mean(-1),
            **{f"eval_return_{mode}": values.mean(-1) for mode, values in zip(MODES, returns, strict=True)},
            "eval_cooperation": (cooperation.mean(-1) / length).mean(-1),
            "eval_trust": trust.mean(-1),
            **{f"eval_payoff/{seat}": values.mean(-1) for seat, values in enumerate(seats)},
        }

    def _shares(self, policies: Mapping[str, Tensor], inputs: Tensor, units: dict[str, Tensor]) -> Tensor:
        """Return the shares of endowment ``(P, E, N)`` that policies play on what seats see, ``(P, N, E, ·)``.

        Args:
            policies: ``(P, n, ...)`` by name.
            inputs: what seats see.
            units: what the recurrent ones remember ``(P, n, E, H)``, by the prefix of their group; brought up to date.
        """
        shares = torch.empty(inputs.shape[:-1], device=self.device)
        for group in self.groups:
            prefix, seats = group["prefix"], list(group["seats"])
            own = {name.removeprefix(prefix): tensor for name, tensor in policies.items() if name.startswith(prefix)}
            layers = sum(name.startswith("weight_") for name in own)
            seen, activation = inputs[:, seats], ACTIVATIONS[group["activation"]]
            if group.get("memory", NO_MEMORY) == NO_MEMORY:
                outputs = mlp(own, layers, seen, activation)
            else:
                outputs, units[prefix] = recurrent_step(own, layers, seen, units.get(prefix), activation)
            shares[:, seats] = POLICY_KINDS[group["kind"]].best_guess(outputs)
        return shares.transpose(1, 2)


class ReplicaTrainer(Protocol):
    """R replicas in training: what the loop needs to know of them."""

    steps_per_block: int
    """Joint steps of one replica that `learn` adds."""

    @property
    def alive(self) -> Tensor:
        """``(R,)`` False where a replica diverged and is frozen."""

    @property
    def learner(self) -> Settings:
        """Return what they learn with."""

    @property
    def resumable(self) -> bool:
        """Whether a resumed run goes on from `state` to the same numbers."""

    def learn(self, progress: float) -> dict[str, Tensor]:
        """Collect one block, learn from it and return metrics ``(R,)``; ``progress`` in [0, 1) is the budget spent."""

    def policies(self) -> dict[str, Tensor]:
        """Return the policies as they stand, as an `Evaluator` takes them."""

    def state(self) -> dict[str, Tensor]:
        """Return every tensor that a resumed run continues from."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""


@dataclass
class TrainingLog:
    """What happened so far, in plain values."""

    curves: list[list[CurvePoint]]
    """Per replica."""
    diverged_at: list[int | None]
    """Per replica, the number of steps after which it was found frozen."""
    env_steps: int = 0
    """Joint steps per replica: B copies advance it by B."""

    @classmethod
    def blank(cls, replicas: int) -> TrainingLog:
        """Start the log of R replicas."""
        return cls([[] for _ in range(replicas)], [None] * replicas)

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> TrainingLog:
        """Continue a log that was stored as JSON values of their fields."""
        curves = [[(step, metric, value) for step, metric, value in curve] for curve in values["curves"]]
        return cls(curves, list(values["diverged_at"]), values["env_steps"])

    def add_evaluations(self, evaluator: Evaluator) -> None:
        """Play the snapshots that wait and add each where it was taken, after what training said at that step."""
        for step, metrics in evaluator.results():
            for curve, values in zip(self.curves, torch.stack(list(metrics.values()), dim=1).tolist(), strict=True):
                curve.extend((step, name, value) for name, value in zip(metrics, values, strict=True))
        for curve in self.curves:
            curve.sort(key=itemgetter(0))

    def add(self, metrics: Mapping[str, Tensor], alive: Tensor) -> None:
        """Add a block. This is where the device is waited for, once per block."""
        rows = torch.stack([*metrics.values(), alive.to(torch.float32)], dim=1).tolist()  # (R, metrics + 1)
        for replica, (*values, living) in enumerate(rows):
            self.curves[replica].extend((self.env_steps, name, v) for name, v in zip(metrics, values, strict=True))
            if not living and self.diverged_at[replica] is None:
                self.diverged_at[replica] = self.env_steps


def _progress(replicas: int) -> Check:
    """Return the check of a `TrainingLog` of R replicas that was stored."""
    diverged_at = each(nullable(whole()), length=replicas)
    return fields(
        {"curves": each(curves, length=replicas), "diverged_at": diverged_at, "env_steps": whole()}, closed=True
    )


def train_blocks(
    trainer: ReplicaTrainer,
    env_steps: int,
    *,
    run: Mapping[str, Any],
    evaluator: Evaluator,
    evaluations: int = 0,
    progress: ProgressCallback | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 10,
    checkpoint_seconds: float = 0.0,
) -> TrainingLog:
    """Train until every replica has taken at least ``env_steps`` steps; the budget is rounded up to whole blocks.

    Args:
        trainer: the replicas.
        env_steps: joint steps per replica.
        run: what identifies the run; a checkpoint of another run is refused.
        evaluator: plays policies for evaluation curves.
        evaluations: points of those curves, spread evenly over the budget; at most one per block.
        progress: called after every block with the steps done and planned.
        checkpoint: folder to resume from, if it holds a checkpoint, and to write to.
        checkpoint_every: blocks between checkpoints, or until the next state that can be resumed; the last block writes
            one too.
        checkpoint_seconds: least time between checkpoints, also before the last.

    Raises:
        ValueError: the budget is not positive, or the checkpoint is unreadable or of another run.
    """
    if env_steps < 1 or checkpoint_every < 1:
        raise ValueError(f"env_steps={env_steps}, checkpoint_every={checkpoint_every}: expected at least 1")
    if evaluations < 0:
        raise ValueError(f"evaluations={evaluations}: expected at least 0")
    log = TrainingLog.blank(len(trainer.alive))
    folder = None if checkpoint is None else Path(checkpoint)
    expected, called = _progress(len(trainer.alive)), trainer.learner.current
    if folder is not None and (found := read_checkpoint(folder, run, expected, called)) is not None:
        log = TrainingLog.restored(found[0])
        require_like(folder, found[1], trainer.state())
        trainer.restore(found[1])
    written, due = time.monotonic(), False
    while (before := log.env_steps) < env_steps:
        metrics = trainer.learn(before / env_steps)
        log.env_steps += trainer.steps_per_block
        log.add(metrics, trainer.alive)
        if before * evaluations // env_steps < log.env_steps * evaluations // env_steps:
            evaluator.snapshot(log.env_steps, trainer.policies())
        if evaluator.full:
            log.add_evaluations(evaluator)
        if progress is not None:
            progress(log.env_steps, env_steps)
        done = log.env_steps >= env_steps
        due = due or done or log.env_steps // trainer.steps_per_block % checkpoint_every == 0
        if due and (done or trainer.resumable):
            due = False
            if folder is not None and time.monotonic() - written >= checkpoint_seconds:
                log.add_evaluations(evaluator)
                write_checkpoint(folder, run, asdict(log), trainer.state())
                written = time.monotonic()
    log.add_evaluations(evaluator)
    return log
