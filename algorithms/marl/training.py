"""The loop that every learner shares: blocks until the budget is spent, curves, divergence, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import torch
from torch import Tensor

from algorithms.marl.checkpoint import read_checkpoint, write_checkpoint

CurvePoint: TypeAlias = tuple[int, str, float]
"""``(env_steps, metric, value)``."""

ProgressCallback: TypeAlias = Callable[[int, int], None]
"""Called after every block with the steps done and the steps planned."""


class Trainee(Protocol):
    """R replicas in training: what the loop needs to know of them."""

    steps_per_block: int
    """Joint steps of one replica that `learn` adds."""

    alive: Tensor
    """``(R,)`` False where a replica diverged and is frozen."""

    def learn(self, progress: float) -> dict[str, Tensor]:
        """Collect one block, learn from it and return metrics ``(R,)``; ``progress`` in [0, 1) is the budget spent."""

    def state(self) -> dict[str, Tensor]:
        """Return every tensor that a resumed run continues from."""

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from a state that `state` returned."""


@dataclass
class Ledger:
    """What happened so far, in plain values."""

    curves: list[list[CurvePoint]]
    """Per replica."""
    diverged_at: list[int | None]
    """Per replica, the number of steps after which it was found frozen."""
    env_steps: int = 0
    """Joint steps per replica: B copies advance it by B."""

    @classmethod
    def blank(cls, replicas: int) -> Ledger:
        """Start the books of R replicas."""
        return cls([[] for _ in range(replicas)], [None] * replicas)

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> Ledger:
        """Continue books that were stored as JSON values of their fields."""
        curves = [[(step, metric, value) for step, metric, value in curve] for curve in values["curves"]]
        return cls(curves, list(values["diverged_at"]), values["env_steps"])

    def enter(self, metrics: Mapping[str, Tensor], alive: Tensor) -> None:
        """Book a block. This is where the device is waited for, once per block."""
        rows = torch.stack([*metrics.values(), alive.to(torch.float32)], dim=1).tolist()  # (R, metrics + 1)
        for replica, (*values, living) in enumerate(rows):
            self.curves[replica].extend((self.env_steps, name, v) for name, v in zip(metrics, values, strict=True))
            if not living and self.diverged_at[replica] is None:
                self.diverged_at[replica] = self.env_steps


def train_blocks(
    trainee: Trainee,
    env_steps: int,
    *,
    run: Mapping[str, Any],
    progress: ProgressCallback | None = None,
    checkpoint: str | Path | None = None,
    checkpoint_every: int = 10,
) -> Ledger:
    """Train until every replica has taken at least ``env_steps`` steps; the budget is rounded up to whole blocks.

    Args:
        trainee: the replicas.
        env_steps: joint steps per replica.
        run: what identifies the run; a checkpoint of another run is refused.
        progress: called after every block.
        checkpoint: folder to resume from, if it holds a checkpoint, and to write to.
        checkpoint_every: blocks between checkpoints; the last block always writes one.

    Raises:
        ValueError: the budget is not positive, or the checkpoint is unreadable or of another run.
    """
    if env_steps < 1 or checkpoint_every < 1:
        raise ValueError(f"env_steps={env_steps}, checkpoint_every={checkpoint_every}: expected at least 1")
    ledger = Ledger.blank(len(trainee.alive))
    folder = None if checkpoint is None else Path(checkpoint)
    if folder is not None and (found := read_checkpoint(folder, run)) is not None:
        ledger = Ledger.restored(found[0])
        trainee.restore(found[1])
    while ledger.env_steps < env_steps:
        metrics = trainee.learn(ledger.env_steps / env_steps)
        ledger.env_steps += trainee.steps_per_block
        ledger.enter(metrics, trainee.alive)
        if progress is not None:
            progress(ledger.env_steps, env_steps)
        due = ledger.env_steps // trainee.steps_per_block % checkpoint_every == 0 or ledger.env_steps >= env_steps
        if folder is not None and due:
            write_checkpoint(folder, run, asdict(ledger), trainee.state())
    return ledger
