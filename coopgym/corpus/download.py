"""Fetch released corpora: what arrives is checked against the catalogue, what was interrupted goes on."""

from __future__ import annotations

import hashlib
import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from typing import BinaryIO
from urllib.parse import quote

from coopgym.corpus.catalogue import Listing, catalogue
from coopgym.corpus.errors import CorpusError
from coopgym.corpus.released import fetched_folder, released_corpora
from coopgym.corpus.shards import CROISSANT_FILE

ADDRESS_VARIABLE = "COOPGYM_DATA_URL"
"""Environment variable: the address below which released corpora lie, a folder each."""
SCHEMES = ("https://", "http://", "file://")
PATIENCE = 60.0
"""Seconds to wait for a server to say anything."""
_BLOCK = 1 << 16

DownloadProgress = Callable[[int, int], None]
"""Told the bytes that are here and those of the whole corpus."""


class DownloadError(CorpusError):
    """A corpus cannot be fetched; the message names the address, the fault and the remedy."""


@dataclass(frozen=True)
class _File:
    """A file as it has to arrive."""

    path: str
    size: int
    sha256: str


def fetch(name: str, address: str | None = None, progress: DownloadProgress = lambda done, planned: None) -> Path:
    """Fetch a released corpus into the folder of fetched ones, unless it is on this machine.

    What has arrived is kept when something goes wrong, even half a file, and the next call goes on there. The corpus
    gets its name when all of it is there and agrees with the catalogue.

    Args:
        name: one of `catalogue`.
        address: where the folder of this name lies: ``https://…``, ``http://…`` or ``file://…``; None for what
            ``COOPGYM_DATA_URL`` says.
        progress: called as bytes arrive.

    Returns:
        The folder of the corpus.

    Raises:
        DownloadError: no such corpus, no or an unusable address, or something else than was promised lies there.
        OSError: it cannot be written here.
    """
    if name in (here := released_corpora()):
        return here[name]
    if name not in catalogue():
        raise DownloadError(f"{name}: no released corpus; those are {', '.join(catalogue())}")
    base = f"{_checked_address(address)}/{quote(name)}"
    promised, folder = catalogue()[name], fetched_folder()
    staging = folder / f".{name}.part"  # a name with a dot is not looked into
    staging.mkdir(parents=True, exist_ok=True)
    before = 0

    def tell(bytes_of_file: int) -> None:
        progress(before + bytes_of_file, promised.size)

    for file in _files(promised, base, staging):
        _fetch_file(file, base, staging, tell)
        before += file.size
    staging.rename(folder / name)
    return folder / name


def _checked_address(address: str | None) -> str:
    given = address or os.environ.get(ADDRESS_VARIABLE, "")
    if not given:
        raise DownloadError(f"no address to fetch from; give one with --from, or set {ADDRESS_VARIABLE}")
    if not given.lower().startswith(SCHEMES):
        raise DownloadError(f"{given}: expected an address that begins with {', '.join(SCHEMES)}")
    return given.rstrip("/")


def _files(promised: Listing, base: str, staging: Path) -> Iterator[_File]:
    """Yield the Croissant file and, once it has arrived, the files that it lists."""
    index = _File(CROISSANT_FILE, promised.croissant_size, promised.croissant_sha256)
    yield index
    for entry in json.loads((staging / CROISSANT_FILE).read_bytes())["distribution"]:
        if entry["@type"] == "cr:FileObject":
            file = _File(entry["contentUrl"], int(entry["contentSize"].removesuffix(" B")), entry["sha256"])
            if not _lies_below(file.path):
                raise DownloadError(f"{base}/{CROISSANT_FILE}: {file.path!r} leaves the folder; do not use this corpus")
            yield file


def _lies_below(path: str) -> bool:
    parts = PurePosixPath(path).parts
    return bool(parts) and not {"/", ".."} & set(parts) and not set("\\:\0") & set(path)


def _fetch_file(file: _File, base: str, staging: Path, progress: Callable[[int], None]) -> None:
    """Bring one file to its place, from what an interrupted attempt has left of it."""
    place = staging / file.path
    if place.is_file() and place.stat().st_size == file.size and _sha256(place) == file.sha256:
        progress(file.size)
        return
    address, part = f"{base}/{quote(file.path)}", place.with_name(f"{place.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.touch()
    have = part.stat().st_size
    while (have := min(have, file.size)) < file.size:
        got = _continue(address, file, part, have, progress)
        if got <= have:
            raise DownloadError(
                f"{address}: the connection ended after {got:,} of {file.size:,} bytes; run the same command again, "
                "which goes on there"
            )
        have = got
    if part.stat().st_size > file.size or _sha256(part) != file.sha256:
        part.unlink()
        raise DownloadError(
            f"{address}: not what was released (size or sha256 differ), and not kept; try again, or another address"
        )
    part.replace(place)
    progress(file.size)


def _continue(address: str, file: _File, part: Path, have: int, progress: Callable[[int], None]) -> int:
    """Append what follows the bytes that are here, and return how many there are then."""
    request = urllib.request.Request(address, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            goes_on = have and answer.status == 206 and _starts_at(answer.headers["Content-Range"], have)
            with part.open("ab" if goes_on else "wb") as out:
                return _copy(answer, out, file.size, progress)
    except urllib.error.HTTPError as error:
        with error:
            raise DownloadError(
                f"{address}: the server answers {error.code} {error.reason}; expected a folder of released corpora at "
                "the address"
            ) from None
    except (urllib.error.URLError, HTTPException, TimeoutError, ConnectionError) as error:
        reason = getattr(error, "reason", error)
        raise DownloadError(f"{address}: cannot be fetched: {reason}; what has arrived is kept") from None


def _starts_at(content_range: str | None, have: int) -> bool:
    return content_range is not None and content_range.startswith(f"bytes {have}-")


def _copy(answer: BinaryIO, out: BinaryIO, most: int, progress: Callable[[int], None]) -> int:
    """Write what arrives, one byte more than expected at most: that shows a file that is too long."""
    have = out.tell()
    while have <= most and (block := answer.read(min(_BLOCK, most + 1 - have))):
        out.write(block)
        have += len(block)
        progress(min(have, most))
    return have


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
