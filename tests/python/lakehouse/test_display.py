"""What is shown while something runs: names and messages as they are, on every kind of terminal."""

import io
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from ingestion.bronze import FileLoad, TableProgress
from ingestion.contracts import SourceTable
from lakehouse.display import BuildDisplay, LoadDisplay, StreamDisplay

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ODD = "f5:ab:e1:cd [red] [b] \x1b[2J.csv"
SHOWN = r"f5:ab:e1:cd [red] [b] \x1b[2J.csv"
TABLE = SourceTable.model_construct(source="shop", name="a[red]:cd:")


def console(width: int = 200, encoding: str = "utf-8", is_terminal: bool = False) -> Console:
    file = io.TextIOWrapper(io.BytesIO(), encoding)
    return Console(file=file, width=width, force_terminal=is_terminal)


def output(console: Console) -> str:
    console.file.flush()
    return console.file.buffer.getvalue().decode()  # type: ignore[attr-defined]


def loaded(path: str, status: str = "loaded") -> FileLoad:
    return FileLoad("shop", TABLE.name, path, status, ODD, 1, 2, 3, 4, None, NOW, NOW, "batch", NOW, NOW)


def node(status: str, message: str) -> SimpleNamespace:
    about = SimpleNamespace(name="fct_sales", resource_type="model")
    return SimpleNamespace(status=status, message=message, node=about)


def test_files_are_named_as_they_are() -> None:
    to = console()
    with LoadDisplay(to, [TABLE]) as display:
        display.update(TableProgress(TABLE, "done", (loaded(ODD),)))
    display.summarize([loaded(f"/landing/{ODD}")], 1.5)
    assert output(to).startswith("Loading shop\n")
    assert SHOWN in output(to) and TABLE.label in output(to)


def test_many_files_of_a_table_are_one_row() -> None:
    to = console()
    LoadDisplay(to, [TABLE]).summarize([*map(loaded, "abcde"), loaded("f", "refused")], 1.5)
    rows = [line.split()[-5:] for line in output(to).splitlines() if TABLE.label in line]
    assert rows == [["files", "loaded", "5", "10", "15"], ["f", "refused", "1", "2", "3"]]


def test_files_that_a_stream_refused_are_named_as_they_are() -> None:
    to = console()
    with StreamDisplay(to) as display:
        display.update_refused([loaded(ODD, "refused")])
    assert f"refused: {SHOWN}: {SHOWN}\n" in output(to)


def test_what_failed_is_told_in_its_lines() -> None:
    to = console()
    with BuildDisplay(to) as display:
        pass
    result: Any = SimpleNamespace(
        result=SimpleNamespace(results=[node("error", f"first [red]\n  {ODD}"), node("pass", "")])
    )
    display.summarize(result)
    assert f"error fct_sales: first [red]\n  {SHOWN}\n" in output(to)
    assert "1 ok, 0 warned, 1 failed" in output(to)


@pytest.mark.parametrize("display", [lambda to: LoadDisplay(to, [TABLE]), BuildDisplay, StreamDisplay])
def test_a_terminal_without_unicode(display: Any) -> None:
    to = console(encoding="ascii", is_terminal=True)
    with display(to) as shown:
        if isinstance(shown, LoadDisplay):
            for state in ("loading", "done"):
                shown.update(TableProgress(TABLE, state))
    assert output(to).isascii()
