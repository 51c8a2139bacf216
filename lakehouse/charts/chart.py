"""What a chart shows: rows are summed, the largest series and categories kept, and the rest noted."""

import calendar
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeVar

from lakehouse.charts.model_docs import Model, read_models
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.reading.query import columns, read
from lakehouse.reading.rows import Rows
from lakehouse.semantics.queries import quoted
from lakehouse.warehouse import Warehouse

# As many as the palette of `spec` has colours.
MOST_SERIES = 7
MOST_CATEGORIES = 20
MOST_BARS_IN_TIME = 12
# A line of more goes up and down with the days of the week.
MOST_DAYS = 92
NONE, EMPTY, OTHER = "(none)", "(empty)", "(other)"

_NUMERIC = ("tinyint", "smallint", "int", "bigint", "decimal", "float", "double")
_ORDERED_NAME = re.compile(r"\d+|\d{4}-\d\d-\d\d.*")

Number = int | float | Decimal
Period = Literal["month", "year"]
# Days as they are given, where they are not to be added up.
GIVEN: Literal["given"] = "given"
Mark = Literal["line", "bar"]
K = TypeVar("K")


class NothingToDraw(LakehouseError):
    """A table without rows, or without one that has a place in the chart."""


@dataclass(frozen=True)
class Axis:
    """A column, and the unit of its values where they have one."""

    column: str
    unit: str | None = None

    @property
    def title(self) -> str:
        """`sales_amount` in USD is "Sales amount (USD)"."""
        return readable(self.column) + (f" ({self.unit})" if self.unit else "")


@dataclass(frozen=True)
class Point:
    """One sum: `x` is a date, datetime (UTC), number or text; `series` is empty in a chart without."""

    x: Any
    series: str
    y: Number


@dataclass(frozen=True)
class Chart:
    """What is drawn, in the order of drawing, and `notes` on what is not.

    The last year on x, if it is not complete, goes `until` a day. Without a `mark` it is drawn as suits x.
    """

    title: str
    meaning: str
    x: Axis
    y: Axis
    by: Axis | None
    points: tuple[Point, ...]
    notes: tuple[str, ...]
    until: date | None = None
    mark: Mark | None = None
    adds_up: bool = True

    @property
    def xs(self) -> list[Any]:
        """The values on x, each once."""
        return list(dict.fromkeys(point.x for point in self.points))

    @property
    def series(self) -> list[str]:
        """The series, the rest last; one empty name in a chart without.

        Whole numbers and dates are in their order, other names by the size of their sums.
        """
        totals = _totals((point.series, point.y) for point in self.points)
        if all(_ORDERED_NAME.fullmatch(name) for name in totals if name not in (NONE, OTHER)):
            return sorted(totals, key=lambda name: (name == OTHER, name == NONE, len(name), name))
        return sorted(totals, key=lambda name: (name == OTHER, -abs(totals[name])))

    @property
    def is_text(self) -> bool:
        """Whether x holds categories, not something that goes on in time or number."""
        return isinstance(self.points[0].x, str)

    @property
    def is_line(self) -> bool:
        """Whether the points have an order and are too many for bars, or a line is asked for."""
        if self.mark:
            return self.mark == "line" and not self.is_text
        return not self.is_text and len(self.xs) > MOST_BARS_IN_TIME

    @property
    def summary(self) -> str:
        """One sentence for those who do not see the chart."""
        top, labels = max(self.points, key=lambda point: point.y), x_labels(self)
        at = ", ".join(filter(None, (labels[top.x], top.series)))
        columns = f"{self.x.title} and {self.by.title}" if self.by else self.x.title
        return (
            f"{'Lines' if self.is_line else 'Bars'}: {self.y.title} by {columns}, "
            f"highest {compact(top.y)} ({at})."
        )


def table_chart(
    warehouse: Warehouse, models: Path, table: str, x: str, y: str, by: str | None = None
) -> Chart:
    """Chart of column `y` of a table, summed over column `x` and, where given, `by`.

    Units and the table's meaning come from the YAML files below `models`.

    Raises:
        UsageError: there is no such table or column, or `y` is not a number.
        NothingToDraw: the table is empty, or no row has both values.
    """
    name, _ = warehouse.find(table)
    _check(warehouse, name, x, y, by)
    dimensions = ", ".join(quoted(column) for column in (x, by) if column)
    names = f"{quoted(x)} as x, {quoted(by) if by else 'null'} as series"
    sql = f"select {names}, sum({quoted(y)}) as y, count(*) as row_count from {name} group by {dimensions}"
    model = read_models(models).get(name.split(".")[1], Model())
    axes = [Axis(column, model.units.get(column)) for column in (x, y, by) if column]
    return summed_chart(read(warehouse, sql), readable(name.split(".")[1]), model.meaning, *axes)


