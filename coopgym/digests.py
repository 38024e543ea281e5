"""Size and SHA-256 of files: written down when files are made, held against the files when they are read."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import Any

from coopgym.contained_files import contained
from coopgym.record_fields import fields, named, text, whole
from coopgym.strict_json import parse_json

DIGESTS_FILE = "digests.json"
"""Name of the list that lies beside files which are written together."""


@dataclass(frozen=True)
class Digest:
    """What tells the content of a file from any other."""

    size: int
    """In bytes."""
    sha256: str
    """In hexadecimal."""

    @classmethod
    def of(cls, content: Any) -> Digest:
        """Return the digest of bytes, or of whatever offers its bytes as a buffer."""
        return cls(memoryview(content).nbytes, hashlib.sha256(content).hexdigest())

    @classmethod
    def of_file(cls, file: BufferedReader | BytesIO) -> Digest:
        """Return the digest of a file that is open for reading, however large it is."""
        size = file.seek(0, 2)
        file.seek(0)
        return cls(size, hashlib.file_digest(file, "sha256").hexdigest())


def encode_digests(digests: Mapping[str, Digest]) -> bytes:
    """Return the content of a `DIGESTS_FILE`: digests of files by their path below its folder."""
    return json.dumps({path: asdict(digest) for path, digest in digests.items()}, indent=1).encode()


def check_digests(folder: Path) -> None:
    """Hold the files of a folder against its list of digests; a folder without a list is taken as it is.

    Raises:
        FileNotFoundError: a listed file is missing.
        ValueError: a file is not the one that was written, no regular one or not in the folder, or the list cannot be
            read.
    """
    index = contained(folder, DIGESTS_FILE)
    if not index.exists():
        return
    for path, expected in _read_digests(index).items():
        file = contained(folder, path)
        if not file.exists():
            raise FileNotFoundError(f"{file} is missing, though {index} lists it; save it again")
        with file.open("rb") as content:
            found = Digest.of_file(content)
        if found != expected:
            raise ValueError(
                f"{file} is damaged or was altered: size and SHA-256 are not those in {index}; save it again"
            )


_list = named(fields({"size": whole(), "sha256": text}, closed=True))


def _read_digests(index: Path) -> dict[str, Digest]:
    try:
        listed = parse_json(index.read_bytes())
        _list(listed, "")
    except (OSError, ValueError) as error:
        raise ValueError(f"{index} is not a readable list of digests: {error}; save what it lists again") from error
    return {path: Digest(**facts) for path, facts in listed.items()}
