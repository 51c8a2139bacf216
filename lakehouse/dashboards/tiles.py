"""What a tile shows: the rows of its metrics, its query or its check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from lakehouse.alerts.anomaly import Verdict, judge
from lakehouse.alerts.declared import AnomalyCheck
from lakehouse.charts import band
from lakehouse.charts.chart import GIVEN, Axis, NothingToDraw, readable, summed_chart
from lakehouse.dashboards.answers import Read
from lakehouse.dashboards.check import query_file
from lakehouse.dashboards.declared import DAYS_OF_BAND, DAYS_OF_BLOCK, DAYS_OF_YEAR, Tile
from lakehouse.dashboards.parts import (
    Cell,
    Drawn,
    Link,
    any_text,
    band_parts,
    cell_of,
    chart_parts,
    heatmap,
    name_text,
    short_text,
    table,
    text_with_unit,
)
from lakehouse.errors import LakehouseError
from lakehouse.reading.rows import Rows
from lakehouse.semantics.queries import MetricQuery, literal

_YEAR = timedelta(DAYS_OF_YEAR)
_PARTS = (
    *("kind", "message", "value", "exact", "unit", "period", "change", "way", "before", "spark"),
    *("wide", "narrow", "specification", "chart_notes", "table", "outlines"),
)
_SPARK_WIDTH, _SPARK_HEIGHT = 120, 32

Chosen = Mapping[str, str]


@dataclass(frozen=True)
class Sources:
    """What tiles are made of: metrics and checks by name, the project's queries, and chosen filters."""

    metrics: dict[str, MetricQuery]
    checks: dict[str, AnomalyCheck]
    project: Path
    read: Read
    chosen: Chosen


def draw(tile: Tile, sources: Sources, link: Link | None) -> Drawn:
    """What the template shows of a tile; where there is nothing to show, a `message` that says why."""
    said = {"title": tile.title, "question": tile.question, "mark": tile.mark, "is_wide": tile.is_wide}
    drawn: Drawn = dict.fromkeys(_PARTS) | said | {"notes": []}
    try:
        of_kind = _of_metrics if tile.metrics else _of_check if tile.check else _of_query
        return drawn | of_kind(tile, sources, link)
    except LakehouseError as error:
        kind = "empty" if isinstance(error, NothingToDraw) else "failed"
        # Further lines list what there is, which is for who writes a query.
        return drawn | {"kind": kind, "message": str(error).splitlines()[0]}


def window(metric: MetricQuery, days: int, read: Read) -> tuple[date, date]:
    """The first and the last of so many days; the last is the one before the newest, which may not be over.

    Raises:
        NothingToDraw: no row has a day.
    """
    ((newest,),) = read(f"select cast(max({metric.time}) as date) from {metric.table}").rows
    if not isinstance(newest, date):
        raise NothingToDraw(f"{metric.table} has no day yet. Load what is missing, then `lakehouse run`.")
    last = newest - timedelta(days=1)
    return last - timedelta(days=days - 1), last


def _of_metrics(tile: Tile, sources: Sources, link: Link | None) -> Drawn:
    metrics = [sources.metrics[name] for name in tile.metrics]
    metric, where, notes = metrics[0], [], []
    for column, value in sources.chosen.items():
        if column in metric.dimensions:
            where.append(f"cast({metric.dimensions[column]} as string) = {literal(value)}")
        else:
            notes.append(_not_narrowed(column, value))
    if tile.mark == "number":
        return {"notes": notes} | _number(tile, metric, where, sources.read)
    if tile.days:
        first, last = window(metric, tile.days, sources.read)
        where.append(_between(metric, first, last))
        notes.append(f"{first} to {last}")
    if tile.grain:
        rows = sources.read(_by_period(tile, metric, where))
        rows = Rows(rows.columns, _whole_periods(rows.rows, tile.grain))
        return {"notes": notes} | _chart(tile, _chart_rows(rows, metric, bool(tile.by)), metric)
    by = [metric.dimensions[name] for name in tile.by]
    if tile.mark == "bar":
        rows = sources.read(metric.sql(by, where))
        return {"notes": notes} | _chart(tile, _chart_rows(rows, metric, False), metric, link)
    return {"notes": notes} | _metric_table(tile, metrics, by, where, sources.read, link)


def _between(metric: MetricQuery, first: date, last: date) -> str:
    return f"cast({metric.time} as date) between date'{first}' and date'{last}'"


def _not_narrowed(column: str, value: str) -> str:
    return f"Of all: this is not known by {readable(column).lower()} ({value})."


