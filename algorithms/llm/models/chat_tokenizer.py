"""Tokenizers of Hugging Face models, with the frames around messages that a model was taught."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_FIRST, _OWN, _NEXT = "FIRSTMESSAGE", "OWNMESSAGE", "NEXTMESSAGE"


class ChatTokenizer:
    """A tokenizer whose messages are framed by the chat template, if there is one.

    Messages are data: what looks like a special token in them is read as ordinary text.

    Args:
        tokenizer: of the library.
        size: tokens that the model knows; may exceed those of the tokenizer.

    Raises:
        ValueError: no token ends a message.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, size: int) -> None:
        if tokenizer.eos_token_id is None:
            raise ValueError("the tokenizer has no eos_token: set the one that ends the model's messages")
        self.library = tokenizer
        self.size = size
        self.end = int(tokenizer.eos_token_id)
        self._opening, self._following = self._frames()

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
        written = [int(token) for token in ids if token != self.end]
        return str(self.library.decode(written, clean_up_tokenization_spaces=False))

    def _framed(self, frame: tuple[list[int], list[int]], text: str) -> list[int]:
        before, after = frame
        return [*before, *self.encode(text), *after]

    def _frames(self) -> tuple[tuple[list[int], list[int]], tuple[list[int], list[int]]]:
        """Return the tokens before and after the first message, and before and after a later one."""
        if not self.library.chat_template:
            return (list(self.library("").input_ids), []), ([], [])
        first = self._render([("user", _FIRST)])
        before_first, _, after_first = first.partition(_FIRST)
        whole = self._render([("user", _FIRST), ("assistant", _OWN), ("user", _NEXT)])
        before_next, _, after_next = whole.partition(_OWN)[2].partition(_NEXT)
        # The model has written the end of its message itself.
        before_next = before_next.removeprefix(str(self.library.eos_token))
        texts = ((before_first, after_first), (before_next, after_next))
        opening, following = ((self._tokens(before), self._tokens(after)) for before, after in texts)
        return opening, following

    def _render(self, messages: Sequence[tuple[str, str]]) -> str:
        conversation = [{"role": role, "content": content} for role, content in messages]
        return str(self.library.apply_chat_template(conversation, tokenize=False, add_generation_prompt=True))

    def _tokens(self, text: str, *, split_special_tokens: bool = False) -> list[int]:
        encoding = self.library(text, add_special_tokens=False, split_special_tokens=split_special_tokens)
        return [int(token) for token in encoding.input_ids]
