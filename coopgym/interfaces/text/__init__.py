"""Games as tasks for language models: a prompt per decision, tools to think with, a level as the answer."""

from coopgym.interfaces.text.action_parsing import IllegalCallError, on_grid, read_level
from coopgym.interfaces.text.chat_formats import CHAT_FORMATS, Call, ChatFormat, Reading, chat_format_named
from coopgym.interfaces.text.dialogue import Dialogue, Message, Reply, Rules, ToolCallRecord
from coopgym.interfaces.text.fingerprint import prompt_hash
from coopgym.interfaces.text.match import SeatOutcome, Snapshot, TextMatch, text_env
from coopgym.interfaces.text.schemas import Report, Tool, openai_schemas
from coopgym.interfaces.text.seat_memory import SeatMemory
from coopgym.interfaces.text.tools import TOOLS

__all__ = [
    "CHAT_FORMATS",
    "TOOLS",
    "Call",
    "ChatFormat",
    "Dialogue",
    "IllegalCallError",
    "Message",
    "Reading",
    "Reply",
    "Report",
    "Rules",
    "SeatMemory",
    "SeatOutcome",
    "Snapshot",
    "TextMatch",
    "Tool",
    "ToolCallRecord",
    "chat_format_named",
    "on_grid",
    "openai_schemas",
    "prompt_hash",
    "read_level",
    "text_env",
]
