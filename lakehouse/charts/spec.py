"""Charts: summed rows become a Vega-Lite specification, that becomes SVG or PNG. Nothing is fetched."""

import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from textwrap import wrap
from typing import Any, TypeVar

import vl_convert

from lakehouse.charts.model_docs import Model, read_models
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.reading.query import Rows, columns, read
from lakehouse.warehouse import Warehouse

# Each has a contrast of 3:1 or more with white and with #121212, the text 4:1: one file suits both.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#8250DF", "#A6761D", "#CC79A7", "#6A9A1F")
GREY = "#767676"
# Liberation Sans, which vl-convert brings along, has the widths of Arial and Helvetica.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

WIDTH = 800  # pixels, everything included; a PNG has twice as many
MOST_CATEGORIES = 20
MOST_BARS_IN_TIME = 12
NONE, EMPTY, OTHER = "(none)", "(empty)", "(other)"

_NUMERIC = ("tinyint", "smallint", "int", "bigint", "decimal", "float", "double")

Spec = dict[str, Any]
Number = int | float | Decimal
K = TypeVar("K")

_ORDERED_NAME = re.compile(r"\d+|\d{4}-\d\d-\d\d.*")
_LETTER = 6.5  # pixels, about
_BEYOND = "datum.y < 0 ? -4 : 4"
_TEXT = {"text": {"field": "text", "type": "nominal"}, "color": {"value": GREY}}
_DAY = 24 * 60 * 60 * 1000  # milliseconds
# Beside the labels it would be turned, and far from the first of them.
_TITLE_ABOVE = {
    "titleAngle": 0,
    "titleAlign": "right",
    "titleX": -8,
    "titleY": -10,
    "titleBaseline": "bottom",
}
_CONFIG = {
    "aria": False,
    "font": FONT,
    "view": {"stroke": None},
    "text": {"fontSize": 12},
    "title": {
        "anchor": "start",
        "frame": "bounds",
        "color": GREY,
        "fontSize": 18,
        "subtitleColor": GREY,
        "subtitleFontSize": 12,
        "subtitlePadding": 6,
        "subtitleLineHeight": 16,
        "offset": 14,
    },
    "axis": {
        "labelColor": GREY,
        "titleColor": GREY,
        "domainColor": GREY,
        "tickColor": GREY,
        "gridColor": GREY,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 10,
        "labelPadding": 6,
    },
    "legend": {
        "orient": "top",
        "direction": "horizontal",
        "labelColor": GREY,
        "titleColor": GREY,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelLimit": 220,
        "columnPadding": 16,
        "symbolStrokeWidth": 2,
    },
}


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
    """What is drawn, in the order of drawing, and `notes` on what is not."""

    title: str
    meaning: str
    x: Axis
    y: Axis
    by: Axis | None
    points: tuple[Point, ...]
    notes: tuple[str, ...]

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
        """Whether the points are too many for bars and have an order."""
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
    dimensions = ", ".join(_quoted(column) for column in (x, by) if column)
    names = f"{_quoted(x)} as x, {_quoted(by) if by else 'null'} as series"
    sql = f"select {names}, sum({_quoted(y)}) as y, count(*) as row_count from {name} group by {dimensions}"
    model = read_models(models).get(name.split(".")[1], Model())
    axes = [Axis(column, model.units.get(column)) for column in (x, y, by) if column]
    return summed_chart(read(warehouse, sql), readable(name.split(".")[1]), model.meaning, *axes)


def summed_chart(rows: Rows, title: str, meaning: str, x: Axis, y: Axis, by: Axis | None = None) -> Chart:
    """Chart of rows with the columns x, series, y and row_count, one row per x and series.

    Raises:
        NothingToDraw: there are no rows, or none has both values.
    """
    if not rows.rows:
        raise NothingToDraw(f"{title}: there are no rows to draw.")
    points, notes = _complete(rows, x, y, by)
    if not points:
        raise NothingToDraw(f"{title}: no row has both {x.column} and {y.column}. Choose other columns.")
    if isinstance(points[0].x, datetime):
        x = Axis(x.column, "UTC")
    points, series_notes = _largest_series(points)
    points, category_notes = _largest_categories(points, y)
    return Chart(title, meaning, x, y, by, tuple(points), (*category_notes, *series_notes, *notes))


