"""Gold as a project of Power BI: a star of tables and relationships, measures, and the pages of a report."""

import json
import re
from dataclasses import dataclass, replace

from sqlglot import exp, parse_one

from lakehouse.exports import dax
from lakehouse.exports.gold import Column, Gold, Reference, Table
from lakehouse.exports.metrics import Aggregate, Metric, Metrics, NoEqual
from lakehouse.exports.powerbi_report import METRICS, Field, report
from lakehouse.exports.tmdl import Node, document, name_of

NAME = "Lakehouse"
# Folders whose files are those of the export, and no others.
OWNED = (f"{NAME}.SemanticModel/definition", f"{NAME}.Report/definition")

_SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric"
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


@dataclass(frozen=True)
class Source:
    """Where the tables are at first; Power BI keeps these as parameters."""

    warehouse: str
    host: str
    http_path: str
    catalog: str


def project(gold: Gold, metrics: Metrics, source: Source) -> tuple[dict[str, str], dict[str, str]]:
    """Texts of all files by path, and why metrics are refused, by name.

    Raises:
        LakehouseError: a page of the report names what is not in the model.
    """
    measures, metrics = _measures(gold, metrics)
    star = _star(gold)
    tables = [_table(table, star, gold, metrics) for table in gold.tables.values()]
    tables.append(_metrics_table(measures))
    model = f"{NAME}.SemanticModel"
    files = {
        f"{NAME}.pbip": _json(
            "pbip/pbipProperties/1.0.0",
            version="1.0",
            artifacts=[{"report": {"path": f"{NAME}.Report"}}],
            settings={"enableAutoRecovery": True},
        ),
        f"{model}/definition.pbism": _json(
            "item/semanticModel/definitionProperties/1.0.0", version="4.2", settings={}
        ),
        f"{model}/definition/database.tmdl": document(
            Node("database", properties=(("compatibilityLevel", "1702"),))
        ),
        f"{model}/definition/model.tmdl": document(*_model(tables)),
        f"{model}/definition/expressions.tmdl": document(*_expressions(source)),
        f"{model}/definition/relationships.tmdl": document(*(_relationship(r, on) for r, on in star.items())),
        f"{NAME}.Report/definition.pbir": _json(
            "item/report/definitionProperties/2.0.0",
            version="4.0",
            datasetReference={"byPath": {"path": f"../{model}"}},
        ),
    }
    files |= {f"{model}/definition/tables/{table.name}.tmdl": document(table) for table in tables}
    fields = {
        Field(node.name, child.name, child.kind == "measure")
        for node in tables
        for child in node.children
        if child.kind in ("column", "measure")
    }
    labels = {metric.name: metric.label for metric in metrics.known.values()}
    pages = report(fields, labels, metrics.refused)
    return files | {f"{NAME}.Report/definition/{path}": text for path, text in pages.items()}, metrics.refused


def _json(schema: str, **content: object) -> str:
    return json.dumps({"$schema": f"{_SCHEMAS}/{schema}/schema.json", **content}, indent=2) + "\n"


def _measures(gold: Gold, metrics: Metrics) -> tuple[list[Node], Metrics]:
    """All measures, and the metrics that they are."""
    labels = {metric.name: metric.label for metric in metrics.known.values()}
    refused, formulas = _same_labels(metrics), {}
    for metric in metrics.known.values():
        try:
            formulas[metric.name] = dax.measure(metric, _table_of(metric, gold), labels)
        except NoEqual as reason:
            refused[metric.name] = str(reason)
    known = metrics.without(refused)
    ordered = sorted(known.known.values(), key=lambda metric: metric.label)
    return [_measure(metric, formulas[metric.name]) for metric in ordered], known


def _same_labels(metrics: Metrics) -> dict[str, str]:
    """Names of metrics whose label another one has: a measure is known by it, whatever its case."""
    first: dict[str, str] = {}
    for metric in metrics.known.values():
        first.setdefault(metric.label.lower(), metric.name)
    return {
        metric.name: f"{first[metric.label.lower()]} has its label, too"
        for metric in metrics.known.values()
        if first[metric.label.lower()] != metric.name
    }


def _table_of(metric: Metric, gold: Gold) -> Table | None:
    is_aggregate = isinstance(metric.formula, Aggregate)
    return gold.tables[gold.subjects[metric.formula.subject].table] if is_aggregate else None  # type: ignore[union-attr]


