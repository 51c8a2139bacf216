"""Readers: one per file format, behind one small interface.

A reader turns a file into batches of records whose values are still text. What the text means is the
contract's business (`ingestion.bronze.conform`), so a reader knows its format and nothing else.
"""

import codecs
import io
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

import pyarrow as pa

from ingestion.contracts import SourceTable
from ingestion.errors import shape_of
from ingestion.landing.zone import LandedFile
from ingestion.limits import Limits

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# Columns a reader adds to the contract's: values under names that the contract does not have
# (map<string,string>, null where there are none), and the text of a record that cannot be parsed.
EXTRA, UNPARSED = "_extra", "_unparsed"

NO_RECORDS = "a complete extract without a record would mean that everything was removed"

_BUFFER_BYTES = 1 << 20
# What a message shows of names in a file.
_SHOWN_NAMES, _SHOWN_CHARACTERS = 20, 50

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


def check_header(table: SourceTable, header: Sequence[str], hint: str, limits: Limits) -> None:
    """Refuse a header that does not have the contract's columns; `hint` says what else to look at."""
    if len(header) > limits.columns:
        raise FileRefused(
            f"the header has {len(header):,} columns, more than {limits.columns:,} (LAKEHOUSE_MAX_COLUMNS): "
            f"{hint}"
        )
    names = Counter(name for name in header if name.strip())
    declared = {column.header for column in table.columns}
    missing = [column.header for column in table.columns if column.header not in names]
    unknown = [name for name in names if name not in declared]
    if len(missing) == len(declared):
        # Without a header line, the first record stands there.
        shapes = listed([shape_of(name) for name in names])
        raise FileRefused(f"the header has none of the declared columns, but looks like {shapes}: {hint}")
    if missing:
        raise FileRefused(
            f"the header lacks {missing} and has the undeclared {listed(unknown)}: "
            "was a column renamed? Correct the file or the contract."
        )
    if repeated := sorted(name for name, count in names.items() if count > 1):
        raise FileRefused(f"the header has {listed(repeated)} more than once")


def check_records(table: SourceTable, batches: Iterator[pa.RecordBatch], hint: str) -> None:
    """Refuse a file of which no record can be parsed, and a complete extract without one."""
    first = None
    for batch in batches:
        unparsed = batch.column(UNPARSED)
        if unparsed.null_count:
            return
        first = first or next(iter(unparsed.to_pylist()), None)
    if first:
        raise FileRefused(f"no record can be parsed, the first is {shape_of(first[:100])!r}: {hint}")
    if table.arrives.delivery == "complete":
        raise FileRefused(NO_RECORDS)


def listed(names: Collection[str]) -> str:
    """Names as a message shows them, the first of many and the beginning of long ones."""
    shown = str([name[:_SHOWN_CHARACTERS] for name in list(names)[:_SHOWN_NAMES]])
    return shown if len(names) <= _SHOWN_NAMES else f"{shown} and {len(names) - _SHOWN_NAMES:,} more"


def open_limited(file: LandedFile, most: int, setting: str) -> io.BufferedReader:
    """The uncompressed file, which is refused when `most` bytes of it have been read and there are more."""
    if file.size > most:
        raise FileRefused(f"the file has {file.size:,} bytes, more than {most:,} ({setting})")
    return io.BufferedReader(_Limited(file.open(), most, setting), _BUFFER_BYTES)


class _Limited(io.RawIOBase):
    def __init__(self, source: BinaryIO, most: int, setting: str) -> None:
        self._source, self._most, self._setting = cast(io.BufferedReader, source), most, setting
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        count = self._source.readinto(buffer)
        self._read += count
        if self._read > self._most:
            raise FileRefused(
                f"the file has more than {self._most:,} bytes ({self._setting}) after decompression: "
                "send it in parts, or raise the setting"
            )
        return count

    def close(self) -> None:
        self._source.close()
        super().close()


def open_bytes(file: LandedFile, encoding: str, limits: Limits) -> tuple[BinaryIO, str]:
    """The uncompressed file and its encoding, which is `encoding` where the file itself does not say another.

    Raises:
        FileRefused: it is compressed, but its name does not say so.
    """
    source = open_limited(file, limits.file_bytes, "LAKEHOUSE_MAX_FILE_BYTES")
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


def open_text(file: LandedFile, encoding: str, limits: Limits) -> io.TextIOWrapper:
    """The uncompressed file as text, with replacement characters for what is not in its encoding.

    Line ends become line feeds.

    Raises:
        FileRefused: it is compressed, but its name does not say so.
    """
    return io.TextIOWrapper(*open_bytes(file, encoding, limits), errors="replace")


class Reader(Protocol):
    """Reads files of one format, within limits."""

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Look at the beginning of a file; raise `FileRefused` where it cannot be the table's."""

    def read(self, table: SourceTable, file: LandedFile) -> Iterator[pa.RecordBatch]:
        """Records of a checked file in batches of a few MB.

        Columns are those of the contract, as strings, `_extra` and `_unparsed`; a record that cannot be
        parsed has no other value.

        Raises:
            FileRefused, OSError, EOFError, zlib.error: the file cannot be read, also in the middle.
        """


def reader_for(table: SourceTable, limits: Limits) -> Reader:
    """The reader of the table's format."""
    from ingestion.readers.csv import CsvReader
    from ingestion.readers.json import JsonArrayReader, JsonLinesReader
    from ingestion.readers.xlsx import XlsxReader

    readers: dict[str, Reader] = {
        "csv": CsvReader(limits),
        "json": JsonLinesReader(limits),
        "json_array": JsonArrayReader(limits),
        "xlsx": XlsxReader(limits),
    }
    return readers[table.arrives.format]


def read_within(table: SourceTable, file: LandedFile, limits: Limits) -> Iterator[pa.RecordBatch]:
    """What the table's reader reads.

    Raises:
        FileRefused: too many records cannot be parsed, or the reader cannot read the file.
    """
    broken = 0
    for batch in reader_for(table, limits).read(table, file):
        broken += batch.num_rows - batch.column(UNPARSED).null_count
        if broken > limits.broken_records:
            raise FileRefused(
                f"more than {limits.broken_records:,} records cannot be parsed "
                "(LAKEHOUSE_MAX_BROKEN_RECORDS): correct the file, or raise the setting"
            )
        yield batch
