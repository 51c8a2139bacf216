"""How rows are printed: a table that fits, csv, json."""

import csv
import io
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from lakehouse.reading.output import Format, print_rows
from lakehouse.reading.rows import Rows


def table(result: Rows, width: int = 80) -> str:
    console = Console(width=width, file=io.StringIO())
    print_rows(result, "table", console)
    return console.file.getvalue()  # type: ignore[attr-defined]


def printed(capsys: pytest.CaptureFixture[str], output: Format, *row: Any, names: str = "abcdefgh") -> str:
    print_rows(Rows(list(names[: len(row)]), [row]), output, Console())
    return capsys.readouterr().out


def cells(text: str) -> list[list[str]]:
    """Cells of the lines of a table."""
    lines = [line for line in text.splitlines() if line.startswith(("│", "┃"))]
    return [[cell.strip() for cell in line.replace("┃", "│").strip("│").split("│")] for line in lines]


@pytest.mark.parametrize("value", ["f5:ab:e1:cd:00:0a", "[red]", ":smile: [/]", "[link=x]y[/link]", "\\[b]"])
def test_text_is_shown_as_it_is(value: str) -> None:
    assert cells(table(Rows([value, "other"], [(value, value)]))) == [[value, "other"], [value, value]]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a\nb\tc\r", r"a\nb\tc\r"),
        ("\x1b[31mred\x9b", r"\x1b[31mred\x9b"),
        ("\u202edlrow", r"\u202edlrow"),
        ("Größe 東京", "Größe 東京"),
    ],
)
def test_control_characters_are_escaped(value: str, shown: str) -> None:
    assert cells(table(Rows([value], [(value,)]))) == [[shown], [shown]]


def test_numbers_are_on_the_right() -> None:
    rows = [(1, Decimal("1.50"), "x", True), (1000, None, "yyy", False)]
    *_, first, second, _ = table(Rows(["n", "decimal", "t", "b"], rows)).splitlines()
    assert first == "│    1 │    1.50 │ x   │ true  │"
    assert second == "│ 1000 │    NULL │ yyy │ false │"


@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_decimals_have_all_their_digits(capsys: pytest.CaptureFixture[str], output: Format) -> None:
    text = printed(capsys, output, Decimal("0E-18"), Decimal("1E-17"))
    assert "0.000000000000000000" in text and "0.00000000000000001" in text and "E" not in text


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_wide_table_is_cut_by_column_and_says_so(width: int) -> None:
    names = [f"column_{number}" for number in range(30)]
    row = tuple("some text that is long" if number % 2 else 123456789 for number in range(30))
    text = table(Rows(names, [row, row]), width)
    header, *_ = cells(text)
    assert 3 <= len(header) < 30 and header == names[: len(header)]
    left_out = text.splitlines()[-1]
    assert left_out.startswith(f"No room for {', '.join(names[len(header) :])}")
    assert max(len(line) for line in text.splitlines()[:-1]) <= width
    # Numbers are never folded.
    assert all(line[0] in ("123456789", "", names[0]) for line in cells(text))


def test_a_single_row_that_does_not_fit_is_upright() -> None:
    names = [f"column_{number}" for number in range(30)]
    lines = table(Rows(names, [tuple(range(30))])).splitlines()
    assert [line.split() for line in lines] == [[f"column_{n}:", str(n)] for n in range(30)]


def test_rows_of_which_few_columns_fit_are_upright() -> None:
    rows = [("x" * 50, "y" * 50, n, n) for n in range(2)]
    text = table(Rows(list("abcd"), rows), 40)
    assert text.splitlines()[0].strip() == "row 1"
    assert text.count("x") == text.count("y") == 100 and text.count("c:") == 2


@pytest.mark.parametrize("value", ["abcdefghijklmnopqrstuvwxyz", 12345678901234567890123456])
def test_a_narrow_terminal_cuts_nothing_off(value: object) -> None:
    shown = "".join(line[0] for line in cells(table(Rows(["c"], [(value,)]), 20))[1:])
    assert shown == str(value)


@pytest.mark.parametrize("rows", [100, 101, 60_000])
def test_a_long_table_is_cut_in_the_middle_and_says_so(rows: int) -> None:
    text = table(Rows(["n", "t"], [(n, "x") for n in range(rows)]))
    _, *shown = [line[0] for line in cells(text)]
    if rows == 100:
        assert shown == [str(n) for n in range(100)]
    else:
        first, last = range(50), range(rows - 50, rows)
        assert shown == [*map(str, first), "...", *map(str, last)]
        assert text.split("\n")[-2].startswith(
            f"{rows:,} rows, of which the first and the last 50 are shown: "
        )


def test_the_rows_of_a_long_upright_table_have_their_numbers() -> None:
    rows = [("x" * 50, "y" * 50, n, n) for n in range(1000)]
    lines = table(Rows(list("abcd"), rows), 40).splitlines()
    numbers = [int(line.split()[1]) for line in lines if line.startswith("row ")]
    assert numbers == [*range(1, 51), *range(951, 1001)]
    assert "1,000 rows, of which the first and the last 50 are shown" in " ".join(lines)


def test_what_goes_to_a_pipe_is_not_cut() -> None:
    names = [f"column_{number}" for number in range(100)]
    assert cells(table(Rows(names, [("long text " * 3,) * 100]), 10_000))[0] == names


def test_json_has_all_columns_and_only_values_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    row = (1, 2, float("nan"), [float("-inf"), 1.5], {"s": {1: b"\x00\xff"}}, {True: date(2024, 1, 1)})
    row += (datetime(2024, 1, 1, 12), None)
    (parsed,) = json.loads(printed(capsys, "json", *row, names="aabcdefg"), parse_constant=pytest.fail)
    assert parsed == {
        "a": 1,
        "a_2": 2,
        "b": None,
        "c": [None, 1.5],
        "d": {"s": {"1": "00ff"}},
        "e": {"true": "2024-01-01"},
        "f": "2024-01-01T12:00:00",
        "g": None,
    }


def test_json_keeps_columns_whose_names_look_like_a_repeated_one(capsys: pytest.CaptureFixture[str]) -> None:
    print_rows(Rows(["a", "a_2", "a"], [(1, 2, 3)]), "json", Console())
    assert json.loads(capsys.readouterr().out) == [{"a": 1, "a_2": 2, "a_3": 3}]


def test_csv_can_be_read_again(capsys: pytest.CaptureFixture[str]) -> None:
    row = (True, 'a "b", c', "line\nfeed", "carriage\rreturn", "both\r\n", None, b"\x01", {"x": [1]})
    text = printed(capsys, "csv", *row)
    assert text.startswith("a,b,c,d,e,f,g,h\n") and text.endswith('"{""x"": [1]}"\n')
    _, read = csv.reader(io.StringIO(text, newline=""))
    assert read == ["true", *row[1:5], "", "01", '{"x": [1]}']
