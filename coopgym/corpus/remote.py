"""Corpora elsewhere: on the web, in object stores, in archives, in memory. They are read, never altered."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from coopgym.extras import missing_extra

ARCHIVE_SUFFIX = ".zip"
_SCHEME = re.compile(r"([a-z][a-z0-9+]+)(://|::)", re.IGNORECASE)  # a single letter would be a drive
_AT_HAND = ("file", "local", "memory", "zip")


@dataclass(frozen=True)
class RemotePath:
    """A place on a file system of fsspec, with the part of ``pathlib.Path`` that reading a corpus needs."""

    filesystem: Any
    location: str
    """Where the file system finds it."""
    origin: str
    """What messages call it: the address that the user gave, and what lies below."""

    def __str__(self) -> str:
        return self.origin

    def __truediv__(self, name: str) -> RemotePath:
        below = f"{self.location}/{name}" if self.location else name
        return RemotePath(self.filesystem, below, f"{self.origin}/{name}")

    @property
    def name(self) -> str:
        """Last part of the address."""
        return self.origin.rpartition("/")[2]

    @property
    def parent(self) -> RemotePath:
        """The folder that holds this place."""
        return RemotePath(self.filesystem, self.location.rpartition("/")[0], self.origin.rpartition("/")[0])

    def exists(self) -> bool:
        """Whether there is a file or folder."""
        return bool(self.filesystem.exists(self.location))

    def iterdir(self) -> Iterator[RemotePath]:
        """Yield what the folder holds, by name; nothing where it is missing or cannot be listed."""
        try:
            entries = self.filesystem.ls(self.location, detail=False)
        except (FileNotFoundError, NotADirectoryError):
            return
        for name in sorted({str(entry).rstrip("/").rpartition("/")[2] for entry in entries}):
            yield self / name

    def glob(self, pattern: str) -> Iterator[RemotePath]:
        """Yield the entries of this folder, not below it, whose name matches."""
        return (entry for entry in self.iterdir() if fnmatchcase(entry.name, pattern))

    def open(self, mode: str = "rb") -> io.BytesIO:
        """Open the file for reading."""
        return io.BytesIO(self.read_bytes())

    def read_bytes(self) -> bytes:
        """Return the content of the file."""
        with self.filesystem.open(self.location, "rb") as file:
            return file.read()

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return the content of a text file."""
        return self.read_bytes().decode(encoding)


Place = Path | RemotePath
"""Where a corpus or one of its files lies."""


def is_remote(location: str) -> bool:
    """Whether fsspec has to open a location: an address with a scheme, or an archive."""
    return _SCHEME.match(location) is not None or location.endswith(ARCHIVE_SUFFIX)


def open_remote(location: str) -> RemotePath:
    """Open an address such as ``https://…``, ``s3://…`` or ``memory://…``, or a zip archive there or on disk.

    Files from afar are fetched whole, once per process, into a temporary folder.

    Raises:
        ImportError: fsspec, or the package it needs for this kind of address, is not installed.
        ValueError: there is no such kind of address, or the archive is none.
        OSError: the archive does not exist or cannot be reached.
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise missing_extra(f"{location}: reading a corpus from there", "fsspec") from error
    location = location.rstrip("/")
    try:
        filesystem, root = url_to_fs(_chain(location))
    except ImportError as error:  # such as s3fs for s3://, which fsspec names
        raise ImportError(f"{location}: {error}") from error
    except (BadZipFile, ValueError) as error:
        raise ValueError(f"{location}: {error}; expected an address that fsspec knows, or a zip archive") from error
    place = RemotePath(filesystem, root.rstrip("/"), location)
    return _only_folder(place) if location.endswith(ARCHIVE_SUFFIX) else place


def _chain(location: str) -> str:
    """Say to fsspec how to get at a location: fetch what is far away, look into archives."""
    scheme = _SCHEME.match(location)
    if scheme and scheme[2] == "::":
        return location
    near = location if scheme is None or scheme[1].lower() in _AT_HAND else f"simplecache::{location}"
    return f"zip://::{near}" if location.endswith(ARCHIVE_SUFFIX) else near


def _only_folder(archive: RemotePath) -> RemotePath:
    """Step into the only folder of an archive: mostly a folder is packed, not its content."""
    entries = list(archive.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].name != "runs" else archive
