"""From text to the contract's types; what does not fit is kept in `_rescued_data`.

Nearly all values of a column fit: Arrow casts the column as a whole. Only where it could take a text
otherwise than the contract's type does, or refuses one, texts are looked at one by one (`values`).
"""

import json
from datetime import date
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.bronze.values import REPLACEMENT_CHARACTER, Misfit, arrow_type, parser
from ingestion.contracts import Column, SourceTable
from ingestion.readers import EXTRA, UNPARSED

__all__ = ["arrow_type", "conform"]

RESCUED = "_rescued_data"

# Characters of which a column may consist so that Arrow takes a text as the type does, or not at all.
_INTEGER, _DECIMAL, _FLOAT, _TIME = (b"0123456789-" + more for more in (b"", b".", b".+eE", b" T:."))
# Texts that Arrow takes in any case, and as the type does.
_DAY = "[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])"
_CERTAIN_DAY = f"^{_DAY}$"
_CERTAIN_TIME = f"^{_DAY}([ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{{1,6}})?Z?)?$"
_CERTAIN_FLOAT = "^-?[0-9]{1,15}([.][0-9]{1,15})?$"

_DECIMAL_DIGITS = 38

# Times that `day_of` and `week_of` take for real: 1970 to 2099.
_LAST_SECOND = 4_102_444_800
_DAY_SECONDS = 86_400
# The first of January 1970 was a Thursday.
_MONDAY_TO_EPOCH = 3


def conform(records: pa.RecordBatch, table: SourceTable) -> pa.RecordBatch:
    """Type a reader's records: the declared columns in their order, `_rescued_data` and `_unparsed`.

    A value that its type does not take becomes null and is kept, as JSON by its name in the file, in
    `_rescued_data`, together with values under undeclared names.
    """
    values: dict[str, pa.Array] = {}
    misfits: dict[str, pa.Array] = {}
    for column in table.columns:
        texts = records[column.name]
        values[column.name] = _typed(texts, arrow_type(column.data_type))
        if (misfit := _misfit(texts, values[column.name])) is not None:
            misfits[column.header] = misfit
    for column in table.declared:
        if column.computed_from:
            values[column.name] = _day(column, values[column.computed_from])
    ordered = {column.name: values[column.name] for column in table.declared}
    ordered[RESCUED] = _rescued(misfits, records[EXTRA])
    # A text with a NUL ends there for many programs.
    ordered[UNPARSED] = pc.replace_substring(records[UNPARSED], "\0", REPLACEMENT_CHARACTER)
    return pa.RecordBatch.from_pydict(ordered)


