"""Tables of the model: their columns, and all metrics in a table of their own."""

import re
from dataclasses import replace

from lakehouse.errors import LakehouseError
from lakehouse.exports.powerbi import power_query
from lakehouse.exports.powerbi.tmdl import Node
from lakehouse.semantics.gold import Column, Table
from lakehouse.semantics.metrics import Metric

# The table that all measures are in.
METRICS = "Metrics"

# Of Databricks' types, those of TMDL and of M.
_TYPES = {
    "string": ("string", "type text"),
    "int": ("int64", "Int64.Type"),
    "bigint": ("int64", "Int64.Type"),
    "double": ("double", "type number"),
    "boolean": ("boolean", "type logical"),
    "date": ("dateTime", "type date"),
    "timestamp": ("dateTime", "type datetime"),
}
_FIXED, _FLOATING = ("decimal", "Currency.Type"), _TYPES["double"]
# Power BI's exact numbers have four decimals.
_FIXED_SCALE = 4
_BY_UNIT = {"USD": r"\$#,##0.00", "ratio": "0.0%", "share": "0.0%", "hours": "#,##0.0", "days": "#,##0.0"}
_MONEY, _COUNT = "#,##0.00", "#,##0"


def table_node(table: Table, joined: set[str], needed: set[str], days: dict[str, str]) -> Node:
    """A table; columns that are `joined` are hidden, personal ones left out but for those `needed`.

    Days are columns of their own, each of the column of a time.

    Raises:
        LakehouseError: Power BI has no type for a column.
    """
    shown = [column for column in table.columns.values() if not column.personal or column.name in needed]
    made = [
        replace(table.columns[column], name=name, type="date", description=f"Day of {column}.")
        for name, column in days.items()
    ]
    types = {column.name: _types(column, table)[1] for column in shown}
    return Node(
        "table",
        table.name,
        description=table.description,
        properties=(("dataCategory", "Time"),) if table.day else (),
        children=(
            *(_column(column, table, column.name in joined) for column in [*shown, *made]),
            _partition(table.name, power_query.read(table, types, days)),
        ),
    )


def metrics_node(measures: list[Node]) -> Node:
    """The table of the measures, without rows."""
    nothing = Node(
        "column",
        "Metric",
        properties=(
            ("dataType", "string"),
            ("isHidden", ""),
            ("summarizeBy", "none"),
            ("sourceColumn", "Metric"),
        ),
    )
    rows = power_query.let({"Rows": "#table(type table [Metric = text], {})"})
    about = "The metrics of the semantic models."
    return Node("table", METRICS, description=about, children=(*measures, nothing, _partition(METRICS, rows)))


def measure_node(metric: Metric, formula: str) -> Node:
    """A metric as a measure, by its DAX."""
    form = _BY_UNIT.get(metric.unit or "") or (_MONEY if "currency" in (metric.unit or "") else _COUNT)
    return Node("measure", metric.label, formula, metric.description, (("formatString", form),))


def _column(column: Column, table: Table, hidden: bool) -> Node:
    kind = _types(column, table)[0]
    properties = [("dataType", kind)]
    if hidden or column.personal or column.technical:
        properties.append(("isHidden", ""))
    if column.name == table.day:
        properties.append(("isKey", ""))
    if form := _form(column, kind):
        properties.append(("formatString", form))
    properties += [("summarizeBy", "none"), ("sourceColumn", column.name)]
    return Node("column", column.name, description=column.description, properties=tuple(properties))


def _types(column: Column, table: Table) -> tuple[str, str]:
    """The type in TMDL, and that in M."""
    if decimal := re.fullmatch(r"decimal\((\d+),\s*(\d+)\)", column.type):
        return _FIXED if int(decimal[2]) <= _FIXED_SCALE else _FLOATING
    if column.type not in _TYPES:
        raise LakehouseError(
            f"{table.schema}.{table.name}: Power BI has no type for {column.name}, which is {column.type}."
            " Cast it in the model."
        )
    return _TYPES[column.type]


def _form(column: Column, kind: str) -> str | None:
    if kind == "dateTime":
        return "yyyy-mm-dd" if column.type == "date" else "yyyy-mm-dd hh:nn:ss"
    if kind == "int64":
        return _COUNT if column.unit else "0"
    if kind == "decimal":
        return _BY_UNIT.get(column.unit or "", _MONEY)
    return _BY_UNIT.get(column.unit or "") if kind == "double" else None


def _partition(name: str, source: str) -> Node:
    return Node("partition", name, "m", properties=(("mode", "import"), ("source", source)))
