"""What `lakehouse status` says of loads, builds and failed tests."""

from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from ingestion.contracts import Freshness, SourceTable
from lakehouse.reading.status import show
from lakehouse.warehouse import Warehouse

from ..conftest import write_table

NOW = datetime(2026, 1, 2)
TIME = pa.timestamp("us", tz="UTC")


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """Loads of no file, and a quarantine with records of two files."""
    loads = {name: pa.array([], pa.string()) for name in ("source", "table_name", "_source_file", "status")}
    loads |= {name: pa.array([], pa.int64()) for name in ("rows_loaded", "rows_rescued", "rows_quarantined")}
    write_table(tmp_path, "ops.loads", pa.table(loads | {"_ingested_at": pa.array([], TIME)}))
    quarantine = {
        "source": ["events"] * 2,
        "table_name": ["events"] * 2,
        "reason": ["noise"] * 2,
        "_source_file": ["/landing/file-10.json", "/landing/file-9.json"],
        "_ingested_at": pa.array([NOW, NOW.replace(day=1)], TIME),
    }
    write_table(tmp_path, "ops.quarantine", pa.table(quarantine))
    return Warehouse(tmp_path)


def shown(warehouse: Warehouse) -> str:
    console = Console(width=200, record=True)
    show(warehouse, [], console)
    return console.export_text()


def write_builds(warehouse: Warehouse, *builds: tuple[str, int, int]) -> None:
    """A row of `ops.builds` for each command with its failed tests and warnings, one after the other."""
    commands, failed, warned = zip(*builds, strict=True)
    table = {
        "invocation_id": [f"invocation {number}" for number in range(len(builds))],
        "command": commands,
        "finished_at": pa.array([NOW.replace(hour=hour) for hour in range(len(builds))], TIME),
        "tests_passed": [10] * len(builds),
        "tests_failed": failed,
        "tests_warned": warned,
    }
    write_table(warehouse.root, "ops.builds", pa.table(table))


def write_failed_row(warehouse: Warehouse, invocation: str, *severities: str) -> None:
    rows = [
        {
            "invocation_id": invocation,
            "message": f"gold.fct: 1 id is not known ({severity})",
            "severity": severity,
            "record": '{"mac": "f5:ab:e1:cd:00:0a"}',
        }
        for severity in severities or ("fail",)
    ]
    write_table(warehouse.root, "ops.failed_rows", pa.Table.from_pylist(rows))


def test_the_newest_file_is_the_one_that_came_last(warehouse: Warehouse) -> None:
    assert "file-10.json" in shown(warehouse)
    assert "file-9.json" not in shown(warehouse)


def test_tests_that_could_not_run_have_no_rows(warehouse: Warehouse) -> None:
    write_builds(warehouse, ("build", 3, 0))
    assert "10 tests passed, 3 failed" in shown(warehouse)
    assert "tests that could not run" in shown(warehouse)


def test_failed_tests_are_those_of_the_last_build(warehouse: Warehouse) -> None:
    write_builds(warehouse, ("build", 1, 0), ("build", 0, 0))
    write_failed_row(warehouse, "invocation 0")
    assert "not known" not in shown(warehouse)


def test_builds_and_tests_are_told_apart_and_failures_are_those_of_the_last(warehouse: Warehouse) -> None:
    write_builds(warehouse, ("build", 1, 0), ("test", 0, 1))
    write_failed_row(warehouse, "invocation 1")
    output = shown(warehouse)
    assert "Last build 2026-01-02 00:00 UTC: 10 tests passed, 1 failed" in output
    assert "Last test 2026-01-02 01:00 UTC: 10 tests passed, 0 failed" in output
    assert "gold.fct: 1 id is not known" in output and "could not run" not in output


def test_failed_tests_come_before_warnings_and_apart_from_them(warehouse: Warehouse) -> None:
    write_builds(warehouse, ("build", 1, 1))
    write_failed_row(warehouse, "invocation 0", "warn", "fail")
    output = shown(warehouse)
    places = [output.index(text) for text in ("Failed tests", "(fail)", "Warnings", "(warn)")]
    assert places == sorted(places)
    assert '{"mac": "f5:ab:e1:cd:00:0a"}' in output
    write_failed_row(warehouse, "invocation 0", "warn")
    assert "Failed tests" not in shown(warehouse)


def test_it_reads_at_80_columns(warehouse: Warehouse) -> None:
    names = ["sales_details", "registered_users"]
    contracts = [
        SourceTable.model_construct(source="storefront", name=name, freshness=Freshness()) for name in names
    ]
    loads = {
        "source": ["storefront"] * 2,
        "table_name": names,
        "_source_file": ["a", "b"],
        "status": ["loaded"] * 2,
        "rows_loaded": [123_456_789, 1],
        "rows_rescued": [12_345, 0],
        "rows_quarantined": [100, 0],
        "_ingested_at": pa.array([NOW] * 2, TIME),
    }
    write_table(warehouse.root, "ops.loads", pa.table(loads))
    console = Console(width=80, record=True)
    show(warehouse, contracts, console)
    lines = console.export_text().splitlines()
    (first,) = (line for line in lines if line.startswith("storefront.sales_details "))
    assert first.split()[1:6] == ["2026-01-02", "00:00", "fresh", "123,456,789", "12,345"]
    (second,) = (line for line in lines if line.startswith("storefront.registered_users "))
    assert second.split()[1:] == ["2026-01-02", "00:00", "fresh", "1"]
    words = {word.strip(",") for line in lines for word in line.split()}
    assert {"rescued", "12,345", "quarantined", "100"} <= words
