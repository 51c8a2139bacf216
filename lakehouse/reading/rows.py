"""The rows of an answer as Python values."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

# The calendar repeats itself: years beyond those of Python are counted in steps of this.
_YEARS, _DAYS = 400, 146_097
_DAY_MICROSECONDS = 24 * 3600 * 1_000_000


@dataclass(frozen=True)
class Rows:
    """Column names, which may repeat, and rows as tuples in their order."""

    columns: list[str]
    rows: list[tuple[Any, ...]]

    @classmethod
    def of(cls, table: pa.Table) -> "Rows":
        """Times are in UTC without a zone, structs and maps are dictionaries.

        What Python cannot hold, such as a date of the year 0 or 10000, is text.
        """
        columns = [_values(column) for column in table.columns]
        return cls(table.column_names, list(zip(*columns, strict=True)))


def without_repeats(names: Sequence[str]) -> list[str]:
    """The names, each once: a second `id` is `id_2`."""
    unique: list[str] = []
    for name in names:
        new, number = name, 1
        while new in unique:
            number += 1
            new = f"{name}_{number}"
        unique.append(new)
    return unique


def _values(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us"))
    if pa.types.is_float32(column.type):
        # Else 0.1 is 0.10000000149011612.
        column = column.cast(pa.string()).cast(pa.float64())
    if not pa.types.is_nested(column.type):
        try:
            values: list[Any] = column.to_pylist()
            return values
        except (ValueError, OverflowError):
            pass
    return [_value(value) for value in column]


def _value(value: pa.Scalar) -> Any:
    if not value.is_valid:
        return None
    if pa.types.is_struct(value.type):
        names = without_repeats([field.name for field in value.type])
        return {name: _value(value[place]) for place, name in enumerate(names)}
    if pa.types.is_map(value.type):
        pairs = [(_value(entry["key"]), _value(entry["value"])) for entry in value.values]
        # A struct or an array cannot be a key of a dictionary.
        return {str(key) if isinstance(key, dict | list) else key: of_key for key, of_key in pairs}
    if pa.types.is_list(value.type) or pa.types.is_large_list(value.type):
        return [_value(element) for element in value.values]
    if pa.types.is_timestamp(value.type):
        value = value.cast(pa.timestamp("us"))
    try:
        return value.as_py()
    except (ValueError, OverflowError):
        return _text(value)


def _text(value: pa.Scalar) -> str:
    """A value that Python cannot hold."""
    if pa.types.is_date32(value.type):
        return _date_text(value.value)
    if pa.types.is_timestamp(value.type):
        days, microseconds = divmod(value.value, _DAY_MICROSECONDS)
        return f"{_date_text(days)} {(datetime.min + timedelta(microseconds=microseconds)).time()}"
    if pa.types.is_string(value.type) or pa.types.is_string_view(value.type):
        text: str = value.as_buffer().to_pybytes().decode(errors="backslashreplace")
        return text
    return str(value.cast(pa.string()))


def _date_text(days: int) -> str:
    # Arrow's own text of a year beyond 32767 is another year.
    cycles, rest = divmod(days, _DAYS)
    day = date(1970, 1, 1) + timedelta(rest)
    return f"{day.year + cycles * _YEARS:04}-{day:%m-%d}"
