"""Files as the back office exports them: CSV with a header, CRLF line ends, no quoting."""

import os
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
from pyarrow import csv

_AS_EXPORTED = csv.WriteOptions(eol="\r\n", quoting_style="none", quoting_header="none", batch_size=16_384)


def delivery_file(folder: Path, table: str, delivery: int) -> Path:
    """Return `<folder>/<table>.csv`, or `<table>_<delivery>.csv` from the second delivery on."""
    return folder / (f"{table}.csv" if delivery == 1 else f"{table}_{delivery}.csv")


def write_csv(path: Path, tables: Iterable[pa.Table]) -> Path:
    """Write one or more tables of one schema below each other, nulls as nothing.

    The file appears under its name when it is complete, in place of an earlier one.

    Raises pyarrow.ArrowInvalid for a text with a comma, quote or line break.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    try:
        _write_below_each_other(partial, tables)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def _write_below_each_other(path: Path, tables: Iterable[pa.Table]) -> None:
    remaining = iter(tables)
    first = next(remaining)
    with csv.CSVWriter(path, first.schema, write_options=_AS_EXPORTED) as writer:
        writer.write_table(first)
        for table in remaining:
            writer.write_table(table)
