"""Rows between Sail and delta-rs: streams of Arrow batches in the types that every reader of Delta has."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

import pyarrow as pa

from .errors import about_table

Rows: TypeAlias = pa.RecordBatchReader | pa.Table

_PLAIN = {
    pa.string_view(): pa.string(),
    pa.large_string(): pa.string(),
    pa.binary_view(): pa.binary(),
    pa.large_binary(): pa.binary(),
    pa.uint8(): pa.int16(),
    pa.uint16(): pa.int32(),
    pa.uint32(): pa.int64(),
    pa.uint64(): pa.int64(),
    # Delta has no type for a column of nulls alone.
    pa.null(): pa.string(),
}


def plain_type(of: pa.DataType) -> pa.DataType:
    """The type in which a column is kept: text is `string`, times are UTC in microseconds."""
    if pa.types.is_timestamp(of):
        return pa.timestamp("us", "UTC")
    if pa.types.is_dictionary(of):
        return plain_type(of.value_type)
    if pa.types.is_map(of):
        return pa.map_(plain_type(of.key_type), plain_type(of.item_type))
    if pa.types.is_struct(of):
        return pa.struct([plain_field(field) for field in of])
    if pa.types.is_list(of) or pa.types.is_large_list(of):
        return pa.list_(pa.field("element", plain_type(of.value_type)))
    return _PLAIN.get(of, of)


def plain_field(field: pa.Field) -> pa.Field:
    """A column as it is kept, with its comment."""
    return pa.field(field.name, plain_type(field.type), True, field.metadata)


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The columns as they are kept."""
    return pa.schema([plain_field(field) for field in schema])


_NAMES = {
    pa.bool_(): "boolean",
    pa.int8(): "tinyint",
    pa.int16(): "smallint",
    pa.int32(): "int",
    pa.int64(): "bigint",
    pa.float32(): "float",
    pa.float64(): "double",
    pa.date32(): "date",
    pa.string(): "string",
    pa.binary(): "binary",
}


def spark_type(of: pa.DataType) -> str:
    """The name of a kept type in Spark SQL."""
    if pa.types.is_timestamp(of):
        return "timestamp" if of.tz else "timestamp_ntz"
    if pa.types.is_decimal(of):
        return f"decimal({of.precision},{of.scale})"
    if pa.types.is_map(of):
        return f"map<{spark_type(of.key_type)},{spark_type(of.item_type)}>"
    if pa.types.is_struct(of):
        return f"struct<{','.join(f'{field.name}:{spark_type(field.type)}' for field in of)}>"
    if pa.types.is_list(of):
        return f"array<{spark_type(of.value_type)}>"
    return _NAMES.get(of) or str(of)


class WriteError(Exception):
    """Rows cannot be written; the message names the table, the reason and what to do."""


class Source:
    """Rows on their way into a table: cast to `schema`, each batch shown to `look`.

    Args:
        table: its name, for messages.
        rows: to write.
        schema: columns of the table; by default those of the rows, as they are kept.
        look: sees each batch.
        at_end: runs after the last batch, before the table is changed.
    """

    def __init__(
        self,
        table: str,
        rows: Rows,
        schema: pa.Schema | None = None,
        look: Callable[[pa.RecordBatch], None] | None = None,
        at_end: Callable[[], None] | None = None,
    ) -> None:
        self.table = table
        self._rows = rows.to_reader() if isinstance(rows, pa.Table) else rows
        self.schema = schema or plain_schema(self._rows.schema)
        self._look, self._at_end = look, at_end
        self._error: BaseException | None = None
        self._batches = self._cast_batches()
        self._first = next(self._batches, None)

    @property
    def is_empty(self) -> bool:
        """Whether there are no rows."""
        return self._first is None

    def reader(self) -> pa.RecordBatchReader:
        """The rows, once."""
        return pa.RecordBatchReader.from_batches(self.schema, self._all())

    @contextmanager
    def own_errors(self) -> Iterator[None]:
        """Raise the error that ended the stream, or that of delta-rs with the name of the table."""
        try:
            yield
        except Exception as error:
            raise (self._error or about_table(self.table, error)) from None

    def _all(self) -> Iterator[pa.RecordBatch]:
        if self._first is not None:
            yield self._first
        yield from self._batches

    def _cast_batches(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self._rows:
                if batch.num_rows:
                    cast = cast_batch(batch, self.schema, self.table)
                    if self._look:
                        self._look(cast)
                    yield cast
            if self._at_end:
                self._at_end()
        except BaseException as error:
            self._error = error
            raise


def cast_batch(batch: pa.RecordBatch, schema: pa.Schema, table: str) -> pa.RecordBatch:
    """The columns of `schema`; those that the batch lacks are null.

    Raises:
        WriteError: a value does not fit a type.
    """
    columns = []
    # A result may have several columns of one name, which no name finds.
    in_order = batch.schema.names == schema.names
    for place, field in enumerate(schema):
        index = place if in_order else batch.schema.get_field_index(field.name)
        column = pa.nulls(batch.num_rows, field.type) if index < 0 else batch.column(index)
        try:
            columns.append(column if column.type == field.type else column.cast(field.type))
        except pa.ArrowException:
            # What Arrow says has the value, which may be personal.
            raise WriteError(
                f"{table}: a value of column {field.name}, a {column.type}, is no {field.type}. "
                "Cast it, or leave it out."
            ) from None
    return pa.RecordBatch.from_arrays(columns, schema=schema)
