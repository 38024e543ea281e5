"""Tokenizers of Hugging Face models, with the frames around messages that a model was taught."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_FIRST, _OWN, _NEXT = "FIRSTMESSAGE", "OWNMESSAGE", "NEXTMESSAGE"


class ChatTokenizer:
    """A tokenizer whose messages are framed by the chat template, if there is one.

    Messages are data: what looks like a special token in them is read as ordinary text. A message ends with the special
    token that the template puts after the model's messages, with ``eos_token``, or with others that the model is said
    to stop at.

    Args:
        tokenizer: of the library.
        size: tokens that the model knows; may exceed those of the tokenizer.
        stops: other tokens that end a message.

    Raises:
        ValueError: no token ends a message.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, size: int, stops: Sequence[int] = ()) -> None:
        self.library = tokenizer
        self.size = size
        self._opening, self._following, taught = self._frames()
        known = [*taught, *([] if tokenizer.eos_token_id is None else [int(tokenizer.eos_token_id)]), *stops]
        self.ends = tuple(dict.fromkeys(token for token in known if 0 <= token < size))
        if not self.ends:
            raise ValueError("no token ends a message: set the tokenizer's eos_token to the one that the model writes")
        self.end = self.ends[0]

    def encode(self, text: str) -> list[int]:
        return self._tokens(text, split_special_tokens=True)

    def opening(self, text: str) -> list[int]:
        return self._framed(self._opening, text)

    def following(self, text: str) -> list[int]:
        return self._framed(self._following, text)

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ``ids``.

        Raises:
            ValueError: a number that is no token.
        """
        wrong = [token for token in ids if not 0 <= token < self.size]
        if wrong:
            raise ValueError(f"token {wrong[0]}: expected numbers from 0 to {self.size - 1}")
        written = [int(token) for token in ids if token not in self.ends]
        return str(self.library.decode(written, clean_up_tokenization_spaces=False))

    def _framed(self, frame: tuple[list[int], list[int]], text: str) -> list[int]:
        before, after = frame
        return [*before, *self.encode(text), *after]

    def _frames(self) -> tuple[tuple[list[int], list[int]], tuple[list[int], list[int]], list[int]]:
        """Return the tokens before and after the first message, before and after a later one, and what ends its own."""
        if not self.library.chat_template:
            return (list(self.library("").input_ids), []), ([], []), []
        first = self._render([("user", _FIRST)])
        before_first, _, after_first = first.partition(_FIRST)
        whole = self._render([("user", _FIRST), ("assistant", _OWN), ("user", _NEXT)])
        before_next, _, after_next = whole.partition(_OWN)[2].partition(_NEXT)
        between = self._tokens(before_next)
        end = self._end_of_turn(between)
        opening = self._tokens(before_first), self._tokens(after_first)
        # The model writes the end of its message itself.
        following = between[between.index(end[0]) + 1 :] if end else between, self._tokens(after_next)
        return opening, following, end

    def _end_of_turn(self, between: Sequence[int]) -> list[int]:
        """Return the special token that nothing but blanks separates from a message before it, if there is one."""
        special = {token for token, added in self.library.added_tokens_decoder.items() if added.special}
        for token in between:
            if token in special:
                return [token]
            if self.library.decode([token]).strip():
                break
        return []

    def _render(self, messages: Sequence[tuple[str, str]]) -> str:
        conversation = [{"role": role, "content": content} for role, content in messages]
        return str(self.library.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True))

    def _tokens(self, text: str, *, split_special_tokens: bool = False) -> list[int]:
        encoding = self.library(text, add_special_tokens=False, split_special_tokens=split_special_tokens)
        return [int(token) for token in encoding.input_ids]
