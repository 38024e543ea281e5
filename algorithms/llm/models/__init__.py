"""Language models behind one interface: a small built-in transformer, Hugging Face models, and remote endpoints.

Importing this package is cheap: torch, transformers and httpx are imported by what needs them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from coopgym.extras import extras_named

if TYPE_CHECKING:
    from coopgym.algorithms.llm.models.chat import ChatMessage, ChatReply
    from coopgym.algorithms.llm.models.endpoint import Endpoint
    from coopgym.algorithms.llm.models.huggingface import HuggingFaceModel, LoraSettings
    from coopgym.algorithms.llm.models.language_model import LanguageModel, Scores
    from coopgym.algorithms.llm.models.loading import load_model
    from coopgym.algorithms.llm.models.sampling import Generation
    from coopgym.algorithms.llm.models.small import SmallModel, SmallSettings
    from coopgym.algorithms.llm.models.tokenizer import ByteTokenizer, Tokenizer

_HOMES = {
    "ByteTokenizer": "tokenizer",
    "ChatMessage": "chat",
    "ChatReply": "chat",
    "Endpoint": "endpoint",
    "Generation": "sampling",
    "HuggingFaceModel": "huggingface",
    "LanguageModel": "language_model",
    "LoraSettings": "huggingface",
    "Scores": "language_model",
    "SmallModel": "small",
    "SmallSettings": "small",
    "Tokenizer": "tokenizer",
    "load_model": "loading",
}

__all__ = [
    "ByteTokenizer",
    "ChatMessage",
    "ChatReply",
    "Endpoint",
    "Generation",
    "HuggingFaceModel",
    "LanguageModel",
    "LoraSettings",
    "Scores",
    "SmallModel",
    "SmallSettings",
    "Tokenizer",
    "load_model",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        with extras_named(f"{__name__}.{name}"):
            return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; it has {', '.join(__all__)}")
