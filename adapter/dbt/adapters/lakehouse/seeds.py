"""Seeds: rows of a CSV file as dbt has read them."""

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .delta import quoted
from .engine import Engine

if TYPE_CHECKING:
    import agate


def stream_of(engine: Engine, rows: "agate.Table", types: Mapping[str, str]) -> pa.RecordBatchReader:
    """The rows of a seed, cast from text to the types of Spark SQL that its columns have, in their order."""
    if not rows.rows:
        return engine.empty(types)
    columns = [[_text(value) for value in column.values()] for column in rows.columns]
    table = pa.Table.from_arrays([pa.array(column, pa.string()) for column in columns], names=list(types))
    casts = [f"cast({quoted(name)} as {kind}) as {quoted(name)}" for name, kind in types.items()]
    return engine.sail.stream(engine.sail.session.createDataFrame(table).selectExpr(*casts))


def _text(value: Any) -> str | None:
    if isinstance(value, Decimal):
        return f"{value.to_integral_value() if value == value.to_integral_value() else value:f}"
    return None if value is None else str(value)
