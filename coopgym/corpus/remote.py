"""Corpora elsewhere: on the web, in object stores, in archives, in memory. They are read, never altered."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from coopgym.contained_files import UncontainedFileError, contained, inner_path
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.limits import AFAR, Allowance, require_within, size_limit
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
    allowance: Allowance = field(default_factory=lambda: Allowance(size_limit(AFAR)), compare=False, repr=False)
    """What all files of the corpus together may have; places below share it."""

    def __str__(self) -> str:
        return self.origin

    def __truediv__(self, name: str) -> RemotePath:
        below = f"{self.location}/{name}" if self.location else name
        return replace(self, location=below, origin=f"{self.origin}/{name}")

    @property
    def name(self) -> str:
        """Last part of the address."""
        return self.origin.rpartition("/")[2]

    @property
    def parent(self) -> RemotePath:
        """The folder that holds this place."""
        return replace(self, location=self.location.rpartition("/")[0], origin=self.origin.rpartition("/")[0])

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
        """Return the content of the file.

        Raises:
            CorpusError: it is no regular file, or too large with those that were read before.
        """
        self.allowance.admit(self, self.location, self.size())
        with self.filesystem.open(self.location, "rb") as file:
            content: bytes = file.read(self.allowance.left(self.location) + 1)  # whatever was told of its size
        self.allowance.admit(self, self.location, len(content))
        return content

    def size(self) -> int:
        """Return how many bytes the file has, as it is told there.

        Raises:
            CorpusError: it is no regular file, or its size is not told.
            OSError: it is missing.
        """
        facts = self.filesystem.info(self.location)
        if facts["type"] != "file":
            raise CorpusError(f"{self}: a {facts['type']}; expected a regular file")
        if facts["size"] is None:
            raise CorpusError(f"{self}: nothing tells how large it is; fetch the corpus and load its folder")
        return int(facts["size"])

    def read_text(self, encoding: str = "utf-8") -> str:
        """Return the content of a text file."""
        return self.read_bytes().decode(encoding)


Place = Path | RemotePath
"""Where a corpus or one of its files lies."""


def member(place: Place, path: object) -> Place:
    """Return a file of a corpus by the path that something names it by; it may be missing.

    Raises:
        CorpusError: the path leads out of the corpus, or the file is no regular one.
    """
    try:
        if isinstance(place, Path):
            return contained(place, path)
        if "file" in place.filesystem.protocol:  # an address of this machine, where there are links
            contained(Path(place.location), path)
        return place / inner_path(path)
    except UncontainedFileError as error:
        raise CorpusError(f"{place}: {error}") from error


def size_of(place: Place) -> int:
    """Return how many bytes a file has."""
    return place.stat().st_size if isinstance(place, Path) else place.size()


def is_remote(location: str) -> bool:
    """Whether fsspec has to open a location: an address with a scheme, or an archive."""
    return _SCHEME.match(location) is not None or location.endswith(ARCHIVE_SUFFIX)


def open_remote(location: str, max_bytes: int | None = None) -> RemotePath:
    """Open an address such as ``https://…``, ``s3://…`` or ``memory://…``, or a zip archive there or on disk.

    Files from afar are fetched whole, once per process, into a temporary folder.

    Args:
        location: the address.
        max_bytes: what all files together may unpack to; None is the usual limit.

    Raises:
        CorpusError: an archive is no regular file, or it unpacks to more than the limit.
        ImportError: fsspec, or the package it needs for this kind of address, is not installed.
        ValueError: there is no such kind of address, or the archive is none.
        OSError: the archive does not exist or cannot be reached.
    """
    try:
        from fsspec.core import url_to_fs
        from fsspec.implementations.zip import ZipFileSystem
    except ImportError as error:
        raise missing_extra(f"{location}: reading a corpus from there", "fsspec") from error
    location = location.rstrip("/")
    allowance = Allowance(size_limit(AFAR, max_bytes))
    chain = _chain(location)
    try:
        for archive in _archives(chain):  # before any of them is fetched or opened, which would wait at a fifo
            holder, file = url_to_fs(archive)
            require_within(archive, "it has", RemotePath(holder, file, archive).size(), allowance.limit)
        filesystem, root = url_to_fs(chain)
    except CorpusError:
        raise
    except ImportError as error:  # such as s3fs for s3://, which fsspec names
        raise ImportError(f"{location}: {error}") from error
    except (BadZipFile, ValueError) as error:
        raise ValueError(f"{location}: {error}; expected an address that fsspec knows, or a zip archive") from error
    if isinstance(filesystem, ZipFileSystem):
        unpacked = sum(entry.file_size for entry in filesystem.zip.infolist())  # readers stop at what is told here
        require_within(location, "it unpacks to", unpacked, allowance.limit)
    place = RemotePath(filesystem, root.rstrip("/"), location, allowance)
    return _only_folder(place) if location.endswith(ARCHIVE_SUFFIX) else place


def _chain(location: str) -> str:
    """Say to fsspec how to get at a location: fetch what is far away, look into archives."""
    scheme = _SCHEME.match(location)
    inside = location.partition("::")[0]
    if scheme and (scheme[2] == "::" or (scheme[1].lower() == "zip" and not inside.endswith(ARCHIVE_SUFFIX))):
        return location
    near = location if scheme is None or scheme[1].lower() in _AT_HAND else f"simplecache::{location}"
    return f"zip://::{near}" if location.endswith(ARCHIVE_SUFFIX) else near


def _archives(chain: str) -> Iterator[str]:
    """Yield the addresses of the archives that a chain looks into, the outermost first."""
    parts = chain.split("::")
    for link in range(len(parts) - 1, 0, -1):
        if "://" in parts[link - 1]:  # others, such as simplecache, look into nothing
            yield "::".join(parts[link:])


def _only_folder(archive: RemotePath) -> RemotePath:
    """Step into the only folder of an archive: mostly a folder is packed, not its content."""
    entries = list(archive.iterdir())
    return entries[0] if len(entries) == 1 and entries[0].name != "runs" else archive
