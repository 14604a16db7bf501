"""Serving: a page's files and one row after the other, on 127.0.0.1 and to one browser only.

Files come from memory by name, under a path that nobody can guess; nothing else is served. The
browser asks for a row, gives its answer back, and holds one request open all the while, whose end
tells that the page has died.
"""

from __future__ import annotations

import contextlib
import json
import queue
import secrets
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePosixPath
from typing import Any, Literal

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".wasm": "application/wasm",
}
_POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'"
)
_BEAT_S = 0.5
_MOST = 1 << 20
"""Bytes of an answer."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row that the page is to score."""

    number: int
    content: bytes
    kind: Literal["picture", "text", "values"] = "picture"
    """A picture's file, a text in UTF-8, or float32 values as the model takes them."""
    height_width: tuple[int, int] | None = None
    """Of values."""


@dataclass(frozen=True, kw_only=True)
class PageSaid:
    """What the page said: ready, answer, failed; gone is said of it."""

    what: str
    content: Mapping[str, Any] = field(default_factory=dict)


class PageServer:
    """Serves one page while it is open.

    Args:
        files: the page's, by name.
    """

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.files = files
        self.root = f"/{secrets.token_urlsafe(24)}/"
        self.rows: queue.Queue[Row | None] = queue.Queue()
        self.told: queue.Queue[PageSaid] = queue.Queue()
        self.closed = threading.Event()
        owner = self

        class Handler(_Handler):
            page = owner

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    def address(self, name: str) -> str:
        """Of a file."""
        return f"http://127.0.0.1:{self._server.server_address[1]}{self.root}{name}"

    def close(self) -> None:
        """Serve no more."""
        self.closed.set()
        self.rows.put(None)
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that has gone: whoever waits for it is told otherwise."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    page: PageServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else each answer waits for the last one's receipt

    def do_GET(self) -> None:
        name = self._name()
        if name == "row":
            self._give_row()
        elif name == "alive":
            self._beat()
        elif name in self.page.files:
            kind = _TYPES.get(PurePosixPath(name).suffix, "application/octet-stream")
            self._answer(200, self.page.files[name], {"Content-Type": kind})
        else:
            self._answer(404)

    def do_POST(self) -> None:
        name, length = self._name(), int(self.headers.get("Content-Length") or 0)
        if name not in ("ready", "answer", "failed") or not 0 < length <= _MOST:
            self.close_connection = True
            self._answer(404)
            return
        try:
            content = json.loads(self.rfile.read(length))
        except ValueError:
            content = None
        if not isinstance(content, dict):
            self._answer(400)
            return
        self.page.told.put(PageSaid(what=name, content=content))
        self._answer(204)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # as it is called there
        """Say nothing."""

    def _name(self) -> str:
        """The file or place that is asked for; empty: the path is not ours."""
        root = self.page.root
        ours = secrets.compare_digest(self.path[: len(root)].encode(), root.encode())
        return self.path[len(root) :] if ours else ""

    def _give_row(self) -> None:
        row = self.page.rows.get()
        if row is None:
            self.page.rows.put(None)
            self._answer(204)
            return
        about = {"X-Row": str(row.number), "X-Kind": row.kind}
        if row.height_width is not None:
            height, width = map(str, row.height_width)
            about |= {"X-Height": height, "X-Width": width}
        self._answer(200, row.content, about)

    def _beat(self) -> None:
        """Write a byte now and then until nobody is there to read it."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            while not self.page.closed.wait(_BEAT_S):
                self.wfile.write(b".")
        except OSError:
            self.page.told.put(PageSaid(what="gone"))

    def _answer(
        self, status: int, content: bytes = b"", about: Mapping[str, str] | None = None
    ) -> None:
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            for name, value in (about or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Content-Security-Policy", _POLICY)
            self.end_headers()
            self.wfile.write(content)
