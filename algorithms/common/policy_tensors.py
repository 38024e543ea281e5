"""Tensors of policies as they come from disk, held against what their record says of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from coopgym.algorithms.common.learner_contract import NO_MEMORY
from coopgym.algorithms.common.policies import GATES
from coopgym.algorithms.common.training_record import policy_groups
from coopgym.record_fields import FieldError, found

Tensors = Mapping[str, npt.NDArray[Any]]
_SIGMA = "log_sigma"


def check_tensors(record: Mapping[str, Any], tensors: Tensors) -> None:
    """Make sure that there are the tensors of every policy that a record describes, and no others.

    Args:
        record: of the training, checked.
        tensors: by the names that they have on disk.

    Raises:
        FieldError: names the tensor that is missing, unknown, of another shape or not finite.
    """
    replicas, seats = len(record["replicas"]), len(record["endowments"])
    inputs = _last_size(tensors, "observation.gain")
    expected: dict[str, tuple[int, ...]] = {"observation.gain": (seats, inputs), "observation.offset": (seats, inputs)}
    for group in policy_groups(record):
        lead = replicas, len(group["seats"])
        for name, shape in _shapes(group, inputs, tensors):
            expected[f"policy.{group['prefix']}{name}"] = (*lead, *shape)
    for name in sorted(expected.keys() | tensors.keys()):
        if name not in tensors:
            raise FieldError(f"tensor {name!r} is missing; expected {', '.join(sorted(expected))}")
        if name not in expected:
            raise FieldError(f"tensor {name!r} is unknown; expected {', '.join(sorted(expected))}")
        tensor = tensors[name]
        if tensor.shape != expected[name]:
            raise FieldError(f"tensor {name!r}: found shape {tensor.shape}, expected {expected[name]}")
        if tensor.dtype not in (np.float32, np.float64):
            raise FieldError(f"tensor {name!r}: found numbers of type {tensor.dtype}, expected float32 or float64")
        _require_finite(name, tensor, record)


def _shapes(group: Mapping[str, Any], inputs: int, tensors: Tensors) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield the tensors of a policy of a group, with shapes that go together layer by layer."""
    prefix = f"policy.{group['prefix']}"
    recurrent = group.get("memory", NO_MEMORY) != NO_MEMORY
    found_layers = next(layer for layer in itertools.count() if f"{prefix}weight_{layer}" not in tensors)
    layers = max(found_layers, 2 if recurrent else 1)
    size = group.get("history", 1) * inputs
    for layer in range(layers):
        outputs = _last_size(tensors, f"{prefix}weight_{layer}")
        remembers = recurrent and layer == layers - 2
        units = outputs // GATES if remembers else outputs
        columns = GATES * units if remembers else outputs
        yield f"weight_{layer}", (size, columns)
        yield f"bias_{layer}", (1, columns)
        if remembers:
            yield "recurrent_weight", (units, columns)
            yield "recurrent_bias", (1, columns)
        size = units
    own_sigma = group["kind"] == "squashed_gaussian" and size == 2
    least, most = _OUTPUTS.get(group["kind"], (1, 2 if own_sigma else 1))
    if not least <= size <= most:
        raise FieldError(
            f"tensor '{prefix}weight_{layers - 1}': found {size} outputs, expected "
            f"{'one' if most == 1 else 'two or more'} of a {group['kind']} policy"
        )
    if group["kind"].endswith("_gaussian") and not own_sigma:
        yield _SIGMA, (1,)


_LEVELS = (2, 10_000)
_OUTPUTS = {"categorical": _LEVELS, "action_values": _LEVELS}
"""Fewest and most outputs of the networks of forms that choose among levels; the others have one."""


def _last_size(tensors: Tensors, name: str) -> int:
    if name not in tensors:
        raise FieldError(f"tensor {name!r} is missing; there are {found(sorted(tensors))}")
    shape = tensors[name].shape
    if not shape or not all(shape):
        raise FieldError(f"tensor {name!r}: found shape {shape}, expected some numbers")
    return int(shape[-1])


def _require_finite(name: str, tensor: npt.NDArray[Any], record: Mapping[str, Any]) -> None:
    """Make sure that numbers are finite, except those of replicas that diverged."""
    if not name.startswith("policy."):
        if not np.isfinite(tensor).all():
            raise FieldError(f"tensor {name!r} holds NaN or infinity; expected finite numbers")
        return
    for replica, (entry, values) in enumerate(zip(record["replicas"], tensor, strict=True)):
        if entry["diverged_at"] is None and not np.isfinite(values).all():
            raise FieldError(
                f"tensor {name!r} holds NaN or infinity in replica {replica}, which did not diverge; expected finite "
                "numbers"
            )
