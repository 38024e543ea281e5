"""The chat format where somebody else words the calls: a chat template, or a server with tool calls of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from coopgym.interfaces.text.chat_formats.base import Call
from coopgym.interfaces.text.chat_formats.json_calls import JsonCalls, situation
from coopgym.interfaces.text.schemas import Report, Tool
from coopgym.interfaces.text.seat_memory import SeatMemory

if TYPE_CHECKING:
    from coopgym.interfaces.text.dialogue import Rules


class NativeCalls(JsonCalls):
    """The chat format ``json`` without schemas in prompts and without tags around results, which others put there."""

    name = "native"

    def opening(self, memory: SeatMemory, tools: Mapping[str, Tool], rules: Rules) -> str:
        return (
            f"{situation(memory)}\n\nThink briefly and call tools, at most {rules.max_turns} times; the last call must "
            "be submit, which plays your level. A level is a decimal from 0 to 1."
        )

    def result(self, call: Call, report: Report) -> str:
        return json.dumps(report.facts, ensure_ascii=False)

    def complaint(self, problem: str) -> str:
        return json.dumps({"error": problem}, ensure_ascii=False)
