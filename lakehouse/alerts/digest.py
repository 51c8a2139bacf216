"""What is told of a run in one message, and to whom: the URLs of LAKEHOUSE_NOTIFY, by apprise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING

from pydantic import SecretStr

from lakehouse.alerts.state import Alert
from lakehouse.errors import UsageError

if TYPE_CHECKING:
    from apprise import Apprise

# Of each check; more are counted.
_MOST_LINES = 10


@dataclass(frozen=True)
class Digest:
    """What opened and what cleared, and how many alerts are open."""

    opened: Sequence[Alert]
    cleared: Sequence[Alert]
    open: int

    @classmethod
    def of(
        cls, alerts: Sequence[Alert], opened: Callable[[Alert], bool], cleared: Callable[[Alert], bool]
    ) -> "Digest":
        """Of all alerts, those that conditions choose."""
        return cls(
            [alert for alert in alerts if opened(alert)],
            [alert for alert in alerts if cleared(alert)],
            sum(alert.cleared_at is None for alert in alerts),
        )

    def __bool__(self) -> bool:
        return bool(self.opened or self.cleared)

    @property
    def title(self) -> str:
        """One line."""
        return f"Alerts: {len(self.opened)} opened, {len(self.cleared)} cleared, {self.open} open"

    @property
    def body(self) -> str:
        """A paragraph for each check that has news."""
        return "\n\n".join([*_paragraphs("Opened", self.opened), *_paragraphs("Cleared", self.cleared)])


def _paragraphs(what: str, alerts: Sequence[Alert]) -> list[str]:
    by_check = groupby(sorted(alerts, key=lambda alert: alert.fingerprint), lambda alert: alert.check_name)
    return [_paragraph(what, list(of_check)) for _, of_check in by_check]


def _paragraph(what: str, alerts: Sequence[Alert]) -> str:
    first = alerts[0]
    lines = [f"{what}: {first.check_name} ({first.severity}), for {first.owner}"]
    lines += [f"- {alert.entity}: {alert.message}" for alert in alerts[:_MOST_LINES]]
    if len(alerts) > _MOST_LINES:
        lines.append(f"- and {len(alerts) - _MOST_LINES:,} more")
    return "\n".join([*lines, first.link])


def receivers(urls: SecretStr | None) -> "Apprise | None":
    """Whom to tell; null for nobody.

    Raises:
        UsageError: a URL is none that apprise knows; the message does not have it, as it may hold a password.
    """
    if urls is None:
        return None
    # It takes half a second.
    from apprise import Apprise
    from apprise.common import OverflowMode

    found = Apprise()
    given = urls.get_secret_value().split()
    for number, url in enumerate(given, 1):
        if not found.add(url):
            raise UsageError(
                f"LAKEHOUSE_NOTIFY: URL {number} of {len(given)} is none of apprise. Write one such as "
                "mailtos://user:password@smtp.example.com?to=team@example.com, slack://... or jsons://..., "
                "see https://github.com/caronc/apprise/wiki, with blanks between several."
            )
    for service in found:
        # Some take short messages only.
        if service.overflow_mode == OverflowMode.UPSTREAM:
            service.overflow_mode = OverflowMode.SPLIT
    return found


def send(receivers: "Apprise", digest: Digest) -> list[str]:
    """Tell all receivers; the names of the services that were not reached."""
    from apprise import NotifyFormat

    result = receivers.notify(body=digest.body, title=digest.title, body_format=NotifyFormat.TEXT)
    if result:
        return []
    return [sent.name for sent in result if not sent] or [result.status.name]


def news(alerts: Sequence[Alert], now: datetime) -> Digest:
    """What was not told yet."""
    return Digest.of(
        alerts, lambda alert: alert.opening_is_news(now), lambda alert: alert.clearing_is_news(now)
    )
