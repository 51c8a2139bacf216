"""What a text means in a type of a contract, one value at a time."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Context, Decimal, Inexact, InvalidOperation
from functools import cache
from math import isfinite
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pyarrow as pa

from ingestion import json_text

REPLACEMENT_CHARACTER = "\ufffd"

_BLANKS = "".join(map(chr, range(33)))
_SCALARS = {
    "string": pa.string(),
    "boolean": pa.bool_(),
    "smallint": pa.int16(),
    "int": pa.int32(),
    "bigint": pa.int64(),
    "float": pa.float32(),
    "double": pa.float64(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
_DECIMAL = re.compile(r"decimal\( *(\d+) *, *(\d+) *\)")
_NESTED = re.compile(r"(array|map|struct) *<(.*)>", re.DOTALL)
_FIELD = re.compile(r"\s*(?:`([^`]+)`|([^`:\s]+))\s*:(.*)", re.DOTALL)

# Bytes that are not in the file's encoding were decoded to this; halves of characters are in no encoding,
# and at a NUL many programs take a text to end.
_NO_TEXT = re.compile("[\0\ufffd\ud800-\udfff]")
_TRUE, _FALSE = {"t", "true", "y", "yes", "1"}, {"f", "false", "n", "no", "0"}
_INTEGER = re.compile(r"([+-]?)0*([0-9]{1,19})")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_DATE = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:\r\n|\n|\r)?")
_TIMESTAMP = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[ T]([0-9]{1,2})(?::([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]*))?([^0-9.].*)?)?)?)?"
)
_OFFSET = re.compile(r"(?:UTC|GMT|UT)?([+-])(?:([0-9])|([0-9]{2})(?:(:?)([0-9]{2})(?:\4([0-9]{2}))?)?)")
# Hours of one digit before minutes, and minutes of one digit.
_SHORT_HOURS, _SHORT_MINUTES = re.compile(r"([+-])([0-9]:)"), re.compile(r"([+-][0-9]{2}:)([0-9])$")


class Misfit(ValueError):
    """A text that its type does not take."""


@cache
def arrow_type(data_type: str) -> pa.DataType:
    """The Arrow type of a contract's `data_type`; timestamps are microseconds in UTC.

    Raises:
        ValueError: there is no such type.
    """
    name = data_type.strip()
    if name in _SCALARS:
        return _SCALARS[name]
    if match := _DECIMAL.fullmatch(name):
        return pa.decimal128(int(match[1]), int(match[2]))
    if match := _NESTED.fullmatch(name):
        parts = _split(match[2])
        if match[1] == "struct":
            return pa.struct([_field(part) for part in parts])
        if match[1] == "array" and len(parts) == 1:
            return pa.list_(arrow_type(parts[0]))
        if match[1] == "map" and len(parts) == 2:
            return pa.map_(arrow_type(parts[0]), arrow_type(parts[1]))
    raise ValueError(f"there is no type '{name}'; use a Databricks SQL type in lower case")


def _field(declaration: str) -> pa.Field:
    match = _FIELD.fullmatch(declaration)
    if not match:
        raise ValueError(f"'{declaration.strip()}' is no field of a struct; write it as name:type")
    return pa.field(match[1] or match[2], arrow_type(match[3]))


def _split(parts: str) -> list[str]:
    """Parts between commas that stand in no brackets."""
    found, depth = [""], 0
    for character in parts:
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return found


@cache
def parser(kind: pa.DataType) -> Callable[[str], Any]:
    """A function from the text of a value, which is not blank, to the value; it raises `Misfit`."""
    if pa.types.is_nested(kind):
        return lambda text: _nested(_decoded(text), kind)
    if pa.types.is_decimal(kind):
        return _decimal_parser(kind.precision, kind.scale)
    if pa.types.is_integer(kind):
        return _integer_parser(kind.bit_width)
    if pa.types.is_floating(kind):
        return _double if pa.types.is_float64(kind) else _float
    if pa.types.is_boolean(kind):
        return _boolean
    if pa.types.is_date(kind):
        return _date
    return _timestamp if pa.types.is_timestamp(kind) else _string


def _string(text: str) -> str:
    if _NO_TEXT.search(text):
        raise Misfit(text)
    return text


def _boolean(text: str) -> bool:
    word = text.strip(_BLANKS).lower()
    if word not in _TRUE and word not in _FALSE:
        raise Misfit(text)
    return word in _TRUE


def _integer_parser(bits: int) -> Callable[[str], int]:
    limit = 1 << (bits - 1)

    def parse(text: str) -> int:
        match = _INTEGER.fullmatch(text.strip(_BLANKS))
        if not match or not -limit <= (value := int(match[1] + match[2])) < limit:
            raise Misfit(text)
        return value

    return parse


def _decimal_parser(precision: int, scale: int) -> Callable[[str], Decimal]:
    # With these traps a digit that has no place raises; without, it would be rounded away.
    context = Context(prec=precision, traps=[Inexact, InvalidOperation])
    last_place = Decimal(1).scaleb(-scale)

    def parse(text: str) -> Decimal:
        digits = text.strip(_BLANKS)
        if not _NUMBER.fullmatch(digits):
            raise Misfit(text)
        try:
            return Decimal(digits).quantize(last_place, context=context)
        except (Inexact, InvalidOperation):
            raise Misfit(text) from None

    return parse


def _double(text: str) -> float:
    word = text.strip(_BLANKS)
    if not (_NUMBER.fullmatch(word) and isfinite(float(word))):
        raise Misfit(text)
    return float(word)


def _float(text: str) -> float:
    _double(text)
    value: float = pa.scalar(text.strip(_BLANKS)).cast(pa.float32()).as_py()
    if not isfinite(value):
        raise Misfit(text)
    return value


def _date(text: str) -> date:
    match = _DATE.fullmatch(text.strip(" "))
    if not match:
        raise Misfit(text)
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        raise Misfit(text) from None


def _timestamp(text: str) -> datetime:
    match = _TIMESTAMP.fullmatch(text.lstrip(" ").rstrip(_BLANKS))
    if not match:
        raise Misfit(text)
    day, hour, minute, second, fraction, zone = match.groups(default="")
    digits = fraction.ljust(6, "0")
    if digits[6:].strip("0"):
        raise Misfit(text)  # finer than microseconds
    try:
        clock = time(int(hour or 0), int(minute or 0), int(second or 0), int(digits[:6]))
        local = datetime.combine(date.fromisoformat(day), clock)
        return (local - _offset(zone.strip(_BLANKS), local)).replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise Misfit(text) from None


def _offset(zone: str, local: datetime) -> timedelta:
    """How far a zone is ahead of UTC at a local time; raises `ValueError` where there is no such zone."""
    if zone in ("", "Z", "UTC", "GMT", "UT"):
        return timedelta(0)
    padded = _SHORT_MINUTES.sub(r"\g<1>0\2", _SHORT_HOURS.sub(r"\g<1>0\2", zone, count=1))
    if match := _OFFSET.fullmatch(padded):
        sign, short, hours, _, minutes, seconds = match.groups(default="0")
        ahead = timedelta(hours=int(short) + int(hours), minutes=int(minutes), seconds=int(seconds))
        if int(minutes) > 59 or int(seconds) > 59 or ahead > timedelta(hours=18):
            raise ValueError(f"no zone is {zone} from UTC")
        return ahead if sign == "+" else -ahead
    if zone not in _zones():
        raise ValueError(f"there is no time zone {zone}")
    ahead_there = local.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    assert ahead_there is not None
    return ahead_there


@cache
def _zones() -> set[str]:
    return available_timezones()


def _decoded(text: str) -> Any:
    try:
        value, end = json_text.decode(text.strip(_BLANKS))
    except ValueError:
        raise Misfit(text) from None
    if value is None or end != len(text.strip(_BLANKS)):
        raise Misfit(text)
    return value


def _nested(value: Any, kind: pa.DataType) -> Any:
    """A decoded JSON value in a type; what is inside follows the rules of whole columns."""
    if value is None:
        return None
    if pa.types.is_list(kind):
        if not isinstance(value, list):
            raise Misfit("no array")
        return [_nested(element, kind.value_type) for element in value]
    if pa.types.is_map(kind):
        pairs = [(_leaf(name, kind.key_type), _nested(part, kind.item_type)) for name, part in _object(value)]
        keys = {name for name, _ in pairs}
        if None in keys or len(keys) < len(pairs):
            raise Misfit("a key without a value, or the same key twice")
        return pairs
    if pa.types.is_struct(kind):
        fields = dict(_object(value))
        if undeclared := [name for name, part in fields.items() if _is_undeclared(name, part, kind)]:
            raise Misfit(f"undeclared: {undeclared}")
        return {field.name: _nested(fields.get(field.name), field.type) for field in kind}
    return _leaf(json_text.text_of(value), kind)


def _is_undeclared(name: str, part: Any, kind: pa.StructType) -> bool:
    return part is not None and kind.get_field_index(name) < 0


def _object(value: Any) -> Iterable[tuple[str, Any]]:
    """Names and values of an object; of two values under one name, nobody knows which is meant."""
    if not isinstance(value, tuple) or len({name for name, _ in value}) < len(value):
        raise Misfit("no object with distinct names")
    return value


def _leaf(text: str | None, kind: pa.DataType) -> Any:
    if text is None or (not pa.types.is_string(kind) and not text.strip(" ")):
        return None
    return parser(kind)(text)