def to_svg(chart: Chart, width: int = WIDTH, titled: bool = True) -> str:
    """The chart as SVG, `width` pixels wide, as high as it needs to be."""
    return vl_convert.vegalite_to_svg(specification(chart, width, titled))


def to_png(chart: Chart) -> bytes:
    """The chart as PNG, for screens of twice the usual density."""
    return vl_convert.vegalite_to_png(specification(chart), scale=2)


def specification(chart: Chart, width: int = WIDTH, titled: bool = True) -> Spec:
    """The chart as Vega-Lite, data included."""
    draw = _line if chart.is_line else _rows_of_bars if _is_horizontal(chart) else _columns_of_bars
    spec = {
        "data": {"values": _values(chart)},
        "width": width,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 8,
        "background": None,
        "config": _CONFIG,
    }
    return spec | (_title(chart, width) if titled else {}) | draw(chart, width)


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
    """Text for every value on x; dates and times as short as they can be for all of them."""
    form = _time_format(chart.xs) if isinstance(chart.xs[0], date) else None
    return {x: x.strftime(form) if form else str(x) for x in chart.xs}


def _check(warehouse: Warehouse, table: str, x: str, y: str, by: str | None) -> None:
    names = columns(warehouse, table)
    for column in filter(None, (x, y, by)):
        if column not in names:
            raise UsageError(f"{table} has no column {column}.\nColumns: {', '.join(names)}")
    # Sail describes no Delta table, so a row has to tell.
    types = ", ".join(f"typeof({_quoted(name)})" for name in names)
    rows = read(warehouse, f"select {types} from {table} limit 1").rows
    if not rows:
        raise NothingToDraw(f"{table} is empty: there is nothing to draw.")
    kinds = dict(zip(names, rows[0], strict=True))
    numbers = [name for name, kind in kinds.items() if kind.startswith(_NUMERIC)]
    if y not in numbers:
        raise UsageError(f"{y} is {kinds[y]}, not a number.\nNumbers in {table}: {', '.join(numbers)}")


def _quoted(column: str) -> str:
    return "`" + column.replace("`", "``") + "`"


def _complete(rows: Rows, x: Axis, y: Axis, by: Axis | None) -> tuple[list[Point], list[str]]:
    """Points in the order of x, and notes on rows without a place; a missing text has one."""
    records = [dict(zip(rows.columns, row, strict=True)) for row in rows.rows]
    ordered = any(_has_order(record["x"]) for record in records)
    points, missing = [], {x.column: 0, y.column: 0}
    for record in records:
        if not _is_finite(record["y"]):
            missing[y.column] += record["row_count"]
        elif ordered and not _is_finite(record["x"]):
            missing[x.column] += record["row_count"]
        else:
            at = record["x"] if ordered else _text(record["x"])
            points.append(Point(at, _text(record["series"]) if by else "", record["y"]))
    notes = [
        f"Left out: {count:,} {'row' if count == 1 else 'rows'} without {readable(column).lower()}."
        for column, count in missing.items()
        if count
    ]
    return sorted(points, key=lambda point: point.x), notes


def _has_order(value: object) -> bool:
    return isinstance(value, date | int | float | Decimal) and not isinstance(value, bool)


def _is_finite(value: object) -> bool:
    return value is not None and (not isinstance(value, float | Decimal) or math.isfinite(value))


def _text(value: object) -> str:
    if value is None:
        return NONE
    return str(value).lower() if isinstance(value, bool) else str(value) or EMPTY


def _largest_series(points: list[Point]) -> tuple[list[Point], list[str]]:
    """As many series as there are colours, the others added up in one."""
    totals = _totals((point.series, point.y) for point in points)
    kept = set(sorted(totals, key=lambda name: -abs(totals[name]))[: len(PALETTE)])
    if len(totals) == len(kept):
        return points, []
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


def _is_horizontal(chart: Chart) -> bool:
    """Whether labels are too long or too many to stand side by side."""
    return chart.is_text and (len(chart.xs) > 8 or max(map(len, chart.xs)) > 12)


