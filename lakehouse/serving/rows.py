"""Rows of Arrow as Hive's protocol has them: a list for each column, and a bit for each null."""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from TCLIService import ttypes

_STRING = (ttypes.TTypeId.STRING_TYPE, "stringVal", ttypes.TStringColumn, "")
# What a type is sent as: its name, the list that holds it, and what stands where a value is null.
_SENT: dict[pa.DataType, tuple[int, str, Any, object]] = {
    pa.bool_(): (ttypes.TTypeId.BOOLEAN_TYPE, "boolVal", ttypes.TBoolColumn, False),
    pa.int8(): (ttypes.TTypeId.TINYINT_TYPE, "byteVal", ttypes.TByteColumn, 0),
    pa.int16(): (ttypes.TTypeId.SMALLINT_TYPE, "i16Val", ttypes.TI16Column, 0),
    pa.int32(): (ttypes.TTypeId.INT_TYPE, "i32Val", ttypes.TI32Column, 0),
    pa.int64(): (ttypes.TTypeId.BIGINT_TYPE, "i64Val", ttypes.TI64Column, 0),
    pa.float32(): (ttypes.TTypeId.FLOAT_TYPE, "doubleVal", ttypes.TDoubleColumn, 0.0),
    pa.float64(): (ttypes.TTypeId.DOUBLE_TYPE, "doubleVal", ttypes.TDoubleColumn, 0.0),
    pa.binary(): (ttypes.TTypeId.BINARY_TYPE, "binaryVal", ttypes.TBinaryColumn, b""),
    pa.date32(): (ttypes.TTypeId.DATE_TYPE, *_STRING[1:]),
}


def row_set(rows: pa.RecordBatch, start: int) -> Any:
    """Rows, of which the first is number `start` of the answer."""
    return ttypes.TRowSet(startRowOffset=start, rows=[], columns=[_column(column) for column in rows.columns])


def table_schema(schema: pa.Schema) -> Any:
    """What clients are told of the columns of an answer."""
    return ttypes.TTableSchema(
        columns=[
            ttypes.TColumnDesc(columnName=field.name, typeDesc=_type(field.type), position=number)
            for number, field in enumerate(schema, 1)
        ]
    )


def _column(values: pa.Array) -> Any:
    _, name, made, instead = _SENT.get(values.type, _STRING)
    sent = values if values.type in _SENT and values.type != pa.date32() else _as_text(values)
    nulls = np.packbits(np.asarray(values.is_null()), bitorder="little").tobytes()
    filled = [instead if value is None else value for value in sent.to_pylist()]
    return ttypes.TColumn(**{name: made(values=filled, nulls=nulls)})


def _as_text(values: pa.Array) -> pa.Array:
    kind = values.type
    if pa.types.is_nested(kind):
        texts = [None if value is None else _json(value) for value in values.to_pylist()]
        return pa.array(texts, pa.string())
    if pa.types.is_timestamp(kind):
        # Clients take no letter for the time zone; it is UTC.
        return pc.strftime(values, "%Y-%m-%d %H:%M:%S")
    return values.cast(pa.string())


def _json(value: object) -> str:
    # Maps are lists of pairs in Arrow.
    is_map = isinstance(value, list) and all(isinstance(item, tuple) for item in value)
    return json.dumps(dict(value) if is_map and value else value, default=str, ensure_ascii=False)  # type: ignore[call-overload]


def _type(arrow: pa.DataType) -> Any:
    kind, qualifiers = _SENT.get(arrow, _STRING)[0], None
    if pa.types.is_timestamp(arrow):
        kind = ttypes.TTypeId.TIMESTAMP_TYPE
    if pa.types.is_decimal(arrow):
        kind = ttypes.TTypeId.DECIMAL_TYPE
        digits = {"precision": arrow.precision, "scale": arrow.scale}
        qualifiers = ttypes.TTypeQualifiers(
            qualifiers={name: ttypes.TTypeQualifierValue(i32Value=value) for name, value in digits.items()}
        )
    entry = ttypes.TPrimitiveTypeEntry(type=kind, typeQualifiers=qualifiers)
    return ttypes.TTypeDesc(types=[ttypes.TTypeEntry(primitiveEntry=entry)])
