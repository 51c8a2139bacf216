"""What checks find in SQL is what they find in Python."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from lakehouse.alerts.anomaly import Verdict, judge
from lakehouse.alerts.declared import AnomalyCheck, RowsCheck, Snooze, Thresholds
from lakehouse.alerts.in_sql import findings, judged
from lakehouse.engines.local import sail
from lakehouse.reading.query import read
from lakehouse.warehouse import Warehouse

from ..conftest import NAMES, write_table

if TYPE_CHECKING:
    from dbt.adapters.lakehouse.sail import Sail

THRESHOLDS = Thresholds(
    days=56, least_days=28, spreads=3.5, least_spread=0.05, least_change=0.3, least_size=20
)
CHECK = AnomalyCheck(name="revenue", description="", owner="", link="", kind="anomaly", thresholds=THRESHOLDS)
ROWS = RowsCheck(name="stock", description="", owner="", link="", kind="rows")
QUERY = "-- As sent.\nselect entity, date_day, value, size from gold.series"
LAST = date(2026, 6, 1)
Series = dict[date, tuple[float, int | None]]


def _series() -> dict[str, Series]:
    """Series of which each is a case: the days until yesterday, and what they brought."""
    dice = random.Random(5)
    week = (100, 110, 105, 120, 200, 300, 0)

    def days(count: int, end: date = LAST) -> list[date]:
        return [end - timedelta(number) for number in reversed(range(count))]

    usual: Series = {day: (week[day.weekday()] * dice.uniform(0.9, 1.1), None) for day in days(120)}
    return {
        NAMES[0]: usual,
        "fell": usual | {LAST: (10.0, None)},
        "rose": usual | {LAST: (900.0, None)},
        "the same": {day: (1000.0, None) for day in days(80)},
        "nothing": {day: (0.0, None) for day in days(80)} | {LAST: (50.0, None)},
        "negative": {day: (dice.uniform(-50, 50), 100) for day in days(90)},
        "small": {day: (dice.uniform(0, 500), 5) for day in days(90)},
        "large": {day: (dice.uniform(0, 1e12), 50) for day in days(90)},
        "few": {day: (10.0, None) for day in days(20)},
        "gaps": {day: value for day, value in usual.items() if day.day % 3},
        "ended": {day: (float(day.day), None) for day in days(90, LAST - timedelta(60))},
        "no mondays": {day: value for day, value in usual.items() if day.weekday() or day == LAST},
    }


SERIES = _series()


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("series")
    rows = [
        {"entity": entity, "date_day": day, "value": value, "size": size}
        for entity, series in SERIES.items()
        for day, (value, size) in series.items()
    ]
    # Today is still running.
    today = {"entity": "fell", "date_day": datetime.now(UTC).date(), "value": 1e9, "size": None}
    schema = pa.schema(
        [("entity", pa.string()), ("date_day", pa.date32()), ("value", pa.float64()), ("size", pa.int64())]
    )
    write_table(folder, "gold.series", pa.Table.from_pylist([*rows, today], schema=schema))
    return Warehouse(folder)


@pytest.fixture(scope="module")
def engine(warehouse: Warehouse) -> Iterator["Sail"]:
    opened = sail(warehouse)
    yield opened
    opened.close()


def _verdict(series: Series, day: date) -> Verdict | None:
    until = {other: value for other, value in series.items() if other <= day}
    found = judge(
        {other: value for other, (value, _) in until.items()},
        {other: size for other, (_, size) in until.items()},
        THRESHOLDS,
    )
    return found if isinstance(found, Verdict) else None


def test_every_day_has_the_limits_that_python_gives_it(warehouse: Warehouse, engine: "Sail") -> None:
    sql = f"with {judged(CHECK, QUERY, 60)} select entity, date_day, expected, low, high from judged"
    found = {(row[0], row[1]): row[2:] for row in read(warehouse, sql, engine=engine).rows}
    compared = 0
    for entity, series in SERIES.items():
        for day in sorted(series)[-60:]:
            verdict, limits = _verdict(series, day), found.pop((entity, day))
            if verdict is None:
                assert limits == (None, None, None), (entity, day)
            else:
                assert limits == pytest.approx((verdict.expected, verdict.low, verdict.high)), (entity, day)
                compared += 1
    assert found == {} and compared > 400


def test_findings_are_those_of_the_newest_days(warehouse: Warehouse, engine: "Sail") -> None:
    expected = {
        entity
        for entity, series in SERIES.items()
        if entity != "ended" and (verdict := _verdict(series, max(series))) and verdict.is_anomaly
    }
    rows = read(warehouse, findings(CHECK, QUERY), engine=engine)
    assert rows.columns == ["entity", "value", "message"]
    assert {"fell", "rose", "nothing"} <= expected == {row[0] for row in rows.rows}
    (message,) = [row[2] for row in rows.rows if row[0] == "fell"]
    assert message.startswith("10.0 on 2026-06-01, expected 1")


@pytest.mark.parametrize(
    ("snooze", "kept"),
    [
        (None, [NAMES[0], "b"]),
        (Snooze(until=date(2999, 1, 1)), []),
        (Snooze(until=date(2999, 1, 1), entities=[NAMES[0]]), ["b"]),
        (Snooze(until=date(2999, 1, 1), entities=[]), [NAMES[0], "b"]),
        (Snooze(until=date(2020, 1, 1)), [NAMES[0], "b"]),
    ],
)
def test_what_is_snoozed_or_too_small_is_not_found(
    warehouse: Warehouse, snooze: Snooze | None, kept: list[str]
) -> None:
    query = "select entity, value, 'x' as message, 'warn' as severity from gold.odd"
    odd = pa.table({"entity": [NAMES[0], "b", "c", "d"], "value": [2.0, 1.0, 0.5, None]})
    write_table(Path(warehouse.root), "gold.odd", odd)
    check = ROWS.model_copy(update={"snooze": snooze, "at_least": 1})
    with_odd = sail(warehouse)
    assert sorted(row[0] for row in read(warehouse, findings(check, query), engine=with_odd).rows) == kept
    with_odd.close()