def _is_stacked(chart: Chart) -> bool:
    """Parts make a whole only if none is negative; otherwise they stand side by side."""
    return all(point.y >= 0 for point in chart.points)


def _values(chart: Chart) -> list[Spec]:
    labels, order = x_labels(chart), {name: place for place, name in enumerate(chart.series)}
    return [
        {
            "x": _line_x(point.x) if chart.is_line else labels[point.x],
            "series": point.series,
            "order": order[point.series],
            "y": float(point.y),
            "text": compact(point.y),
        }
        for point in chart.points
    ]


def _line_x(x: Any) -> float:
    """Milliseconds since 1970 for dates and times, which no time zone of the machine can move."""
    if not isinstance(x, date):
        return float(x)
    moment = x if isinstance(x, datetime) else datetime.combine(x, time())
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000


def _time_format(xs: Sequence[date]) -> str:
    moments = [x if isinstance(x, datetime) else datetime.combine(x, time()) for x in xs]
    if any(moment.second or moment.microsecond for moment in moments):
        return "%Y-%m-%d %H:%M:%S"
    if any(moment.hour or moment.minute for moment in moments):
        return "%Y-%m-%d %H:%M"
    if any(moment.day > 1 for moment in moments):
        return "%Y-%m-%d"
    return "%Y-%m" if any(moment.month > 1 for moment in moments) else "%Y"


def _line(chart: Chart, width: int) -> Spec:
    ticks, xs = width // 100, [_line_x(x) for x in chart.xs]
    x: Spec = {"field": "x", "title": chart.x.title, "axis": {"grid": False, "tickCount": ticks}}
    if isinstance(chart.xs[0], date):
        x |= {"type": "temporal", "scale": {"type": "utc"}}
        x["axis"] |= {"format": _tick_format((xs[-1] - xs[0]) / _DAY / ticks)}
    else:
        x |= {"type": "quantitative", "scale": {"zero": False, "nice": False}}
        x["axis"] |= {"format": "d"} if "year" in chart.x.column else {"labelExpr": _tick_text(xs)}
    # A sum over no rows is zero.
    y = _y(chart) | ({"impute": {"value": 0}} if chart.by else {})
    mark = {"type": "line", "strokeWidth": 2 if len(xs) < 300 else 1.25, "strokeJoin": "round"}
    return {"height": 300, "mark": mark, "encoding": {"x": x, "y": y, **_colour(chart, width, "stroke")}}


def _tick_format(days: float) -> str:
    """Time format for ticks about so many days apart, at which d3 chooses years, months, days or hours."""
    return "%Y" if days > 180 else "%b %Y" if days > 14 else "%d %b" if days > 0.7 else "%d %b %H:%M"


def _tick_text(values: Sequence[float]) -> str:
    """Expression for the numbers of an axis, as `compact` writes them but all in one way.

    d3 says G where people say B, and m where they say 0.001.
    """
    if max(map(abs, values)) < 10_000:
        return "format(datum.value, ',.6~r')"
    return "replace(format(datum.value, '.3~s'), 'G', 'B')"


def _columns_of_bars(chart: Chart, width: int) -> Spec:
    labels = list(x_labels(chart).values())
    slanted = max(map(len, labels)) * len(labels) * _LETTER > width - 100
    axis = _category_axis(chart) | {"labelAngle": -40 if slanted else 0, "labelLimit": 200}
    x = {"field": "x", "type": "nominal", "title": chart.x.title, "sort": labels, "axis": axis}
    return {"height": 300} | _bars(chart, width, x, _y(chart, room=0.07), "x", "y")


