"""Servers of vendors' APIs on loopback, to test against and to show with."""

import json
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Fault:
    """What a request gets instead of its answer: a status, headers and a body, cut off before its end."""

    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    cut: bool = False


class Call(NamedTuple):
    """A request, with what its query holds; names of headers are in small letters."""

    method: str
    path: str
    query: dict[str, str]
    body: bytes
    headers: dict[str, str]

    @property
    def form(self) -> dict[str, str]:
        """What a form holds."""
        return dict(parse_qsl(self.body.decode()))


class Reply(NamedTuple):
    """An answer as JSON, cut off before its end or not."""

    status: int
    headers: dict[str, str]
    value: Any
    cut: bool = False


class Api(Protocol):
    """What a server answers with."""

    def answer(self, call: Call) -> Reply | Fault:
        """Answer a request, from several threads."""


@dataclass(frozen=True)
class Filled:
    """An API that answers once it is filled."""

    api: Api
    filling: Future[None]

    def answer(self, call: Call) -> Reply | Fault:
        """Answer a request, which waits until then."""
        self.filling.result()
        return self.api.answer(call)


class _Listening(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        # Clients may be killed in the middle of an answer.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve(api: Api, port: int = 0) -> Iterator[str]:
    """Answer on 127.0.0.1, by default at a free port; gives the URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body in one packet, else the client waits for the second one.
        wbufsize = 1 << 20

        def handle_call(self) -> None:
            address = urlsplit(self.path)
            reply = api.answer(
                Call(
                    self.command,
                    address.path,
                    dict(parse_qsl(address.query)),
                    self.rfile.read(int(self.headers.get("Content-Length", 0))),
                    {name.lower(): value for name, value in self.headers.items()},
                )
            )
            if isinstance(reply, Fault):
                headers, body = reply.headers, reply.body
            else:
                headers = {"Content-Type": "application/json"} | reply.headers
                body = json.dumps(reply.value).encode()
            self.send_response_only(reply.status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if reply.cut else body)
            self.close_connection = reply.cut

        do_GET = do_POST = handle_call

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = _Listening(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    poll: Callable[[], None] = lambda: server.serve_forever(0.01)  # noqa: E731
    threading.Thread(target=poll, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
