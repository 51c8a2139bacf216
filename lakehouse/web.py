"""What the web servers of this project share: who may reach them, and where they listen."""

import secrets
import socket
from base64 import b64decode
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from pydantic import SecretStr

from lakehouse.errors import UsageError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_right(header: str, password: SecretStr) -> bool:
    """Whether the header `Authorization` of a request has the password (HTTP basic), with any user."""
    kind, _, encoded = header.partition(" ")
    try:
        given = b64decode(encoded, validate=True).partition(b":")[2]
    except ValueError:
        return False
    right = password.get_secret_value().encode()
    return kind.lower() == "basic" and secrets.compare_digest(given, right)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 takes one that is free.

    Raises:
        UsageError: there is no such host, or the port is taken.
    """
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = str(getattr(error, "strerror", None) or error).partition(" (")[0]
        another = port % 65535 + 1
        raise UsageError(
            f"--host {host} --port {port}: {reason}. Give another, as --port {another}."
        ) from None


def run(app: FastAPI, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Answer until Ctrl-C; `ready` is called with host and port, as they stand in a URL.

    Raises:
        UsageError: nobody can listen there.
    """
    listening = listen(host, port)
    ready(f"{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}")
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, server_header=False)
    uvicorn.Server(config).run(sockets=[listening])
