"""Tables of gold and ops as models and commands write them, for checks to find something in."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from ..conftest import write_table

# A Monday; the day before is the newest complete one.
NOW = datetime(2026, 8, 3, 8, tzinfo=UTC)
TIME = pa.timestamp("us", tz="UTC")

REVENUE = pa.schema(
    [
        ("date_day", pa.date32()),
        ("channel", pa.string()),
        ("amount_usd", pa.decimal128(18, 2)),
        ("orders", pa.int64()),
        ("is_complete", pa.bool_()),
    ]
)
STOCK = pa.schema(
    [
        ("item", pa.string()),
        ("location_id", pa.int64()),
        ("date_day", pa.date32()),
        ("available", pa.int64()),
        ("is_stock_out", pa.bool_()),
        ("is_drop", pa.bool_()),
        ("drop_explained", pa.bool_()),
        ("days_of_cover", pa.decimal128(18, 2)),
    ]
)
PAYMENTS = pa.schema(
    [
        ("payment_id", pa.string()),
        ("currency", pa.string()),
        ("amount", pa.decimal128(18, 2)),
        ("amount_usd", pa.decimal128(18, 2)),
    ]
)


def days_ago(days: int) -> date:
    return NOW.date() - timedelta(days)


def write_revenue(warehouse: Path, newest: float = 1000, **of_channel: Sequence[float | None]) -> None:
    """`gold.revenue_daily`: a channel `shop` with 1,000 USD and 40 orders a day, `newest` on the last one.

    Today has nothing yet, and is not complete. Other channels have an order for each 25 USD, and no row where
    they have null.
    """
    amounts: dict[str, Sequence[float | None]] = {"shop": [1000.0] * 60 + [newest], **of_channel}
    rows = [
        {
            "date_day": days_ago(len(values) - place),
            "channel": channel,
            "amount_usd": Decimal(str(value)),
            "orders": int(value / 25),
            "is_complete": len(values) - place > 0,
        }
        for channel, values in amounts.items()
        for place, value in enumerate([*values, 0])
        if value is not None
    ]
    write_table(warehouse, "gold.revenue_daily", pa.Table.from_pylist(rows, schema=REVENUE))


def write_stock(
    warehouse: Path, *rows: tuple[int, str, int, int, bool, bool], days_of_cover: str | None = "1.5"
) -> None:
    """`gold.inventory_levels` of (days ago, item, location, available, is_drop, drop_explained)."""
    table = [
        {
            "item": item,
            "location_id": location,
            "date_day": days_ago(days),
            "available": available,
            "is_stock_out": available <= 0,
            "is_drop": is_drop,
            "drop_explained": explained,
            "days_of_cover": days_of_cover and Decimal(days_of_cover),
        }
        for days, item, location, available, is_drop, explained in rows
    ]
    write_table(warehouse, "gold.inventory_levels", pa.Table.from_pylist(table, schema=STOCK))


def write_payments(warehouse: Path, *payments: tuple[str, str, str | None]) -> None:
    """`gold.unmatched_payments` of (currency, amount, amount in USD)."""
    rows = [
        {
            "payment_id": f"pi_{number}",
            "currency": currency,
            "amount": Decimal(amount),
            "amount_usd": usd and Decimal(usd),
        }
        for number, (currency, amount, usd) in enumerate(payments)
    ]
    write_table(warehouse, "gold.unmatched_payments", pa.Table.from_pylist(rows, schema=PAYMENTS))


def write_loads(warehouse: Path, **sources: Sequence[int]) -> None:
    """`ops.loads`: rows of the table `t` of each source, a load a day, the last one yesterday; 0 is none."""
    rows = [
        (source, count, NOW - timedelta(days=len(counts) - place))
        for source, counts in sources.items()
        for place, count in enumerate(counts)
        if count
    ]
    table = {
        "source": [source for source, _, _ in rows],
        "table_name": ["t"] * len(rows),
        "status": ["loaded"] * len(rows),
        "rows_loaded": [count for _, count, _ in rows],
        "_ingested_at": pa.array([at for _, _, at in rows], TIME),
    }
    write_table(warehouse, "ops.loads", pa.table(table))


def write_extracts(warehouse: Path, *runs: tuple[str, int, str | None]) -> None:
    """`ops.extracts` of (table of the source `api`, days ago, error)."""
    table = {
        "source": ["api"] * len(runs),
        "table_name": [name for name, _, _ in runs],
        "pages": [3] * len(runs),
        "records": [250] * len(runs),
        "retries": [5] * len(runs),
        "error": pa.array([error for _, _, error in runs], pa.string()),
        "started_at": pa.array([NOW - timedelta(days) for _, days, _ in runs], TIME),
        "finished_at": pa.array([NOW - timedelta(days) for _, days, _ in runs], TIME),
    }
    write_table(warehouse, "ops.extracts", pa.table(table))


def write_build(
    warehouse: Path, tests_failed: int, models_failed: int = 0, **failed: tuple[str, int, int]
) -> None:
    """`ops.builds` of the newest build, and `ops.failed_rows` of test to (severity, failures, days ago)."""
    build = {
        "invocation_id": ["older", "newest"],
        "command": ["build", "test"],
        "started_at": pa.array([NOW - timedelta(2), NOW - timedelta(hours=1)], TIME),
        "finished_at": pa.array([NOW - timedelta(1), NOW], TIME),
        "models_failed": [7, models_failed],
        "tests_failed": [7, tests_failed],
    }
    write_table(warehouse, "ops.builds", pa.table(build))
    schema = pa.schema(
        [
            ("invocation_id", pa.string()),
            ("test_name", pa.string()),
            ("severity", pa.string()),
            ("failures", pa.int64()),
            ("message", pa.string()),
            ("failed_at", TIME),
        ]
    )
    rows = [
        {
            "invocation_id": "newest",
            "test_name": name,
            "severity": severity,
            "failures": failures,
            "message": f"gold.fct: {failures} wrong rows ({name})",
            "failed_at": NOW - timedelta(days),
        }
        for name, (severity, failures, days) in failed.items()
        for _ in range(failures)
    ]
    write_table(warehouse, "ops.failed_rows", pa.Table.from_pylist(rows, schema=schema))