def _measure(metric: Metric, formula: str) -> Node:
    form = _BY_UNIT.get(metric.unit or "") or (_MONEY if "currency" in (metric.unit or "") else _COUNT)
    return Node("measure", metric.label, formula, metric.description, (("formatString", form),))


def _star(gold: Gold) -> dict[Reference, bool]:
    """References, and whether Power BI follows each by itself: there may be one way from a table to another."""
    days = [reference for reference in (_day(gold, name) for name in gold.subjects) if reference]
    followed: dict[Reference, bool] = {}
    for reference in dict.fromkeys([*days, *gold.references]):
        active = [known for known, is_active in followed.items() if is_active]
        above = {name for name in gold.tables if reference.table in _reached(name, active)}
        below = _reached(reference.to_table, active)
        followed[reference] = not any(_reached(name, active) & below for name in above)
    return dict(sorted(followed.items(), key=lambda item: (item[0].table, item[0].column, item[0].to_table)))


def _reached(table: str, references: list[Reference]) -> set[str]:
    found, waiting = {table}, [table]
    while waiting:
        here = waiting.pop()
        ahead = {r.to_table for r in references if r.table == here} - found
        found |= ahead
        waiting += ahead
    return found


def _day(gold: Gold, subject: str) -> Reference | None:
    """How a subject's metrics are counted by day, as dbt does it."""
    about, calendar = gold.subjects[subject], gold.calendar
    if not calendar or not about.time or about.time not in _days(gold, about.table):
        return None
    return Reference(about.table, about.time, calendar.name, calendar.day or "")


def _days(gold: Gold, table: str) -> dict[str, str]:
    """Days by which the metrics of a table are counted, and the column that each of them is in."""
    days = {}
    for subject in gold.subjects.values():
        if subject.table == table and subject.time:
            sql = parse_one(subject.dimensions[subject.time], dialect="databricks")
            is_cast = isinstance(sql, exp.Cast) and sql.to.is_type("date")
            column = sql.this if is_cast else sql
            if isinstance(column, exp.Column) and column.name in gold.tables[table].columns:
                days[subject.time] = column.name
    return days


def _relationship(reference: Reference, active: bool) -> Node:
    ends = (
        ("fromColumn", name_of(reference.table, reference.column)),
        ("toColumn", name_of(reference.to_table, reference.to_column)),
    )
    state = () if active else (("isActive", "false"),)
    return Node("relationship", f"{reference.table}_{reference.column}", properties=(*state, *ends))


def _table(table: Table, star: dict[Reference, bool], gold: Gold, metrics: Metrics) -> Node:
    joined = {reference.column for reference in star if reference.table == table.name}
    counted = _columns_counted(table, gold, metrics)
    days = {name: column for name, column in _days(gold, table.name).items() if name not in table.columns}
    needed = joined | counted | set(days.values())
    shown = [column for column in table.columns.values() if not column.personal or column.name in needed]
    made = [
        replace(table.columns[column], name=name, type="date", description=f"Day of {column}.")
        for name, column in days.items()
    ]
    return Node(
        "table",
        table.name,
        description=table.description,
        properties=(("dataCategory", "Time"),) if table.day else (),
        children=(
            *(_column(column, table, hidden=column.name in joined) for column in [*shown, *made]),
            _partition(table.name, _read(table, shown, days)),
        ),
    )


def _columns_counted(table: Table, gold: Gold, metrics: Metrics) -> set[str]:
    rows = [
        metric.formula.row
        for metric in metrics.known.values()
        if isinstance(metric.formula, Aggregate) and gold.subjects[metric.formula.subject].table == table.name
    ]
    return {
        column.name for row in rows for column in parse_one(row, dialect="databricks").find_all(exp.Column)
    }


def _column(column: Column, table: Table, hidden: bool) -> Node:
    properties = [("dataType", _types(column)[0])]
    if hidden or column.personal or column.technical:
        properties.append(("isHidden", ""))
    if column.name == table.day:
        properties.append(("isKey", ""))
    if form := _form(column):
        properties.append(("formatString", form))
    properties += [("summarizeBy", "none"), ("sourceColumn", column.name)]
    return Node("column", column.name, description=column.description, properties=tuple(properties))


def _types(column: Column) -> tuple[str, str]:
    """The type in TMDL, and that in M."""
    if decimal := re.fullmatch(r"decimal\((\d+),\s*(\d+)\)", column.type):
        return _FIXED if int(decimal[2]) <= _FIXED_SCALE else _FLOATING
    return _TYPES[column.type]


