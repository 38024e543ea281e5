"""Games as tasks for language models: a prompt per decision, tools to think with, a level as the answer."""

from coopgym.interfaces.text.desk import Desk
from coopgym.interfaces.text.dialects import DIALECTS, Call, Dialect, Reading, dialect_named
from coopgym.interfaces.text.dialogue import Dialogue, Message, Reply, Rules, Use
from coopgym.interfaces.text.fingerprint import prompt_hash
from coopgym.interfaces.text.levels import IllegalCallError, on_grid, read_level
from coopgym.interfaces.text.match import Outcome, Snapshot, TextMatch, text_env
from coopgym.interfaces.text.schemas import Report, Tool, openai_schemas
from coopgym.interfaces.text.tools import TOOLS

__all__ = [
    "DIALECTS",
    "TOOLS",
    "Call",
    "Desk",
    "Dialect",
    "Dialogue",
    "IllegalCallError",
    "Message",
    "Outcome",
    "Reading",
    "Reply",
    "Report",
    "Rules",
    "Snapshot",
    "TextMatch",
    "Tool",
    "Use",
    "dialect_named",
    "on_grid",
    "openai_schemas",
    "prompt_hash",
    "read_level",
    "text_env",
]
