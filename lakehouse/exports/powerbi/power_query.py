"""M, the language in which Power BI reads tables: from folders of Delta, or from Databricks."""

from dataclasses import dataclass

from lakehouse.exports.powerbi.tmdl import Node
from lakehouse.semantics.gold import Table

_READ = r"""(schema as text, name as text) as table =>
let
    Folder = Warehouse & "\" & schema & ".db\" & name,
    Local = DeltaLake.Table(Folder.Contents(Folder)),
    Catalogs = Databricks.Catalogs(Host, HttpPath, [Catalog = Catalog]),
    Database = Catalogs{[Name = Catalog, Kind = "Database"]}[Data],
    Databricks = Database{[Name = schema, Kind = "Schema"]}[Data]{[Name = name, Kind = "Table"]}[Data]
in
    if Source = "local" then Local else Databricks"""
_UTC = """(time) =>
if time is datetimezone then
    DateTimeZone.RemoveZone(DateTimeZone.ToUtc(time))
else
    time"""


@dataclass(frozen=True)
class Source:
    """Where the tables are at first; Power BI keeps these as parameters."""

    warehouse: str
    host: str
    http_path: str
    catalog: str


def expressions(source: Source) -> list[Node]:
    """Parameters, and functions that all tables share."""
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


def read(table: Table, types: dict[str, str], days: dict[str, str]) -> str:
    """M that reads columns, gives them their types in M, and adds days, each of the column of a time."""
    names = ", ".join(_text(name) for name in types)
    steps = {"Rows": f"Table.SelectColumns(Read({_text(table.schema)}, {_text(table.name)}), {{{names}}})"}
    if times := [name for name in types if table.columns[name].type == "timestamp"]:
        utc = ", ".join(f"{{{_text(name)}, Utc}}" for name in times)
        steps["Times"] = f"Table.TransformColumns(Rows, {{{utc}}})"
    typed = ", ".join(f"{{{_text(name)}, {kind}}}" for name, kind in types.items())
    steps["Typed"] = f'Table.TransformColumnTypes({list(steps)[-1]}, {{{typed}}}, "en-US")'
    for name, column in days.items():
        before, day = list(steps)[-1], f"each DateTime.Date([{column}])"
        steps[f"With_{name}"] = f"Table.AddColumn({before}, {_text(name)}, {day}, type date)"
    return let(steps)


def let(steps: dict[str, str]) -> str:
    """Steps by name; the last one is the result."""
    told = ",\n".join(f"    {name} = {formula}" for name, formula in steps.items())
    return f"let\n{told}\nin\n    {list(steps)[-1]}"


def _text(value: str) -> str:
    """A text in M."""
    return '"' + value.replace('"', '""').replace("#(", "#(#)(") + '"'
