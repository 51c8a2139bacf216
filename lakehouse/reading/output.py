"""Rows as a table that fits the terminal, as csv or as json."""

import csv
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lakehouse.reading.rows import Rows, without_repeats
from lakehouse.terminal import plain, say

Format = Literal["table", "csv", "json"]

# Of more rows, only the first and the last are shown: nobody reads the rest in a terminal.
_MOST_ROWS = 100
# Longer text is folded where there is no room, but never to less than this.
_FOLDED_TO = 20
# Of a border and two blanks around each cell.
_BORDER = 3
# With fewer columns side by side, rows are shown upright.
_FEW_COLUMNS = 3


def print_rows(result: Rows, output: Format, console: Console) -> None:
    """Print rows to standard output; json is a list of objects."""
    if output == "csv":
        _print_csv(result)
    elif output == "json":
        _print_json(result)
    else:
        _print_table(result, console)


def _print_csv(result: Rows) -> None:
    writer = csv.writer(_EndsWithLineFeed(sys.stdout.write))
    writer.writerow(result.columns)
    writer.writerows([[_text(value) for value in row] for row in result.rows])


@dataclass(frozen=True)
class _EndsWithLineFeed:
    # Told to end lines with a line feed, Python's writer quotes no carriage return.
    write_line: Callable[[str], object]

    def write(self, line: str) -> None:
        self.write_line(line.removesuffix("\r\n") + "\n")


def _print_json(result: Rows) -> None:
    names = without_repeats(result.columns)
    objects = [_as_json(dict(zip(names, row, strict=True))) for row in result.rows]
    is_unicode = (sys.stdout.encoding or "utf-8").lower().startswith("utf")
    print(json.dumps(objects, ensure_ascii=not is_unicode, allow_nan=False, indent=1))


def _as_json(value: Any) -> Any:
    """A value in the types of JSON; decimals are text, which has all their digits."""
    match value:
        case float():
            return value if math.isfinite(value) else None
        case date() | time():
            return value.isoformat()
        case dict():
            return {_key(key): _as_json(of_key) for key, of_key in value.items()}
        case list():
            return [_as_json(element) for element in value]
        case None | bool() | int() | str():
            return value
        case _:
            return _text(value)


def _key(key: Any) -> str:
    value = _as_json(key)
    return value if isinstance(value, str) else json.dumps(value)


def _text(value: Any) -> str:
    """A value in a cell; structs and maps are JSON, bytes hexadecimal."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case Decimal():
            # Else a small number gets an exponent.
            return f"{value:f}"
        case bytes():
            return value.hex()
        case dict() | list():
            return json.dumps(_as_json(value), ensure_ascii=False)
        case _:
            return str(value)


@dataclass(frozen=True)
class _Column:
    name: Text
    cells: list[Text]
    is_number: bool

    @cached_property
    def width(self) -> int:
        return max(text.cell_len for text in (self.name, *self.cells))

    @property
    def least_width(self) -> int:
        return self.width if self.is_number else min(self.width, _FOLDED_TO)


def _print_table(result: Rows, console: Console) -> None:
    numbers, half = list(range(len(result.rows))), _MOST_ROWS // 2
    is_long = len(numbers) > _MOST_ROWS
    if is_long:
        numbers = numbers[:half] + numbers[-half:]
    columns = [
        _column(name, [result.rows[number][place] for number in numbers])
        for place, name in enumerate(result.columns)
    ]
    shown = _that_fit(columns, console.width)
    if len(shown) < len(columns) and (len(numbers) == 1 or len(shown) < _FEW_COLUMNS):
        _print_upright(columns, numbers, console)
    else:
        _print_side_by_side(shown, half if is_long else None, console)
        if left_out := [column.name.plain for column in columns[len(shown) :]]:
            say(console, f"No room for {', '.join(left_out)}: name columns, or use --format csv or json.")
    if is_long:
        rows = f"{len(result.rows):,} rows, of which the first and the last {half} are shown"
        say(console, f"{rows}: use --format csv or json for all.")


def _column(name: str, values: Sequence[Any]) -> _Column:
    known = [value for value in values if value is not None]
    is_number = bool(known) and all(
        isinstance(value, int | float | Decimal) and not isinstance(value, bool) for value in known
    )
    cells = [Text("NULL", "dim") if value is None else plain(_text(value)) for value in values]
    return _Column(plain(name), cells, is_number)


def _print_side_by_side(shown: Sequence[_Column], gap_after: int | None, console: Console) -> None:
    table = Table()
    for column in shown:
        justify: Literal["left", "right"] = "right" if column.is_number else "left"
        # The only column is folded, too, where it is a number.
        keep = column.is_number and len(shown) > 1
        table.add_column(column.name, justify=justify, no_wrap=keep, overflow="fold")
    for place, cells in enumerate(zip(*(column.cells for column in shown), strict=True)):
        if place == gap_after:
            table.add_row(*(["..."] * len(shown)), style="dim")
        table.add_row(*cells)
    console.print(table)


def _that_fit(columns: Sequence[_Column], width: int) -> Sequence[_Column]:
    """The first columns that can be read beside each other; one is always folded."""
    if len(columns) == 1:
        return columns
    # After the last column there is one more border.
    room = width - 1
    for number, column in enumerate(columns):
        room -= column.least_width + _BORDER
        if room < 0:
            return columns[:number]
    return columns


def _print_upright(columns: Sequence[_Column], numbers: Sequence[int], console: Console) -> None:
    """A line a column for each row; `numbers` are those of the rows."""
    keep = max(column.name.cell_len for column in columns) < console.width // 2
    for place, number in enumerate(numbers):
        if len(numbers) > 1:
            console.print(Text(f"row {number + 1}", style="bold"))
        table = Table.grid(padding=(0, 1))
        table.add_column(overflow="fold", no_wrap=keep)
        table.add_column(overflow="fold")
        for column in columns:
            table.add_row(column.name + ":", column.cells[place])
        console.print(table)