def _typed(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """Values of texts, null where a text does not fit."""
    if pa.types.is_string(kind):
        return _strings(texts)
    trusted = _trusted(kind)
    if trusted is None:
        return _one_by_one(texts, kind)
    alphabet, pattern = trusted
    if _is_short(texts, kind) and not _characters(texts).translate(None, alphabet):
        try:
            values = _cast(texts, kind)
        except pa.ArrowInvalid:
            pass
        else:
            if _is_in_range(values):
                return values
    is_certain = pc.fill_null(pc.match_substring_regex(texts, pattern), True)
    values = _cast(pc.if_else(is_certain, texts, None), kind)
    is_other = pc.invert(is_certain)
    return pc.replace_with_mask(values, is_other, _one_by_one(texts.filter(is_other), kind))


def _one_by_one(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    listed = texts.to_pylist()
    values = {text: _value(text, kind) for text in set(listed)}
    return pa.array([values[text] for text in listed], kind)


def _value(text: str | None, kind: pa.DataType) -> Any:
    try:
        return parser(kind)(text) if text and text.strip(" ") else None
    except Misfit:
        return None


def _strings(texts: pa.Array) -> pa.Array:
    characters = _characters(texts)
    for wrong in (REPLACEMENT_CHARACTER, "\0"):
        if wrong.encode() in characters:
            texts = pc.if_else(pc.match_substring(texts, wrong), None, texts)
    return texts


def _trusted(kind: pa.DataType) -> tuple[bytes, str] | None:
    """The alphabet in which Arrow's cast can be trusted, and a pattern of texts that it surely takes.

    Null for types that are not Arrow's business.
    """
    if pa.types.is_integer(kind):
        digits = {16: 4, 32: 9, 64: 18}[kind.bit_width]
        return _INTEGER, f"^-?[0-9]{{1,{digits}}}$"
    if pa.types.is_decimal(kind):
        whole = f"[0-9]{{1,{kind.precision - kind.scale}}}" if kind.precision > kind.scale else "0"
        places = f"([.][0-9]{{1,{kind.scale}}})?" if kind.scale else ""
        return _DECIMAL, f"^-?{whole}{places}$"
    if pa.types.is_floating(kind):
        return _FLOAT, _CERTAIN_FLOAT
    if pa.types.is_date(kind):
        return _INTEGER, _CERTAIN_DAY
    if pa.types.is_timestamp(kind):
        return _TIME, _CERTAIN_TIME
    return None


def _is_short(texts: pa.Array, kind: pa.DataType) -> bool:
    """Whether Arrow, which first multiplies decimals by their scale, has room for that."""
    if not pa.types.is_decimal(kind):
        return True
    longest = pc.max(pc.binary_length(texts)).as_py() or 0
    return bool(longest + kind.scale <= _DECIMAL_DIGITS)


def _cast(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    if pa.types.is_timestamp(kind):
        return pc.utf8_rtrim(texts, "Z").cast(pa.timestamp("us")).cast(kind)
    return texts.cast(kind)


def _is_in_range(values: pa.Array) -> bool:
    """Whether Arrow took nothing that the type does not: the year 0, or a number too large for a double."""
    if pa.types.is_floating(values.type):
        return not pc.any(pc.is_inf(values)).as_py()
    if pa.types.is_temporal(values.type):
        first = pc.min(values)
        return not first.is_valid or pc.greater_equal(first, pa.scalar(date.min).cast(values.type)).as_py()
    return True


def _characters(texts: pa.Array) -> bytes:
    """The texts' characters, without what is between them."""
    _, offsets, data = texts.buffers()
    if data is None or not len(texts):
        return b""
    ends = pa.Array.from_buffers(pa.int32(), len(texts) + 1, [None, offsets], offset=texts.offset)
    start, end = ends[0].as_py(), ends[-1].as_py()
    return bytes(data.slice(start, end - start))


def _misfit(texts: pa.Array, values: pa.Array) -> pa.Array | None:
    """Texts that their type does not take, else null; null as a whole where there is none."""
    if values.null_count == texts.null_count:
        return None
    is_misfit = pc.and_(values.is_null(), pc.not_equal(pc.utf8_trim(texts, " "), ""))
    misfits = pc.if_else(is_misfit, texts, None)
    return misfits if misfits.null_count < len(misfits) else None


def _rescued(misfits: dict[str, pa.Array], extra: pa.Array) -> pa.Array:
    """JSON objects of the misfits by their names and of what is undeclared; null where there is neither."""
    parts = [
        pc.binary_join_element_wise(pa.scalar(json.dumps(name, ensure_ascii=False)), _quoted(texts), ":")
        for name, texts in misfits.items()
    ]
    if extra.null_count < len(extra):
        parts.append(_members(extra))
    if not parts:
        return pa.nulls(len(extra), pa.string())
    return pc.binary_join_element_wise("{", reduce(_joined, parts), "}", "")


def _joined(one: pa.Array, other: pa.Array) -> pa.Array:
    # Arrow's own way to leave out nulls drops the rows in which all are null.
    return pc.coalesce(pc.binary_join_element_wise(one, other, ","), one, other)


def _members(maps: pa.Array) -> pa.Array:
    """The members of the JSON objects of maps; null for a map without any."""
    values = pc.fill_null(_quoted(maps.items), "null")
    members = pc.binary_join_element_wise(_quoted(maps.keys), values, ":")
    joined = pc.binary_join(pa.ListArray.from_arrays(maps.offsets, members), ",")
    return pc.if_else(pc.equal(joined, ""), None, joined)


def _quoted(texts: pa.Array) -> pa.Array:
    """Texts as JSON strings."""
    quoted = pc.binary_join_element_wise('"', texts, '"', "")
    has_escapes = pc.fill_null(pc.match_substring_regex(texts, r'["\\\x00-\x1f]'), False)
    if not pc.any(has_escapes).as_py():
        return quoted
    escaped = [json.dumps(text, ensure_ascii=False) for text in texts.filter(has_escapes).to_pylist()]
    return pc.replace_with_mask(quoted, has_escapes, pa.array(escaped, pa.string()))


def _day(column: Column, seconds: pa.Array) -> pa.Array:
    """The day of epoch seconds, or the Monday before it; null outside the years 1970 to 2099."""
    seconds = seconds.cast(pa.int64())
    is_real = pc.and_(pc.greater_equal(seconds, 0), pc.less_equal(seconds, _LAST_SECOND))
    days = pc.divide(pc.if_else(is_real, seconds, None), _DAY_SECONDS)
    if column.week_of:
        since_monday = pc.add(days, _MONDAY_TO_EPOCH)
        days = pc.subtract(pc.multiply(pc.divide(since_monday, 7), 7), _MONDAY_TO_EPOCH)
    return days.cast(pa.int32()).cast(pa.date32())
