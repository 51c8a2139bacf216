"""Stripe: what its lists hold, oldest first, and what its events name since.

`resource` is a path of the API, such as charges. Lists tell only when objects were created. So what was
created in a window comes from the list, 100 at a time, and what changed in it but is older is asked for one
by one, by the ids that events name. Events go back 30 days; after a longer pause, the whole list is walked.
What changed in the overlap of two windows may land with both.

The option `expand` names parts, with commas between, that come as objects instead of ids.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from urllib.parse import quote

from pydantic import SecretStr

from ingestion.connectors.bucket import Bucket
from ingestion.connectors.http import HttpError
from ingestion.connectors.stream import (
    Connector,
    ExtractError,
    Page,
    Position,
    Record,
    Stream,
    Window,
)
from ingestion.connectors.stripe_client import MOST, Listed, Object, StripeClient

# Stripe keeps events for 30 days.
_REACH = timedelta(days=28)
# Nothing at Stripe is older.
_FIRST_DAY = int(datetime(2010, 1, 1, tzinfo=UTC).timestamp())


@dataclass(frozen=True)
class _Resource:
    """The objects of a list, and types of events that tell of changes; none where `created` tells all."""

    kind: str
    events: tuple[str, ...] = ()


def _types(prefix: str, names: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{name}" for name in names.split())


_DISPUTED = _types("charge.dispute", "closed created funds_reinstated funds_withdrawn updated")
_RESOURCES = {
    "balance_transactions": _Resource("balance_transaction"),
    "charges": _Resource(
        "charge", _types("charge", "captured expired failed pending refunded succeeded updated") + _DISPUTED
    ),
    "checkout/sessions": _Resource(
        "checkout.session",
        _types("checkout.session", "async_payment_failed async_payment_succeeded completed expired"),
    ),
    "customers": _Resource("customer", _types("customer", "created deleted updated")),
    "disputes": _Resource("dispute", _DISPUTED),
    "events": _Resource("event"),
    "payment_intents": _Resource(
        "payment_intent",
        _types(
            "payment_intent",
            "amount_capturable_updated canceled created partially_funded payment_failed processing "
            "requires_action succeeded",
        ),
    ),
    "payouts": _Resource(
        "payout", _types("payout", "canceled created failed paid reconciliation_completed updated")
    ),
    "refunds": _Resource("refund", (*_types("refund", "created failed updated"), "charge.refund.updated")),
}  # fmt: skip


class Stripe(Connector):
    """An account at Stripe, read with STRIPE_API_KEY; `bucket` limits the rate."""

    def __init__(self, settings: Mapping[str, SecretStr], bucket: Bucket | None = None) -> None:
        super().__init__()
        self._client = StripeClient(settings, self.traffic, bucket)

    def pages(self, stream: Stream, window: Window, position: Position | None) -> Iterator[Page]:
        """Pages of what was created in the window, then of what changed in it."""
        resource = _resource(stream)
        if window.since is None or not resource.events:
            yield from self._created(stream, window, window.since, position)
            return
        events = self._follow(
            "events",
            {f"types[{n}]": name for n, name in enumerate(resource.events)} | _between(window),
            "starting_after",
        )
        first = next(events)
        window = Window(window.since, window.until or first.settled_until)
        assert window.since and window.until
        if window.until - window.since > _REACH:
            self.notes.append(
                f"events since {window.since} are too old to be had: the whole list is read again, "
                "and what was deleted meanwhile is not told"
            )
            yield from self._created(stream, Window(None, window.until), window.since, position)
            return
        named = _named(chain([first], events), resource.kind, window)
        if position is None or position.cursor:
            yield from self._created(stream, window, window.since, position)
        yield from self._changed(stream, window, named, position)

    def estimate(self, stream: Stream, window: Window) -> str:
        """Whether all is asked for, or what changed."""
        if window.since is None:
            return "the whole list"
        if not _resource(stream).events:
            return "what was created"
        if datetime.now(UTC) - window.since > _REACH:
            return "the whole list, as events are too old"
        return "what was created, and what events name"

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _created(
        self, stream: Stream, window: Window, ordered_since: datetime | None, position: Position | None
    ) -> Iterator[Page]:
        """Objects created in a window, oldest first; those before `ordered_since` have no cursor."""
        for listed, until in self._walk(stream, window, position):
            records = [_record(stream, fields, ordered_since) for fields in reversed(listed.objects)]
            yield Page(records, until)

    def _walk(
        self, stream: Stream, window: Window, position: Position | None
    ) -> Iterator[tuple[Listed, datetime]]:
        path, since = stream.declared.resource, window.since
        if position and window.until:
            behind = _expanded(stream, "data.") | _between(Window(None, window.until))
            behind["ending_before"] = position.key[0]
            try:
                for listed in self._follow(path, behind, "ending_before"):
                    yield listed, window.until
                return
            except HttpError as error:
                if "resource_missing" not in error.body:
                    raise
                # It was deleted meanwhile.
                since = position.cursor or since
        sent = _expanded(stream, "data.")
        listed = self._client.list(path, sent | _between(Window(since, window.until)))
        until = window.until or listed.settled_until
        if not listed.has_more:
            yield listed, until
            return
        first = int(since.timestamp()) if since else _FIRST_DAY
        newest = stream.record(_line(listed.objects[0]), listed.objects[0]).position.cursor
        # It may be newer than the window.
        listed = self._oldest(path, sent, first, int((newest or until).timestamp()))
        yield listed, until
        newer = sent | _between(Window(None, until)) | {"ending_before": listed.objects[0]["id"]}
        for listed in self._follow(path, newer, "ending_before"):
            yield listed, until

    def _oldest(self, path: str, sent: dict[str, str], low: int, high: int) -> Listed:
        """The oldest page of the seconds `low` to `high`, of which there are several."""
        while low < high:
            middle = (low + high) // 2
            listed = self._client.list(path, sent | _seconds(low, middle))
            if listed.objects and not listed.has_more:
                return listed
            low, high = (low, middle) if listed.has_more else (middle + 1, high)
        for listed in self._follow(path, sent | _seconds(low, high), "starting_after"):
            last = listed
        if not last.objects:
            raise ExtractError(f"{path}: what the list had is not there any more. Try again later")
        return last

    def _follow(self, path: str, sent: dict[str, str], cursor: str) -> Iterator[Listed]:
        """Pages behind each other: older ones by `starting_after`, newer ones by `ending_before`."""
        asked = {sent.get(cursor)}
        while True:
            listed = self._client.list(path, sent)
            if not listed.has_more:
                yield listed
                return
            last = str(listed.objects[-1 if cursor == "starting_after" else 0]["id"])
            if last in asked:
                raise ExtractError(
                    f"{path}: the page behind '{last}' came twice: it would never end. Try again later"
                )
            yield listed
            asked.add(last)
            sent = sent | {cursor: last}

    def _changed(
        self, stream: Stream, window: Window, named: list[str], position: Position | None
    ) -> Iterator[Page]:
        """What events name, as it is now, without what was created in the window."""
        assert window.since and window.until
        if position and position.cursor is None and position.key[0] in named:
            named = named[named.index(position.key[0]) + 1 :]
        for start in range(0, len(named), MOST):
            records = []
            for id in named[start : start + MOST]:
                path = f"{stream.declared.resource}/{quote(id, safe='')}"
                fields = self._client.get(path, _expanded(stream))
                created = fields.get("created")
                if created is None or created < int(window.since.timestamp()):
                    records.append(Record(_line(fields), Position(None, (id,))))
            yield Page(records, window.until)


def _named(events: Iterator[Listed], kind: str, window: Window) -> list[str]:
    """Ids that events of a window name, in the order of each one's newest event.

    Without those of objects that the list of the window has, as they were created in it and are not deleted.
    """
    assert window.since and window.until
    since, until = int(window.since.timestamp()), window.until.timestamp()
    ids: dict[str, None] = {}
    for event in (event for listed in events for event in listed.objects):
        try:
            found = event["data"]["object"]
            is_it = found["object"] == kind
            listed_too = is_it and found["created"] >= since and not event["type"].endswith(".deleted")
            if (
                event["created"] <= until
                and not listed_too
                and (id := found["id"] if is_it else found.get(kind))
            ):
                ids.setdefault(str(id))
        except (KeyError, TypeError) as error:
            raise ExtractError(f"event {event.get('id')} has another shape ({error!r} is missing)") from None
    return list(reversed(ids))


def _record(stream: Stream, fields: Object, ordered_since: datetime | None) -> Record:
    return stream.record(_line(fields), fields).in_order(ordered_since)


def _line(fields: Object) -> str:
    # With it, a browser may finish a payment: it is nobody's business here.
    told = {name: value for name, value in fields.items() if name != "client_secret"}
    # Stripe's money is whole numbers, and texts.
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def _between(window: Window) -> dict[str, str]:
    """What asks a list for objects that were created in a window."""
    return _seconds(
        int(window.since.timestamp()) if window.since else None,
        int(window.until.timestamp()) if window.until else None,
    )


def _seconds(low: int | None, high: int | None) -> dict[str, str]:
    bounds = {"created[gte]": low, "created[lte]": high}
    return {name: str(bound) for name, bound in bounds.items() if bound is not None}


def _expanded(stream: Stream, prefix: str = "") -> dict[str, str]:
    parts = filter(None, stream.declared.options.get("expand", "").split(","))
    return {f"expand[{n}]": prefix + part.strip() for n, part in enumerate(parts)}


def _resource(stream: Stream) -> _Resource:
    try:
        return _RESOURCES[stream.declared.resource]
    except KeyError:
        known = ", ".join(_RESOURCES)
        raise ExtractError(f"resource '{stream.declared.resource}' is none of {known}") from None
