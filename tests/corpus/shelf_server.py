"""A web server with released corpora, which can be told to misbehave."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class ShelfServer:
    """What the server holds and how it behaves; tests change that while it runs."""

    root: Path
    ranges: bool = True
    """Whether it can start in the middle of a file."""
    most: int | None = None
    """Bytes of a body after which it closes the connection."""
    replaced: dict[str, bytes] = field(default_factory=dict)
    """Other contents, by path."""
    moved: dict[str, str] = field(default_factory=dict)
    """New paths, by path."""
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and range of every request."""
    address: str = ""


@contextmanager
def serving(root: Path) -> Iterator[ShelfServer]:
    shelf = ShelfServer(root)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, wanted = self.path.lstrip("/"), self.headers["Range"]
            shelf.asked.append((path, wanted))
            if path in shelf.moved:
                self.send_response(302)
                self.send_header("Location", f"/{shelf.moved[path]}")
                self.end_headers()
                return
            file = shelf.root / path
            if path not in shelf.replaced and not file.is_file():
                self.send_error(404)
                return
            content = shelf.replaced[path] if path in shelf.replaced else file.read_bytes()
            start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and shelf.ranges else 0
            body = content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: shelf.most])

        def log_message(self, format: str, *arguments: object) -> None:
            """Stay quiet."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    shelf.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield shelf
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
