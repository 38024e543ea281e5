"""The loop that every learner shares: blocks until the budget is spent, curves, divergence, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor

from coopgym.algorithms.common.checkpoint import read_checkpoint, require_like, write_checkpoint
from coopgym.algorithms.common.learner_contract import CurvePoint
from coopgym.algorithms.common.training_record import curves
from coopgym.algorithms.marl.core.evaluation import Evaluator
from coopgym.record_fields import Check, each, fields, nullable, whole

ProgressCallback: TypeAlias = Callable[[int, int], None]
"""Called after every block with the steps done and the steps planned."""


class ReplicaTrainer(Protocol):
    """R replicas in training: what the loop needs to know of them."""

    steps_per_block: int
    """Joint steps of one replica that `learn` adds."""

    alive: Tensor
    """``(R,)`` False where a replica diverged and is frozen."""

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
        progress: called after every block.
        checkpoint: folder to resume from, if it holds a checkpoint, and to write to.
        checkpoint_every: blocks between checkpoints; the last block writes one too.
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
    if folder is not None and (found := read_checkpoint(folder, run, _progress(len(trainer.alive)))) is not None:
        log = TrainingLog.restored(found[0])
        require_like(folder, found[1], trainer.state())
        trainer.restore(found[1])
    written = time.monotonic()
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
        due = log.env_steps // trainer.steps_per_block % checkpoint_every == 0 or log.env_steps >= env_steps
        if folder is not None and due and time.monotonic() - written >= checkpoint_seconds:
            log.add_evaluations(evaluator)
            write_checkpoint(folder, run, asdict(log), trainer.state())
            written = time.monotonic()
    log.add_evaluations(evaluator)
    return log
