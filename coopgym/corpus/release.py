"""What a released corpus is called, and who answers for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

LICENSE = "https://creativecommons.org/licenses/by/4.0/"
LICENSE_NAME = "CC-BY-4.0"
CREATORS = ("The coopgym authors",)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


@dataclass(frozen=True)
class Release:
    """The facts of a release that nobody can compute from its data.

    Raises:
        ValueError: the name is not one.
    """

    name: str
    description: str
    version: str
    published: date
    creators: tuple[str, ...] = CREATORS
    url: str = ""
    """Web page of the release; empty where there is none yet."""
    funding: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(
                f"name {self.name!r}; expected lower-case letters, digits, '-', '_' and '.', like audit-v0"
            )

    @property
    def citation(self) -> str:
        """A BibTeX entry."""
        fields = {
            "title": f"{self.name}: a coopgym run corpus",
            "author": " and ".join(f"{{{creator}}}" for creator in self.creators),
            "year": str(self.published.year),
            "version": self.version,
        }
        key = re.sub(r"\W", "", self.name) + fields["year"]
        return f"@misc{{{key}, {', '.join(f'{name} = {{{value}}}' for name, value in fields.items())}}}"
