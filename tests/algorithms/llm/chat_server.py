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
                for name, value in {**answer.headers, "Content-Length": str(len(content))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            except ConnectionError:
                pass  # the client did not want to wait

        def log_message(self, *_: Any) -> None: ...

    return Handler
