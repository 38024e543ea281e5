"""Language models behind an OpenAI-compatible server: for playing and evaluation, not for training."""

from __future__ import annotations

import dataclasses
import functools
import math
import os
import ssl
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import numpy as np

from algorithms.llm.models.answer_cache import AnswerCache, request_digest
from algorithms.llm.models.chat import ChatMessage, ChatReply, canonical, chat_request, read_answer
from algorithms.llm.models.pacing import backoff, pace_of, retry_after

if TYPE_CHECKING:
    import httpx

PREFIX = "llm:"
LONGEST_WAIT = 300.0
"""Seconds; a server that wants to be left alone for longer has refused."""


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
        concurrency: requests under way at the same time.
        requests_per_minute: limit of requests, repeated ones included; None for none.
        retries: how often a request is repeated after an overload (429), a fault of the server (5xx), a time-out or a
            broken connection.
        backoff: seconds before the first repetition; doubles each time. A longer ``Retry-After`` of the server counts.
        timeout: seconds without a sign from the server after which a request has failed.
        cache: folder of answers, or None.
        key_variable: environment variable with the key; it may be unset for servers that want none.
        seed: of the random part of waiting times.

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
    cache: str | Path | None = None
    key_variable: str = "OPENAI_API_KEY"
    seed: int = 0

    def __post_init__(self) -> None:
        _check_url(self.url)
        object.__setattr__(self, "url", self.url.rstrip("/"))
        for name, low in (("temperature", 0.0), ("max_tokens", 1), ("concurrency", 1), ("retries", 0), ("seed", 0)):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= low):
                raise ValueError(f"{name}={value!r}: expected a finite number of at least {low:g}")
        for name in ("backoff", "timeout", "requests_per_minute"):
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
            ValueError: not as many seeds as conversations, or no model is named and the server lists none.
            ImportError: httpx is not installed.
        """
        if seeds is not None and len(seeds) != len(conversations):
            raise ValueError(f"seeds: {len(seeds)} given, expected one for each of {len(conversations)} conversations")
        requests = [
            self._request(conversation, tools, None if seeds is None else int(seeds[index]))
            for index, conversation in enumerate(conversations)
        ]
        digests = [request_digest(request) for request in requests]
        wanted = dict(zip(digests, requests, strict=True))
        cache = None if self.cache is None else AnswerCache(Path(self.cache))
        replies = {digest: cache.find(request) if cache else None for digest, request in wanted.items()}
        missing = [digest for digest, reply in replies.items() if reply is None]
        replies.update(zip(missing, self._ask([wanted[digest] for digest in missing], cache), strict=True))
        return [reply for digest in digests if (reply := replies[digest]) is not None]

    @functools.cached_property
    def served_model(self) -> str:
        """The model's name at the server: as given, or the first that the server lists.

        Raises:
            ValueError: none is given, and the server does not say.
        """
        if self.model is not None:
            return self.model
        httpx = _httpx()
        try:
            with self._client() as client:
                listed = client.get(f"{self.url}/models", headers=self._headers()).raise_for_status().json()
            return str(listed["data"][0]["id"])
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            raise ValueError(
                f"{self.url} does not say which models it has ({type(error).__name__}): "
                f"start the server, or name the model, {PREFIX}{self.url}#model"
            ) from None

    def _request(
        self, conversation: Sequence[ChatMessage], tools: Sequence[Mapping[str, Any]] | None, seed: int | None
    ) -> dict[str, Any]:
        body = chat_request(self.served_model, conversation, self.temperature, self.max_tokens, tools, seed)
        return {"url": self.url, "body": body}

    def _ask(self, requests: Sequence[Mapping[str, Any]], cache: AnswerCache | None) -> list[ChatReply]:
        if not requests:
            return []
        stop = threading.Event()
        with self._client() as client, ThreadPoolExecutor(self.concurrency) as pool:
            tasks = [pool.submit(self._ask_one, client, request, cache, stop) for request in requests]
            try:
                done, _ = wait(tasks, return_when=FIRST_EXCEPTION)
                if failed := next((task for task in done if task.exception()), None):
                    failed.result()
                return [task.result() for task in tasks]
            finally:
                stop.set()  # nobody goes on waiting for an answer that nobody will read
                pool.shutdown(wait=False, cancel_futures=True)

    def _ask_one(
        self, client: httpx.Client, request: Mapping[str, Any], cache: AnswerCache | None, stop: threading.Event
    ) -> ChatReply:
        body = canonical(request["body"])
        rng = np.random.default_rng([self.seed, int(request_digest(request), 16)])
        pace = pace_of(self.url, self.requests_per_minute)
        pause, failures = 0.0, 0
        while not stop.wait(pause + pace.turn()):
            outcome = self._send(client, body)
            if isinstance(outcome, ChatReply):
                if cache and outcome.error is None:
                    cache.keep(request, outcome)
                return outcome
            failures += 1
            if failures > self.retries:
                return ChatReply("", error=f"{outcome.reason}; given up after {failures} tries")
            if outcome.wait > LONGEST_WAIT:
                return ChatReply("", error=f"{outcome.reason}; the server wants {outcome.wait:.0f} s of quiet")
            pause = max(outcome.wait, backoff(self.backoff, failures, rng))
        return ChatReply("", error="interrupted")

    def _send(self, client: httpx.Client, body: bytes) -> ChatReply | _Failure:
        httpx = _httpx()
        try:
            response = client.post(f"{self.url}/chat/completions", content=body, headers=self._headers())
        except httpx.TimeoutException:
            return _Failure(f"no answer from {self.url} within {self.timeout:g} s")
        except httpx.TransportError as error:
            return _Failure(f"no connection to {self.url} ({type(error).__name__})")
        if response.status_code == 429 or response.status_code >= 500:
            wait = retry_after(response.headers.get("retry-after"))
            return _Failure(f"{self.url} answers HTTP {response.status_code}", wait)
        if response.status_code in (401, 403):
            return ChatReply("", error=f"{self.url} refuses access: set {self.key_variable} to a valid key")
        if response.status_code != 200:
            said = self._without_key(response.text)[:200]
            return ChatReply("", error=f"{self.url} answers HTTP {response.status_code}: {said}")
        try:
            reply = read_answer(response.content)
            return dataclasses.replace(reply, content=self._without_key(reply.content))
        except ValueError as error:
            return ChatReply("", error=f"{self.url}: {error}")

    def _client(self) -> httpx.Client:
        httpx = _httpx()
        limits = httpx.Limits(max_connections=self.concurrency)
        return httpx.Client(timeout=self.timeout, limits=limits, verify=_trusted())

    def _headers(self) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if key := self._key():
            headers["Authorization"] = f"Bearer {key}"
        return headers

    def _key(self) -> str:
        key = os.environ.get(self.key_variable, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise ValueError(f"{self.key_variable} holds no key: expected printable ASCII characters")
        return key

    def _without_key(self, text: str) -> str:
        """Servers have been seen to repeat the key that they were sent."""
        key = self._key()
        return text.replace(key, "***") if key else text


@dataclass(frozen=True)
class _Failure:
    """A try that failed and may be repeated, after ``wait`` seconds if the server said so."""

    reason: str
    wait: float = 0.0


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(
            "url: user names, passwords, queries and fragments are not accepted, because addresses are written into "
            "records; put the key into an environment variable and name it by key_variable"
        )
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"url={url!r}: expected an address such as http://127.0.0.1:8000/v1")


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Return whose certificates are trusted; reading them takes longer than many requests."""
    return _httpx().create_ssl_context()


def _httpx() -> Any:
    try:
        import httpx
    except ImportError as error:
        raise ImportError("endpoints need httpx; install it with: pip install 'coopgym[llm]'") from error
    return httpx
