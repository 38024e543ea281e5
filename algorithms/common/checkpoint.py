"""Checkpoints of a training run: one safetensors file whose header carries the rest as JSON, replaced atomically."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from coopgym.contained_files import contained
from coopgym.corpus.writer import write_atomically
from coopgym.record_fields import Check, named
from coopgym.strict_json import parse_json

CHECKPOINT_FILE = "checkpoint.safetensors"


def write_checkpoint(
    folder: Path, run: Mapping[str, Any], progress: Mapping[str, Any], state: Mapping[str, Tensor]
) -> None:
    """Store a run's state.

    Args:
        folder: where the checkpoint file lives.
        run: what identifies the run; a checkpoint only resumes the same run.
        progress: counters and records, JSON values.
        state: every tensor that training continues from.
    """
    tensors = _apart({name: tensor.detach().cpu().contiguous() for name, tensor in state.items()})
    header = {"run": json.dumps(run, sort_keys=True), "progress": json.dumps(progress)}
    write_atomically(folder / CHECKPOINT_FILE, save(tensors, metadata=header))


def _apart(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copy tensors whose memory another one has already, as where a game shows a stock as it is."""
    taken, apart = set[int](), dict[str, Tensor]()
    for name, tensor in tensors.items():
        memory = tensor.untyped_storage().data_ptr()
        apart[name] = tensor.clone() if memory in taken else tensor
        taken.add(memory)
    return apart


def read_checkpoint(
    folder: Path,
    run: Mapping[str, Any],
    progress_fields: Check,
    called: Callable[[Mapping[str, Any]], Mapping[str, Any]],
) -> tuple[dict[str, Any], dict[str, Tensor]] | None:
    """Return ``(progress, state)`` as stored by `write_checkpoint`, or None when there is no checkpoint yet.

    Args:
        folder: where the checkpoint file lives.
        run: what identifies the run.
        progress_fields: what the progress must be.
        called: returns settings by the names that users know, see `Settings.current`.

    Raises:
        ValueError: the file cannot be read, a field is not what it must be, or it belongs to another run.
    """
    path = contained(folder, CHECKPOINT_FILE)
    if not path.exists():
        return None
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata()
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  # not a mapping
        stored, progress = (parse_json(header[name], nonfinite=True) for name in ("run", "progress"))
        named(_anything)(stored, "run")
        progress_fields(progress, "progress")
    except (SafetensorError, TypeError, KeyError, ValueError, OSError) as error:
        told = error if isinstance(error, ValueError) else repr(error)
        raise ValueError(f"{path} is not a readable checkpoint: {told}; delete it to start afresh") from error
    wanted = json.loads(json.dumps(run))
    if stored != wanted:
        before, now = (called(_flat(facts)) for facts in (stored, wanted))
        different = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
        details = ", ".join(f"{key}={before.get(key)!r} (now {now.get(key)!r})" for key in different)
        raise ValueError(f"{path} belongs to another run: {details}; choose another folder or delete it")
    return progress, state


def _flat(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts of a run with its settings among them, so that those which differ can be named."""
    settings = run.get("hyperparameters")
    return {**run, "hyperparameters": None, **settings} if isinstance(settings, dict) else dict(run)


def require_like(folder: Path, found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """Make sure that a state has the tensors that a run continues from.

    There may be more, which optimisers have after their first step, and buffers have as much as was collected.

    Raises:
        ValueError: names the tensor that is missing, or of another kind.
    """
    for name, tensor in expected.items():
        fault = _difference(found[name], tensor) if name in found else "is missing"
        if fault:
            place = folder / CHECKPOINT_FILE
            raise ValueError(f"{place} is not a readable checkpoint: {name!r} {fault}; delete it to start afresh")


def _difference(found: Tensor, expected: Tensor) -> str | None:
    if (found.dtype, found.ndim) == (expected.dtype, expected.ndim):
        return None
    return f"is {found.ndim}-dimensional {found.dtype}, expected {expected.ndim}-dimensional {expected.dtype}"


def _anything(value: Any, path: str) -> None:
    """Let every value pass: runs are compared as a whole."""
