"""JSON: one object per line, or one array of objects per file."""

import io
import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from ingestion import json_text
from ingestion.contracts import SourceTable
from ingestion.landing.zone import LandedFile
from ingestion.readers import NO_RECORDS, FileRefused, open_text
from ingestion.readers.records import maps, schema, strings

_SPACE = re.compile(r"[\s,]*")
# A text, which may hold brackets and may end too early, or a bracket.
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\Z)|[\[\]{}]', re.DOTALL)
_ARRAY_OF_OBJECTS = re.compile(r"\[\s*\{")
_NEXT_OBJECT = re.compile(r"\}\s*,\s*(?=\{)")
NEVER_CLOSED = "the array is never closed: the file ends too early"

_CHUNK = 1 << 20
_LONGEST_LINE = 1 << 26
_BATCH = 1 << 14
# A joined file has a byte order mark inside.
_BLANKS = " \t\r\n\ufeff"


class JsonLinesReader:
    """Reads JSON lines; a nested value stays JSON text until the contract gives it a type."""

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Refuse a file of which no line is a record, and a complete extract without a line."""
        if file.size == 0:
            raise FileRefused("the file is empty")
        first = next(_lines(table, file), "")
        if _goes_on(first) or not _has_records(table, _lines(table, file)):
            raise FileRefused(
                f"JSON lines are declared, but the file begins with {first[:20]!r}, and no line is an object "
                f"with {_names(table)}: is it one JSON array? Then declare the format json_array. Is it an "
                "object on several lines, or one around the records? Then send each record on a line."
            )

    def read(self, table: SourceTable, file: LandedFile) -> Iterator[pa.RecordBatch]:
        """Read the file; blank lines are no records."""
        lines = _lines(table, file)
        while batch := list(islice(lines, _BATCH)):
            yield _parse(table, batch)


class JsonArrayReader:
    """Reads files that are one JSON array of objects; what is broken costs only its own record."""

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Refuse a file that is no array, and a complete extract without a record."""
        with _open(table, file) as text:
            beginning = text.read(1000).lstrip(_BLANKS)
        if not beginning:
            raise FileRefused("the file is empty")
        if not beginning.startswith("["):
            raise FileRefused(
                f"a JSON array is declared, but the file begins with {beginning[:20]!r}: "
                "are these JSON lines? Then declare the format json."
            )
        if not _has_records(table, _elements(table, file)):
            raise FileRefused(
                f"the file begins with {beginning[:20]!r}, and no element of the array is an object with "
                f"{_names(table)}: send an array of records, or correct the contract."
            )

    def read(self, table: SourceTable, file: LandedFile) -> Iterator[pa.RecordBatch]:
        """Read the file, in memory as a whole."""
        elements = _elements(table, file)
        while batch := list(islice(elements, _BATCH)):
            yield _parse(table, batch)


def _open(table: SourceTable, file: LandedFile) -> io.TextIOWrapper:
    """The text of a file, all line ends as line feeds."""
    return open_text(file, table.arrives.options.get("encoding", "utf-8"))


def _goes_on(line: str) -> bool:
    """Whether what a line begins ends on a later one: an array, or an object that is written for people."""
    bare = line.strip(_BLANKS)
    if _ARRAY_OF_OBJECTS.match(bare):
        try:
            json_text.decode(bare)
        except ValueError:
            return True
    return bare in ("[", "{")


def _has_records(table: SourceTable, texts: Iterator[str]) -> bool:
    """Whether one of the texts is an object with a declared name, or there is none at all.

    Raises:
        FileRefused: a complete extract has none.
    """
    headers = {column.header for column in table.columns}
    text = None
    for text in texts:
        if not headers.isdisjoint(_fields(text) or {}):
            return True
    if text is None and table.arrives.delivery == "complete":
        raise FileRefused(NO_RECORDS)
    return text is None


def _names(table: SourceTable) -> str:
    """The declared names, as a message lists them."""
    return " or ".join(column.header for column in table.columns[:5])


def _lines(table: SourceTable, file: LandedFile) -> Iterator[str]:
    """Lines that are not blank."""
    rest = ""
    with _open(table, file) as text:
        while chunk := text.read(_CHUNK):
            *lines, rest = (rest + chunk).split("\n")
            yield from (line for line in lines if line and not line.isspace())
            if len(rest) > _LONGEST_LINE:
                raise FileRefused(
                    f"a line has more than {_LONGEST_LINE:,} characters: is it one JSON array? "
                    "Then declare the format json_array."
                )
    if rest.strip():
        yield rest


def _elements(table: SourceTable, file: LandedFile) -> Iterator[str]:
    """The text of each element, broken ones too, and what follows the array."""
    with _open(table, file) as source:
        text = source.read()
    position = _after_space(text, text.index("[") + 1)
    while position < len(text) and text[position] != "]":
        try:
            _, end = json_text.decode(text, position)
        except ValueError:
            end = _end_of_broken(text, position, table)
        yield text[position:end]
        position = _after_space(text, end)
    if position >= len(text):
        yield NEVER_CLOSED
    elif rest := text[position + 1 :].strip():
        yield rest


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _end_of_broken(text: str, start: int, table: SourceTable) -> int:
    """Where a value that is no JSON ends; at least one character is taken."""
    end = _closing_bracket(text, start)
    # A quote too many turns all texts behind it inside out, and with them the brackets.
    for match in _NEXT_OBJECT.finditer(text, start, end):
        if _has_all_columns(text, match.end(), table):
            return match.start() + 1
    return end


def _closing_bracket(text: str, start: int) -> int:
    depth = 0
    for match in _BRACKET.finditer(text, start):
        if match.group() in ("{", "["):
            depth += 1
        elif match.group() in ("}", "]"):
            depth -= 1
            if depth <= 0:
                # A bracket that closes the array itself belongs to the array.
                return match.end() if depth == 0 else max(match.start(), start + 1)
    return len(text)


def _has_all_columns(text: str, position: int, table: SourceTable) -> bool:
    """Whether a record is there, and no object within another."""
    try:
        value, _ = json_text.decode(text, position)
    except ValueError:
        return False
    return isinstance(value, tuple) and {column.header for column in table.columns} <= dict(value).keys()


def _parse(table: SourceTable, texts: Sequence[str]) -> pa.RecordBatch:
    """Records of texts of JSON objects."""
    records = [_fields(text) for text in texts]
    objects = [record or {} for record in records]
    headers = [column.header for column in table.columns]
    columns = [
        *(_column([record.get(header) for record in objects]) for header in headers),
        _extra(objects, set(headers)),
        strings([text if record is None else None for text, record in zip(texts, records, strict=True)]),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema(table))


def _extra(records: Sequence[dict[str, Any]], declared: set[str]) -> pa.Array:
    """Values under undeclared names; null where there are none."""
    pairs = [
        [] if record.keys() <= declared
        else [(name, value) for name, value in record.items() if name not in declared and value is not None]
        for record in records
    ]  # fmt: skip
    names = strings([name for some in pairs for name, _ in some])
    return maps([len(some) for some in pairs], names, _column([value for some in pairs for _, value in some]))


def _fields(text: str) -> dict[str, Any] | None:
    """Names and values of an object; null where it is none, or a name is there twice."""
    text = text.strip(_BLANKS)
    try:
        value, end = json_text.decode(text)
    except ValueError:
        return None
    if not isinstance(value, tuple) or end < len(text):
        return None
    fields = dict(value)
    # Of two values under one name, nobody knows which is meant.
    return fields if len(fields) == len(value) else None


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        return strings([json_text.text_of(value) for value in values])
