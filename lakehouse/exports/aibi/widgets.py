"""Widgets of AI/BI dashboards as their JSON has them.

A field that is drawn bears the name of a column of the dataset. Each kind of widget has its version.
"""

from collections.abc import Sequence
from typing import Any, Literal

from lakehouse.exports.aibi.datasets import ALL, Dataset
from lakehouse.semantics.queries import quoted

Json = dict[str, Any]
Scale = Literal["temporal", "categorical"]

VERSIONS = {"counter": 2, "table": 2, "filter-single-select": 2, "line": 3, "bar": 3, "pivot": 3}
_QUERY = "main_query"
_FORMATS: dict[str, Json] = {
    "USD": {"type": "number-currency", "currencyCode": "USD", "abbreviation": "compact"},
    "ratio": {"type": "number-percent"},
}


def text(id: str, markdown: str) -> Json:
    """A text, such as the title of a page."""
    return {"name": id, "multilineTextboxSpec": {"lines": [markdown]}}


def named(column: str, name: str, unit: str = "") -> Json:
    """A column as it is drawn: with a name for people, and formatted by its unit."""
    told = name if unit in ("", "ratio", "USD", name.lower()) else f"{name} ({unit})"
    drawn = {"fieldName": column, "displayName": told}
    # A format without decimals rounds; two are those of cents.
    places = {"decimalPlaces": {"type": "max", "places": 2 if unit == "USD" else 1}}
    return drawn | ({"format": _FORMATS[unit] | places} if unit in _FORMATS else {})


def counter(value: Json, target: Json | None = None) -> Json:
    """Encodings of a number, beside what it is compared with."""
    return {"value": value} | ({"target": target} if target else {})


def chart(
    x: Json, scale: Scale, ys: Sequence[Json], color: Json | None = None, largest_first: bool = False
) -> Json:
    """Encodings of lines or bars: values over x, a colour for each series."""
    sort = {"sort": {"by": "y-reversed"}} if largest_first else {}
    y: Json = {"scale": {"type": "quantitative"}}
    y |= ys[0] if len(ys) == 1 else {"fields": list(ys)}
    encodings: Json = {"x": x | {"scale": {"type": scale} | sort}, "y": y}
    return encodings | ({"color": color | {"scale": {"type": "categorical"}}} if color else {})


def pivot(row: Json, column: Json, cell: Json) -> Json:
    """Encodings of a grid whose cells have numbers and colours."""
    cells = {"type": "multi-cell", "fields": [cell | {"cellType": "color-scale"}]}
    return {"rows": [row], "columns": [column], "cell": cells}


def table(columns: Sequence[Json]) -> Json:
    """Encodings of a table."""
    return {"columns": list(columns)}


def drawn(id: str, kind: str, dataset: str, columns: Sequence[str], encodings: Json, frame: Json) -> Json:
    """A widget over rows of a dataset as they are."""
    fields = [{"name": column, "expression": quoted(column)} for column in columns]
    query = {"datasetName": dataset, "fields": fields, "disaggregated": True}
    spec = {"version": VERSIONS[kind], "widgetType": kind, "encodings": encodings, "frame": frame}
    return {"name": id, "queries": [{"name": _QUERY, "query": query}], "spec": spec}


def frame(title: str, description: str = "") -> Json:
    """The title of a widget, and what it says."""
    told = {"showDescription": True, "description": description} if description else {}
    return {"showTitle": True, "title": title} | told


def choice(id: str, column: str, offered: str, narrowed: Sequence[str], title: str) -> Json:
    """A filter: offers the values of a dataset, and is a parameter of others."""
    queries: list[Json] = [
        {
            "name": "values",
            "query": {
                "datasetName": offered,
                "fields": [{"name": column, "expression": quoted(column)}],
                "disaggregated": False,
            },
        }
    ]
    fields: list[Json] = [{"fieldName": column, "displayName": title, "queryName": "values"}]
    for dataset in narrowed:
        name = f"parameter_{dataset}"
        parameters = [{"name": column, "keyword": column}]
        queries.append(
            {
                "name": name,
                "query": {"datasetName": dataset, "parameters": parameters, "disaggregated": False},
            }
        )
        fields.append({"parameterName": column, "queryName": name})
    kind = "filter-single-select"
    spec = {
        "version": VERSIONS[kind],
        "widgetType": kind,
        "encodings": {"fields": fields},
        "selection": {"defaultSelection": _everything()},
        "frame": frame(title),
    }
    return {"name": id, "queries": queries, "spec": spec}


def dataset(id: str, name: str, of: Dataset) -> Json:
    """A dataset; its lines are joined as they are."""
    parameters = [
        {"displayName": column, "keyword": column, "dataType": "STRING", "defaultSelection": _everything()}
        for column in of.parameters
    ]
    lines = {"name": id, "displayName": name, "queryLines": f"{of.sql}\n".splitlines(keepends=True)}
    return lines | ({"parameters": parameters} if parameters else {})


def _everything() -> Json:
    return {"values": {"dataType": "STRING", "values": [{"value": ALL}]}}
