"""The chat format of small models that read bytes: every character costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from coopgym.games.spec import GameSpec
from coopgym.interfaces.text.action_parsing import short_number
from coopgym.interfaces.text.chat_formats.base import Call, Reading
from coopgym.interfaces.text.observation_text import situation
from coopgym.interfaces.text.schemas import Report, Tool
from coopgym.interfaces.text.seat_memory import SeatMemory

if TYPE_CHECKING:
    from coopgym.interfaces.text.dialogue import Rules


class Compact:
    """One line for a prompt and one line per call: ``payoff .60 .50`` is answered by ``=1.431 1.202``.

    A message is made of lines ``thought # name argument argument``; the thought and its ``#`` may be missing. Arguments
    stand in the order of the tool's signature, separated by blanks; a list is written with commas, ``.6,.5``.
    """

    name = "compact"
    end = "\n"

    def opening(self, memory: SeatMemory, tools: Mapping[str, Tool], rules: Rules) -> str:
        seat = memory.seat
        head = f"{code(seat.game)} s{seat.index} {_mode(seat.reward)} t{memory.round:02d} e{seat.endowment:g}"
        return f"{head} {situation(memory)}>"

    def read(self, text: str) -> Reading:
        calls: list[Call] = []
        thoughts: list[str] = []
        for line in text.splitlines():
            thought, _, call = line.rpartition("#")
            name, *arguments = call.split() or [""]
            if thought.strip():
                thoughts.append(thought.strip())
            if name:
                calls.append(Call(name, tuple(arguments)))
        if not calls:
            return Reading((), "\n".join(thoughts), "no call")
        return Reading(tuple(calls), "\n".join(thoughts))

    def write(self, name: str, arguments: Mapping[str, object]) -> str:
        return " ".join([name, *(_word(value) for value in arguments.values())])

    def result(self, call: Call, report: Report) -> str:
        return f"={report.brief}\n"

    def complaint(self, problem: str) -> str:
        return f"!{problem}\n"


def _word(value: object) -> str:
    if isinstance(value, list | tuple):
        return ",".join(_word(each) for each in value)
    return short_number(value) if isinstance(value, float) else str(value)


def code(spec: GameSpec) -> str:
    """A game's id in a few letters: ``TD`` for TrustDilemma-v1, ``TD0`` for TrustDilemma-v0."""
    name, _, version = spec.id.partition("-v")
    return "".join(letter for letter in name if letter.isupper()) + ("" if version == "1" else version)


def _mode(reward: str) -> str:
    return reward[0] if reward in ("private", "integrated", "cooperative") else reward