def _number(tile: Tile, metric: MetricQuery, where: list[str], read: Read) -> Drawn:
    if tile.days is None:
        ((value,),) = read(metric.sql(where=where)).rows
        return _value(value, metric.unit)
    first, last = window(metric, tile.days, read)
    ((value,),) = read(metric.sql(where=[*where, _between(metric, first, last)])).rows
    drawn = _value(value, metric.unit) | {"period": f"{first} to {last}"}
    if tile.compare:
        ((before,),) = read(metric.sql(where=[*where, _between(metric, first - _YEAR, last - _YEAR)])).rows
        drawn |= _change(value, before, metric.unit)
    if tile.grain:
        drawn |= {"spark": _spark(tile, metric, [*where, _between(metric, first, last)], last, read)}
    return drawn


def _value(value: Any, unit: str) -> Drawn:
    return {
        "value": short_text(value, unit),
        "exact": any_text(value),
        "unit": "" if unit == "ratio" else unit,
    }


def _change(value: Any, before: Any, unit: str) -> Drawn:
    """What changed on a year: in percent, of a rate in points."""
    if value is None or before is None or (unit != "ratio" and not before):
        return {"change": "no year to compare with"}
    if unit == "ratio":
        change, text = float(value) - float(before), f"{(float(value) - float(before)) * 100:+.1f} points"
    else:
        change = float(value) / float(before) - 1 if before > 0 else float(value) - float(before)
        text = f"{change:+.1%}" if before > 0 else f"{short_text(value - before, unit)} more"
    way = "up" if change > 0 else "down" if change < 0 else "same"
    return {"change": f"{text} on a year", "way": way, "before": f"{short_text(before, unit)} a year before"}


def _spark(tile: Tile, metric: MetricQuery, where: list[str], last: date, read: Read) -> Drawn | None:
    """The course of a number, in blocks of days that end with the last one, oldest first."""
    days = DAYS_OF_BLOCK[tile.grain or "day"]
    block = f"cast(floor(datediff(date'{last}', cast({metric.time} as date)) / {days}) as int)"
    values = {number: value for number, value in read(metric.sql([block], where)).rows if value is not None}
    known = [(number, float(values[number])) for number in sorted(values, reverse=True)]
    if len(known) < 2:
        return None
    oldest = known[0][0]
    low, high = min(value for _, value in known), max(value for _, value in known)
    points = [
        f"{(oldest - number) / oldest * _SPARK_WIDTH:.1f},"
        f"{_SPARK_HEIGHT - (value - low) / ((high - low) or 1) * _SPARK_HEIGHT:.1f}"
        for number, value in known
    ]
    from_to = f"from {short_text(known[0][1], metric.unit)} to {short_text(known[-1][1], metric.unit)}"
    summary = f"By {tile.grain}: {from_to}, highest {short_text(high, metric.unit)}."
    return {"points": " ".join(points), "summary": summary}


def _by_period(tile: Tile, metric: MetricQuery, where: Sequence[str]) -> str:
    assert tile.grain is not None
    by = [metric.dimensions[name] for name in tile.by[:1]]
    return metric.sql([metric.period(tile.grain), *by], where)


def _whole_periods(rows: list[tuple[Any, ...]], grain: str) -> list[tuple[Any, ...]]:
    """Without the first and the last period, of which the days may be a part only."""
    periods = sorted({row[0] for row in rows if row[0] is not None})
    if grain == "day" or len(periods) < 4:
        return rows
    return [row for row in rows if row[0] is not None and periods[0] < row[0] < periods[-1]]


def _chart_rows(rows: Rows, metric: MetricQuery, has_series: bool) -> Rows:
    """Rows as charts take them: x, series and y (a rate in percent)."""
    percent = 100 if metric.unit == "ratio" else 1
    return Rows(
        ["x", "series", "y"],
        [
            (row[0], row[1] if has_series else None, row[-1] if row[-1] is None else row[-1] * percent)
            for row in rows.rows
        ],
    )


def _chart(tile: Tile, rows: Rows, metric: MetricQuery, link: Link | None = None) -> Drawn:
    x = Axis(tile.grain or tile.by[0])
    by = Axis(tile.by[0]) if tile.by and tile.grain else None
    unit = "%" if metric.unit == "ratio" else metric.unit
    y = Axis(metric.label, None if unit in ("", metric.label.lower()) else unit)
    chart = summed_chart(rows, tile.title, "", x, y, by, period=GIVEN, adds_up=metric.is_additive)
    return chart_parts(tile, chart, link)


def _metric_table(
    tile: Tile, metrics: list[MetricQuery], by: list[str], where: list[str], read: Read, link: Link | None
) -> Drawn:
    if tile.mark == "heatmap":
        rows = read(metrics[0].sql(by, where)).rows
        return heatmap([(*row, False) for row in rows], readable(tile.by[1]), metrics[0].unit, link)
    answers = [{head: value for head, value in read(metric.sql(by, where)).rows} for metric in metrics]
    heads = sorted(answers[0], key=lambda head: _size(answers[0][head]), reverse=True)
    columns = [readable(tile.by[0]), *(_with_unit(metric.label, metric.unit) for metric in metrics)]
    rows_of_cells = [
        [
            Cell(name_text(head), href=link(str(head)) if link and head is not None else None),
            *(
                Cell(text_with_unit(answer.get(head), metric.unit), True)
                for answer, metric in zip(answers, metrics, strict=True)
            ),
        ]
        for head in heads
    ]
    return table(columns, rows_of_cells)


