"""What a model can talk to: a seat of a match, or a single decision."""

from __future__ import annotations

from typing import Protocol

from coopgym.interfaces.text import Dialogue, Reply, TextMatch
from coopgym.interfaces.text.dialogue import DialogueEnding


class PlaySession(Protocol):
    """One side of a conversation that asks for decisions."""

    @property
    def waiting(self) -> bool:
        """Whether a message is expected."""

    @property
    def dialogues(self) -> tuple[Dialogue, ...]:
        """One dialogue per decision so far."""

    def send(self, text: str) -> Reply:
        """Pass on a message."""

    def abort(self, reason: DialogueEnding, text: str = "") -> Reply:
        """End the decision without an answer."""


class SeatSession:
    """A seat of a match."""

    def __init__(self, match: TextMatch, seat: int) -> None:
        self.match, self.seat = match, seat

    @property
    def waiting(self) -> bool:
        """Whether the seat's decision is open."""
        return self.seat in self.match.waiting

    @property
    def dialogues(self) -> tuple[Dialogue, ...]:
        """One dialogue per decision so far."""
        return self.match.dialogues(self.seat)

    def send(self, text: str) -> Reply:
        """Pass on a message; once all seats have decided, the match goes on."""
        return self.match.send(self.seat, text)

    def abort(self, reason: DialogueEnding, text: str = "") -> Reply:
        """End the decision without an answer."""
        return self.match.abort(self.seat, reason, text)

    def branch(self) -> SeatSession:
        """Return the seat of an independent copy of the match."""
        return SeatSession(TextMatch.restore(self.match.snapshot()), self.seat)


class DecisionSession:
    """A single decision, whoever plays the rest."""

    def __init__(self, dialogue: Dialogue) -> None:
        self.dialogue = dialogue

    @property
    def waiting(self) -> bool:
        """Whether the decision is open."""
        return not self.dialogue.decided

    @property
    def dialogues(self) -> tuple[Dialogue, ...]:
        """The dialogue of the decision."""
        return (self.dialogue,)

    def send(self, text: str) -> Reply:
        """Pass on a message."""
        return self.dialogue.receive(text)

    def abort(self, reason: DialogueEnding, text: str = "") -> Reply:
        """End the decision without an answer."""
        return self.dialogue.abort(reason, text)
