"""How a chart is drawn: as a Vega-Lite specification, which becomes SVG or PNG. Nothing is fetched."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from itertools import pairwise
from textwrap import wrap
from typing import Any

import vl_convert

from lakehouse.charts.chart import (
    OTHER,
    Chart,
    compact,
    x_labels,
)

# Each has a contrast of 3:1 or more with white and with #121212, the text 4:1: one file suits both.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#8250DF", "#A6761D", "#CC79A7", "#6A9A1F")
GREY = "#767676"
# Liberation Sans, which vl-convert brings along, has the widths of Arial and Helvetica.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

WIDTH = 800  # pixels, everything included; a PNG has twice as many


Spec = dict[str, Any]

_LETTER = 6.5  # pixels, about
_BRUSH = {"name": "brush", "select": {"type": "interval", "encodings": ["x"]}}
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
CONFIG = {
    # A picture has one description, and its marks none of their own.
    "aria": False,
    "mark": {"aria": False},
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


def to_svg(chart: Chart, width: int = WIDTH, titled: bool = True) -> str:
    """The chart as SVG, `width` pixels wide, as high as it needs to be."""
    return vl_convert.vegalite_to_svg(specification(chart, width, titled))


def to_png(chart: Chart) -> bytes:
    """The chart as PNG, for screens of twice the usual density."""
    return vl_convert.vegalite_to_png(specification(chart), scale=2)


def specification(chart: Chart, width: int = WIDTH, titled: bool = True, interactive: bool = False) -> Spec:
    """The chart as Vega-Lite, data included; `interactive`, it is for where a script draws it."""
    draw = _line if chart.is_line else _rows_of_bars if _is_horizontal(chart) else _columns_of_bars
    spec = {
        "data": {"values": _values(chart)},
        "width": width,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 8,
        "background": None,
        "config": CONFIG,
    }
    spec |= (_title(chart, width) if titled else {}) | draw(chart, width)
    return _interactive(spec, chart) if interactive else spec


def _interactive(spec: Spec, chart: Chart) -> Spec:
    """With tooltips, and on a line whose points add up a brush to choose some."""
    shown = {"label": chart.x.title, "series": chart.by and chart.by.title, "text": chart.y.title}
    fields = [{"field": field, "title": title, "type": "nominal"} for field, title in shown.items() if title]
    encoding = spec["encoding"] | {"tooltip": fields}
    if not chart.is_line:
        return spec | {"encoding": encoding}
    # Nobody hits a line with the mouse; points can be met.
    spec |= {"mark": spec["mark"] | {"point": {"opacity": 0, "size": 150}}, "encoding": encoding}
    return spec | ({"params": [_BRUSH]} if chart.adds_up else {})


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
            "x": milliseconds(point.x) if chart.is_line else labels[point.x],
            "series": point.series,
            "order": order[point.series],
            "y": float(point.y),
            "label": labels[point.x],
            "text": compact(point.y),
        }
        for point in chart.points
    ]


def milliseconds(x: Any) -> float:
    """Milliseconds since 1970 for dates and times, which no time zone of the machine can move."""
    if not isinstance(x, date):
        return float(x)
    moment = x if isinstance(x, datetime) else datetime.combine(x, time())
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000


def _line(chart: Chart, width: int) -> Spec:
    ticks, xs = width // 100, [milliseconds(x) for x in chart.xs]
    x: Spec = {"field": "x", "title": chart.x.title, "axis": {"grid": False, "tickCount": ticks}}
    if isinstance(chart.xs[0], date):
        x |= {"type": "temporal", "scale": {"type": "utc"}}
        x["axis"] |= {"format": tick_format((xs[-1] - xs[0]) / _DAY / ticks)}
    else:
        x |= {"type": "quantitative", "scale": {"zero": False, "nice": False}}
        x["axis"] |= {"format": "d"} if "year" in chart.x.column else {"labelExpr": tick_text(xs)}
    # A sum over no rows is zero.
    y = _y(chart) | ({"impute": {"value": 0}} if chart.by and chart.adds_up else {})
    mark = {"type": "line", "strokeWidth": 2 if len(xs) < 300 else 1.25, "strokeJoin": "round"}
    return {"height": 300, "mark": mark, "encoding": {"x": x, "y": y, **_colour(chart, width, "stroke")}}


def tick_format(days: float) -> str:
    """Time format for ticks about so many days apart, at which d3 chooses years, months, days or hours."""
    return "%Y" if days > 180 else "%b %Y" if days > 14 else "%d %b" if days > 0.7 else "%d %b %H:%M"


def tick_text(values: Sequence[float]) -> str:
    """Expression for the numbers of an axis, as `compact` writes them but all in one way.

    d3 says G where people say B, and m where they say 0.001.
    """
    if max(map(abs, values)) < 10_000:
        return "format(datum.value, ',.6~r')"
    return "replace(format(datum.value, '.3~s'), 'G', 'B')"


def _columns_of_bars(chart: Chart, width: int) -> Spec:
    labels = list(x_labels(chart).values())
    lengths = [max(map(len, label.split("\n"))) for label in labels]
    # Neighbours meet where half of one and half of the other need more than there is.
    needed = max((sum(pair) / 2 + 1 for pair in pairwise(lengths)), default=0) * _LETTER
    slanted = needed > (width - 100) / len(labels)
    axis = _category_axis(chart) | {"labelAngle": -40 if slanted else 0, "labelLimit": 200}
    axis["labelExpr"] = "split(datum.value, '\\n')"
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
    return spec | {"height": step * len(chart.xs)}


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
        "labelExpr": tick_text(values),
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
    # By name, not by size: a channel has its colour in every chart of the same channels.
    places = {name: place for place, name in enumerate(sorted(set(names) - {OTHER}))}
    colours = [GREY if name == OTHER else PALETTE[places[name]] for name in names]
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
