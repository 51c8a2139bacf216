"""Tests of Python, mirroring its packages."""

import signal
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def hear_ctrl_c() -> None:
    """Called in a process that begins: what runs in the background may have been told to ignore it."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
