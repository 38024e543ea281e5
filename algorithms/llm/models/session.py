"""A session with an endpoint: requests side by side, equal ones asked once, answers kept."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

import numpy as np

from coopgym.algorithms.llm.models.answer_cache import AnswerCache, request_digest
from coopgym.algorithms.llm.models.chat import ChatMessage, ChatReply, chat_request
from coopgym.algorithms.llm.models.exchange import Exchange
from coopgym.algorithms.llm.models.rate_limit import TimeLimit
from coopgym.algorithms.llm.models.retrying import Failure, Retrying, Tried

if TYPE_CHECKING:
    from coopgym.algorithms.llm.models.endpoint import Endpoint

_asking: WeakValueDictionary[tuple[asyncio.AbstractEventLoop, str, str], asyncio.Lock] = WeakValueDictionary()
"""Of requests under way, by loop, cache and digest: who wants the same waits, and finds the answer in the cache."""


class Session:
    """Requests that belong together, in one event loop.

    Args:
        endpoint: who is asked, and how.
        exchange: what carries requests.
    """

    def __init__(self, endpoint: Endpoint, exchange: Exchange) -> None:
        self._endpoint = endpoint
        self._exchange = exchange
        self._cache = None if endpoint.cache is None else AnswerCache(Path(endpoint.cache))
        self._retrying = Retrying(endpoint.retries, endpoint.backoff, endpoint.clock)
        self._asked: dict[str, asyncio.Task[ChatReply]] = {}
        self._listing: asyncio.Task[str] | None = None

    async def ask(
        self,
        conversation: Sequence[ChatMessage],
        *,
        temperature: float | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        seed: int | None = None,
        limit: TimeLimit | None = None,
    ) -> ChatReply:
        """Ask the model to continue a conversation. What fails comes back as a reply with an error.

        Args:
            conversation: what was said so far.
            temperature: of sampling; None is the endpoint's.
            tools: schemas of tools that the model may call in the server's own way.
            seed: for the server's sampling.
            limit: seconds left; None are the endpoint's.

        Raises:
            ValueError: no model is named and the server lists none, or the key is none.
            ImportError: httpx is not installed.
        """
        endpoint = self._endpoint
        limit = limit or TimeLimit(endpoint.time_limit, endpoint.clock)
        heat = endpoint.temperature if temperature is None else temperature
        body = chat_request(await self._model(limit), conversation, heat, endpoint.max_tokens, tools, seed)
        request = {"url": endpoint.url, "body": body}
        digest = request_digest(request)
        if self._cache and (found := self._cache.find(digest)):
            return found
        if digest in self._asked:
            return dataclasses.replace(await self._asked[digest], cached=True, requests=0)
        self._asked[digest] = asyncio.ensure_future(self._found(request, digest, limit))
        return await self._asked[digest]

    async def _model(self, limit: TimeLimit) -> str:
        """Return the model's name at the server: as given, or the first that the server lists."""
        if self._endpoint.model is not None:
            return self._endpoint.model
        if self._listing is None:
            self._listing = asyncio.ensure_future(self._first_model(limit))
        return await self._listing

    async def _first_model(self, limit: TimeLimit) -> str:
        endpoint = self._endpoint
        if not endpoint.listed:
            rng = np.random.default_rng(endpoint.seed)
            tried = await self._retrying.run(lambda: self._exchange.first_model(limit), limit, rng)
            if isinstance(tried.result, Failure):
                raise ValueError(
                    f"{endpoint.url} does not say which models it has ({tried.result.reason}): "
                    f"start the server, or name the model, llm:{endpoint.url}#model"
                )
            endpoint.listed.append(tried.result)
        return endpoint.listed[0]

    async def _found(self, request: Mapping[str, Any], digest: str, limit: TimeLimit) -> ChatReply:
        """Return the answer to a request that others may have asked in the meantime, or ask."""
        if self._cache is None:
            return await self._answered(request, digest, limit)
        key = (asyncio.get_running_loop(), str(self._cache.folder), digest)
        lock = _asking.setdefault(key, asyncio.Lock())
        async with lock:
            if found := self._cache.find(digest):
                return found
            reply = await self._answered(request, digest, limit)
            if reply.error is None:
                await asyncio.to_thread(self._cache.keep, request, reply)
            return reply

    async def _answered(self, request: Mapping[str, Any], digest: str, limit: TimeLimit) -> ChatReply:
        """Ask until there is an answer or no hope."""
        rng = np.random.default_rng([self._endpoint.seed, int(digest, 16)])
        body: Mapping[str, Any] = request["body"]
        return _reply(await self._retrying.run(lambda: self._exchange.answer(body, limit), limit, rng))


def _reply(tried: Tried[ChatReply]) -> ChatReply:
    """Return the reply, or the reason why there is none, with what it took."""
    result, failures = tried.result, tried.failures
    if isinstance(result, Failure):
        partial = result.partial or ChatReply("", finish="error")
        return dataclasses.replace(partial, requests=len(failures), error=result.reason)
    if not failures:
        return result
    notes = [*filter(None, [result.note]), f"tried again after: {'; '.join(dict.fromkeys(failures))}"]
    return dataclasses.replace(result, requests=len(failures) + 1, note="; ".join(notes))
