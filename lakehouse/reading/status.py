"""What is in the lakehouse, how fresh it is and what is wrong with it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingestion.contracts import SourceTable
from lakehouse.reading.query import columns, read
from lakehouse.warehouse import Warehouse

_LOADS = """
select
    source, table_name,
    max(_ingested_at) filter (where status = 'loaded') as loaded_at,
    sum(rows_loaded) as rows_loaded,
    sum(rows_rescued) as rows_rescued,
    sum(rows_quarantined) as rows_quarantined,
    count_if(status = 'duplicate') as duplicates,
    count(distinct _source_file) filter (where status = 'refused') as refused
from ops.loads
group by source, table_name
order by source, table_name
"""

_QUARANTINE = """
select source, table_name, reason, count(*) as records, max_by(_source_file, _ingested_at) as newest_file
from ops.quarantine
group by source, table_name, reason
order by source, table_name, records desc
"""

_LAST_BUILDS = """
select * from (
    select *, row_number() over (partition by command order by finished_at desc) as age from ops.builds
) as builds
where age = 1 and command in ('build', 'test')
order by finished_at
"""

# What other tests found before is in the newest build, too.
_FAILED_TESTS = """
select severity, {message} as found, min(record) as example
from ops.failed_rows
where invocation_id = '{invocation_id}'
group by severity, {message}
order by severity, found
"""


def show(warehouse: Warehouse, contracts: Sequence[SourceTable], console: Console) -> None:
    """Print last loads with freshness, quarantined records, and the last build's failed tests.

    Raises:
        UsageError: there is no warehouse yet.
    """
    console.print(_loads_table(_rows(warehouse, _LOADS), contracts))
    if quarantined := _rows(warehouse, _QUARANTINE):
        console.print(_plain_table("Quarantine (ops.quarantine)", quarantined))
    if "ops.builds" not in warehouse.tables():
        console.print("Nothing was built yet: run `lakehouse build`.")
        return
    builds = _rows(warehouse, _LAST_BUILDS)
    for build in builds:
        counts = f"{build['tests_passed']} tests passed, {build['tests_failed']} failed"
        console.print(
            f"Last {build['command']} {build['finished_at']:%Y-%m-%d %H:%M} UTC: "
            f"{counts}, {build['tests_warned']} warned"
        )
    if builds:
        _print_failed_tests(warehouse, builds[-1], console)


def _print_failed_tests(warehouse: Warehouse, build: dict[str, Any], console: Console) -> None:
    failed = []
    if "ops.failed_rows" in warehouse.tables():
        # Tables of earlier versions have no messages.
        message = "message" if "message" in columns(warehouse, "ops.failed_rows") else "test_name"
        failed = _rows(warehouse, _FAILED_TESTS.format(message=message, invocation_id=build["invocation_id"]))
    if failed:
        console.print(_plain_table("Failed tests (ops.failed_rows)", failed))
    if len(failed) < build["tests_failed"] + build["tests_warned"]:
        console.print("Unit tests, and tests that could not run, have no rows; what ran them says why.")


def _rows(warehouse: Warehouse, sql: str) -> list[dict[str, Any]]:
    result = read(warehouse, sql)
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def _loads_table(loads: Sequence[dict[str, Any]], contracts: Sequence[SourceTable]) -> Table:
    by_name = {(load["source"], load["table_name"]): load for load in loads}
    table = Table(title="Sources (ops.loads)", title_justify="left")
    for heading in ("table", "last load", "freshness"):
        table.add_column(heading, overflow="fold")
    for heading in ("rows", "rescued", "quarantined", "duplicates", "refused"):
        table.add_column(heading, justify="right")
    for contract in contracts:
        load = by_name.get((contract.source, contract.name))
        if load is None or load["loaded_at"] is None:
            table.add_row(contract.label, "never", "", *[""] * 5)
            continue
        loaded_at = load["loaded_at"].replace(tzinfo=UTC)
        counts = ("rows_loaded", "rows_rescued", "rows_quarantined", "duplicates", "refused")
        table.add_row(
            contract.label,
            f"{loaded_at:%Y-%m-%d %H:%M} UTC",
            _freshness(contract, datetime.now(UTC) - loaded_at),
            *(f"{load[count]:,}" for count in counts),
        )
    return table


def _freshness(contract: SourceTable, age: timedelta) -> str:
    if contract.freshness.error_after and age > contract.freshness.error_after.duration:
        return "[red]stale[/red]"
    if contract.freshness.warn_after and age > contract.freshness.warn_after.duration:
        return "[yellow]late[/yellow]"
    return "[green]fresh[/green]"


def _plain_table(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in rows[0]:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(escape(str(value)) for value in row.values()))
    return table
