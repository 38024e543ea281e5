"""One request over HTTP, and what the response means: a reply, or a failure that another try may or may not heal."""

from __future__ import annotations

import asyncio
import functools
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from coopgym.algorithms.llm.models.chat import ChatReply, canonical
from coopgym.algorithms.llm.models.chat_answers import ErrorAnswerError, plain, read_answer
from coopgym.algorithms.llm.models.rate_limit import Clock, Line, TimeLimit, line_to, retry_after
from coopgym.algorithms.llm.models.retrying import Failure
from coopgym.extras import missing_extra

if TYPE_CHECKING:
    import httpx

MOST_BYTES = 2**24
"""Of a response; no message is that long."""
HEALING = (408, 409, 425, 429)
"""HTTP statuses below 500 that may be others at the next try."""


@dataclass(frozen=True)
class Server:
    """Where requests go.

    Attributes:
        url: up to the version.
        key_variable: environment variable with the key.
        timeout: seconds without a sign from the server after which a request has failed.
    """

    url: str
    key_variable: str
    timeout: float


@dataclass(frozen=True)
class Response:
    """What came back over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Exchange:
    """Requests to a server, over connections that stay open for the next one.

    Args:
        server: where they go.
        line: what they share with all others of the process to this server.
    """

    def __init__(self, server: Server, line: Line) -> None:
        self.server = server
        self._line = line
        self._client: httpx.AsyncClient | None = None

    async def answer(self, body: Mapping[str, Any], limit: TimeLimit) -> ChatReply | Failure:
        """Ask for a message once; another time at once where the server spells the longest message another way."""
        spelling = self._line.spelling
        response = await self._send("POST", "/chat/completions", limit, _spelt(body, spelling))
        if isinstance(response, Response) and _wants_other_spelling(response, spelling):
            self._line.spelling = "max_completion_tokens"
            response = await self._send("POST", "/chat/completions", limit, _spelt(body, self._line.spelling))
        if isinstance(response, Failure):
            return response
        return judged(self.server, response)

    async def first_model(self, limit: TimeLimit) -> str | Failure:
        """Return the first model that the server lists."""
        response = await self._send("GET", "/models", limit)
        if isinstance(response, Failure):
            return response
        if response.status != 200:
            return _refused(self.server, response)
        try:
            return str(json.loads(response.body)["data"][0]["id"])
        except (ValueError, LookupError, TypeError, RecursionError) as error:
            return Failure(f"{self.server.url} lists no models ({type(error).__name__})")

    async def _send(self, method: str, path: str, limit: TimeLimit, content: bytes | None = None) -> Response | Failure:
        httpx, url, timeout = imported_httpx(), self.server.url, self.server.timeout
        client, key = self._connected(), self._key()
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        async with self._line.place():
            try:
                async with (
                    limit.spend(),
                    client.stream(method, f"{url}{path}", content=content, headers=headers) as response,
                ):
                    body = bytearray()
                    async for part in response.aiter_bytes():
                        body += part
                        if len(body) > MOST_BYTES:
                            return Failure(f"{url} answers more than {MOST_BYTES} bytes", heals=False)
                    return Response(response.status_code, response.headers, _without(key, bytes(body)))
            except httpx.TimeoutException:
                return Failure(f"no answer from {url} within {timeout:g} s")
            except httpx.TransportError as error:
                return Failure(f"no connection to {url} ({type(error).__name__})")
            except httpx.RequestError as error:
                return Failure(f"the answer of {url} cannot be unpacked ({type(error).__name__})")

    def _connected(self) -> httpx.AsyncClient:
        """Return the client; whoever finds all answers in a cache needs none."""
        if self._client is None:
            library = imported_httpx()
            limits = library.Limits(max_connections=None)  # places in the line are what is limited
            client: httpx.AsyncClient = library.AsyncClient(
                timeout=self.server.timeout, limits=limits, verify=_trusted()
            )
            self._client = client
        return self._client

    def _key(self) -> str:
        key = os.environ.get(self.server.key_variable, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise ValueError(f"{self.server.key_variable} holds no key: expected printable ASCII characters")
        return key


@functools.cache
def exchange_with(
    loop: asyncio.AbstractEventLoop, server: Server, places: int, requests_per_minute: float | None, clock: Clock
) -> Exchange:
    """Return the exchange with a server, the same for everybody in an event loop who asks it in the same way."""
    return Exchange(server, line_to(loop, server.url, places, requests_per_minute, clock))


def judged(server: Server, response: Response) -> ChatReply | Failure:
    """Return the reply of a response, or why there is none."""
    if not 200 <= response.status < 300:
        return _refused(server, response)
    try:
        reply = read_answer(response.body)
    except ErrorAnswerError as error:
        status = error.status or response.status
        heals = status < 400 or _heals(status)
        return Failure(f"{server.url}: {error}", retry_after(response.headers.get("retry-after")), heals)
    except ValueError as error:
        return Failure(f"{server.url}: {error}")
    if reply.finish == "error":
        why = f": {reply.note}" if reply.note else ""
        return Failure(f"{server.url} broke the message off{why}", partial=reply)
    if not reply.content and reply.finish == "stop":
        return Failure(f"{server.url}: the answer is empty")
    return reply


def _refused(server: Server, response: Response) -> Failure:
    status = response.status
    if _heals(status):
        return Failure(f"{server.url} answers HTTP {status}", retry_after(response.headers.get("retry-after")))
    if status in (401, 403):
        return Failure(f"{server.url} refuses access: set {server.key_variable} to a valid key", heals=False)
    advice = "check the address and the name of the model; the server says: " if status == 404 else ""
    said = plain(response.body.decode(errors="replace")) or "nothing else"
    return Failure(f"{server.url} answers HTTP {status}: {advice}{said}", heals=False)


def _without(key: str, body: bytes) -> bytes:
    """Servers have been seen to repeat the key that they were sent."""
    for form in {key, json.dumps(key)[1:-1], key.replace("/", "\\/")} - {""}:
        body = body.replace(form.encode(), b"***")
    return body


def _heals(status: int) -> bool:
    return status in HEALING or status >= 500


def _spelt(body: Mapping[str, Any], spelling: str) -> bytes:
    return canonical({spelling if name == "max_tokens" else name: value for name, value in body.items()})


def _wants_other_spelling(response: Response, spelling: str) -> bool:
    return spelling == "max_tokens" and response.status in (400, 422) and b"max_completion_tokens" in response.body


@functools.cache
def _trusted() -> ssl.SSLContext:
    """Return whose certificates are trusted; reading them takes longer than many requests."""
    context: ssl.SSLContext = imported_httpx().create_ssl_context()
    return context


def imported_httpx() -> Any:
    """Return the module httpx.

    Raises:
        ImportError: it is not installed.
    """
    try:
        import httpx
    except ImportError as error:
        raise missing_extra("an endpoint", "httpx") from error
    return httpx
