"""What clients are told of schemas, tables and columns, as JDBC names it; read from the folders each time."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
from dbt.adapters.lakehouse.delta import arrow_schema, open_table
from dbt.adapters.lakehouse.errors import TableError

from lakehouse.errors import UsageError
from lakehouse.warehouse import Warehouse


class SqlType(NamedTuple):
    """A type by its name and number in JDBC, and how many digits a value has."""

    name: str
    number: int
    precision: int | None = None


_TEXT = SqlType("STRING", 12)
_TYPES = {
    pa.bool_(): SqlType("BOOLEAN", 16, 1),
    pa.int8(): SqlType("TINYINT", -6, 3),
    pa.int16(): SqlType("SMALLINT", 5, 5),
    pa.int32(): SqlType("INT", 4, 10),
    pa.int64(): SqlType("BIGINT", -5, 19),
    pa.float32(): SqlType("FLOAT", 6, 7),
    pa.float64(): SqlType("DOUBLE", 8, 15),
    pa.string(): _TEXT,
    pa.binary(): SqlType("BINARY", -2),
    pa.date32(): SqlType("DATE", 91, 10),
}
_DECIMAL = SqlType("DECIMAL", 3, 38)
_TIMESTAMP = SqlType("TIMESTAMP", 93, 29)
_SCHEMA = ("TABLE_SCHEM", "TABLE_CATALOG")
_TABLE = ("TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "TABLE_TYPE", "REMARKS")
_COLUMN = pa.schema(
    [
        *((name, pa.string()) for name in ("TABLE_CAT", "TABLE_SCHEM", "TABLE_NAME", "COLUMN_NAME")),
        ("DATA_TYPE", pa.int32()),
        ("TYPE_NAME", pa.string()),
        *(
            (name, pa.int32())
            for name in ("COLUMN_SIZE", "BUFFER_LENGTH", "DECIMAL_DIGITS", "NUM_PREC_RADIX")
        ),
        ("NULLABLE", pa.int32()),
        ("REMARKS", pa.string()),
        ("COLUMN_DEF", pa.string()),
        *((name, pa.int32()) for name in ("SQL_DATA_TYPE", "SQL_DATETIME_SUB", "CHAR_OCTET_LENGTH")),
        ("ORDINAL_POSITION", pa.int32()),
        *((name, pa.string()) for name in ("IS_NULLABLE", "SCOPE_CATALOG", "SCOPE_SCHEMA", "SCOPE_TABLE")),
        ("SOURCE_DATA_TYPE", pa.int16()),
        ("IS_AUTO_INCREMENT", pa.string()),
    ]
)
_NULLABLE = 1


def sql_type(arrow: pa.DataType) -> SqlType:
    """The type by which a column of Arrow is told."""
    if pa.types.is_decimal(arrow):
        return _DECIMAL._replace(name=f"DECIMAL({arrow.precision},{arrow.scale})", precision=arrow.precision)
    if pa.types.is_timestamp(arrow):
        return _TIMESTAMP
    # What is nested is sent as text, in JSON.
    return _TYPES.get(arrow, _TEXT)


def schema_names(warehouse: Warehouse) -> list[str]:
    """Names of the schemas that have tables; none where nothing was built yet."""
    return sorted({name.split(".")[0] for name in _tables(warehouse)})


def schemas(warehouse: Warehouse, pattern: str | None = None) -> pa.Table:
    """Schemas as JDBC's `getSchemas` has them."""
    names = filter(_like(pattern), schema_names(warehouse))
    return _texts(_SCHEMA, ((name, "") for name in names))


def tables(warehouse: Warehouse, schema: str | None = None, pattern: str | None = None) -> pa.Table:
    """Tables as JDBC's `getTables` has them; both names are patterns."""
    found = _found(warehouse, schema, pattern)
    return _texts(_TABLE, (("", *name.split("."), "TABLE", _description(place)) for name, place in found))


def columns(
    warehouse: Warehouse, schema: str | None = None, table: str | None = None, pattern: str | None = None
) -> pa.Table:
    """Columns as JDBC's `getColumns` has them; all names are patterns."""
    is_wanted, rows = _like(pattern), []
    for name, place in _found(warehouse, schema, table):
        for number, field in enumerate(_fields(place), 1):
            if is_wanted(field.name):
                rows.append(_column(name, number, field))
    return pa.Table.from_pylist(rows, _COLUMN)


def table_types() -> pa.Table:
    """The kinds of tables that there are."""
    return _texts(("TABLE_TYPE",), [("TABLE",)])


def types() -> pa.Table:
    """The types of columns, as JDBC's `getTypeInfo` has them."""
    known = [*_TYPES.values(), _DECIMAL, _TIMESTAMP]
    return pa.table(
        {
            "TYPE_NAME": [kind.name for kind in known],
            "DATA_TYPE": pa.array([kind.number for kind in known], pa.int32()),
            "PRECISION": pa.array([kind.precision for kind in known], pa.int32()),
            "NULLABLE": pa.array([_NULLABLE] * len(known), pa.int16()),
        }
    )


def _tables(warehouse: Warehouse) -> dict[str, str]:
    try:
        return warehouse.tables()
    except UsageError:
        return {}


def _found(warehouse: Warehouse, schema: str | None, table: str | None) -> Iterator[tuple[str, str]]:
    """Name and place of the tables that are like both patterns."""
    is_schema, is_table = _like(schema), _like(table)
    for name, place in sorted(_tables(warehouse).items()):
        own_schema, _, own_name = name.partition(".")
        if is_schema(own_schema) and is_table(own_name):
            yield name, place


def _like(pattern: str | None) -> Callable[[str], bool]:
    """Whether a name is like a pattern of JDBC: `%` is any text, `_` any character."""
    if not pattern:
        return lambda name: True
    parts = re.findall(r"\\.|.", pattern, re.S)
    special = {"%": ".*", "_": "."}
    regex = re.compile("".join(special.get(part) or re.escape(part[-1]) for part in parts), re.I | re.S)
    return lambda name: regex.fullmatch(name) is not None


def _description(location: str) -> str | None:
    try:
        return open_table(location).metadata().description
    except TableError:
        # One that is damaged does not hide the others; who reads it is told.
        return None


def _fields(location: str) -> Sequence[Any]:
    try:
        schema: Sequence[Any] = arrow_schema(open_table(location))
    except TableError:
        return ()
    return schema


def _column(name: str, number: int, field: pa.Field) -> dict[str, Any]:
    schema, table = name.split(".")
    kind = sql_type(field.type)
    comment = (field.metadata or {}).get(b"comment")
    return {
        "TABLE_CAT": "",
        "TABLE_SCHEM": schema,
        "TABLE_NAME": table,
        "COLUMN_NAME": field.name,
        "DATA_TYPE": kind.number,
        "TYPE_NAME": kind.name,
        "COLUMN_SIZE": kind.precision,
        "DECIMAL_DIGITS": field.type.scale if pa.types.is_decimal(field.type) else None,
        "NUM_PREC_RADIX": 10,
        "NULLABLE": _NULLABLE,
        "REMARKS": comment.decode() if comment else None,
        "ORDINAL_POSITION": number,
        "IS_NULLABLE": "YES",
        "IS_AUTO_INCREMENT": "NO",
    }


def _texts(names: Sequence[str], rows: Iterable[Sequence[str | None]]) -> pa.Table:
    schema = pa.schema([(name, pa.string()) for name in names])
    return pa.Table.from_pylist([dict(zip(names, row, strict=True)) for row in rows], schema)
