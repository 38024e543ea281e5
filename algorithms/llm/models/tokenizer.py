"""Text as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Tokenizer(Protocol):
    """What every language model reads and writes with."""

    @property
    def size(self) -> int:
        """Number of tokens."""

    @property
    def end(self) -> int:
        """The token that ends a message as it was taught."""

    @property
    def ends(self) -> tuple[int, ...]:
        """All tokens that end a message, `end` first."""

    def encode(self, text: str) -> list[int]:
        """Return the tokens of a text as it stands; no text ends a message."""

    def opening(self, text: str) -> list[int]:
        """Return the tokens of the first message to the model, up to where it begins to write."""

    def following(self, text: str) -> list[int]:
        """Return the tokens of a later message to the model, from where it ended its own to where it writes again."""

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of tokens; the one that ends a message has none."""


class ByteTokenizer:
    r"""A token per byte of UTF-8, and one that ends a message.

    Every text survives encoding and decoding. What has no UTF-8 form, half a character that a model wrote or a lone
    surrogate, is spelt out (``\xe2``, ``\ud800``), so that texts can always be stored.
    """

    size = 257
    end = 256
    ends = (256,)

    def encode(self, text: str) -> list[int]:
        """Return the bytes of ``text``."""
        return list(text.encode(errors="backslashreplace"))

    def opening(self, text: str) -> list[int]:
        """Return the bytes of ``text``: messages have no frames."""
        return self.encode(text)

    def following(self, text: str) -> list[int]:
        """Return the bytes of ``text``: messages have no frames."""
        return self.encode(text)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ``ids``.

        Raises:
            ValueError: a number that is no token.
        """
        wrong = [token for token in ids if not 0 <= token < self.size]
        if wrong:
            raise ValueError(f"token {wrong[0]}: expected numbers from 0 to {self.end}")
        return bytes(token for token in ids if token != self.end).decode(errors="backslashreplace")
