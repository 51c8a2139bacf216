"""What a connector gives comes in its order, and once."""

from datetime import datetime

from ingestion.connectors.stream import TOLERANCE, ExtractError, Page


class Order:
    """Refuses pages that are not in the order of the cursor, begin too early, or come twice."""

    def __init__(self, since: datetime | None) -> None:
        self._newest = since
        self._pages: set[int] = set()

    def check(self, page: Page) -> None:
        """Look at the next page.

        Raises:
            ExtractError: it cannot be trusted.
        """
        for record in page.records:
            if (cursor := record.position.cursor) is None:
                continue
            if self._newest and cursor < self._newest - TOLERANCE:
                raise ExtractError(
                    f"record {', '.join(record.position.key)} of {cursor} came, but what follows "
                    f"{self._newest} was due: the server does not filter or sort by the cursor. "
                    "Correct the resource or its options"
                )
            self._newest = max(cursor, self._newest or cursor)
        digest = hash(tuple(record.line for record in page.records))
        if page.records and digest in self._pages:
            raise ExtractError("the server answered with the same records twice: it would never end")
        self._pages.add(digest)
