"""Extracts transactions in a process of its own, which kills itself: `LANDING URL WHERE NUMBER`.

WHERE is what is called for the NUMBERth time: land or save_state, before or after it.
"""

import os
import signal
import sys
from typing import Any

from pydantic import SecretStr

from ingestion.connectors import extract
from ingestion.connectors.stream import Stream

from .api import KEY
from .conftest import declare


def main(landing: str, url: str, where: str, number: str) -> None:
    """Extract, and die on the way."""
    die(where, number)
    settings = {"API_URL": SecretStr(url), "API_KEY": SecretStr(KEY)}
    extract.extract([Stream(declare())], settings, landing)


def die(where: str, number: str) -> None:
    """Have this process kill itself when it comes there."""
    moment, name = where.split("_", 1)
    wrapped, left = getattr(extract, name), int(number)
    # So that the state is written between a few pages, too.
    extract._PAGES_PER_STATE = 2

    def wrapper(*arguments: Any) -> Any:
        nonlocal left
        left -= 1
        if left == 0 and moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = wrapped(*arguments)
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    setattr(extract, name, wrapper)


if __name__ == "__main__":
    main(*sys.argv[1:])
