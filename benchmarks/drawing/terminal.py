"""Tables and colours on a terminal, where text of strangers stays text."""

from __future__ import annotations

from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from coopgym.visible_text import visible


class TerminalConsole(Console):
    """A console to which every string is text: no markup, emoji codes, links or control characters.

    Emphasis comes as `styled` text or as a style of what is printed.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, markup=False, emoji=False)

    def render_str(self, text: str, **options: Any) -> Text:
        """Turn a string into what is shown; rich asks for it wherever it meets one."""
        return super().render_str(visible(text), **options)


def styled(text: str, style: str = "") -> Text:
    """Return a text as it stands, in a style, for what would read a string as markup or has more than one style."""
    return Text.assemble((visible(text), style))  # padding around it has no style


def ruled_table(**options: Any) -> Table:
    """Return a table with a line below its heading, whose title and caption begin where its rows do."""
    return Table(box=SIMPLE_HEAD, pad_edge=False, title_justify="left", caption_justify="left", **options)
