"""Readers: one per file format, behind one small interface.

A reader turns a file into batches of records whose values are still text. What the text means is the
contract's business (`ingestion.bronze.conform`), so a reader knows its format and nothing else.
"""

import io
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import Protocol

import pyarrow as pa

from ingestion.contracts import SourceTable
from ingestion.landing.zone import LandedFile

# Columns a reader adds to the contract's: values under names that the contract does not have
# (map<string,string>, null where there are none), and the text of a record that cannot be parsed.
EXTRA, UNPARSED = "_extra", "_unparsed"

NO_RECORDS = "a complete extract without a record would mean that everything was removed"


class FileRefused(Exception):
    """A file that cannot be loaded as a whole; the message says why and what to do."""


def check_compression(file: LandedFile) -> None:
    """Refuse what is compressed in a way of which nothing, or not all, would be read."""
    ending = PurePath(file.path).suffix.lower()
    if ending in (".7z", ".deflate", ".lz4", ".rar", ".snappy", ".xz", ".z", ".zip", ".zst"):
        raise FileRefused(f"files that end in {ending} are not read: unpack it, or send it as .gz")


def check_header(table: SourceTable, header: Sequence[str], hint: str) -> None:
    """Refuse a header that does not have the contract's columns; `hint` says what else to look at."""
    names = [name for name in header if name.strip()]
    declared = {column.header for column in table.columns}
    missing = [column.header for column in table.columns if column.header not in names]
    unknown = [name for name in names if name not in declared]
    if len(missing) == len(declared):
        raise FileRefused(f"the header has none of the declared columns, but {names}: {hint}")
    if missing:
        raise FileRefused(
            f"the header lacks {missing} and has the undeclared {unknown}: "
            "was a column renamed? Correct the file or the contract."
        )
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise FileRefused(f"the header has {repeated} more than once")


def open_text(file: LandedFile, encoding: str, newline: str | None = None) -> io.TextIOWrapper:
    """The uncompressed file as text, with replacement characters for what is not in its encoding.

    Line ends become line feeds, or stay as they are with `newline=""`.

    Raises:
        FileRefused: there is no such encoding.
    """
    source = file.open()
    try:
        return io.TextIOWrapper(source, encoding, errors="replace", newline=newline)
    except LookupError:
        source.close()
        raise FileRefused(f"there is no encoding '{encoding}': correct the option in the contract") from None


class Reader(Protocol):
    """Reads files of one format."""

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Look at the beginning of a file; raise `FileRefused` where it cannot be the table's."""

    def read(self, table: SourceTable, file: LandedFile) -> Iterator[pa.RecordBatch]:
        """Records of a checked file in batches of a few MB.

        Columns are those of the contract, as strings, `_extra` and `_unparsed`; a record that cannot be
        parsed has no other value.

        Raises:
            FileRefused, OSError, EOFError, zlib.error: the file cannot be read, also in the middle.
        """


def reader_for(table: SourceTable) -> Reader:
    """The reader of the table's format."""
    from ingestion.readers.csv import CsvReader
    from ingestion.readers.json import JsonArrayReader, JsonLinesReader
    from ingestion.readers.xlsx import XlsxReader

    readers: dict[str, Reader] = {
        "csv": CsvReader(),
        "json": JsonLinesReader(),
        "json_array": JsonArrayReader(),
        "xlsx": XlsxReader(),
    }
    return readers[table.arrives.format]
