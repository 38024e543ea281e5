"""Text of strangers, fit to be shown: what would steer a terminal, a page or a reader becomes a visible sign."""

from __future__ import annotations

_PICTURED = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"} | {0x7F: "\u2421"}
"""Control characters that Unicode has pictures of; lines and tabs stay what they are."""
_DIRECTIONS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Reorder what stands around them."""
_UNSEEN = (*range(0x80, 0xA0), 0x200B, 0x2028, 0x2029, 0x2060, 0xFEFF, 0xFFFE, 0xFFFF)
"""Steer terminals, have no width, or are no characters."""
_SURROGATES = range(0xD800, 0xE000)
"""Halves of characters, which no encoding can write."""
_NAMED = {code: f"\\u{code:04x}" for code in (*_DIRECTIONS, *_UNSEEN, *_SURROGATES)}
_SIGNS = _PICTURED | _NAMED
LONGEST = 100
"""Characters of a value in a message."""


def visible(text: str) -> str:
    r"""Return a text in which controls, invisible and halved characters are signs like ``␛`` or ``\u202e``.

    Lines and tabs stay. Texts that are shown already stay as they are.
    """
    return text.replace("\r\n", "\n").translate(_SIGNS)


def brief(value: object) -> str:
    """Return a value as Python writes it, without its middle if that is long."""
    try:
        text = repr(value)
    except ValueError:  # Python writes no numbers of thousands of digits
        return "a number of thousands of digits"
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]}…{text[-LONGEST // 2 :]}"
