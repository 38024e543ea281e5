"""A server of chat completions on this machine that takes as long as a real one."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Chat = list[dict[str, str]]


@contextmanager
def chat_server(answer: Callable[[Chat], str], seconds: float) -> Iterator[str]:
    """Serve while the block runs, and give the address of the server.

    Args:
        answer: the message that continues a chat.
        seconds: how long an answer takes.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Answer a chat; the name is the one that `http.server` calls."""
            chat = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["messages"]
            time.sleep(seconds)
            choice = {"message": {"role": "assistant", "content": answer(chat)}, "finish_reason": "stop"}
            body = json.dumps({"choices": [choice]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