def _form(column: Column) -> str | None:
    kind = _types(column)[0]
    if kind == "dateTime":
        return "yyyy-mm-dd" if column.type == "date" else "yyyy-mm-dd hh:nn:ss"
    if kind == "int64":
        return _COUNT if column.unit else "0"
    if kind == "decimal":
        return _BY_UNIT.get(column.unit or "", _MONEY)
    return _BY_UNIT.get(column.unit or "") if kind == "double" else None


def _partition(name: str, source: str) -> Node:
    return Node("partition", name, "m", properties=(("mode", "import"), ("source", source)))


def _read(table: Table, columns: list[Column], days: dict[str, str]) -> str:
    """M that reads the columns, gives them their types, and adds days."""
    names = ", ".join(_text(column.name) for column in columns)
    steps = {"Rows": f"Table.SelectColumns(Read({_text(table.schema)}, {_text(table.name)}), {{{names}}})"}
    times = [column for column in columns if column.type == "timestamp"]
    utc = ", ".join(f"{{{_text(column.name)}, Utc}}" for column in times)
    if times:
        steps["Times"] = f"Table.TransformColumns(Rows, {{{utc}}})"
    types = ", ".join(f"{{{_text(column.name)}, {_types(column)[1]}}}" for column in columns)
    steps["Typed"] = f'Table.TransformColumnTypes({list(steps)[-1]}, {{{types}}}, "en-US")'
    for name, column in days.items():
        before, day = list(steps)[-1], f"each DateTime.Date([{column}])"
        steps[f"With_{name}"] = f"Table.AddColumn({before}, {_text(name)}, {day}, type date)"
    return _let(steps)


def _let(steps: dict[str, str]) -> str:
    told = ",\n".join(f"    {name} = {formula}" for name, formula in steps.items())
    return f"let\n{told}\nin\n    {list(steps)[-1]}"


def _text(value: str) -> str:
    """A text in M."""
    return '"' + value.replace('"', '""').replace("#(", "#(#)(") + '"'


def _metrics_table(measures: list[Node]) -> Node:
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
    rows = _let({"Rows": "#table(type table [Metric = text], {})"})
    about = "The metrics of the semantic models."
    return Node("table", METRICS, description=about, children=(*measures, nothing, _partition(METRICS, rows)))


def _model(tables: list[Node]) -> list[Node]:
    settings = (("culture", "en-US"), ("defaultPowerBIDataSourceVersion", "powerBI_V3"))
    # There is a calendar; Power BI would add one of its own to each date.
    no_calendars = Node("annotation", "__PBI_TimeIntelligenceEnabled", "0")
    return [
        Node("model", "Model", properties=settings),
        no_calendars,
        *(Node("ref table", table.name) for table in tables),
    ]


def _expressions(source: Source) -> list[Node]:
    parameters = {
        "Source": (
            "local",
            "local: folders of Delta below Warehouse; databricks: Host, HttpPath and Catalog.",
        ),
        "Warehouse": (source.warehouse, "The folder of the tables, as this machine sees it."),
        "Host": (source.host, "Host of the Databricks workspace."),
        "HttpPath": (source.http_path, "HTTP path of its SQL warehouse."),
        "Catalog": (source.catalog, "Catalog of the tables."),
    }
    allowed = {"Source": 'List={"local", "databricks"}, DefaultValue="local", '}
    about = 'meta [IsParameterQuery=true, {}Type="Text", IsParameterQueryRequired={}]'
    return [
        *(
            Node(
                "expression",
                name,
                f"{_text(value)} {about.format(allowed.get(name, ''), str(bool(value)).lower())}",
                description,
            )
            for name, (value, description) in parameters.items()
        ),
        Node("expression", "Read", _READ, "A table, by its schema and name."),
        Node("expression", "Utc", _UTC, "A time in UTC, whatever the zone of this machine."),
    ]


_READ = r"""(schema as text, name as text) as table =>
let
    Folder = Warehouse & "\" & schema & ".db\" & name,
    Local = DeltaLake.Table(Folder.Contents(Folder)),
    Database = Databricks.Catalogs(Host, HttpPath, [Catalog = Catalog]){[Name = Catalog, Kind = "Database"]}[Data],
    Databricks = Database{[Name = schema, Kind = "Schema"]}[Data]{[Name = name, Kind = "Table"]}[Data]
in
    if Source = "local" then Local else Databricks"""
_UTC = """(time) =>
if time is datetimezone then
    DateTimeZone.RemoveZone(DateTimeZone.ToUtc(time))
else
    time"""
