"""Readers: one per file format, behind one small interface.

A reader turns a file into batches of records whose values are still text. What the text means is the
contract's business (`ingestion.bronze.conform`), so a reader knows its format and nothing else.
"""

import codecs
import io
from collections.abc import Iterator, Sequence
from pathlib import PurePath
from typing import BinaryIO, Protocol, cast

import pyarrow as pa

from ingestion.contracts import SourceTable
from ingestion.landing.zone import LandedFile

# Columns a reader adds to the contract's: values under names that the contract does not have
# (map<string,string>, null where there are none), and the text of a record that cannot be parsed.
EXTRA, UNPARSED = "_extra", "_unparsed"

NO_RECORDS = "a complete extract without a record would mean that everything was removed"

_UNREAD = (".7z", ".deflate", ".lz4", ".rar", ".snappy", ".tar", ".tgz", ".xz", ".z", ".zip", ".zst")
# How files begin that say their encoding; the longer marks first, as they begin with shorter ones.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_COMPRESSED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"PK\x03\x04": "zip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\0": "xz",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
}


class FileRefused(Exception):
    """A file that cannot be loaded as a whole; the message says why and what to do."""


def check_compression(file: LandedFile) -> None:
    """Refuse what is compressed in a way of which nothing, or not all, would be read."""
    suffixes = [suffix for suffix in PurePath(file.path).suffixes if suffix not in (".gz", ".bz2")]
    ending = suffixes[-1].lower() if suffixes else ""
    if ending in _UNREAD:
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


def check_records(table: SourceTable, batches: Iterator[pa.RecordBatch], hint: str) -> None:
    """Refuse a file of which no record can be parsed, and a complete extract without one."""
    first = None
    for batch in batches:
        unparsed = batch.column(UNPARSED)
        if unparsed.null_count:
            return
        first = first or next(iter(unparsed.to_pylist()), None)
    if first:
        raise FileRefused(f"no record can be parsed, the first is {first[:100]!r}: {hint}")
    if table.arrives.delivery == "complete":
        raise FileRefused(NO_RECORDS)


def open_bytes(file: LandedFile, encoding: str) -> tuple[BinaryIO, str]:
    """The uncompressed file and its encoding, which is `encoding` where the file itself does not say another.

    Raises:
        FileRefused: it is compressed, but its name does not say so.
    """
    source = cast(io.BufferedReader, file.open())
    try:
        beginning = source.peek(8)
        for mark, program in _COMPRESSED.items():
            if beginning.startswith(mark):
                raise FileRefused(
                    f"the file is compressed by {program}, but its name does not say so: "
                    "unpack it, or let the name of a gzip file end in .gz"
                )
    except BaseException:
        source.close()
        raise
    marked = (charset for mark, charset in _MARKS.items() if beginning.startswith(mark))
    return source, next(marked, encoding)


def open_text(file: LandedFile, encoding: str) -> io.TextIOWrapper:
    """The uncompressed file as text, with replacement characters for what is not in its encoding.

    Line ends become line feeds.

    Raises:
        FileRefused: it is compressed, but its name does not say so.
    """
    return io.TextIOWrapper(*open_bytes(file, encoding), errors="replace")


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
