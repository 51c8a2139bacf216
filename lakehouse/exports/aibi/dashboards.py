"""A page as a dashboard of AI/BI: a dataset and a widget for each tile, and what is left out."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from lakehouse.alerts.declared import AnomalyCheck
from lakehouse.charts.chart import readable
from lakehouse.dashboards.declared import Declaration, Page, Tile
from lakehouse.exports.aibi import datasets, widgets
from lakehouse.exports.aibi.datasets import UNTIL, YEAR_BEFORE, Dataset, Query
from lakehouse.exports.aibi.layout import Block, placed
from lakehouse.exports.aibi.widgets import Json
from lakehouse.semantics.queries import MetricQuery

_FILTER_HEIGHT, _TITLE_HEIGHT = 2, 2
_NUMBER_HEIGHT, _COURSE_HEIGHT, _CHART_HEIGHT = 3, 3, 7

NO_AREA = "AI/BI draws no area between two lines; its limits are lines"
NO_OUTLINE = "cells of AI/BI have colours, but no outline"
NO_DRILL = "AI/BI leads from a row to another filter by hand alone, with a right click"
NO_LIVE = "AI/BI asks again when it is opened, or by a schedule"


@dataclass(frozen=True)
class Sources:
    """Metrics and checks by name, queries of the project by path, and tables of models by name."""

    metrics: dict[str, MetricQuery]
    checks: dict[str, AnomalyCheck]
    query: Callable[[str], Query]
    tables: dict[str, str]
    # Tables that Databricks does not have, by `schema.table`, and why.
    missing: dict[str, str]


def dashboard(declared: Declaration, sources: Sources) -> tuple[Json, dict[str, str]]:
    """The file of a page, and why parts of it are left out, by name."""
    made = _Dashboard(declared.name, declared.page, sources)
    return made.file(), made.refused


class _Dashboard:
    def __init__(self, name: str, page: Page, sources: Sources) -> None:
        self.refused: dict[str, str] = {}
        self._name, self._page, self._sources = name, page, sources
        self._filters = [narrowed.column for narrowed in page.filters]
        self._datasets: list[tuple[str, str, Dataset]] = []
        self._given: Counter[str] = Counter()

    def file(self) -> Json:
        """The file's content."""
        page = self._page
        if page.live_seconds:
            self._refuse("looking again every few seconds", NO_LIVE)
        head = widgets.text(self._id("title"), f"## {page.title}\n\n{page.question}")
        tiles = [block for tile in page.tiles for block in self._tile(tile)]
        # Filters are bound to the datasets of the tiles.
        filters = [self._filter(number) for number in range(len(page.filters))]
        blocks = [Block([(head, _TITLE_HEIGHT)], 1), *filters, *tiles]
        return {
            "datasets": [widgets.dataset(*dataset) for dataset in self._datasets],
            "pages": [
                {
                    "name": self._name,
                    "displayName": page.title,
                    "pageType": "PAGE_TYPE_CANVAS",
                    "layoutVersion": "GRID_V1",
                    "layout": placed(blocks),
                }
            ],
        }

    def _refuse(self, what: str, reason: str) -> None:
        self.refused[f"{what} on {self._name}"] = reason

    def _id(self, what: str) -> str:
        """The same for the same part of the page, wherever it stands, so that a change of a file is small."""
        self._given[what] += 1
        return sha256(f"{self._name}/{what}/{self._given[what]}".encode()).hexdigest()[:8]

    def _add(self, tile: Tile, of: Dataset, what: str = "") -> str:
        id = self._id(f"dataset {tile.mark} {tile.title}{what}")
        self._datasets.append((id, f"{tile.title}{what}", of))
        return id

    def _filter(self, number: int) -> Block:
        narrowed = self._page.filters[number]
        offered, label = self._id(f"values {narrowed.column}"), readable(narrowed.column)
        bound = [id for id, _, of in self._datasets if narrowed.column in of.parameters]
        of = datasets.of_filter(narrowed, self._sources.tables[narrowed.model])
        self._datasets.append((offered, f"Values of {label.lower()}", of))
        choice = widgets.choice(self._id(f"filter {narrowed.column}"), narrowed.column, offered, bound, label)
        return Block([(choice, _FILTER_HEIGHT)], 4, most=4)

    def _tile(self, tile: Tile) -> list[Block]:
        if tile.query and (missing := self._sources.query(tile.query).reads & self._sources.missing.keys()):
            self._refuse(f"the tile '{tile.title}'", self._sources.missing[min(missing)])
            return []
        if tile.drill:
            self._refuse(f"the way from a row of '{tile.title}'", NO_DRILL)
        if tile.mark == "number":
            return [Block(self._number(tile), 4)]
        per_row = 1 if tile.is_wide else 2
        of_kind = self._of_metrics if tile.metrics else self._of_check if tile.check else self._of_query
        return [Block([(of_kind(tile), _CHART_HEIGHT)], per_row)]

    def _drawn(self, tile: Tile, kind: str, of: Dataset, encodings: Json, what: str = "") -> Json:
        frame = widgets.frame(f"{tile.title}{what}", "" if what else tile.question)
        id = self._id(f"widget {tile.mark} {tile.title}{what}")
        return widgets.drawn(id, kind, self._add(tile, of, what), of.columns, encodings, frame)

    def _number(self, tile: Tile) -> list[tuple[Json, int]]:
        if tile.query:
            value = widgets.named(tile.y or "", tile.label(tile.y), tile.unit or "")
            query = datasets.of_query(tile, self._sources.query(tile.query), self._filters)
            return [(self._drawn(tile, "counter", query, widgets.counter(value)), _NUMBER_HEIGHT)]
        metric = self._sources.metrics[tile.metrics[0]]
        value = _metric(metric)
        before = value | widgets.named(YEAR_BEFORE, "a year before") if tile.compare else None
        of = datasets.of_number(tile, metric, self._filters)
        parts = [(self._drawn(tile, "counter", of, widgets.counter(value, before)), _NUMBER_HEIGHT)]
        if tile.days and tile.grain:
            course = datasets.of_course(tile, metric, self._filters)
            x = widgets.named(UNTIL, f"{tile.grain} until" if tile.grain != "day" else "day")
            encodings = widgets.chart(x, "temporal", [value])
            parts.append((self._drawn(tile, "line", course, encodings, f" by {tile.grain}"), _COURSE_HEIGHT))
        return parts

    def _of_metrics(self, tile: Tile) -> Json:
        metrics = [self._sources.metrics[name] for name in tile.metrics]
        of = datasets.of_metrics(tile, metrics, self._filters)
        by, values = [_dimension(name) for name in tile.by], [_metric(metric) for metric in metrics]
        match tile.mark:
            case "table":
                return self._drawn(tile, "table", of, widgets.table([*by, *values]))
            case "heatmap":
                return self._drawn(tile, "pivot", of, widgets.pivot(*by, *values))
        if tile.grain:
            x, color = widgets.named(tile.grain, tile.grain), by[0] if by else None
            return self._drawn(tile, tile.mark, of, widgets.chart(x, "temporal", values, color))
        return self._drawn(tile, "bar", of, widgets.chart(by[0], "categorical", values, largest_first=True))

    def _of_query(self, tile: Tile) -> Json:
        query = self._sources.query(tile.query or "")
        of = datasets.of_query(tile, query, self._filters)
        if tile.mark == "table":
            columns = [widgets.named(name, readable(tile.label(name))) for name in of.columns]
            return self._drawn(tile, "table", of, widgets.table(columns))
        x, y, *by = (widgets.named(name, tile.label(name)) for name in (tile.x, tile.y, *tile.by) if name)
        if tile.mark == "heatmap":
            if tile.outline:
                self._refuse(f"the outline of '{tile.title}'", NO_OUTLINE)
            return self._drawn(tile, "pivot", of, widgets.pivot(x, by[0], y))
        y = widgets.named(tile.y or "", tile.label(tile.y), tile.unit or "")
        is_time = tile.grain or query.columns[tile.x or ""].startswith(("DATE", "TIMESTAMP"))
        scale: widgets.Scale = "temporal" if is_time else "categorical"
        return self._drawn(tile, tile.mark, of, widgets.chart(x, scale, [y], by[0] if by else None))

    def _of_check(self, tile: Tile) -> Json:
        check = self._sources.checks[tile.check or ""]
        self._refuse(f"the area of '{tile.title}'", NO_AREA)
        of = datasets.of_check(tile, check, self._sources.query(f"checks/{check.name}"), self._filters)
        names = {check.name: check.name, "low": "least that is usual", "high": "most that is usual"}
        values = [widgets.named(column, name, tile.unit or "") for column, name in names.items()]
        encodings = widgets.chart(widgets.named("date_day", "day"), "temporal", values)
        return self._drawn(tile, "line", of, encodings)


def _metric(metric: MetricQuery) -> Json:
    return widgets.named(metric.name, metric.label, metric.unit)


def _dimension(name: str) -> Json:
    return widgets.named(name, readable(name))
