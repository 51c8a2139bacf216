"""JSON: one object per line, or one array of objects per file."""

import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa

from ingestion import json_text
from ingestion.contracts import SourceTable
from ingestion.errors import shape_of
from ingestion.landing.zone import LandedFile
from ingestion.limits import Limits
from ingestion.readers import NO_RECORDS, FileRefused, open_text
from ingestion.readers.records import maps, schema, strings

_SPACE = re.compile(r"[\s,]*")
# What says where a broken record ends: a character that is escaped is none.
_MARK = re.compile(r'\\.|["\[\]{}]', re.DOTALL)
_ARRAY_OF_OBJECTS = re.compile(r"\[\s*\{")
_NEXT_OBJECT = re.compile(r"\s*,\s*(?=\{)")
NEVER_CLOSED = "the array is never closed: the file ends too early"

_CHUNK = 1 << 20
# Records of a batch, and characters after which it ends sooner.
_BATCH, _BATCH_CHARACTERS = 1 << 14, 1 << 24
# A joined file has a byte order mark inside.
_BLANKS = " \t\r\n\ufeff"


class JsonLinesReader:
    """Reads JSON lines; a nested value stays JSON text until the contract gives it a type."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Refuse a file of which no line is a record, and a complete extract without a line."""
        if file.size == 0:
            raise FileRefused("the file is empty")
        first = next(_lines(table, file, self._limits), "")
        if _goes_on(first) or not _has_records(table, _lines(table, file, self._limits), self._limits):
            raise FileRefused(
                f"JSON lines are declared, but the file begins with {shape_of(first[:20])!r}, and no line is "
                f"an object with {_names(table)}: is it one JSON array? Then declare the format json_array. "
                "Is it one object on several lines, or one around the records? Send each record on a line."
            )

    def read(self, table: SourceTable, file: LandedFile) -> Iterator[pa.RecordBatch]:
        """Read the file; blank lines are no records."""
        return read_texts(table, _lines(table, file, self._limits), self._limits)


