"""A file that ends the process that reads it is refused the next time."""

import os
import pickle
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ingestion.bronze.suspects import ReadingNote
from ingestion.contracts import SourceTable
from ingestion.limits import DEFAULT
from tests.python import PROJECT

from ..readers.files import landed, workbook
from ..readers.test_limits import FAR, sheet

# More cells than any memory has, which ends the process; as a load by the command line, without a project.
_LOAD = """
import pickle, sys
from lakehouse.settings import load_settings
from lakehouse.steps.load import load_files
for load in load_files(load_settings(), pickle.load(sys.stdin.buffer)):
    print(load.path.rpartition("/")[2], load.status, load.reason)
"""
_MEMORY = 6 << 30


def load(zone: Any, home: Path) -> tuple[int, dict[str, str]]:
    """Load in a process of its own: how it ended, and status and reason by file."""
    settings = {
        "LAKEHOUSE_PROJECT": str(PROJECT),
        "LAKEHOUSE_HOME": str(home),
        "LAKEHOUSE_LANDING": str(zone.zone),
        "LAKEHOUSE_MAX_SHEET_CELLS": str(10**12),
    }
    ended = subprocess.run(
        [sys.executable, "-c", _LOAD],
        input=pickle.dumps([zone.table]),
        capture_output=True,
        env=os.environ | settings,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY)),
        timeout=120,
    )
    lines = ended.stdout.decode().splitlines()
    return ended.returncode, {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}


def test_a_file_that_ends_the_load_is_refused_the_next_time(
    landing: Callable[..., Any], tmp_path: Path
) -> None:
    zone, note = landing(format="xlsx", path="files/*.xlsx"), tmp_path / "state" / "reading"
    zone.deliver("far.xlsx", sheet(FAR), days_ago=1)
    zone.deliver("good.xlsx", workbook(("id", "name"), (1, "Ann")), days_ago=2)

    assert load(zone, tmp_path) == (-signal.SIGABRT, {})
    assert note.exists()
    for _ in range(2):
        ended, files = load(zone, tmp_path)
        assert ended == 0
        refused = files["far.xlsx"]
        assert refused.startswith("refused reading the file ended the process twice, now by SIGABRT: send it")
        assert files.get("good.xlsx", "loaded None") == "loaded None"

    zone.deliver("far.xlsx", workbook(("id", "name"), (2, "Bob")))
    assert load(zone, tmp_path) == (0, {"far.xlsx": "loaded None"})
    assert not note.exists()


def test_only_what_was_being_read_is_suspect(contract: Callable[..., SourceTable], tmp_path: Path) -> None:
    table, note = contract(), tmp_path / "reading"
    files = [landed(tmp_path, name, "id,name\n1,Ann\n") for name in ("a.csv", "b\n.csv", "c.csv")]
    with ReadingNote(note) as reading:
        with reading.reading(table, files[0], DEFAULT):
            pass
        with reading.reading(table, files[1], DEFAULT):
            left = note.read_text()
    assert not note.exists()

    # As a process leaves it that dies now, in the middle of a line
    note.write_text(f'{left}+"/c.c')
    with ReadingNote(note) as reading:
        assert reading.suspects == {files[1].path}
        with reading.reading(table, files[1], DEFAULT):
            pass
        assert reading.suspects == set()
    assert not note.exists()
