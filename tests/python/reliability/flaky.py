"""A server that fails in mid-call: a proxy that cuts, delays or answers connections by itself."""

import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

WAYS = ("refuse", "cut", "busy", "html", "slow")

_ANSWERS = {
    "busy": b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    "html": b"HTTP/1.1 500 Oops\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<html></html>",
}


@dataclass
class Proxy:
    """Passes connections on to a server of this machine, and has some of them fail in one way.

    The `WAYS` are `refuse` (closed at once), `cut` (closed after some bytes of the answer), `busy` (503),
    `html` (500 with a page) and `slow` (the answer takes a second longer); null is none.
    """

    port: int
    way: str | None = None
    # A commit is sent once, as nobody knows whether it arrived; a run has some thirty of them.
    share: float = 0.05
    chance: random.Random = field(default_factory=lambda: random.Random(5))

    def serve(self, listener: socket.socket) -> None:
        """Take connections until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=self._handle, args=(client,), daemon=True).start()

    def _handle(self, client: socket.socket) -> None:
        way = self.way if self.chance.random() < self.share else None
        with client, suppress(OSError):
            if way == "refuse":
                return
            if way in _ANSWERS:
                client.recv(65536)
                client.sendall(_ANSWERS[way])
                return
            with socket.create_connection(("127.0.0.1", self.port)) as server:
                threading.Thread(target=_pump, args=(client, server), daemon=True).start()
                if way == "slow":
                    time.sleep(1)
                _pump(server, client, 200 if way == "cut" else None)


def _pump(source: socket.socket, target: socket.socket, most: int | None = None) -> None:
    passed = 0
    with suppress(OSError):
        while data := source.recv(65536):
            if most is not None and passed + len(data) > most:
                target.sendall(data[: most - passed])
                break
            target.sendall(data)
            passed += len(data)
    for end in (source, target):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


@contextmanager
def flaky(endpoint: str) -> Iterator[tuple[str, Proxy]]:
    """A proxy before an HTTP server, and its own address."""
    port = urlsplit(endpoint).port
    assert port
    proxy = Proxy(port)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=proxy.serve, args=(listener,), daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", proxy
        listener.shutdown(socket.SHUT_RDWR)
