"""Seeds: rows of a CSV file as dbt has read them."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .arrow import WriteError

if TYPE_CHECKING:
    import agate


def arrow_table(name: str, table: "agate.Table", schema: pa.Schema) -> pa.Table:
    """The rows in the types of a schema, whose columns are those of the seed in their order.

    Raises:
        WriteError: a value does not fit its column's type.
    """
    columns = [_column(name, field, table.columns[n].values()) for n, field in enumerate(schema)]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(name: str, field: pa.Field, values: tuple[Any, ...]) -> pa.Array:
    kept = [_plain(value, field.type) for value in values]
    try:
        # Where the seed says a type, dbt has read text.
        if any(isinstance(value, str) for value in kept):
            return pa.array(kept, pa.string()).cast(field.type)
        return pa.array(kept, field.type)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise WriteError(f"Seed {name}: a value of column {field.name} is no {field.type}: {error}.") from error


def _plain(value: Any, kind: pa.DataType) -> Any:
    """dbt reads every number as a decimal."""
    if isinstance(value, Decimal) and pa.types.is_integer(kind):
        return int(value)
    if isinstance(value, Decimal) and pa.types.is_floating(kind):
        return float(value)
    return str(value) if value is not None and pa.types.is_string(kind) else value
