"""Language models behind OpenAI-compatible servers, as those who label captions and write factors of rewards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from coopgym.algorithms.llm.models.chat import ChatMessage
from coopgym.algorithms.llm.models.endpoint import Endpoint
from coopgym.algorithms.reward_models.annotators import Background, asking
from coopgym.algorithms.reward_models.factor_search import TextModel

TEMPERATURE, LONGEST_ANSWER = 0.1, 1024
"""Of labels, as in the publication (Zheng et al. 2024), and tokens of an answer."""


class NoAnswerError(RuntimeError):
    """The server gave no whole answer; the message says why."""


def text_model(address: str, **settings: Any) -> TextModel:
    """Return a function of a prompt and a temperature that asks a model at a server, as `search_factors` takes it.

    A prompt that is asked again gets the next seed: another sample, and the same ones in every run that begins anew.

    Args:
        address: ``llm:URL`` or ``llm:URL#model``, such as ``llm:http://127.0.0.1:8000/v1#qwen``.
        settings: others of `coopgym.algorithms.llm.models.endpoint.Endpoint`, such as ``cache`` or ``key_variable``.

    Raises:
        ValueError: another address, or a setting out of range.

    >>> ask = text_model("llm:http://127.0.0.1:8000/v1#qwen")  # search_factors(ask, game)
    >>> text_model("qwen")
    Traceback (most recent call last):
        ...
    ValueError: 'qwen' names no endpoint: expected llm:URL or llm:URL#model
    """
    endpoint = Endpoint.named(address, **{"max_tokens": LONGEST_ANSWER} | settings)
    asked = Counter[tuple[str, float]]()

    def ask(prompt: str, temperature: float) -> str:
        seed = asked[prompt, temperature]
        asked[prompt, temperature] += 1
        (reply,) = replace(endpoint, temperature=temperature).reply([[ChatMessage("user", prompt)]], seeds=[seed])
        if reply.error is not None:
            raise NoAnswerError(reply.error)
        return reply.content

    return ask


def annotator_at(address: str, **settings: Any) -> Callable[[], Background]:
    """Return what makes an annotator that asks a model at a server, in a thread; whoever learns never waits for it.

    Texts of transforms name it by its address: ``oni(annotator=llm:http://127.0.0.1:8000/v1#qwen)``.

    Args:
        address: as of `text_model`.
        settings: likewise.

    Raises:
        ValueError: as `text_model`.

    >>> from coopgym.algorithms.reward_models.annotators import register_annotator
    >>> register_annotator("qwen", annotator_at("llm:http://127.0.0.1:8000/v1#qwen", cache="answers"))
    """
    ask = text_model(address, **settings)
    return lambda: Background(asking(lambda prompt: ask(prompt, TEMPERATURE)))