def _rows_of_bars(chart: Chart, width: int) -> Spec:
    letters = width // 20
    lines_allowed = max(2, 70 // letters)
    wrapped = {label: wrap(label, letters, max_lines=lines_allowed, placeholder=" …") for label in chart.xs}
    axis = _category_axis(chart) | _TITLE_ABOVE | _wrapped_labels(wrapped) | {"labelLimit": width // 2}
    y = {"field": "x", "type": "nominal", "title": chart.x.title, "sort": chart.xs, "axis": axis}
    lines = max(map(len, wrapped.values()))
    bars = 1 if _is_stacked(chart) else len(chart.series)
    step = max(lines * 16, bars * 14) + 8
    spec = _bars(chart, width, y, _y(chart, room=100 / width), "y", "x")
    if chart.by:
        spec["encoding"]["color"]["legend"]["offset"] = 32  # above the title of the categories
    return spec | {"height": {"step": step, "for": "position"}}


def _wrapped_labels(lines: dict[str, list[str]]) -> Spec:
    """Labels of one or more lines, their middle at the tick."""
    texts = f"{json.dumps(lines)}[datum.value]"
    shifts = [{"test": f"length({texts}) == {count}", "value": 7 - 7 * count} for count in range(2, 6)]
    return {"labelExpr": texts, "labelOffset": {"condition": shifts, "value": 0}}


def _category_axis(chart: Chart) -> Spec:
    """Bars stand on the line of zero, which is the axis unless some are negative."""
    return {"domain": _is_stacked(chart), "ticks": False}


def _bars(chart: Chart, width: int, category: Spec, value: Spec, along: str, across: str) -> Spec:
    """Bars `along` the axis of categories, with their values where these are not split in series."""
    encoding = {along: category, across: value, **_colour(chart, width, "square")}
    bar = {"type": "bar", "cornerRadiusEnd": 0 if chart.by else 2}
    if chart.by is None:
        # What is stacked gets its round corners by clipping, with ids that must not meet in one page.
        value["stack"] = None
        return {"layer": [{"mark": bar}, _value_text(across)], "encoding": encoding}
    if _is_stacked(chart):
        encoding["order"] = {"field": "order", "type": "quantitative"}
    else:
        encoding |= {f"{along}Offset": {"field": "series", "sort": chart.series}}
        value["stack"] = None
    return {"mark": bar, "encoding": encoding}


def _value_text(across: str) -> Spec:
    """Text at the end of a bar: beyond it, also when the bar goes below zero."""
    if across == "x":
        align = {"expr": "datum.y < 0 ? 'right' : 'left'"}
        mark: Spec = {"type": "text", "align": align, "dx": {"expr": _BEYOND}}
    else:
        baseline = {"expr": "datum.y < 0 ? 'top' : 'bottom'"}
        mark = {"type": "text", "baseline": baseline, "dy": {"expr": f"-({_BEYOND})"}}
    return {"mark": mark, "encoding": _TEXT}


def _y(chart: Chart, room: float = 0) -> Spec:
    """The axis of values, from zero; with `room` (a share of it) for text at the ends of bars."""
    values = [float(point.y) for point in chart.points]
    scale: Spec = {"zero": True, "nice": True}
    low, high = min(0, *values), max(0, *values)
    if room and chart.by is None and low < high:
        room *= high - low
        scale |= {"domain": [low - room if low else 0, high + room if high else 0], "nice": False}
    axis = {
        "labelExpr": _tick_text(values),
        "tickCount": 5,
        "domain": False,
        "ticks": False,
        "gridOpacity": {"condition": {"test": "datum.value === 0", "value": 1}, "value": 0.25},
    }
    return {"field": "y", "type": "quantitative", "title": chart.y.title, "scale": scale, "axis": axis}


def _colour(chart: Chart, width: int, symbol: str) -> Spec:
    if chart.by is None:
        return {"color": {"value": PALETTE[0]}}
    names = chart.series
    colours = [GREY if name == OTHER else PALETTE[place] for place, name in enumerate(names)]
    legend = {"title": chart.by.title, "symbolType": symbol, "columns": _legend_columns(names, width)}
    scale = {"domain": names, "range": colours}
    return {"color": {"field": "series", "type": "nominal", "scale": scale, "legend": legend}}


def _legend_columns(names: Sequence[str], width: int) -> int:
    """All names side by side if they fit, else in columns of one width."""
    widths = [min(len(name), 30) * _LETTER + 34 for name in names]
    return len(names) if sum(widths) < width - 80 else max(1, int((width - 80) // max(widths)))


def _title(chart: Chart, width: int) -> Spec:
    lines = [line for text in (chart.meaning, *chart.notes) for line in wrap(text, int(width / _LETTER) - 6)]
    return {"title": {"text": wrap(chart.title, width // 11)} | ({"subtitle": lines} if lines else {})}
