"""The chat format of instruction-tuned models: plain English, and tool calls as JSON between tags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from coopgym.games.game import AnyGame
from coopgym.interfaces.text import game_rules_text
from coopgym.interfaces.text.chat_formats.base import Call, Reading
from coopgym.interfaces.text.chat_formats.call_forms import CLOSE, OPEN, CallReader
from coopgym.interfaces.text.schemas import Report, Tool
from coopgym.interfaces.text.seat_memory import SeatMemory
from coopgym.interfaces.text.tools import observe
from coopgym.rewards import RewardMode

if TYPE_CHECKING:
    from coopgym.interfaces.text.dialogue import Rules

FORM = f'{OPEN}{{"name": <name of a tool>, "arguments": <object of its arguments>}}{CLOSE}'


class JsonCalls:
    """Calls as Hermes and Qwen models write them: ``<tool_call>{"name": ..., "arguments": {...}}</tool_call>``.

    Whatever stands before ``</think>``, after a ``<think>`` that is not closed, or outside the tags is thought. The
    last closing tag may be missing, as where it served as a stop string. Calls in the forms of other models are read
    too (`coopgym.interfaces.text.chat_formats.call_forms`).
    """

    name = "json"
    end = CLOSE

    def opening(self, memory: SeatMemory, tools: Mapping[str, Tool], rules: Rules) -> str:
        return f"{situation(memory)}\n{_manual(tuple(tools.values()), rules)}"

    def read(self, text: str) -> Reading:
        found = CallReader(text)
        problem = found.problem or (None if found.calls else "no tool call")
        if problem is not None:
            return Reading((), found.thought, f"{problem}; write {FORM}")
        return Reading(tuple(found.calls), found.thought)

    def write(self, name: str, arguments: Mapping[str, object]) -> str:
        return f"{OPEN}{_dumped({'name': name, 'arguments': dict(arguments)})}{CLOSE}"

    def result(self, call: Call, report: Report) -> str:
        return f"<tool_response>{_dumped({'name': call.name, 'content': report.facts})}</tool_response>\n"

    def complaint(self, problem: str) -> str:
        return f"<tool_response>{_dumped({'error': problem})}</tool_response>\n"


def situation(memory: SeatMemory) -> str:
    """Word the rules of the game and what the seat knows."""
    played = f"You last put in {memory.last_own:.0%} of your endowment."
    lines = [
        _briefing(memory.game, memory.seat.index, memory.layer.mode),
        f"Round {memory.round + 1} of {memory.game.spec.horizon}.",
        played if memory.round else "Nothing has been played yet; levels shown are the norms.",
        *(f"- {line}" for line in game_rules_text.describe(memory.seat, memory.observation)),
        f"In numbers: {_dumped(observe(memory).facts)}",
    ]
    return "\n".join(lines)


@lru_cache(maxsize=128)
def _briefing(game: AnyGame, seat: int, mode: RewardMode) -> str:
    spec = game.spec
    return "\n".join(
        [
            *game_rules_text.introduce(spec, seat),
            f"You meet {game_rules_text.company(spec)}, for {spec.horizon} rounds. In every round all choose at "
            "the same time which share of their endowment to put in, from 0 to 1 in steps of 0.01.",
            f"Your reward is {game_rules_text.reward_in_words(mode)}. Earn as much of it as you can.",
            "",
            "Rules:",
            game_rules_text.rules(type(game), game.parameters),
            "",
            "Now:",
        ]
    )


@lru_cache(maxsize=128)
def _manual(tools: tuple[Tool, ...], rules: Rules) -> str:
    schemas = "\n".join(_dumped(tool.schema()) for tool in tools)
    return (
        f"\nTools:\n<tools>\n{schemas}\n</tools>\n\n"
        f"Think briefly, then call tools like this: {FORM}\n"
        f"You have {rules.max_turns} messages; the last call of the last of them must be submit, which plays your "
        "level. A level is a decimal from 0 to 1 or a percentage."
    )


def _dumped(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
