"""How the text of a CSV file divides into records and fields."""

import codecs
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, cast

import numpy as np

from ingestion.contracts import SourceTable
from ingestion.landing.zone import LandedFile
from ingestion.limits import Limits
from ingestion.readers import FileRefused, open_bytes

_CHUNK = 1 << 21
_LINE = re.compile(rb"[^\r\n]*+(?:\r\n?|\n)?")
_BLANK_LINES = re.compile(rb"(?:[ \t]*(?:\r\n?|\n))*")


@dataclass(frozen=True)
class Block:
    """Some records of a file, in UTF-8: those whose quotes pair, and lines whose quotes do not."""

    records: bytes
    broken: list[bytes]


@dataclass(frozen=True)
class Dialect:
    """Delimiter, quote and escape character, and encoding of CSV files.

    A record ends with its line, whatever line ends there are; a quoted field may hold some. A quote that is
    not at the beginning of a field is a character like others. One that is not closed before a delimiter or
    a line end spoils its own line only. Within quotes, a quote is doubled or has the escape character
    before it.
    """

    delimiter: str
    quote: str
    escape: str
    encoding: str
    null: str
    limits: Limits

    @classmethod
    def of(cls, table: SourceTable, limits: Limits) -> "Dialect":
        """The dialect that the options of a table declare."""
        options = table.arrives.options
        quote = options.get("quote", '"')
        return cls(
            delimiter=options.get("sep", options.get("delimiter", ",")).replace("\\t", "\t"),
            quote=quote,
            escape=options.get("escape", quote),
            encoding=options.get("encoding", "utf-8"),
            null=options.get("nullValue", ""),
            limits=limits,
        )

    @property
    def is_arrows(self) -> bool:
        """Whether Arrow's parser takes records whose quotes pair as this dialect does."""
        return len(self.delimiter.encode()) == 1 and self.escape == self.quote

    def open(self, file: LandedFile) -> BinaryIO:
        """The file in UTF-8, but for bytes that are not in its encoding."""
        source, encoding = open_bytes(file, self.encoding, self.limits)
        if codecs.lookup(encoding).name in ("utf-8", "utf-8-sig"):
            return source
        return cast(BinaryIO, _Utf8(io.TextIOWrapper(source, encoding, errors="replace", newline="")))

    def header(self, source: BinaryIO) -> tuple[list[str], bytes]:
        """The names in the header, and what was read of the lines below it.

        Raises:
            FileRefused: the file is empty, or its first line too long.
        """
        head = source.read(_CHUNK).removeprefix(codecs.BOM_UTF8)
        head = b"\n" + head[cast(re.Match[bytes], _BLANK_LINES.match(head)).end() :]
        while not (record := self._record.match(head, 1)) and len(head) <= self.limits.record_bytes:
            if not (chunk := source.read(_CHUNK)):
                break
            head += chunk
        if not head.strip():
            raise FileRefused("the file is empty")
        record = record or cast(re.Match[bytes], _LINE.match(head, 1))
        self._check_length(len(record[0]))
        return self._fields(record[0]), head[record.end() :]

    def blocks(self, source: BinaryIO, begun: bytes) -> Iterator[Block]:
        """The records in `begun` and the rest of `source`.

        Raises:
            FileRefused: the file is not divided into lines.
        """
        block, at_end = b"\n" + begun, False
        while not at_end:
            chunk = source.read(_CHUNK)
            at_end = not chunk
            block += chunk or b"\n"
            found, end = self._divide(block, at_end)
            yield found
            block = block[end - 1 :]

    def records(self, block: bytes) -> Iterator[bytes]:
        """Each of the records whose quotes pair."""
        return (match[0] for match in self._record.finditer(b"\n" + block, 1))

    def split(self, record: bytes) -> list[str | None]:
        """Fields of a record; null where one is empty."""
        return [None if value in ("", self.null) else value for value in self._fields(record)]

    def _fields(self, record: bytes) -> list[str]:
        text = record.decode(errors="replace").rstrip("\r\n")
        return [
            match[2] if match[1] is None else self._unescape(match[1]) for match in self._field.finditer(text)
        ]

    def _divide(self, block: bytes, at_end: bool) -> tuple[Block, int]:
        """The records that are there as a whole, and where they end."""
        if self.quote.encode() not in block:
            end = max(block.rfind(b"\n"), block.rfind(b"\r")) + 1
            self._check_length(len(block) - end)
            return Block(block[1:end], []), end
        end = self._end_of_pairs(block) if self.is_arrows else 0
        if end == len(block) or (end and not at_end and len(block) - end <= self.limits.record_bytes):
            return Block(block[1:end], []), end
        records, broken, end = [], [], 1
        while end < len(block):
            start, end = end, cast(re.Match[bytes], self._records.match(block, end)).end()
            records.append(block[start:end])
            if end == len(block) or (not at_end and self._may_go_on(block, end)):
                break
            broken.append(cast(re.Match[bytes], _LINE.match(block, end))[0])
            end += len(broken[-1])
        return Block(b"".join(records), broken), end

    def _end_of_pairs(self, block: bytes) -> int:
        """Where the last record ends if all quotes up to there pair around whole fields, else 0.

        This is the usual case and found in a tenth of the time that the patterns take.
        """
        data = np.frombuffer(block, np.uint8)
        quotes = np.flatnonzero(data == ord(self.quote))
        outside = len(block) if len(quotes) % 2 == 0 else int(quotes[-1])
        end = max(block.rfind(b"\n", 0, outside), block.rfind(b"\r", 0, outside)) + 1
        quotes = quotes[quotes < end]
        opening, closing = quotes[::2], quotes[1::2]
        around = np.frombuffer(f"\r\n{self.delimiter}".encode(), np.uint8)
        doubled = closing[: len(opening) - 1] + 1 == opening[1:]
        begins = np.isin(data[opening - 1], around)
        begins[1:] |= doubled
        ends = np.isin(data[closing + 1], around)
        ends[: len(doubled)] |= doubled
        return end if len(quotes) % 2 == 0 and begins.all() and ends.all() else 0

    def _may_go_on(self, block: bytes, start: int) -> bool:
        """Whether the record that begins at `start` may become whole with what follows."""
        line = cast(re.Match[bytes], _LINE.match(block, start))[0]
        if not line.endswith((b"\r", b"\n")):
            self._check_length(len(block) - start)
            return True
        # A quote that is never closed has to end somewhere.
        is_long = len(block) - start >= self.limits.record_bytes
        return not is_long and bool(self._unfinished.match(block, start))

    def _check_length(self, length: int) -> None:
        if length > self.limits.record_bytes:
            raise FileRefused(
                f"a line has more than {self.limits.record_bytes:,} bytes (LAKEHOUSE_MAX_RECORD_BYTES): "
                "has the file line ends?"
            )

    def _unescape(self, quoted: str) -> str:
        if self.escape == self.quote:
            return quoted.replace(self.quote * 2, self.quote)
        quote, escape = re.escape(self.quote), re.escape(self.escape)
        return re.sub(rf"{escape}({escape}|{quote})|{quote}({quote})", lambda m: m[1] or m[2], quoted)

    @cached_property
    def _record(self) -> re.Pattern[bytes]:
        return re.compile((self._whole + r"(?:\r\n?|\n)").encode(), re.DOTALL)

    @cached_property
    def _records(self) -> re.Pattern[bytes]:
        return re.compile(rf"(?:{self._whole}(?:\r\n?|\n))*+".encode(), re.DOTALL)

    @cached_property
    def _unfinished(self) -> re.Pattern[bytes]:
        open_field = rf"{self._begin}{re.escape(self.quote)}{self._inside}{re.escape(self.quote)}?"
        return re.compile(rf"{self._whole}(?:{open_field})?\Z".encode(), re.DOTALL)

    @cached_property
    def _field(self) -> re.Pattern[str]:
        delimiter, quote = re.escape(self.delimiter), re.escape(self.quote)
        whole = f"{quote}{self._inside}{quote}"
        plain = rf"[^{delimiter}]*+" if len(self.delimiter) == 1 else rf"(?:(?!{delimiter}).)*+"
        return re.compile(
            rf"(?:\A|{delimiter})(?:{quote}(?=.)({self._inside})(?:{quote}[ \t]*(?={delimiter}|\Z)|\Z)"
            rf"|((?:{whole})?{plain}))",
            re.DOTALL,
        )

    @property
    def _begin(self) -> str:
        return rf"(?:(?<={re.escape(self.delimiter)})|(?<=[\r\n]))"

    @property
    def _inside(self) -> str:
        quote, escape = re.escape(self.quote), re.escape(self.escape)
        if escape == quote:
            return rf"(?:[^{quote}]++|{quote}{quote})*+"
        return rf"(?:[^{quote}{escape}]++|{escape}.|{quote}{quote})*+"

    @property
    def _whole(self) -> str:
        """A record whose quotes pair, without its line end."""
        delimiter, quote = re.escape(self.delimiter), re.escape(self.quote)
        quoted = rf"{self._begin}{quote}{self._inside}{quote}(?={delimiter}|[\r\n])"
        within = rf"(?<!{delimiter})(?<![\r\n]){quote}"
        unquoted = rf"[^{quote}\r\n]*+"
        return rf"{unquoted}(?:(?:{quoted}|{within}){unquoted})*+"


class _Utf8(io.RawIOBase):
    """A text file as UTF-8."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text

    def read(self, size: int = -1) -> bytes:
        return self._text.read(size).encode(errors="replace")

    def close(self) -> None:
        self._text.close()
        super().close()
