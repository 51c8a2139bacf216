"""Batches of records as all readers hand them on."""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.contracts import SourceTable
from ingestion.readers import EXTRA, UNPARSED

_MAP = pa.map_(pa.string(), pa.string())
_HALF_OF_A_CHARACTER = re.compile("[\ud800-\udfff]")


def schema(table: SourceTable) -> pa.Schema:
    """The columns of a reader's batch."""
    names = [column.name for column in table.columns]
    return pa.schema([*((name, pa.string()) for name in names), (EXTRA, _MAP), (UNPARSED, pa.string())])


def strings(values: Sequence[str | None]) -> pa.Array:
    """Texts as an Arrow array; what is in no encoding becomes replacement characters."""
    try:
        return pa.array(values, pa.string())
    except UnicodeEncodeError:
        valid = (value and _HALF_OF_A_CHARACTER.sub("\ufffd", value) for value in values)
        return pa.array(list(valid), pa.string())


def from_sheet(
    table: SourceTable, header: Sequence[str | None], columns: Sequence[pa.Array]
) -> pa.RecordBatch:
    """A batch of columns in the order of a header, without rows that repeat it, as joined files do.

    A column without a name is called by its number; blanks are no values of it.
    """
    columns = _without_headers(header, columns)
    declared = {column.header: column.name for column in table.columns}
    by_name = {}
    for number, (name, values) in enumerate(zip(header, columns, strict=True), 1):
        if name and name.strip():
            by_name[name] = values
        else:
            by_name[f"column {number}"] = _without_blanks(values)
    rows = len(columns[0])
    extra = {name: values for name, values in by_name.items() if name not in declared}
    arrays = [by_name[column.header] for column in table.columns]
    return pa.RecordBatch.from_arrays(
        [*arrays, _maps(extra, rows), pa.nulls(rows, pa.string())], schema=schema(table)
    )


def _without_headers(header: Sequence[str | None], columns: Sequence[pa.Array]) -> Sequence[pa.Array]:
    named = [(name, column) for name, column in zip(header, columns, strict=True) if name and name.strip()]
    is_header = pa.scalar(True)
    for name, column in named:
        is_header = pc.and_(is_header, pc.fill_null(pc.equal(_bare(column), _bare(name)), False))
        if not pc.any(is_header).as_py():
            return columns
    return [column.filter(pc.invert(is_header)) for column in columns]


def _bare(text: pa.Array | str) -> pa.Array:
    """Names without what stands around those of a file that was joined to another: a mark, quotes, blanks."""
    return pc.utf8_trim(text, '\ufeff" \t')


def _without_blanks(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(pc.utf8_trim_whitespace(values), ""), None, values)


def unparsed(table: SourceTable, texts: Sequence[str]) -> pa.RecordBatch:
    """A batch of records that cannot be parsed."""
    columns = [pa.nulls(len(texts), field.type) for field in schema(table)]
    return pa.RecordBatch.from_arrays([*columns[:-1], strings(texts)], schema=schema(table))


def _maps(columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """A map of names and values for each row, without nulls; null where nothing is left."""
    if all(values.null_count == rows for values in columns.values()):
        return pa.nulls(rows, _MAP)
    is_there = np.column_stack(
        [values.is_valid().to_numpy(zero_copy_only=False) for values in columns.values()]
    )
    row, column = np.nonzero(is_there)
    values = pa.concat_arrays(list(columns.values())).take(pa.array(column * rows + row))
    names = pa.array(list(columns), pa.string()).take(pa.array(column))
    return maps(is_there.sum(axis=1), names, values)


def maps(counts: Sequence[int], names: pa.Array, values: pa.Array) -> pa.Array:
    """Maps of so many names and values each; null where there are none."""
    ends = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    is_null = pa.array(np.diff(ends) == 0)
    return pa.MapArray.from_arrays(pa.array(ends), names, values, mask=is_null)
