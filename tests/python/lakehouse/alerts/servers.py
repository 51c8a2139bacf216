"""A mail server and a webhook on loopback, which keep what they are sent, and can be down."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import cast

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

_HOST = "127.0.0.1"


@dataclass
class Mailbox:
    """A server of mail; `url` is what apprise takes."""

    mails: list[EmailMessage] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"mailto://{_HOST}:{self.port}?from=lakehouse@example.com&to=team@example.com"

    @property
    def subjects(self) -> list[str]:
        return [str(mail["subject"]) for mail in self.mails]

    @property
    def texts(self) -> list[str]:
        bodies = [mail.get_body(("plain", "html")) for mail in self.mails]
        return [body.get_content() for body in bodies if body is not None]

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = cast(bytes, envelope.content)
        self.mails.append(cast(EmailMessage, message_from_bytes(content, policy=policy.default)))
        return "250 OK"

    @contextmanager
    def up(self) -> Iterator["Mailbox"]:
        """Listen, on the port it had before."""
        controller = Controller(self, hostname=_HOST, port=self.port or _free_port())
        controller.start()
        self.port = controller.port
        try:
            yield self
        finally:
            controller.stop()


@dataclass
class Webhook:
    """A server of HTTP that takes JSON; `status` is its answer."""

    status: int = 200
    posts: list[dict[str, str]] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"json://user:secret-password@{_HOST}:{self.port}/hook"

    @property
    def titles(self) -> list[str]:
        return [post["title"] for post in self.posts]

    @contextmanager
    def up(self) -> Iterator["Webhook"]:
        """Listen, on the port it had before."""
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                if hook.status == 200:
                    hook.posts.append(json.loads(body))
                self.send_response(hook.status)
                self.end_headers()

            def log_message(self, format: str, *arguments: object) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer((_HOST, self.port), Handler)
        self.port = server.server_address[1]
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


def _free_port() -> int:
    with ThreadingHTTPServer((_HOST, 0), BaseHTTPRequestHandler) as server:
        return server.server_address[1]
