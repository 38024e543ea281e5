"""Files that are either the old version or the new one, never half of each, and what a folder of them holds."""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to a temporary name beside ``path``, sync it, and rename it over ``path``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


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
