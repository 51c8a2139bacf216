"""The command line on terminals, pipes and files of many kinds."""

import io
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from rich.console import Console

from lakehouse.terminal import say
from tests.python import PROJECT

from .conftest import BIN, Lakehouse, write_table

Shell = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    rows = {"id": list(range(5_000)), "city": ["Zürich [red] :cd:"] * 5_000}
    write_table(home / "warehouse", "gold.dim_city", pa.table(rows))
    return home


@pytest.fixture
def shell(home: Path) -> Shell:
    """Runs a line of a shell in which `lakehouse` has a home."""
    settings = {"LAKEHOUSE_HOME": str(home), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}

    def run(line: str, exit_code: int = 0, **environment: str) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=PROJECT,
            env=os.environ | settings | environment,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
        )
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done

    return run


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_terminal_gets_text_folded_between_words(is_terminal: bool) -> None:
    path = "/landing/" + "long/" * 10
    console = Console(file=io.StringIO(), width=20, force_terminal=is_terminal, no_color=True)
    say(console, f"refused: {path}: [red] it is no file of this kind\n  at line 3", several_lines=True)
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    if is_terminal:
        assert lines == ["refused:", f"{path}:", "[red] it is no file", "of this kind", "  at line 3"]
    else:
        assert lines == [f"refused: {path}: [red] it is no file of this kind", "  at line 3"]


@pytest.mark.parametrize("output", ["table", "csv", "json"])
@pytest.mark.parametrize("sql", ["select * from gold.dim_city", "select 1"])
def test_a_reader_that_has_enough_ends_it_quietly(shell: Shell, output: str, sql: str) -> None:
    done = shell(f"lakehouse query '{sql}' --format {output} | true", 141)
    assert done.stderr == ""


@pytest.mark.parametrize("setting", [{"PYTHONIOENCODING": "ascii"}, {"LC_ALL": "C"}, {"LC_ALL": "POSIX"}])
@pytest.mark.parametrize("output", ["table", "csv", "json"])
def test_a_terminal_without_unicode(shell: Shell, output: str, setting: dict[str, str]) -> None:
    sql = "select city from gold.dim_city where id = 0"
    shown = shell(f'lakehouse query "{sql}" --format {output}', **setting).stdout
    assert "rich [red] :cd:" in shown
    assert shown.isascii() == ("PYTHONIOENCODING" in setting)
    assert "nichts Übliches" in shell("lakehouse load --landing 'nichts Übliches [red]' 2>&1", 2).stdout
    assert "[red]" in shell("lakehouse load --landing 'nichts Übliches [red]'", 2, **setting).stderr


def test_sql_in_a_file_may_have_a_byte_order_mark(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "query.sql"
    file.write_text("-- how many\nselect count(*) as n from {{ ref('dim_city') }}", encoding="utf-8-sig")
    assert shell(f"lakehouse query --file {file} --format csv").stdout == "n\n5000\n"
    file.write_text("select 'ü'", encoding="latin-1")
    assert "is not UTF-8" in shell(f"lakehouse query --file {file}", 2).stderr


def test_a_moment_that_is_none_is_wrong_usage(shell: Shell) -> None:
    assert "such as 2026-01-31" in shell("lakehouse query 'select 1' --at yesterday", 2).stderr


def test_version_and_help(shell: Shell) -> None:
    assert shell("lakehouse --version").stdout.startswith("lakehouse 0.")
    for option in ("-h", "--help"):
        assert "--show-completion" in shell(f"lakehouse {option}").stdout
        run = shell(f"lakehouse run {option}", COLUMNS="120").stdout
        assert "local, spark or databricks" in run and "default: local" in run
        query = shell(f"lakehouse query {option}", COLUMNS="120").stdout
        assert "table|csv|json" in query and "default: table" in query


def test_completion_is_that_of_the_shell(shell: Shell) -> None:
    # The command looks for a shell among those that started it, and bash gives its place to a last command.
    shown = shell("lakehouse --show-completion; exit $?", SHELL="/bin/bash").stdout
    assert "complete" in shown
    completed = shell("COMP_WORDS='lakehouse q' COMP_CWORD=1 _LAKEHOUSE_COMPLETE=complete_bash lakehouse")
    assert completed.stdout.split() == ["query"]


def test_a_run_says_what_it_does_before_dbt_has_begun(tmp_path: Path) -> None:
    lakehouse = Lakehouse(tmp_path)
    lakehouse.landing.mkdir()
    process = lakehouse.start("lakehouse", "run")
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Loading carrier, ")
        # It takes seconds to import dbt, which then writes its log.
        assert not (lakehouse.home / "logs" / "dbt.log").exists()
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