def summed_chart(
    rows: Rows,
    title: str,
    meaning: str,
    x: Axis,
    y: Axis,
    by: Axis | None = None,
    *,
    period: Period | Literal["given"] | None = None,
    adds_up: bool = True,
) -> Chart:
    """Chart of rows with the columns x, series, y and perhaps row_count, one row per x and series.

    Days are added up by `period`, and without one by month where they are too many for a line.
    Of what does not add up, such as a rate, small series are left out, and what is missing is not zero.

    Raises:
        NothingToDraw: there are no rows, or none has both values.
    """
    if not rows.rows:
        raise NothingToDraw(f"{title}: there are no rows to draw.")
    points, notes = _complete(rows, x, y, by)
    if not points:
        raise NothingToDraw(f"{title}: no row has both {x.column} and {y.column}. Choose other columns.")
    first, until = points[0].x, None
    if isinstance(first, datetime):
        x = Axis(x.column, "UTC")
    elif period == GIVEN:
        pass
    elif isinstance(first, date) and (period or len({point.x for point in points}) > MOST_DAYS):
        period = period or "month"
        x = Axis(x.column, f"by {period}")
        points, until, period_notes = _by_period(points, period)
        notes += period_notes
    points, series_notes = _largest_series(points, adds_up)
    points, category_notes = _largest_categories(points, y)
    all_notes = (*category_notes, *series_notes, *notes)
    return Chart(title, meaning, x, y, by, tuple(points), all_notes, until, adds_up=adds_up)


def readable(name: str) -> str:
    """`fct_sales_by_crm_country` is "Sales by CRM country"."""
    words = name.removeprefix("fct_").removeprefix("dim_").removeprefix("stg_").split("_")
    text = " ".join(word.upper() if word in ("crm", "erp", "id") else word for word in words if word)
    return text[:1].upper() + text[1:]


def compact(value: Number) -> str:
    """1234567 is "1.23M", 1234 is "1,234", 0.5 is "0.5"."""
    number = float(value)
    if abs(number) < 10_000:
        return f"{number:,.0f}" if number == int(number) or abs(number) >= 1000 else f"{number:.3g}"
    for letter in "kMBT":
        number /= 1000
        if abs(number) < 999.5 or letter == "T":
            break
    decimals = 2 if abs(number) < 9.995 else 1 if abs(number) < 99.95 else 0
    text = f"{number:,.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if decimals else text) + letter


def x_labels(chart: Chart) -> dict[Any, str]:
    """Text for every value on x; dates and times as short as they can be for all of them.

    A year that is not complete says so in a second line.
    """
    form = _time_format(chart.xs) if isinstance(chart.xs[0], date) else None
    labels = {x: x.strftime(form) if form else str(x) for x in chart.xs}
    if chart.until:
        labels[chart.xs[-1]] += f"\nuntil {chart.until.day} {chart.until:%b}"
    return labels


def _check(warehouse: Warehouse, table: str, x: str, y: str, by: str | None) -> None:
    names = columns(warehouse, table)
    for column in filter(None, (x, y, by)):
        if column not in names:
            raise UsageError(f"{table} has no column {column}.\nColumns: {', '.join(names)}")
    # Sail describes no Delta table, so a row has to tell.
    types = ", ".join(f"typeof({quoted(name)})" for name in names)
    rows = read(warehouse, f"select {types} from {table} limit 1").rows
    if not rows:
        raise NothingToDraw(f"{table} is empty: there is nothing to draw.")
    kinds = dict(zip(names, rows[0], strict=True))
    numbers = [name for name, kind in kinds.items() if kind.startswith(_NUMERIC)]
    if y not in numbers:
        raise UsageError(f"{y} is {kinds[y]}, not a number.\nNumbers in {table}: {', '.join(numbers)}")


