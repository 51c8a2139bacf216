"""Landed pages: their names carry window and number, so that they tell how far an extraction came."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from ingestion.connectors.stream import ExtractError, Record, Stream, Window
from ingestion.landing import s3
from ingestion.landing.writer import write
from ingestion.landing.zone import FileGlob, LandedFile, read_file

_TIME = "%Y%m%dT%H%M%S.%fZ"
_STAMP = re.compile(r"(\d{8}T\d{6}\.\d{6}Z)-(\d{8}T\d{6}\.\d{6}Z|start)-(\d{6,})")
_START = "start"


@dataclass(frozen=True)
class PageId:
    """Window and number of a page; `since` is null where the window has all from the start."""

    until: datetime
    number: int
    since: datetime | None = None

    @property
    def order(self) -> tuple[datetime, int]:
        """The order in which pages land."""
        return self.until, self.number

    @property
    def window(self) -> Window:
        """The window that the page is of."""
        return Window(self.since, self.until)

    @property
    def stamp(self) -> str:
        """What stands for `*` in the page's name."""
        since = f"{self.since:{_TIME}}" if self.since else _START
        return f"{self.until:{_TIME}}-{since}-{self.number:06}"

    @classmethod
    def of(cls, window: Window, number: int) -> "PageId":
        """A page of a window whose end is known."""
        assert window.until is not None
        return cls(window.until, number, window.since)

    @classmethod
    def parse(cls, stamp: str) -> "PageId | None":
        """The page of a stamp; null where it is none."""
        if not (match := _STAMP.fullmatch(stamp)):
            return None
        until, since, number = match.groups()
        return cls(_time(until), int(number), None if since == _START else _time(since))


def land(landing: str, stream: Stream, page: PageId, records: Sequence[Record]) -> None:
    """Write a page, which is there as a whole or not at all.

    Raises:
        ExtractError: another page has its name.
    """
    glob = FileGlob.of(stream.table, landing)
    address = f"{glob.folder}/{glob.name.replace('*', page.stamp)}"
    content = "\n".join([*(record.line for record in records), ""]).encode()
    try:
        write(address, content)
    except s3.ObjectExists:
        # A request that was repeated because its answer got lost meets its own object.
        if read_file(address) != content:
            raise ExtractError(
                f"{address} was written by another extraction: let one run at a time"
            ) from None


def landed_pages(landing: str, stream: Stream) -> list[tuple[PageId, LandedFile]]:
    """The pages of a stream in the landing zone, in their order; what others dropped there is passed over."""
    glob = FileGlob.of(stream.table, landing)
    before, after = map(len, glob.name.split("*"))
    named = ((file.path.rsplit("/", 1)[-1], file) for file in glob.files())
    pages = [(PageId.parse(name[before : len(name) - after]), file) for name, file in named]
    known = [(page, file) for page, file in pages if page is not None]
    return sorted(known, key=lambda landed: landed[0].order)


def read_page(stream: Stream, page: PageId, file: LandedFile) -> Iterator[Record]:
    """The records of a landed page; those that are older than its window have no place in its order.

    Raises:
        ExtractError: it does not hold them any more.
    """
    with file.open() as lines:
        for line in lines:
            try:
                record = stream.record(line.decode().removesuffix("\n"), null_cursor=True)
            except (ValueError, ExtractError) as error:
                raise ExtractError(f"{file.path} was changed after it landed ({error}): restore it") from None
            yield record.in_order(page.since)


def _time(text: str) -> datetime:
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC)
