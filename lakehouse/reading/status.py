"""What is in the lakehouse, how fresh it is and what is wrong with it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ingestion.contracts import SourceTable
from lakehouse.reading.freshness import Delivery, deliveries
from lakehouse.reading.query import columns, read
from lakehouse.terminal import narrow_table, plain
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

_EXTRACTS = """
select source, table_name, window_until, records, error, finished_at
from (
    select *, row_number() over (partition by source, table_name order by started_at desc) as age
    from ops.extracts
) as extracts
where age = 1
order by source, table_name
"""

_QUARANTINE = """
select
    concat(source, '.', table_name) as `table`, reason, count(*) as records,
    element_at(split(max_by(_source_file, _ingested_at), '/'), -1) as newest_file
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
order by found
"""

_OPEN_ALERTS = """
select
    severity,
    date_format(opened_at, 'yyyy-MM-dd') as since,
    concat(check_name, ', ', owner) as `check, owner`,
    concat(entity, ': ', message) as says
from ops.alerts
where cleared_at is null
order by severity, opened_at, fingerprint
"""

# What is said of a load notes its rows.
_COUNTS = {
    "rows_rescued": "rescued",
    "rows_quarantined": "quarantined",
    "duplicates": "duplicate",
    "refused": "refused",
}


_COLOURS = {"fresh": "green", "late": "yellow", "stale": "red"}


def show(warehouse: Warehouse, contracts: Sequence[SourceTable], console: Console) -> None:
    """Print loads with freshness, extractions, quarantine, open alerts, and the last build's failed tests.

    Raises:
        UsageError: there is no warehouse yet.
    """
    tables = warehouse.tables()
    loads = _rows(warehouse, _LOADS) if "ops.loads" in tables else []
    console.print(_loads_table(loads, deliveries(warehouse, contracts)))
    console.print()
    if "ops.extracts" in tables:
        console.print(_extracts_table(_rows(warehouse, _EXTRACTS)))
        console.print()
    if "ops.quarantine" in tables and (quarantined := _rows(warehouse, _QUARANTINE)):
        console.print(_plain_table("Quarantine (ops.quarantine)", quarantined))
        console.print()
    if "ops.alerts" in tables and (alerts := _rows(warehouse, _OPEN_ALERTS)):
        console.print(_plain_table("Open alerts (ops.alerts)", alerts))
        console.print()
    if "ops.builds" not in tables:
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
    found = []
    if "ops.failed_rows" in warehouse.tables():
        # Tables of earlier versions have no messages.
        message = "message" if "message" in columns(warehouse, "ops.failed_rows") else "test_name"
        found = _rows(warehouse, _FAILED_TESTS.format(message=message, invocation_id=build["invocation_id"]))
    warned = [test for test in found if test["severity"] == "warn"]
    failed = [test for test in found if test not in warned]
    for title, tests in (("Failed tests", failed), ("Warnings", warned)):
        if tests:
            console.print()
            rows = [{"found": test["found"], "example": test["example"]} for test in tests]
            console.print(_plain_table(f"{title}, as tests last ran (ops.failed_rows)", rows))
    if len(found) < build["tests_failed"] + build["tests_warned"]:
        console.print()
        console.print("Unit tests, and tests that could not run, have no rows; what ran them says why.")


def _rows(warehouse: Warehouse, sql: str) -> list[dict[str, Any]]:
    result = read(warehouse, sql)
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]


def _loads_table(loads: Sequence[dict[str, Any]], delivered: Sequence[Delivery]) -> Table:
    by_name = {(load["source"], load["table_name"]): load for load in loads}
    table = narrow_table("Sources (ops.loads)")
    table.add_column("table", no_wrap=True, overflow="fold")
    table.add_column("last load (UTC)", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("notes", overflow="fold")
    for delivery in delivered:
        contract = delivery.table
        load = by_name.get((contract.source, contract.name))
        if load is None or load["loaded_at"] is None:
            table.add_row(plain(contract.label), "never")
            continue
        state = delivery.state(datetime.now(UTC))
        table.add_row(
            plain(contract.label),
            f"{load['loaded_at']:%Y-%m-%d %H:%M}",
            Text(state or "", _COLOURS.get(state or "", "")),
            f"{load['rows_loaded']:,}",
            ", ".join(f"{load[count]:,} {what}" for count, what in _COUNTS.items() if load[count]),
        )
    return table


def _extracts_table(extracts: Sequence[dict[str, Any]]) -> Table:
    table = narrow_table("Last extractions (ops.extracts)")
    table.add_column("table", no_wrap=True, overflow="fold")
    table.add_column("ended (UTC)", no_wrap=True)
    table.add_column("rows", justify="right", no_wrap=True)
    table.add_column("state", overflow="fold")
    for extract in extracts:
        state = Text("done", "green")
        if error := extract["error"]:
            state = Text("failed: ", "red") + plain(error)
        elif until := extract["window_until"]:
            state += Text(f", has all until {until:%Y-%m-%d %H:%M}", "default")
        table.add_row(
            plain(f"{extract['source']}.{extract['table_name']}"),
            f"{extract['finished_at']:%Y-%m-%d %H:%M}",
            f"{extract['records']:,}",
            state,
        )
    return table


def _plain_table(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    table = narrow_table(title)
    for column, value in rows[0].items():
        is_number = isinstance(value, int)
        table.add_column(column, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold")
    for row in rows:
        table.add_row(*(plain(f"{value:,}" if isinstance(value, int) else value) for value in row.values()))
    return table
