"""What the template shows of a tile: numbers as texts, tables, heatmaps, charts and bands."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from lakehouse.charts import band
from lakehouse.charts.chart import NONE, Chart, NothingToDraw, compact
from lakehouse.charts.files import described, exact_text, inline_svg, table_of
from lakehouse.charts.spec import specification
from lakehouse.dashboards.declared import Tile

# Pixels; a page shows the one that fits the screen.
HALF, WHOLE, NARROW = 600, 1220, 340
MOST_ROWS = 100
LEVELS = 5  # of colour in a heatmap
# Of columns whose numbers are names, not quantities.
_NAMES = ("_id", "_key", "_number")

Drawn = dict[str, Any]
# The address that a row leads to, by its value of the filter.
Link = Callable[[str], str]

_svg = lru_cache(maxsize=500)(inline_svg)
_band_svg = lru_cache(maxsize=50)(band.to_svg)


@dataclass(frozen=True)
class Cell:
    """A value of a table: exact text, an address, a level of colour from 0, whether it is outlined."""

    text: str
    is_number: bool = False
    href: str | None = None
    level: int | None = None
    outlined: bool = False


def short_text(value: Any, unit: str) -> str:
    """A value as it is shown large."""
    if value is None:
        return "none"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return str(value)
    return f"{value:.1%}" if unit == "ratio" else compact(value)


def any_text(value: Any) -> str:
    """A value as it is exactly."""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return exact_text(value)
    return "" if value is None else str(value)


def name_text(value: Any) -> str:
    """A value that is no quantity, such as the number of a location."""
    return NONE if value is None else str(value)


def text_with_unit(value: Any, unit: str) -> str:
    """A value of a metric in a table: exact, but a rate in percent."""
    return f"{value:.1%}" if unit == "ratio" and value is not None else any_text(value)


def table(columns: list[str], rows: list[list[Cell]]) -> Drawn:
    """Rows below their headings.

    Raises:
        NothingToDraw: there are none.
    """
    if not rows:
        raise NothingToDraw("There are no rows.")
    caption = f"The first {MOST_ROWS} of {len(rows):,} rows." if len(rows) > MOST_ROWS else ""
    return {"table": {"caption": caption, "columns": columns, "rows": rows[:MOST_ROWS]}}


def heatmap(
    rows: Sequence[tuple[Any, ...]], across: str, unit: str, link: Link | None, down: str = ""
) -> Drawn:
    """Rows of `down, across, value, outlined` as a grid; colours divide the values into equal parts."""
    if not rows:
        raise NothingToDraw("There are no rows.")
    values = sorted(row[2] for row in rows if row[2] is not None)
    level = {value: place * LEVELS // len(values) for place, value in enumerate(values)}
    cells = {
        (row[0], row[1]): Cell(
            text_with_unit(row[2], unit), True, level=level.get(row[2]), outlined=bool(row[3])
        )
        for row in rows
    }
    heads = list(dict.fromkeys(row[0] for row in rows))
    columns = sorted({row[1] for row in rows}, key=lambda column: (column is None, column))
    grid = [
        [
            Cell(name_text(head), href=link(str(head)) if link and head is not None else None),
            *(cells.get((head, column), Cell("", True)) for column in columns),
        ]
        for head in heads
    ]
    return table([down or across, *map(name_text, columns)], grid)


def cell_of(column: str, value: Any, link: Link | None) -> Cell:
    """A cell; the number of something is a name, not a quantity."""
    is_number = isinstance(value, int | float | Decimal) and not isinstance(value, bool)
    if column.endswith(_NAMES) or not is_number:
        text = short_text(value, "") if isinstance(value, datetime) else "" if value is None else str(value)
        return Cell(text, href=link(str(value)) if link and value is not None else None)
    return Cell(exact_text(value), True, link(str(value)) if link else None)


def chart_parts(tile: Tile, chart: Chart, link: Link | None) -> Drawn:
    """A chart for wide and narrow screens, for the script, and as a table."""
    chart = replace(chart, mark="line" if tile.mark == "line" else "bar")
    numbers = table_of(chart)
    rows: Any = numbers["rows"]
    linked = link if link and chart.is_text else None
    cells = [_cells(row, row[0], linked) for row in rows]
    wide = WHOLE if tile.is_wide else HALF
    return {
        "chart_notes": list(chart.notes),
        "wide": _svg(chart, wide, "wide"),
        "narrow": _svg(chart, NARROW, "narrow"),
        "specification": specification(chart, wide, titled=False, interactive=True),
        "table": {"caption": numbers["caption"], "columns": numbers["columns"], "rows": cells},
    }


def _cells(texts: Sequence[str], value: str, link: Link | None) -> list[Cell]:
    head, *numbers = texts
    return [Cell(head, href=link(value) if link else None), *(Cell(text, True) for text in numbers)]


def band_parts(tile: Tile, of_days: band.Band) -> Drawn:
    """A band for wide and narrow screens, for the script, and as a table, the newest day first."""
    description = f"{tile.title}. {of_days.summary}"
    cells = [
        [
            Cell(str(day.day)),
            Cell(exact_text(day.value), True),
            Cell(day.usual),
            Cell("unusual" if day.is_unusual else ""),
        ]
        for day in reversed(of_days.days)
    ]
    return table(["Day", of_days.y, "Usual", "Judgement"], cells) | {
        "wide": described(_band_svg(of_days, WHOLE), description, "wide"),
        "narrow": described(_band_svg(of_days, NARROW), description, "narrow"),
        "specification": band.specification(of_days, WHOLE, interactive=True),
        "chart_notes": [],
    }
