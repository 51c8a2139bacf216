"""CSV with a header line."""

from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from ingestion.contracts import SourceTable
from ingestion.landing.zone import LandedFile
from ingestion.limits import Limits
from ingestion.readers import check_header, check_records
from ingestion.readers.dialect import Block, Dialect
from ingestion.readers.records import from_sheet, strings, unparsed

Columns = Sequence[pa.Array]


class CsvReader:
    """Reads CSV; columns are found by their name in the header, in any order."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Refuse a file whose header does not have the contract's columns, or that has no record."""
        dialect = Dialect.of(table, self._limits)
        with dialect.open(file) as source:
            header, _ = dialect.header(source)
        hint = f"is the delimiter {dialect.delimiter!r}, and is there a header line?"
        check_header(table, header, hint, self._limits)
        check_records(table, self.read(table, file), f"has each line the {len(header)} fields of the header?")

    def read(self, table: SourceTable, file: LandedFile) -> Iterator[pa.RecordBatch]:
        """Read the file; blank lines and repetitions of the header are no records."""
        dialect = Dialect.of(table, self._limits)
        with dialect.open(file) as source:
            header, begun = dialect.header(source)
            for block in dialect.blocks(source, begun):
                parts, others = _parse(dialect, block, header)
                for part in parts:
                    yield from_sheet(table, header, part)
                if others:
                    yield unparsed(table, others)


def _parse(dialect: Dialect, block: Block, header: Sequence[str]) -> tuple[list[Columns], list[str]]:
    """The columns of a block's records, and the lines that have another number of fields."""
    if not dialect.is_arrows:
        return _parse_each(dialect, [*dialect.records(block.records), *block.broken], header)
    parts, others = _parse_together(dialect, _valid(block.records), len(header))
    more_parts, unparsed_lines = _parse_each(dialect, [*block.broken, *others], header)
    return parts + more_parts, unparsed_lines


def _parse_together(dialect: Dialect, records: bytes, width: int) -> tuple[list[Columns], list[bytes]]:
    """The columns of records whose quotes pair, and those that have another number of fields."""
    if not records:
        return [], []
    others: list[bytes] = []

    def keep(row: csv.InvalidRow) -> str:
        others.append(row.text.encode())
        return "skip"

    names = [str(position) for position in range(width)]
    found = csv.read_csv(
        pa.BufferReader(records),
        csv.ReadOptions(column_names=names, block_size=len(records)),
        csv.ParseOptions(
            delimiter=dialect.delimiter,
            quote_char=dialect.quote if dialect.quote.encode() in records else False,
            newlines_in_values=dialect.quote.encode() in records,
            invalid_row_handler=keep,
        ),
        csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            null_values=["", dialect.null],
            strings_can_be_null=True,
        ),
    )
    parts = [batch.columns for batch in found.to_batches()]
    if width == 1:  # Arrow takes blanks for a value there
        parts = [[column.filter(_is_no_blank(column))] for (column,) in parts]
    return parts, others


def _parse_each(
    dialect: Dialect, records: Iterable[bytes], header: Sequence[str]
) -> tuple[list[Columns], list[str]]:
    """Parse records one by one."""
    rows, others = [], []
    for record in records:
        if record.strip():
            fields = _without_last_delimiter(dialect.split(record), header)
            if len(fields) == len(header):
                rows.append(fields)
            else:
                others.append(record.decode(errors="replace").rstrip("\r\n"))
    return [[strings(column) for column in zip(*rows, strict=True)]] if rows else [], others


def _without_last_delimiter(fields: list[str | None], header: Sequence[str]) -> list[str | None]:
    """Fields in the header's number, where records alone or the header alone end with a delimiter."""
    if len(fields) == len(header) + 1 and fields[-1] is None:
        return fields[:-1]
    if not any(name.strip() for name in header[len(fields) :]):
        return fields + [None] * (len(header) - len(fields))
    return fields


def _is_no_blank(column: pa.Array) -> pa.Array:
    return pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(column), ""), True)


def _valid(records: bytes) -> bytes:
    """UTF-8, with replacement characters for what is none."""
    if records.isascii():
        return records
    try:
        records.decode()
    except UnicodeDecodeError:
        return records.decode(errors="replace").encode()
    return records