class JsonArrayReader:
    """Reads files that are one JSON array of objects; what is broken costs only its own record."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits

    def check(self, table: SourceTable, file: LandedFile) -> None:
        """Refuse a file that is no array, and a complete extract without a record."""
        with _open(table, file, self._limits) as text:
            beginning = text.read(1000).lstrip(_BLANKS)
        if not beginning:
            raise FileRefused("the file is empty")
        if not beginning.startswith("["):
            raise FileRefused(
                f"a JSON array is declared, but the file begins with {shape_of(beginning[:20])!r}: "
                "are these JSON lines? Then declare the format json."
            )
        if not _has_records(table, _elements(table, file, self._limits), self._limits):
            raise FileRefused(
                f"the file begins with {shape_of(beginning[:20])!r}, and no element of the array is an "
                f"object with {_names(table)}: send an array of records, or correct the contract."
            )

    def read(self, table: SourceTable, file: LandedFile) -> Iterator[pa.RecordBatch]:
        """Read the file."""
        return read_texts(table, _elements(table, file, self._limits), self._limits)


def read_texts(table: SourceTable, texts: Iterator[str], limits: Limits) -> Iterator[pa.RecordBatch]:
    """Records of texts that are a JSON object each, in batches as readers give them."""
    for batch in _batches(texts):
        yield _parse(table, batch, limits)


def _open(table: SourceTable, file: LandedFile, limits: Limits) -> io.TextIOWrapper:
    """The text of a file, all line ends as line feeds."""
    return open_text(file, table.arrives.options.get("encoding", "utf-8"), limits)


def _batches(texts: Iterator[str]) -> Iterator[list[str]]:
    """The texts in lists that are not too long."""
    batch, characters = [], 0
    for text in texts:
        batch.append(text)
        characters += len(text)
        if len(batch) == _BATCH or characters > _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def _goes_on(line: str) -> bool:
    """Whether what a line begins ends on a later one: an array, or an object that is written for people."""
    bare = line.strip(_BLANKS)
    if _ARRAY_OF_OBJECTS.match(bare):
        try:
            json_text.decode(bare)
        except ValueError:
            return True
    return bare in ("[", "{")


def _has_records(table: SourceTable, texts: Iterator[str], limits: Limits) -> bool:
    """Whether one of the texts is an object with a declared name, or there is none at all.

    Raises:
        FileRefused: a complete extract has none.
    """
    headers = {column.header for column in table.columns}
    text = None
    for text in texts:
        if not headers.isdisjoint(_fields(text, limits) or {}):
            return True
    if text is None and table.arrives.delivery == "complete":
        raise FileRefused(NO_RECORDS)
    return text is None


def _names(table: SourceTable) -> str:
    """The declared names, as a message lists them."""
    return " or ".join(column.header for column in table.columns[:5])


def _lines(table: SourceTable, file: LandedFile, limits: Limits) -> Iterator[str]:
    """Lines that are not blank."""
    rest = ""
    with _open(table, file, limits) as text:
        while chunk := text.read(_CHUNK):
            *lines, rest = (rest + chunk).split("\n")
            yield from (line for line in lines if line and not line.isspace())
            if len(rest) > limits.record_bytes:
                raise FileRefused(
                    f"a line has more than {limits.record_bytes:,} bytes (LAKEHOUSE_MAX_RECORD_BYTES): "
                    "is it one JSON array? Then declare the format json_array."
                )
    if rest.strip():
        yield rest


class _Text(str):
    """Errors of JSON count the lines before them, which takes the longer the further in they are."""

    __slots__ = ()

    def count(self, *_: object) -> int:
        """No lines."""
        return 0

    def rfind(self, *_: object) -> int:
        """No line."""
        return 0


def _elements(table: SourceTable, file: LandedFile, limits: Limits) -> Iterator[str]:
    """The text of each element, broken ones too, and what follows the array.

    Of the file, what two records can take is in memory, and at most half as much again.
    """
    longest = limits.record_bytes
    with _open(table, file, limits) as source:
        text, at_end = _Text(source.read(longest)), False
        position = text.index("[") + 1
        while True:
            if len(text) - position <= 2 * longest and not at_end:
                more = source.read(longest)
                text, position, at_end = _Text(text[position:] + more), 0, len(more) < longest
            position = _after_space(text, position)
            if position == len(text) and not at_end:
                continue
            if position == len(text) or text[position] == "]":
                break
            end = _end_of_element(text, position, table, at_end)
            _check_length(end - position, limits)
            yield text[position:end]
            position = end
        rest = (text[position + 1 :] + source.read(longest)).strip()
    _check_length(len(rest), limits)
    if position == len(text):
        yield NEVER_CLOSED
    elif rest:
        yield rest


def _check_length(length: int, limits: Limits) -> None:
    if length > limits.record_bytes:
        raise FileRefused(
            f"an element of the array, or what follows it, has more than {limits.record_bytes:,} bytes "
            "(LAKEHOUSE_MAX_RECORD_BYTES): is a bracket or a quote missing?"
        )


def _after_space(text: str, position: int) -> int:
    match = _SPACE.match(text, position)
    return match.end() if match else position


def _end_of_element(text: str, start: int, table: SourceTable, at_end: bool) -> int:
    """Where the element ends that begins at `start`; the end of the text for one that goes on there."""
    try:
        _, end = json_text.decode(text, start)
    except ValueError as error:
        is_cut = json_text.is_at_end(error, text) and not at_end
        return len(text) if is_cut else _end_of_broken(text, start, table)
    return end


def _end_of_broken(text: str, start: int, table: SourceTable) -> int:
    """Where a value that is no JSON ends; at least one character is taken."""
    depth, is_quoted = 0, False
    for mark in _MARK.finditer(text, start):
        # A quote too many turns all texts behind it inside out, and with them the brackets.
        if mark[0] == "}" and _is_before_record(text, mark.end(), table):
            return mark.end()
        if mark[0] == '"':
            is_quoted = not is_quoted
        elif mark[0] in ("{", "[") and not is_quoted:
            depth += 1
        elif mark[0] in ("}", "]") and not is_quoted:
            depth -= 1
            if depth <= 0:
                # A bracket that closes the array itself belongs to the array.
                return mark.end() if depth == 0 else max(mark.start(), start + 1)
    return len(text)


def _is_before_record(text: str, position: int, table: SourceTable) -> bool:
    """Whether a record begins next, and no object within another."""
    following = _NEXT_OBJECT.match(text, position)
    if not following:
        return False
    try:
        value, _ = json_text.decode(text, following.end())
    except ValueError:
        return False
    return isinstance(value, tuple) and {column.header for column in table.columns} <= dict(value).keys()


def _parse(table: SourceTable, texts: Sequence[str], limits: Limits) -> pa.RecordBatch:
    """Records of texts of JSON objects."""
    records = [_fields(text, limits) for text in texts]
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


def _fields(text: str, limits: Limits) -> dict[str, Any] | None:
    """Names and values of an object; null where it is none, is nested too deeply, or has a name twice."""
    text = text.strip(_BLANKS)
    try:
        value, end = json_text.decode(text)
    except ValueError:
        return None
    if not isinstance(value, tuple) or end < len(text) or json_text.is_deeper(text, limits.json_depth):
        return None
    fields = dict(value)
    # Of two values under one name, nobody knows which is meant.
    return fields if len(fields) == len(value) else None


def _column(values: list[Any]) -> pa.Array:
    try:
        return pa.array(values, pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError):
        return strings([json_text.text_of(value) for value in values])
