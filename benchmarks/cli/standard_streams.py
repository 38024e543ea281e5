"""The standard streams: text stands there letter for letter, whoever wrote it and whatever can be encoded."""

from __future__ import annotations

import codecs
import io
import sys

ENCODING_ERRORS = "coopgym.spelled"
"""Name of the way in which streams deal with characters that they cannot encode."""
_SPELLED = {"…": "...", "–": "-", "—": "-", "−": "-", "·": "-", "±": "+/-", "×": "x", "≤": "<=", "≥": ">=", "→": "->"}
"""Our own signs in ASCII."""


def say(text: str, *, error: bool = False) -> None:
    """Write lines to the standard output, or to the standard error."""
    from coopgym.visible_text import visible  # the package takes a while, and help has to answer at once

    print(visible(text), file=sys.stderr if error else sys.stdout, flush=True)


def spell_what_cannot_be_encoded() -> None:
    """Make the standard streams write characters that they cannot encode in others, instead of failing."""
    codecs.register_error(ENCODING_ERRORS, _spelled)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ENCODING_ERRORS)


def _spelled(error: UnicodeError) -> tuple[str | bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    first = error.object[error.start]
    return (_SPELLED[first], error.start + 1) if first in _SPELLED else codecs.backslashreplace_errors(error)
