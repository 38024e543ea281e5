"""What a released corpus is called, and who answers for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

LICENSE = "https://creativecommons.org/licenses/by/4.0/"
LICENSE_NAME = "CC-BY-4.0"
CREATORS = ("The coopgym authors",)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_MADE_ANEW = re.compile(r"(.+-v\d+)\.(\d+)")
"""A name like learners-v1.1: what learners-v1 was, made anew."""


@dataclass(frozen=True)
class Release:
    """The facts of a release that nobody can compute from its data.

    Raises:
        ValueError: the name is not one, or is that of a corpus that was made anew and nothing says what moved.
    """

    name: str
    description: str
    version: str
    published: date
    creators: tuple[str, ...] = CREATORS
    url: str = ""
    """Web page of the release; empty where there is none yet."""
    funding: str = ""
    changes: str = ""
    """What moved against the corpus before it, for one that was made anew."""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"name {self.name!r}; expected lower-case letters, digits, '-', '_' and '.', like audit-v0"
            )
        if self.predecessor and not self.changes.strip():
            raise ValueError(f"{self.name} is {self.predecessor} made anew; say what moved against it (--changes)")

    @property
    def predecessor(self) -> str | None:
        """Name of the corpus that this one was made anew from: learners-v1 of learners-v1.1, that of learners-v1.2."""
        anew = _MADE_ANEW.fullmatch(self.name)
        if anew is None or int(anew[2]) < 1:
            return None
        return anew[1] if int(anew[2]) == 1 else f"{anew[1]}.{int(anew[2]) - 1}"

    @property
    def citation(self) -> str:
        """A BibTeX entry."""
        fields = {
            "title": f"{self.name}: a coopgym run corpus",
            "author": " and ".join(f"{{{creator}}}" for creator in self.creators),
            "year": str(self.published.year),
            "version": self.version,
        }
        key = re.sub(r"\W", "", self.name.replace(".", "_")) + fields["year"]
        return f"@misc{{{key}, {', '.join(f'{name} = {{{value}}}' for name, value in fields.items())}}}"
