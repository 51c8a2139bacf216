"""The pages of the report in Power BI: cards, a line and a table each, as JSON of the published form."""

import hashlib
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from lakehouse.errors import LakehouseError
from lakehouse.exports.powerbi.tables import METRICS

_SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric/item/report/definition"
_WIDTH, _HEIGHT, _GAP, _CARD_HEIGHT = 1280, 720, 16, 120


@dataclass(frozen=True)
class Field:
    """A column or measure of the model."""

    table: str
    name: str
    is_measure: bool


@dataclass(frozen=True)
class Page:
    """Names of metrics on cards, a metric by day, and metrics by a column; columns are `table.column`."""

    title: str
    cards: tuple[str, ...]
    line: tuple[str, str]
    table: tuple[str, ...]


PAGES = (
    Page(
        "Executive",
        cards=("revenue", "orders", "customers", "average_order_value", "crm_margin"),
        line=("dim_date.date_day", "revenue"),
        table=("channels.channel", "revenue", "net_sales", "orders", "return_rate"),
    ),
    Page(
        "Supply chain",
        cards=("on_time_share", "lead_time", "overdue_shipments", "stock_out_rate", "days_of_cover"),
        line=("dim_date.date_day", "shipments"),
        table=("fct_shipments.carrier", "shipments", "on_time_share", "lead_time", "overdue_shipments"),
    ),
)


def report(fields: Collection[Field], labels: dict[str, str], refused: dict[str, str]) -> dict[str, str]:
    """Texts of the report's files by path; `labels` has the measures by name of metric.

    Raises:
        LakehouseError: a page names a metric or column that is not in the model.
    """

    def field(page: Page, name: str) -> Field:
        table, _, column = name.partition(".")
        found = Field(table, column, False) if column else Field(METRICS, labels.get(name, name), True)
        if found not in fields:
            reason = f", because {refused[name]}" if name in refused else ""
            raise LakehouseError(f"The page {page.title} shows {name}, which Power BI cannot have{reason}.")
        return found

    names = [_id(page.title) for page in PAGES]
    files = {
        "version.json": _json("versionMetadata/1.0.0", version="2.0.0"),
        "report.json": _json("report/3.3.0", themeCollection={}),
        "pages/pages.json": _json("pagesMetadata/1.1.0", pageOrder=names, activePageName=names[0]),
    }
    for page, name in zip(PAGES, names, strict=True):
        files[f"pages/{name}/page.json"] = _json(
            "page/2.1.0",
            name=name,
            displayName=page.title,
            displayOption="FitToPage",
            height=_HEIGHT,
            width=_WIDTH,
        )
        for order, (kind, place, roles) in enumerate(_visuals(page)):
            shown = {role: [field(page, item) for item in items] for role, items in roles.items()}
            visual = _id(f"{page.title}/{kind}/{roles}")
            files[f"pages/{name}/visuals/{visual}/visual.json"] = _visual(visual, order, kind, place, shown)
    return files


def _visuals(page: Page) -> Iterator[tuple[str, dict[str, int], dict[str, tuple[str, ...]]]]:
    """Kind, place and fields by role of each visual, in the order in which they are read."""
    width = (_WIDTH - _GAP) // len(page.cards)
    for number, metric in enumerate(page.cards):
        yield "card", _place(_GAP + number * width, _GAP, width - _GAP, _CARD_HEIGHT), {"Values": (metric,)}
    top = _CARD_HEIGHT + 2 * _GAP
    half = (_WIDTH - 3 * _GAP) // 2
    day, metric = page.line
    yield "lineChart", _place(_GAP, top, half, _HEIGHT - top - _GAP), {"Category": (day,), "Y": (metric,)}
    yield "tableEx", _place(half + 2 * _GAP, top, half, _HEIGHT - top - _GAP), {"Values": page.table}


def _place(x: int, y: int, width: int, height: int) -> dict[str, int]:
    return {"x": x, "y": y, "width": width, "height": height}


def _visual(name: str, order: int, kind: str, place: dict[str, int], roles: dict[str, list[Field]]) -> str:
    state = {
        role: {"projections": [_projection(field) for field in fields]} for role, fields in roles.items()
    }
    return _json(
        "visualContainer/2.9.0",
        name=name,
        position={**place, "z": order, "tabOrder": order},
        visual={"visualType": kind, "query": {"queryState": state}, "drillFilterOtherVisuals": True},
    )


def _projection(field: Field) -> dict[str, object]:
    kind = "Measure" if field.is_measure else "Column"
    source = {"Expression": {"SourceRef": {"Entity": field.table}}, "Property": field.name}
    return {
        "field": {kind: source},
        "queryRef": f"{field.table}.{field.name}",
        "nativeQueryRef": field.name,
    }


def _id(text: str) -> str:
    """The same name for the same thing, so that an export changes what changed."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _json(schema: str, **content: object) -> str:
    return json.dumps({"$schema": f"{_SCHEMAS}/{schema}/schema.json", **content}, indent=2) + "\n"
