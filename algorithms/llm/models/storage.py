"""Models on disk: a folder with ``model.json`` (what it is) and weights as safetensors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from coopgym.corpus.writer import write_atomically
from coopgym.digests import DIGESTS_FILE, Digest, encode_digests

MODEL_FILE = "model.json"
WEIGHTS_FILE = "model.safetensors"
PRETRAINED_FOLDER = "pretrained"
"""Where a folder keeps files of another library."""
FORMAT = 1


def write_model(folder: Path, kind: str, settings: Mapping[str, Any], weights: Mapping[str, Tensor]) -> None:
    """Write a model; each of its files is replaced as a whole."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
    write_atomically(folder / WEIGHTS_FILE, save(tensors))
    write_description(folder, kind, settings)


def write_description(folder: Path, kind: str, settings: Mapping[str, Any]) -> None:
    """Write what the model of a folder is, once its other files are there, and the digests of them all."""
    description = json.dumps({"format": FORMAT, "kind": kind, "settings": dict(settings)}, indent=1).encode()
    digests = {MODEL_FILE: Digest.of(description)}
    for file in (folder / WEIGHTS_FILE, *sorted((folder / PRETRAINED_FOLDER).rglob("*"))):
        if file.is_file():
            with file.open("rb") as content:
                digests[file.relative_to(folder).as_posix()] = Digest.of_file(content)
    write_atomically(folder / DIGESTS_FILE, encode_digests(digests))
    write_atomically(folder / MODEL_FILE, description)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """Return the weights of a folder by name.

    Raises:
        FileNotFoundError: there are none.
        ValueError: the file is damaged.
    """
    path = folder / WEIGHTS_FILE
    try:
        return load(path.read_bytes())
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged: {error}; save the model again") from error


@torch.no_grad()
def copy_into(target: Mapping[str, Tensor], source: Mapping[str, Tensor]) -> None:
    """Overwrite tensors by those of the same names, or none of them.

    Raises:
        ValueError: other names or shapes.
    """
    shapes = [{name: tuple(tensor.shape) for name, tensor in state.items()} for state in (target, source)]
    different = sorted(
        name for name in shapes[0].keys() | shapes[1].keys() if shapes[0].get(name) != shapes[1].get(name)
    )
    if different:
        name = different[0]
        raise ValueError(
            f"weights of another model: {name!r} has shape {shapes[1].get(name)}, expected {shapes[0].get(name)}"
            + (f"; {len(different) - 1} more differ" if len(different) > 1 else "")
        )
    for name, tensor in target.items():
        tensor.copy_(source[name])


def read_description(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the kind and the settings of the model that a file describes.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged, or of another format.
    """
    if not path.exists():
        raise FileNotFoundError(f"no model in {path.parent}: {path.name} is missing")
    try:
        description = json.loads(path.read_bytes())
        version, kind, settings = (description[key] for key in ("format", "kind", "settings"))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged: {error!r}; save the model again") from error
    if version != FORMAT or kind not in ("small", "huggingface") or not isinstance(settings, dict):
        raise ValueError(
            f"{path}: format {version!r}, kind {kind!r}; expected format {FORMAT} of a small or huggingface model"
        )
    return kind, settings


def folder_hash(folder: Path) -> str:
    """Return the SHA-256 of all files of a folder, names included; names that begin with a dot do not count."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            facts = path.stat()
            digest.update(f"{name.as_posix()} {_file_hash(path, facts.st_size, facts.st_mtime_ns)}\n".encode())
    return digest.hexdigest()


@lru_cache(maxsize=1024)
def _file_hash(path: Path, size: int, changed: int) -> str:
    """Hash a file once, as long as it has the same size and time of change."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