def _size(value: Any) -> float:
    return float("-inf") if value is None else float(value)


def _with_unit(label: str, unit: str) -> str:
    return label if unit in ("", "ratio", label.lower()) else f"{label} ({unit})"


def _of_query(tile: Tile, sources: Sources, link: Link | None) -> Drawn:
    sql = query_file(sources.project, tile.query or "").read_text(encoding="utf-8")
    rows, notes = sources.read(sql), []
    for column, value in sources.chosen.items():
        if column in rows.columns:
            place = rows.columns.index(column)
            rows = Rows(rows.columns, [row for row in rows.rows if str(row[place]) == value])
        else:
            notes.append(_not_narrowed(column, value))
    if not rows.rows:
        raise NothingToDraw("There are no rows.")
    drawn = {"number": _query_number, "table": _query_table, "heatmap": _query_heatmap}
    return {"notes": notes} | drawn.get(tile.mark, _query_chart)(tile, rows, link)


def _column(rows: Rows, name: str | None) -> list[Any]:
    if name is None:
        return [None] * len(rows.rows)
    place = rows.columns.index(name)
    return [row[place] for row in rows.rows]


def _query_number(tile: Tile, rows: Rows, link: Link | None) -> Drawn:
    return _value(_column(rows, tile.y)[0], tile.unit or "")


def _query_chart(tile: Tile, rows: Rows, link: Link | None) -> Drawn:
    by = tile.by[0] if tile.by else None
    x, y = Axis(tile.label(tile.x)), Axis(tile.label(tile.y), tile.unit)
    values = (_column(rows, column) for column in (tile.x, by, tile.y))
    of_chart = Rows(["x", "series", "y"], list(zip(*values, strict=True)))
    period = tile.grain if tile.grain == "month" or tile.grain == "year" else GIVEN
    of_series = Axis(tile.label(by)) if by else None
    return chart_parts(tile, summed_chart(of_chart, tile.title, "", x, y, of_series, period=period), link)


def _of_check(tile: Tile, sources: Sources, link: Link | None) -> Drawn:
    """The last days of a series that `lakehouse check` judges, each as it would have judged it."""
    check = sources.checks[tile.check or ""]
    rows = sources.read(query_file(sources.project, f"checks/{check.name}").read_text(encoding="utf-8"))
    filter_ = tile.by[0] if tile.by else None
    entity = sources.chosen.get(filter_ or "", tile.entity)
    notes = [_not_narrowed(name, value) for name, value in sources.chosen.items() if name != filter_]
    # The query gives entity, date_day, value, size.
    found = [row[1:] for row in rows.rows if row[0] == entity and None not in row[1:3]]
    series = sorted(found, key=lambda row: row[0])
    ends = range(len(series) + 1)[1:][-DAYS_OF_BAND:]
    days = tuple(_day(series[:end], check) for end in ends)
    if not days:
        raise NothingToDraw(f"There are no days of {entity}.")
    return {"notes": notes} | band_parts(tile, band.Band(tile.title, Axis(check.name, tile.unit).title, days))


def _day(series: Sequence[tuple[date, float, float | None]], check: AnomalyCheck) -> band.Day:
    recent = series[-check.thresholds.days - 1 :]
    verdict = judge(
        {day: value for day, value, _ in recent}, {day: size for day, _, size in recent}, check.thresholds
    )
    day, value, _ = recent[-1]
    if isinstance(verdict, Verdict):
        return band.Day(day, value, verdict.low, verdict.high, verdict.is_anomaly)
    return band.Day(day, value, None, None, False)


def _query_heatmap(tile: Tile, rows: Rows, link: Link | None) -> Drawn:
    names = (tile.x, tile.by[0], tile.y, tile.outline)
    parts = list(zip(*(_column(rows, name) for name in names), strict=True))
    drawn = heatmap(parts, readable(tile.by[0]), tile.unit or "", link, readable(tile.label(tile.x)))
    return drawn | {"outlines": readable(tile.label(tile.outline)) if tile.outline else None}


def _query_table(tile: Tile, rows: Rows, link: Link | None) -> Drawn:
    place = rows.columns.index(tile.drill.filter) if tile.drill and tile.drill.filter in rows.columns else 0
    cells = [
        [
            cell_of(column, value, link if number == place else None)
            for number, (column, value) in enumerate(zip(rows.columns, row, strict=True))
        ]
        for row in rows.rows
    ]
    return table([readable(tile.label(column)) for column in rows.columns], cells)
