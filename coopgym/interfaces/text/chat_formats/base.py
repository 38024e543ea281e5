"""What a chat format is: the wording of prompts, and the reading of messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from coopgym.interfaces.text.schemas import Report, Tool
from coopgym.interfaces.text.seat_memory import SeatMemory

if TYPE_CHECKING:
    from coopgym.interfaces.text.dialogue import Rules


@dataclass(frozen=True)
class Call:
    """A call as a model wrote it: nothing of it has been checked."""

    name: str
    arguments: Mapping[str, object] | tuple[object, ...]
    """Values by name, or in order."""


@dataclass(frozen=True)
class Reading:
    """What a message says."""

    calls: tuple[Call, ...] = ()
    thought: str = ""
    problem: str | None = None
    """Why the message cannot be read; then there are no calls."""


class ChatFormat(Protocol):
    """How prompts are worded and messages are read."""

    name: str
    end: str
    """What ends a message: a stop string for models that have no token for it."""

    def opening(self, memory: SeatMemory, tools: Mapping[str, Tool], rules: Rules) -> str:
        """Word the prompt of a decision."""

    def read(self, text: str) -> Reading:
        """Read any text a model may write. It never raises and never runs anything."""

    def write(self, name: str, arguments: Mapping[str, object]) -> str:
        """Word a call, as a model would write it: what `read` reads again."""

    def result(self, call: Call, report: Report) -> str:
        """Word what a tool found out."""

    def complaint(self, problem: str) -> str:
        """Word what was wrong with a message."""
