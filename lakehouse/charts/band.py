"""Days with the band in which they usually are, and those that were outside."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import vl_convert

from lakehouse.charts.chart import Number, compact
from lakehouse.charts.spec import CONFIG, PALETTE, Spec, milliseconds, tick_format, tick_text


@dataclass(frozen=True)
class Day:
    """A day's value, and where it usually is; null where that is not known."""

    day: date
    value: Number
    low: Number | None
    high: Number | None
    is_unusual: bool

    @property
    def usual(self) -> str:
        """Where the value usually is, in words."""
        if self.low is None or self.high is None:
            return "not known yet"
        return f"{compact(self.low)} to {compact(self.high)}"


@dataclass(frozen=True)
class Band:
    """Days in their order, and what they are of."""

    title: str
    y: str
    days: tuple[Day, ...]

    @property
    def summary(self) -> str:
        """One sentence for those who do not see it."""
        unusual = [f"{day.day} ({compact(day.value)})" for day in self.days if day.is_unusual]
        found = f"unusual: {', '.join(unusual)}" if unusual else "none unusual"
        return f"Line: {self.y} by day, {self.days[0].day} to {self.days[-1].day}, {found}."


def to_svg(band: Band, width: int) -> str:
    """The band as SVG, `width` pixels wide."""
    return vl_convert.vegalite_to_svg(specification(band, width))


def specification(band: Band, width: int, interactive: bool = False) -> Spec:
    """The band as Vega-Lite, data included; `interactive`, it is for where a script draws it."""
    days = [milliseconds(day.day) for day in band.days]
    ticks = width // 100
    axis = {
        "grid": False,
        "tickCount": ticks,
        "format": tick_format((days[-1] - days[0]) / 86_400_000 / ticks),
    }
    x = {"field": "x", "type": "temporal", "scale": {"type": "utc"}, "title": "Day", "axis": axis}
    names = {"label": "Day", "text": band.y, "usual": "Usual"}
    shown = [{"field": field, "title": title, "type": "nominal"} for field, title in names.items()]
    points: Spec = {"mark": {"type": "point", "filled": True, "size": 70}, "encoding": {"y": _y(band, "y")}}
    points["encoding"] |= {"opacity": {"condition": {"test": "datum.unusual", "value": 1}, "value": 0}}
    points["encoding"] |= {"color": {"value": PALETTE[1]}} | ({"tooltip": shown} if interactive else {})
    return {
        "data": {"values": _values(band.days)},
        "width": width,
        "height": 300,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "padding": 8,
        "background": None,
        "config": CONFIG,
        "encoding": {"x": x},
        "layer": [
            {
                "mark": {"type": "area", "color": PALETTE[0], "opacity": 0.18},
                "encoding": {"y": _y(band, "low"), "y2": {"field": "high"}},
            },
            {
                "mark": {"type": "line", "color": PALETTE[0], "strokeWidth": 2, "strokeJoin": "round"},
                "encoding": {"y": _y(band, "y")},
            },
            points,
        ],
    }


def _y(band: Band, field: str) -> Spec:
    numbers = [float(number) for day in band.days for number in (day.value, day.high) if number is not None]
    axis = {
        "labelExpr": tick_text(numbers),
        "tickCount": 5,
        "domain": False,
        "ticks": False,
        "gridOpacity": 0.25,
    }
    return {"field": field, "type": "quantitative", "title": band.y, "axis": axis}


def _values(days: Sequence[Day]) -> list[dict[str, Any]]:
    return [
        {
            "x": milliseconds(day.day),
            "y": float(day.value),
            "low": None if day.low is None else float(day.low),
            "high": None if day.high is None else float(day.high),
            "unusual": day.is_unusual,
            "label": str(day.day),
            "text": compact(day.value),
            "usual": day.usual,
        }
        for day in days
    ]
