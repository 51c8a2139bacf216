"""Any API that lists records in pages as JSON, by what the sources YAML says of it.

`resource` is a path below the setting API_URL, asked for with the key API_KEY. Options, with their defaults:

    records: data               where the records are in an answer, with dots between names; empty: it is them
    paging: cursor              how pages follow: cursor, link (a Link header) or page (numbers)
    next: next_cursor           where the cursor of the next page is in an answer
    next_parameter: cursor      what it is sent as; with the paging `page`, what the number is sent as
    since_parameter: updated_since   asks for records whose cursor is at a time or later
    size_parameter: limit       asks for so many records a page as `size` (100) says
    parameters: sort=updated_at      more that is sent, as in a URL; records must come in the cursor's order
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

from pydantic import SecretStr
from requests import PreparedRequest

from ingestion import json_text
from ingestion.connectors.http import Answer, ask
from ingestion.connectors.session import session
from ingestion.connectors.stream import Connector, ExtractError, Page, Position, Record, Stream, Window

_DEFAULTS = {
    "records": "data",
    "paging": "cursor",
    "next": "next_cursor",
    "next_parameter": "cursor",
    "since_parameter": "updated_since",
    "size_parameter": "limit",
    "size": "100",
    "parameters": "sort=updated_at",
}


@dataclass(frozen=True)
class _Query:
    """A request for a page: what is behind a cursor of the server, or changed since a time, or both."""

    url: str
    since: datetime | None = None
    token: str | None = None


class Rest(Connector):
    """An API at API_URL that takes API_KEY as a bearer token."""

    def __init__(self, settings: Mapping[str, SecretStr]) -> None:
        super().__init__()
        self._url = settings["API_URL"].get_secret_value().rstrip("/")
        if urlsplit(self._url).scheme not in ("https", "http"):
            raise ExtractError("API_URL is no address: write it as https://host/path")
        key = settings["API_KEY"].get_secret_value()

        def authorize(request: PreparedRequest) -> PreparedRequest:
            request.headers["Authorization"] = f"Bearer {key}"
            return request

        self._session = session(self.traffic)
        self._session.auth = authorize

    def pages(self, stream: Stream, window: Window, position: Position | None) -> Iterator[Page]:
        """Pages until one reaches behind the window's end, or the last one."""
        options = _DEFAULTS | stream.declared.options
        since = position.cursor if position else window.since
        url = f"{self._url}/{stream.declared.resource.lstrip('/')}"
        query: _Query | None = _Query(url, since if stream.cursor else None)
        until, asked = window.until, set[_Query]()
        before: list[str] = []
        while query:
            asked.add(query)
            answer = ask(
                self._session, self.traffic, "GET", query.url, params=_parameters(stream, options, query)
            )
            records = [stream.record(line) for line in _lines(answer, options["records"])]
            new = _without(before, records, query) if options["paging"] == "page" else records
            until = until or answer.settled_until
            query = _next(options, answer, query, records)
            if query in asked:
                raise ExtractError(f"the server gave the next page '{query.token}' twice: it would never end")
            yield Page(new, until)
            last = records[-1].position.cursor if records else None
            if last and last > until:
                return
            before = [record.line for record in records]

    def close(self) -> None:
        """Close the connections."""
        self._session.close()


def _parameters(stream: Stream, options: Mapping[str, str], query: _Query) -> dict[str, str]:
    """What is sent with a request; a link has it all."""
    if options["paging"] == "link" and query.token:
        return {}
    sent = dict(parse_qsl(options["parameters"])) | {options["size_parameter"]: options["size"]}
    if query.since:
        # Some servers take it for the time after which records changed, and miss those at the time itself.
        if stream.cursor_is_number:
            sent[options["since_parameter"]] = str(int(query.since.timestamp()) - 1)
        else:
            sent[options["since_parameter"]] = (
                f"{query.since - timedelta(microseconds=1):%Y-%m-%dT%H:%M:%S.%fZ}"
            )
    if query.token:
        sent[options["next_parameter"]] = query.token
    return sent


def _next(options: Mapping[str, str], answer: Answer, query: _Query, records: list[Record]) -> _Query | None:
    """The request for the next page; null behind the last one.

    Raises:
        ExtractError: the answer contradicts itself, or does not tell.
    """
    match options["paging"]:
        case "cursor":
            token = _next_cursor(options, answer, records)
            following = replace(query, token=token) if token else None
        case "link":
            following = _linked(answer, query)
        case "page":
            return _next_number(query, records)
        case other:
            raise ExtractError(f"options: paging '{other}' is none of cursor, link, page")
    if following and not records:
        raise ExtractError("the page is empty, but promises more: the rest would be missed. Try again later")
    return following


def _next_cursor(options: Mapping[str, str], answer: Answer, records: list[Record]) -> str | None:
    *path, name = options["next"].split(".")
    place = _inside(answer.value, path)
    if isinstance(place, dict) and name in place:
        return str(place[name]) if place[name] not in (None, "", False) else None
    if len(records) < int(options["size"]):
        return None
    raise ExtractError(
        f"the page is full, but the answer has no '{options['next']}': correct the option next"
    )


def _linked(answer: Answer, query: _Query) -> _Query | None:
    if not (link := answer.links.get("next", {}).get("url")):
        return None
    url = urljoin(query.url, link)
    if urlsplit(url)[:2] != urlsplit(query.url)[:2]:
        raise ExtractError(f"the next page is at {urlsplit(url).netloc}, which the key is not for")
    return _Query(url, query.since, token=url)


def _next_number(query: _Query, records: list[Record]) -> _Query | None:
    """The next number, or better the first page since the last record, as a change shifts numbers."""
    if not records:
        return None
    last = records[-1].position.cursor
    if last and (query.since is None or last > query.since):
        return replace(query, since=last, token=None)
    return replace(query, token=str(int(query.token or 1) + 1))


def _without(before: list[str], records: list[Record], query: _Query) -> list[Record]:
    """The records of a numbered page that the one before did not have.

    Raises:
        ExtractError: there is none, though another number was asked for.
    """
    known = set(before)
    new = [record for record in records if record.line not in known]
    if query.token and records and not new:
        raise ExtractError(f"page {query.token} has the records of the one before: correct next_parameter")
    return new


def _lines(answer: Answer, path: str) -> list[str]:
    """The records of an answer as it was sent, a line each.

    Raises:
        ExtractError: they are not where they should be.
    """
    value, _ = json_text.decode(answer.text.strip())
    for name in filter(None, path.split(".")):
        value = dict(value).get(name) if isinstance(value, tuple) else None
    if not isinstance(value, list) or not all(isinstance(record, tuple) for record in value):
        found = sorted(answer.value) if isinstance(answer.value, dict) else type(answer.value).__name__
        raise ExtractError(
            f"there is no list of records at '{path}', but {found}: correct the option records"
        )
    return [json_text.text_of(record) or "" for record in value]


def _inside(value: Any, path: list[str]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value
