"""Language models behind an OpenAI-compatible server: for playing and evaluation, not for training."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from coopgym.algorithms.llm.models.background import result_of, side_by_side, submit
from coopgym.algorithms.llm.models.chat import ChatMessage, ChatReply
from coopgym.algorithms.llm.models.exchange import Server, exchange_with
from coopgym.algorithms.llm.models.rate_limit import SYSTEM_CLOCK, Clock
from coopgym.algorithms.llm.models.session import Session

PREFIX = "llm:"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A model on a server that speaks chat completions (vLLM, SGLang, llama.cpp, Ollama, hosted services).

    Requests with equal content are one request: it is asked once, and answered from the cache ever after. Whoever wants
    several samples of one conversation gives seeds. The key is read from the environment when a request is sent; it
    stands in no file, message or error.

    Args:
        url: up to the version, e.g. ``http://127.0.0.1:8000/v1``.
        model: its name at the server; None takes the first that the server lists.
        temperature: of sampling.
        max_tokens: longest message.
        concurrency: requests under way at the same time, over all endpoints of a process with equal limits.
        requests_per_minute: limit of requests, repeated ones included; None for none.
        retries: how often a request is repeated after an overload (429), a fault of the server (5xx), a time-out, a
            broken connection, or an answer that cannot be read.
        backoff: seconds before the first repetition; doubles each time. A longer ``Retry-After`` of the server counts.
        timeout: seconds without a sign from the server after which a request has failed.
        time_limit: seconds that an answer may take, repetitions and waits included; a decision of several messages
            has as many in all.
        cache: folder of answers, or None.
        key_variable: environment variable with the key; it may be unset for servers that want none.
        seed: of the random part of waiting times.
        clock: what waits.

    Raises:
        ValueError: a number out of range, or a URL that is none or carries secrets.
    """

    url: str
    model: str | None = None
    temperature: float = 1.0
    max_tokens: int = 512
    concurrency: int = 8
    requests_per_minute: float | None = None
    retries: int = 5
    backoff: float = 0.5
    timeout: float = 120.0
    time_limit: float = 900.0
    cache: str | Path | None = None
    key_variable: str = "OPENAI_API_KEY"
    seed: int = 0
    clock: Clock = field(default=SYSTEM_CLOCK, repr=False, compare=False)
    listed: list[str] = field(default_factory=list, init=False, repr=False, compare=False)
    """The first model that the server lists, once it was asked."""

    def __post_init__(self) -> None:
        _check_url(self.url)
        object.__setattr__(self, "url", self.url.rstrip("/"))
        for name, low in (("temperature", 0.0), ("max_tokens", 1), ("concurrency", 1), ("retries", 0), ("seed", 0)):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= low):
                raise ValueError(f"{name}={value!r}: expected a finite number of at least {low:g}")
        for name in ("backoff", "timeout", "time_limit", "requests_per_minute"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"{name}={value!r}: expected a finite number above 0")

    @classmethod
    def named(cls, name: str, **settings: Any) -> Endpoint:
        """Return the endpoint of a name ``llm:URL`` or ``llm:URL#model``; ``settings`` are the other arguments.

        Raises:
            ValueError: another name.
        """
        if not name.startswith(PREFIX):
            raise ValueError(f"{name!r} names no endpoint: expected {PREFIX}URL or {PREFIX}URL#model")
        url, _, model = name.removeprefix(PREFIX).partition("#")
        return cls(url=url, model=model or None, **settings)

    def reply(
        self,
        conversations: Sequence[Sequence[ChatMessage]],
        *,
        tools: Sequence[Mapping[str, Any]] | None = None,
        seeds: Sequence[int] | None = None,
    ) -> list[ChatReply]:
        """Ask the model to continue conversations. What fails comes back as a reply with an error.

        Args:
            conversations: what was said so far, for each.
            tools: schemas of tools that the model may call in the server's own way.
            seeds: one per conversation, for the server's sampling.

        Raises:
            ValueError: not as many seeds as conversations, no model is named and the server lists none, or the key is
                none.
            ImportError: httpx is not installed.
        """
        if seeds is not None and len(seeds) != len(conversations):
            raise ValueError(f"seeds: {len(seeds)} given, expected one for each of {len(conversations)} conversations")
        own_seeds = [None] * len(conversations) if seeds is None else [int(seed) for seed in seeds]

        async def replies() -> list[ChatReply]:
            session = self.session()
            return await side_by_side(
                session.ask(conversation, tools=tools, seed=seed)
                for conversation, seed in zip(conversations, own_seeds, strict=True)
            )

        return result_of(submit(replies()))

    def session(self) -> Session:
        """Open a session in the running event loop, which is that of `coopgym.algorithms.llm.models.background`."""
        server = Server(self.url, self.key_variable, self.timeout)
        loop = asyncio.get_running_loop()
        return Session(self, exchange_with(loop, server, self.concurrency, self.requests_per_minute, self.clock))


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(
            "url: user names, passwords, queries and fragments are not accepted, because addresses are written into "
            "records; put the key into an environment variable and name it by key_variable"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url={url!r}: expected an address such as http://127.0.0.1:8000/v1")
