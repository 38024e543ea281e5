"""Policies of trained partners: small networks in half precision, one per group of exchangeable seats, by game."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from coopgym.digests import Digest
from coopgym.extras import extras_named

POLICIES = "policies"
"""Folder of the files, each named after its game."""
Weights: TypeAlias = Mapping[str, npt.NDArray[np.float16]]
"""``<seat>/weight_<layer>`` ``(in, out)`` and ``<seat>/bias_<layer>`` ``(1, out)``, by the first seat of each group."""


def policies_file(folder: Path, game: str) -> Path:
    """Return the place of a game's policies."""
    return folder / POLICIES / f"{game}.safetensors"


def policies_of(folder: Path, game: str) -> Mapping[str, Weights]:
    """Return the policies of a game's trained partners, by population and name, as in ``test/trained-private``.

    Raises:
        ImportError: the file is there and safetensors is not installed.
        ValueError: the file cannot be read.
    """
    file = policies_file(folder, game)
    return _read(file, file.stat().st_mtime_ns) if file.is_file() else {}


@lru_cache(maxsize=64)
def _read(file: Path, modified: int) -> Mapping[str, Weights]:
    with extras_named("reading the policies of trained partners"):
        from safetensors import SafetensorError
        from safetensors.numpy import load_file
    try:
        tensors = load_file(file)
    except (SafetensorError, KeyError, TypeError, ValueError, OSError) as error:  # KeyError: numbers of unknown types
        raise ValueError(f"{file} holds no readable tensors: {error!r}; fetch it again") from error
    found: dict[str, dict[str, npt.NDArray[np.float16]]] = {}
    for key, tensor in tensors.items():
        population, name, tensor_name = key.split("/", 2)
        found.setdefault(f"{population}/{name}", {})[tensor_name] = tensor
    return found


def policy_digest(tensors: Weights) -> str:
    """Return the SHA-256 of a partner's tensors, names among them."""
    content = b"".join(name.encode() + tensors[name].tobytes() for name in sorted(tensors))
    return Digest.of(content).sha256
