"""How much of a corpus is taken in: a small file can unpack to more than any memory holds."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from coopgym.corpus.errors import CorpusError

LIMIT_VARIABLE = "COOPGYM_MAX_CORPUS_BYTES"
"""Environment variable: the limit in bytes, for corpora wherever they lie."""
AFAR = 2**30
"""Bytes that a remote or zipped corpus may unpack to, and that a table of it may take in memory."""
AT_HAND = 2**33
"""Bytes that a table of a folder on this machine may take in memory."""
JSON_LIMIT = 2**26
"""Bytes of a study, a manifest or a Croissant file; they are texts of some pages."""


def size_limit(usual: int, asked: int | None = None) -> int:
    """Return the limit in bytes: the one asked for, else that of the environment, else the usual one.

    Raises:
        TypeError: what is asked for is no whole number.
        ValueError: it is below 1.
        CorpusError: the environment names none.
    """
    if asked is not None:
        if isinstance(asked, bool) or not isinstance(asked, int):
            raise TypeError(f"max_bytes={asked!r}: expected a whole number of bytes")
        if asked < 1:
            raise ValueError(f"max_bytes={asked}: expected at least 1 byte")
        return asked
    told = os.environ.get(LIMIT_VARIABLE, "").strip()
    if not told:
        return usual
    if not (told.isascii() and told.isdecimal() and len(told) <= 20 and int(told)):
        raise CorpusError(f"{LIMIT_VARIABLE}={told!r}: expected a whole number of bytes, like {4 * AFAR}")
    return int(told)


def require_within(where: object, what: str, size: int, limit: int) -> None:
    """Make sure that something is not larger than the limit.

    Args:
        where: the file or corpus.
        what: what the size is of, as a sentence begins: ``"its rows take"``.
        size: in bytes.
        limit: in bytes.

    Raises:
        CorpusError: says how to raise the limit.
    """
    if size > limit:
        raise CorpusError(
            f"{where}: {what} {size:,} bytes, and the limit is {limit:,}: it may be damaged or made to fill the "
            f"memory. If you trust it, raise the limit with load_corpus(…, max_bytes={2 * size}) or {LIMIT_VARIABLE}="
            f"{2 * size}"
        )


@dataclass
class Allowance:
    """What a corpus elsewhere may bring along, over all its files."""

    limit: int
    """In bytes."""
    taken: dict[str, int] = field(default_factory=dict)
    """Bytes by file; reading one again adds nothing."""

    def admit(self, where: object, file: str, size: int) -> None:
        """Book a file before, or as, it is read.

        Raises:
            CorpusError: it is too much, with all files before.
        """
        total = sum(self.taken.values()) - self.taken.get(file, 0) + size
        require_within(where, "with the files read before it has", total, self.limit)
        self.taken[file] = size

    def left(self, file: str) -> int:
        """Return how many bytes a file may have."""
        return self.limit - sum(self.taken.values()) + self.taken.get(file, 0)
