"""When source tables were delivered last, and whether that is late by their `freshness` in dbt.

dbt's own `source freshness` asks each table, which takes seconds. It calls late what was asked of an API that
had no news; here such an extraction is a delivery.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from ingestion.contracts import SourceTable
from lakehouse.reading.query import read
from lakehouse.warehouse import Warehouse

State = Literal["fresh", "late", "stale"]

_LOADED = "select source, table_name, _ingested_at as delivered_at from ops.loads where status = 'loaded'"
_ASKED = "select source, table_name, finished_at as delivered_at from ops.extracts where error is null"
_NEWEST = "select source, table_name, max(delivered_at) from ({logs}) as logs group by source, table_name"


@dataclass(frozen=True)
class Delivery:
    """The newest delivery of a source table; null for none."""

    table: SourceTable
    delivered_at: datetime | None

    def state(self, now: datetime) -> State | None:
        """How old it is, for a freshness that is declared; null without a delivery."""
        if self.delivered_at is None:
            return None
        age, freshness = now - self.delivered_at, self.table.freshness
        if freshness.error_after and age > freshness.error_after.duration:
            return "stale"
        if freshness.warn_after and age > freshness.warn_after.duration:
            return "late"
        return "fresh"


def deliveries(warehouse: Warehouse, contracts: Sequence[SourceTable]) -> list[Delivery]:
    """The newest delivery of each table, by the logs of loads and extractions.

    Raises:
        UsageError: there is no warehouse yet.
        LakehouseError: a log cannot be read.
    """
    tables = warehouse.tables()
    logs = [log for name, log in (("ops.loads", _LOADED), ("ops.extracts", _ASKED)) if name in tables]
    newest: dict[tuple[str, str], datetime] = {}
    if logs:
        rows = read(warehouse, _NEWEST.format(logs=" union all ".join(logs))).rows
        newest = {(source, name): at.replace(tzinfo=UTC) for source, name, at in rows}
    return [Delivery(table, newest.get((table.source, table.name))) for table in contracts]
