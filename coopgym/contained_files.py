"""Files that a folder from anybody names: they lie in that folder, and they are regular files."""

from __future__ import annotations

import re
import stat
from pathlib import Path

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
"""How addresses begin, and drives."""
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a fifo",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


class UncontainedFileError(ValueError):
    """A path leaves the folder that names it, or is no regular file; the message says which and what to do."""


def inner_path(path: object) -> str:
    """Return a path if it can only mean something below a folder: names and slashes, relative, without ``..``.

    Raises:
        UncontainedFileError: it is none.
    """
    expected = "expected the relative path of a file, like runs/all.parquet, without `..`, drive or scheme"
    if not isinstance(path, str):
        raise UncontainedFileError(f"{path!r} is {type(path).__name__}; {expected}")
    if _SCHEME.match(path) or any(sign in path for sign in "\\\0"):
        raise UncontainedFileError(f"{path!r} is no path that stays in its folder; {expected}")
    if any(part in ("", ".", "..") for part in path.split("/")):
        raise UncontainedFileError(f"{path!r} leaves its folder or is not written plainly; {expected}")
    return path


def contained(folder: Path, path: object) -> Path:
    """Return a file below a folder, which may be missing; it has not been opened, which would wait at a fifo.

    The folder itself may be a link.

    Raises:
        UncontainedFileError: the path leads out of the folder, through a link too, or to something that is no file.
    """
    file = folder / inner_path(path)
    try:
        real, mode = file.resolve(), file.stat().st_mode
    except FileNotFoundError:
        return file
    except (OSError, RuntimeError) as error:  # no folder where one must be, or links in a circle
        raise UncontainedFileError(f"{file} cannot be looked at ({error}); restore it or take it away") from error
    if not real.is_relative_to(folder.resolve()):
        raise UncontainedFileError(
            f"{file} is a link that leads out of its folder, to {real}; put the file itself there (cp -L) if you "
            "trust it, or take the link away"
        )
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something special")
        raise UncontainedFileError(f"{file} is {kind}; expected a regular file: take it away")
    return file
