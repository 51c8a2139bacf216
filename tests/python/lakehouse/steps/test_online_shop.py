"""Stock, clicks and parcels of the online shop, from files in two deliveries to silver and gold."""

import csv
import json
from collections import defaultdict
from datetime import UTC, datetime

import pytest

from ..conftest import NO_DATA_TESTS, Lakehouse, differing

SOURCES = ("inventory", "clickstream", "carrier")
STAGED = ["stg_inventory__levels", "stg_clickstream__events", "stg_carrier__events"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """Two deliveries, loaded and built one after the other, the second with records of no use."""
    lakehouse = Lakehouse(tmp_path_factory.mktemp("shop"), sources=SOURCES, scale=0.02)
    lakehouse.deliver(1)
    lakehouse.settings |= NO_DATA_TESTS
    lakehouse.run(*lakehouse.run_arguments)
    lakehouse.settings["DBT_EXCLUDE_RESOURCE_TYPES"] = "unit_test"
    lakehouse.deliver(2)
    for source, record in {
        "inventory": {"timestamp": "2025-01-02 22:00:00", "location_id": 1, "available": 5},
        "clickstream": {"event_id": "timeless", "event_time": "yesterday"},
        "carrier": {"event_id": "lost", "event_time": "2025-01-02T10:00:00-05:00", "status": "delivered"},
    }.items():
        (lakehouse.landing / source / "wrong.json").write_text(json.dumps(record))
    output = lakehouse.run(*lakehouse.run_arguments)
    assert " 3 warned, 0 failed" in output, output
    return lakehouse


def _sent(shop: Lakehouse, source: str) -> list[dict[str, str]]:
    rows = []
    for path in sorted((shop.landing / source).iterdir(), key=lambda path: (len(path.stem), path.stem)):
        if path.suffix == ".csv":
            rows += list(csv.DictReader(path.open(newline="")))
        elif path.name != "wrong.json":
            rows += [json.loads(line) for line in path.read_text().splitlines()]
    return rows


def test_every_level_is_there_once(shop: Lakehouse) -> None:
    sent = {
        (
            row["sku"] or f"{row['product_title']}|{row['variant_title']}",
            int(row["location_id"]),
            datetime.fromisoformat(row["timestamp"]),
            None if row["available"] in ("", None) else int(row["available"]),
        )
        for row in _sent(shop, "inventory")
    }
    found = shop.rows("select item, location_id, observed_at, available from silver.stg_inventory__levels")
    assert len(found) == len(sent) and {(*row[:2], _naive(row[2]), row[3]) for row in found} == sent


def test_every_click_is_there_once_late_ones_too(shop: Lakehouse) -> None:
    sent = {row["event_id"]: row for row in _sent(shop, "clickstream")}
    found = shop.rows(
        "select event_id, event_time, event_type, order_number from silver.stg_clickstream__events"
    )
    assert sorted(str(row[0]) for row in found) == sorted(sent)
    for event_id, time, kind, order in found:
        event = sent[str(event_id)]
        assert _naive(time) == datetime.fromisoformat(event["event_time"].removesuffix("Z"))
        assert kind == event["event_type"]
        assert order == (event["page"].partition("=")[2] or None)


def test_every_scan_is_there_once_with_its_time_in_utc(shop: Lakehouse) -> None:
    sent = {row["event_id"]: datetime.fromisoformat(row["event_time"]) for row in _sent(shop, "carrier")}
    found = dict(shop.rows("select event_id, event_time from silver.stg_carrier__events"))
    assert {key: _naive(time) for key, time in found.items()} == {
        key: _naive(time.astimezone(UTC)) for key, time in sent.items()
    }
    statuses = defaultdict(
        int, shop.rows("select status, count(*) from silver.stg_carrier__events group by 1")
    )
    assert statuses["in_transit"] > statuses["picked_up"] > 0 and all(" " not in str(s) for s in statuses)


def test_records_of_no_use_are_counted(shop: Lakehouse) -> None:
    rejected = shop.rows(
        "select source, table_name, rejected_rows from ops.row_accounting "
        f"where source in {SOURCES} order by 1, 2"
    )
    assert rejected == [
        ("carrier", "events", 1),
        ("clickstream", "events", 1),
        ("inventory", "csv_exports", 0),
        ("inventory", "json_exports", 1),
    ]


def test_a_full_refresh_gives_the_same(shop: Lakehouse) -> None:
    before = shop.contents("silver", "gold")
    assert {"gold.inventory_levels", "gold.fct_shipments", "gold.fct_sessions"} <= before.keys()
    shop.settings |= NO_DATA_TESTS
    shop.run("build", "--full-refresh", "--select", *(f"{model}+" for model in STAGED))
    assert differing(shop.contents("silver", "gold"), before) == []


def _naive(time: object) -> datetime:
    assert isinstance(time, datetime)
    return time.replace(tzinfo=None)
