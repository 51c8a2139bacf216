"""What a home holds is no more open than the home; a new home is its owner's alone."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OTHERS = 0o077
# As the user wants new files to be; Python tells it only by setting another.
_users = os.umask(_OTHERS)
os.umask(_users)


def keep_private(home: Path) -> None:
    """Let this process, and those it starts, create files that are no more open than a home."""
    closed = ~home.stat().st_mode if home.exists() else _OTHERS
    os.umask(_users | closed & _OTHERS)


@contextmanager
def as_asked_for(file: Path, home: Path) -> Iterator[None]:
    """Create a file that somebody asks for as they want files to be, but in a home as the home."""
    before = os.umask(_users)
    try:
        if file.absolute().is_relative_to(home):
            os.umask(before)
        yield
    finally:
        os.umask(before)
