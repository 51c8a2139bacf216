"""The models that follow streams, refreshed in a process of their own."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING

from ingestion.landing.discovery import on_databricks
from lakehouse.engines.dbt import invoke, read_project, tables_built
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from lakehouse.steps.compact import compact_tables

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# Sail 0.7 keeps some 100 KB of each statement for as long as its process lives: it is replaced in time.
_REFRESHES_A_PROCESS = 200

_packed: bytes | None = None


class GoldProcess:
    """Builds the models that are refreshed while streams run; `refreshed_to` is up to when it did."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._process = ProcessPoolExecutor(
            1, get_context("spawn"), _live_with_parent, max_tasks_per_child=_REFRESHES_A_PROCESS
        )
        # The process begins without hearing Ctrl-C, which is the parent's.
        heard = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        # It takes seconds to import dbt and read the project.
        self._process.submit(_project, settings)
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)
        self.refreshed_to: datetime | None = None

    def refresh(self, written_to: datetime) -> None:
        """Build the models from what is new in silver.

        All that was written until `written_to` is there. More may be written meanwhile; the next refresh
        looks at it again.

        Raises:
            LakehouseError: a model failed; its table is as it was.
        """
        self._process.submit(_refresh, self._settings, written_to).result()
        self.refreshed_to = written_to

    def close(self) -> None:
        """End the process."""
        self._process.shutdown()


class GoldRefresher:
    """Refreshes gold in the background, while silver takes the next rows; at its end gold has them all.

    `start` reads the models, and `report` is called with the seconds of each refresh.
    """

    def __init__(self, start: Callable[[], GoldProcess], report: Callable[[float], None]) -> None:
        self._report = report
        self._written_to: datetime | None = None
        self._pool = ThreadPoolExecutor(1)
        self._gold = self._pool.submit(start)
        self._running = self._pool.submit(self._refresh)

    def __enter__(self) -> "GoldRefresher":
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        self._pool.shutdown()
        try:
            if error is None:
                self._running.result()
                self._refresh()
        finally:
            if self._gold.exception() is None:
                self._gold.result().close()

    def refresh(self, written_to: datetime | None) -> None:
        """Begin to refresh gold, or have it follow what is being done, when silver was written.

        Raises:
            LakehouseError: the refresh before failed.
        """
        self._written_to = written_to
        if self._running.done():
            self._running.result()
            self._running = self._pool.submit(self._refresh)

    def _refresh(self) -> None:
        gold = self._gold.result()
        while self._written_to and self._written_to != gold.refreshed_to:
            started = time.monotonic()
            gold.refresh(self._written_to)
            self._report(time.monotonic() - started)


def _refresh(settings: Settings, written_to: datetime) -> None:
    known = json.dumps({"written_to": f"{written_to:%Y-%m-%d %H:%M:%S.%f}"})
    # Nobody reads the manifest of a refresh, and writing it takes half a second.
    options = ["--cache-selected-only", "--no-write-json", "--vars", known]
    manifest = _project(settings)
    arguments = ["run", "--target", _target(), "--select", "tag:streaming", *options]
    result = invoke(settings, arguments, manifest=manifest)
    if not result.success:
        ran = getattr(result.result, "results", [])
        failed = [f"{node.node.name}: {node.message}" for node in ran if str(node.status) == "error"]
        raise LakehouseError(f"Gold was not refreshed: {'; '.join(failed) or result.exception}")
    built = tables_built(manifest).items()
    streaming = [table for table, node in built if "streaming" in manifest.nodes[node].tags]
    compact_tables(settings.warehouse, streaming)


def _project(settings: Settings) -> "Manifest":
    """The project, read once a process; a copy, as dbt writes the queries of a run into it."""
    global _packed
    from dbt.contracts.graph.manifest import Manifest

    # dbt's own format: a pickled manifest mixes up its lookups where the project has metrics.
    _packed = _packed or read_project(settings, _target()).to_msgpack()
    return Manifest.from_msgpack(_packed)


def _target() -> str:
    return "databricks" if on_databricks() else "local"


def _live_with_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
