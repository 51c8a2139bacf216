"""Readers: one per file format, behind one small interface.

A reader turns files into records whose values are still text. What the text means is the contract's
business (`ingestion.conform`), so a reader knows its format and nothing else.
"""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Protocol

from pyspark.sql import DataFrame, SparkSession

from ingestion.contracts import SourceTable
from ingestion.landing import LandedFile

# Columns a reader adds to the contract's: where a record comes from, values under names that the
# contract does not have (map<string,string>), and the text of a record that cannot be parsed.
URI, EXTRA, UNPARSED = "_uri", "_extra", "_unparsed"


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
    declared = {column.header for column in table.columns}
    missing = [column.header for column in table.columns if column.header not in header]
    unknown = [name for name in header if name not in declared]
    if len(missing) == len(declared):
        raise FileRefused(f"the header has none of the declared columns, but {list(header)}: {hint}")
    if missing:
        raise FileRefused(
            f"the header lacks {missing} and has the undeclared {unknown}: "
            "was a column renamed? Correct the file or the contract."
        )
    if repeated := sorted({name for name in header if header.count(name) > 1}):
        raise FileRefused(f"the header has {repeated} more than once")


class Reader(Protocol):
    """Reads files of one format."""

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Look at the beginning of a file; raise `FileRefused` where it cannot be the table's."""

    def read(self, spark: SparkSession, table: SourceTable, files: Sequence[LandedFile]) -> DataFrame:
        """Records of checked files: the contract's columns as strings, and the three above."""


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