def _complete(rows: Rows, x: Axis, y: Axis, by: Axis | None) -> tuple[list[Point], list[str]]:
    """Points in the order of x, and notes on rows without a place; a missing text has one."""
    records = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
    ordered = any(_has_order(record["x"]) for record in records)
    points: list[Point] = []
    missing: dict[str, list[int | None]] = {x.column: [], y.column: []}
    for record in records:
        if not _is_finite(record["y"]):
            missing[y.column].append(record.get("row_count"))
        # A date that Python cannot hold is text among dates.
        elif ordered and not (_has_order(record["x"]) and _is_finite(record["x"])):
            missing[x.column].append(record.get("row_count"))
        else:
            at = record["x"] if ordered else _text(record["x"])
            points.append(Point(at, _text(record["series"]) if by else "", record["y"]))
    notes = [
        f"Left out: {_rows(counts)} without {readable(column).lower()}."
        for column, counts in missing.items()
        if counts
    ]
    return sorted(points, key=lambda point: (point.x, point.series)), notes


def _rows(counts: Sequence[int | None]) -> str:
    """How many rows of a table that is; a metric does not tell of how many its values are."""
    known = [count for count in counts if count is not None]
    if len(known) < len(counts):
        return "rows"
    return "1 row" if sum(known) == 1 else f"{sum(known):,} rows"


def _by_period(points: Sequence[Point], period: Period) -> tuple[list[Point], date | None, list[str]]:
    """Sums at the first days of months or years, how far the last one goes if not to its end, and notes."""
    sums = _totals(((_first_day(point.x, period), point.series), point.y) for point in points)
    added_up = [Point(day, series, y) for (day, series), y in sums.items()]
    last = points[-1].x
    if last == _last_day(last, period):
        return added_up, None, []
    if len({point.x for point in added_up}) <= MOST_BARS_IN_TIME:
        return added_up, last, []
    # A line would seem to fall.
    complete = [point for point in added_up if point.x != _first_day(last, period)]
    return complete, None, [f"Left out: the last {period}, which is not complete (it goes until {last})."]


def _first_day(day: date, period: Period) -> date:
    return day.replace(day=1) if period == "month" else day.replace(month=1, day=1)


def _last_day(day: date, period: Period) -> date:
    month = day.month if period == "month" else 12
    return date(day.year, month, calendar.monthrange(day.year, month)[1])


def _has_order(value: object) -> bool:
    return isinstance(value, date | int | float | Decimal) and not isinstance(value, bool)


def _is_finite(value: object) -> bool:
    return value is not None and (not isinstance(value, float | Decimal) or math.isfinite(value))


def _text(value: object) -> str:
    if value is None:
        return NONE
    return str(value).lower() if isinstance(value, bool) else str(value) or EMPTY


def _largest_series(points: list[Point], adds_up: bool) -> tuple[list[Point], list[str]]:
    """As many series as there are colours, the others added up in one or left out."""
    totals = _totals((point.series, point.y) for point in points)
    kept = set(sorted(totals, key=lambda name: -abs(totals[name]))[:MOST_SERIES])
    if len(totals) == len(kept):
        return points, []
    if not adds_up:
        note = f"{len(totals) - len(kept):,} smaller series are left out."
        return [point for point in points if point.series in kept], [note]
    sums = _totals(((p.x, p.series if p.series in kept else OTHER), p.y) for p in points)
    note = f"{len(totals) - len(kept):,} smaller series are added up as {OTHER}."
    return [Point(x, series, y) for (x, series), y in sums.items()], [note]


def _largest_categories(points: list[Point], y: Axis) -> tuple[list[Point], list[str]]:
    """Categories by value, if x is text; no more than can be read."""
    if not isinstance(points[0].x, str):
        return points, []
    totals = _totals((point.x, point.y) for point in points)
    kept = sorted(totals, key=lambda name: -totals[name])[:MOST_CATEGORIES]
    place = {name: number for number, name in enumerate(kept)}
    largest = sorted((point for point in points if point.x in place), key=lambda point: place[point.x])
    if len(totals) == len(kept):
        return largest, []
    return largest, [f"The top {len(kept)} of {len(totals):,} by {readable(y.column).lower()}."]


def _totals(values: Iterable[tuple[K, Number]]) -> dict[K, Any]:
    totals: dict[Any, Any] = defaultdict(int)
    for key, value in values:
        totals[key] += value
    return dict(totals)


def _time_format(xs: Sequence[date]) -> str:
    moments = [x if isinstance(x, datetime) else datetime.combine(x, time()) for x in xs]
    if any(moment.second or moment.microsecond for moment in moments):
        return "%Y-%m-%d %H:%M:%S"
    if any(moment.hour or moment.minute for moment in moments):
        return "%Y-%m-%d %H:%M"
    if any(moment.day > 1 for moment in moments):
        return "%Y-%m-%d"
    return "%Y-%m" if any(moment.month > 1 for moment in moments) else "%Y"
