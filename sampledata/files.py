"""Files as systems export them: back office CSV (header, CRLF line ends, no quoting) and text."""

import gzip
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from ingestion.landing.writer import complete_file

_AS_EXPORTED = csv.WriteOptions(eol="\r\n", quoting_style="none", quoting_header="none", batch_size=16_384)
_FAST = 1


def delivery_file(folder: Path, table: str, delivery: int, ending: str = "csv") -> Path:
    """Return `<folder>/<table>.<ending>`, from the second delivery on `<table>_<delivery>.<ending>`."""
    return folder / (f"{table}.{ending}" if delivery == 1 else f"{table}_{delivery}.{ending}")


def write_csv(path: Path, tables: Iterable[pa.Table]) -> Path:
    """Write one or more tables of one schema below each other, nulls as nothing.

    The file appears under its name when it is complete, in place of an earlier one.

    Raises pyarrow.ArrowInvalid for a text with a comma, quote or line break.
    """
    with complete_file(path) as partial:
        _write_below_each_other(partial, tables)
    return path


def write_text(path: Path, parts: Iterable[pa.Buffer | bytes]) -> Path:
    """Write parts of a text after each other; the file appears under its name when it is complete."""
    with complete_file(path) as partial, partial.open("wb") as file:
        for part in parts:
            file.write(part)
    return path


def write_gzip(path: Path, parts: Iterable[pa.Buffer | bytes]) -> Path:
    """Write parts of a text after each other, compressed; equal texts give equal bytes."""
    with (
        complete_file(path) as partial,
        partial.open("wb") as file,
        gzip.GzipFile("", "wb", _FAST, file, mtime=0) as compressed,
    ):
        for part in parts:
            compressed.write(part)
    return path


def joined(texts: pa.Array, separator: str) -> pa.Buffer:
    """Return the texts of an array as UTF-8, with a separator between them."""
    everything = pa.ListArray.from_arrays(pa.array([0, len(texts)], pa.int32()), texts)
    return pc.binary_join(everything, separator)[0].as_buffer()


def _write_below_each_other(path: Path, tables: Iterable[pa.Table]) -> None:
    remaining = iter(tables)
    first = next(remaining)
    with csv.CSVWriter(path, first.schema, write_options=_AS_EXPORTED) as writer:
        writer.write_table(first)
        for table in remaining:
            writer.write_table(table)
