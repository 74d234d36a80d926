"""A web server on this machine that serves one file, well or badly."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Behaviour:
    """What the server does; tests change it between requests.

    `cut_after` holds, for one connection each, how many bytes come before it breaks; `stall_after`
    likewise, but the server says nothing more for a while. `codes` are answers instead of the file.
    """

    body: bytes
    ranges: bool = True
    etag: str | None = '"one"'
    says_length: bool = True
    cut_after: list[int] = field(default_factory=list)
    stall_after: list[int] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    redirect_to: str | None = None
    shift: int = 0
    requests: list[dict[str, str]] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour = behaviour


class Handler(BaseHTTPRequestHandler):
    server: Server

    @property
    def does(self) -> Behaviour:
        return self.server.behaviour

    def log_message(self, *arguments: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.does.requests.append({"path": self.path, **dict(self.headers)})
        if self.does.codes:
            self.send_error(self.does.codes.pop(0))
        elif self.does.redirect_to is not None and self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", self.does.redirect_to)
            self.end_headers()
        else:
            self._send(self._begin(), len(self.does.body))

    def _begin(self) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") in (None, self.does.etag)
        return int(asked[1]) if asked and self.does.ranges and same else 0

    def _send(self, begin: int, size: int) -> None:
        if begin and begin >= size:
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{size}")
            self.end_headers()
            return
        self.send_response(206 if begin else 200)
        if begin:
            first = begin + self.does.shift
            self.send_header("Content-Range", f"bytes {first}-{size - 1}/{size}")
        if self.does.etag:
            self.send_header("ETag", self.does.etag)
        if self.does.says_length:
            self.send_header("Content-Length", str(size - begin))
        self.end_headers()
        self._write(self.does.body[begin:])

    def _write(self, rest: bytes) -> None:
        if self.does.cut_after:
            rest = rest[: self.does.cut_after.pop(0)]
        if self.does.stall_after:
            self.wfile.write(rest[: self.does.stall_after.pop(0)])
            self.wfile.flush()
            self.does.over.wait(5)
            return
        self.wfile.write(rest)


@contextmanager
def serving(behaviour: Behaviour) -> Iterator[str]:
    """Give the server's address while the block runs."""
    server = Server(behaviour)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        behaviour.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
