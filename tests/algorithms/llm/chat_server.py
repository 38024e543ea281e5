"""A server of chat completions on this machine that answers as it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def completion(content: str | None, *, finish: str = "stop", **message: Any) -> dict[str, Any]:
    choice = {"index": 0, "message": {"role": "assistant", "content": content, **message}, "finish_reason": finish}
    return {"choices": [choice], "usage": {"prompt_tokens": 7, "completion_tokens": 3}}


def echo(request: dict[str, Any]) -> dict[str, Any]:
    return completion(f"{request['messages'][-1]['content']}, seed {request.get('seed')}")


@dataclass(frozen=True)
class Answer:
    """What to answer: ``body`` is sent as it is, or as JSON, or made from the request."""

    body: Any = echo
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    missing: int = 0
    """Bytes of the body that are promised and not sent."""


HTML = Answer(b"<html>busy</html>")
TROUBLES: dict[str, tuple[Answer, str]] = {
    **{f"HTTP {status}": (Answer(status=status, body=b"later"), f"HTTP {status}") for status in (408, 409, 425, 429)},
    "fault": (Answer(status=500), "HTTP 500"),
    "fault in HTML": (Answer(status=503, body=HTML.body), "HTTP 503"),
    "HTML": (HTML, "not JSON"),
    "nothing": (Answer(b""), "not JSON"),
    "half of JSON": (Answer(b'{"choices": ['), "not JSON"),
    "deep JSON": (Answer(b"[" * 100_000), "not JSON"),
    "other bytes": (Answer(b"\xff"), "not JSON"),
    "no gzip": (Answer(b"plain", headers={"Content-Encoding": "gzip"}), "cannot be unpacked"),
    "broken off": (Answer(missing=99), "no connection"),
    "no HTTP": (Answer(headers={"Content-Length": "many"}), "no connection"),
    "error": (Answer({"error": {"message": "overloaded"}}), "the answer is an error: overloaded"),
    "error that heals": (Answer({"error": {"message": "busy", "code": 503}}), "the answer is an error: busy"),
    "no choices": (Answer({"choices": []}), "not a chat completion"),
    "null choices": (Answer({"choices": None}), "not a chat completion"),
    "a list": (Answer([1]), "not a chat completion"),
    "no message": (Answer({"choices": [{"message": "hi"}]}), "not a chat completion"),
    "a call of nothing": (Answer(completion(None, tool_calls=[{}])), "not a chat completion"),
    "null content": (Answer(completion(None)), "the answer is empty"),
    "no content": (Answer(completion("")), "the answer is empty"),
    "other content": (Answer(completion(3)), "of type int"),
    "other parts": (Answer(completion([1])), "a part of type int"),
    "message broken off": (Answer(completion("I thi", finish="error")), "broke the message off"),
    "unheard-of finish": (Answer(completion("I thi", finish="tired")), "unknown finish_reason 'tired'"),
}
"""What another try may heal: the answer, and what is said of it."""
REFUSALS: dict[str, tuple[Answer, str]] = {
    "no key": (Answer(status=401), "refuses access: set OPENAI_API_KEY to a valid key"),
    "no access": (Answer(status=403), "refuses access: set OPENAI_API_KEY to a valid key"),
    "no such model": (Answer(status=404, body=b"no m"), "HTTP 404: check the address and the name of the model"),
    "too long": (Answer(status=400, body=b"too\x07\nlong"), "HTTP 400: too? long"),
    "too large": (Answer(status=413, body=b""), "HTTP 413: nothing else"),
    "moved": (Answer(status=301, body=b"elsewhere"), "HTTP 301: elsewhere"),
    "error for good": (Answer({"error": {"message": "no such model", "code": 404}}), "an error: no such model"),
    "hours of quiet": (Answer(status=429, headers={"Retry-After": "7200"}), "the server wants 7200 s of quiet"),
}
"""What no other try would heal."""
CUTS: dict[str, tuple[Answer, str]] = {
    "length": (Answer(completion("so 0.", finish="length")), "length"),
    "another length": (Answer(completion("so 0.", finish="MAX_TOKENS")), "length"),
    "filter": (Answer(completion("so 0.", finish="content_filter: SAFETY")), "content_filter"),
}
"""Messages that were cut off, and by what."""


@dataclass
class TimelessClock:
    """Waits for nothing, and remembers for how long it would have waited."""

    time: float = 0.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += seconds
        self.waits.append(seconds)

    __hash__ = object.__hash__


@dataclass
class ChatServer:
    """Answers by ``script``, one entry per request, then as ``usual``."""

    url: str
    script: list[Answer] = field(default_factory=list)
    usual: Answer = field(default_factory=Answer)
    requests: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    busiest: int = 0
    under_way: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


@contextmanager
def chat_server() -> Iterator[ChatServer]:
    http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(lambda: state))
    http.daemon_threads = True
    state = ChatServer(f"http://127.0.0.1:{http.server_address[1]}/v1")
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield state
    finally:
        http.shutdown()
        thread.join()
        http.server_close()


def _handler(state: Callable[[], ChatServer]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        disable_nagle_algorithm = True

        def do_POST(self) -> None:  # the name that http.server calls
            server = state()
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with server.lock:
                server.requests.append(request)
                server.keys.append(self.headers["Authorization"])
                server.under_way += 1
                server.busiest = max(server.busiest, server.under_way)
                answer = server.script.pop(0) if server.script else server.usual
            time.sleep(answer.delay)
            with server.lock:
                server.under_way -= 1
            self._answer(answer, request)

        def do_GET(self) -> None:  # the name that http.server calls
            self._answer(Answer({"data": [{"id": "listed"}]}), {})

        def _answer(self, answer: Answer, request: dict[str, Any]) -> None:
            body = answer.body(request) if callable(answer.body) else answer.body
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            try:
                self.send_response(answer.status)
                for name, value in {"Content-Length": str(len(content) + answer.missing), **answer.headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            except ConnectionError:
                pass  # the client did not want to wait

        def log_message(self, *_: Any) -> None: ...

    return Handler
