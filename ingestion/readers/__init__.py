"""Readers: one per file format, behind one small interface.

A reader turns files into records whose values are still text. What the text means is the contract's
business (`ingestion.conform`), so a reader knows its format and nothing else.
"""

from collections.abc import Sequence
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


class Reader(Protocol):
    """Reads files of one format."""

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Look at the beginning of a file; raise `FileRefused` where it cannot be the table's."""

    def read(self, spark: SparkSession, table: SourceTable, files: Sequence[LandedFile]) -> DataFrame:
        """Records of checked files: the contract's columns as strings, and the three above."""


def reader_for(table: SourceTable) -> Reader:
    """The reader of the table's format."""
    from ingestion.readers.csv import CsvReader
    from ingestion.readers.json import JsonLinesReader

    readers: dict[str, Reader] = {"csv": CsvReader(), "json": JsonLinesReader()}
    return readers[table.arrives.format]
