"""The models that follow streams, refreshed in a process of their own."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Set
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import datetime
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING, NamedTuple

from ingestion.landing.discovery import on_databricks
from lakehouse.engines.dbt import invoke, needed_by, read_project, sources_of, tables_built
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from lakehouse.steps.compact import compact_tables

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# Sail 0.7 keeps some 100 KB of each statement for as long as its process lives: it is replaced in time.
_REFRESHES_A_PROCESS = 200

_packed: bytes | None = None


class Written(NamedTuple):
    """How often bronze grew, and when a stream last wrote silver; null when none ever did."""

    growths: int
    silver: datetime | None = None


class GoldProcess:
    """Builds the models that follow `sources`; `refreshed_to` is what was written when it last did."""

    def __init__(self, settings: Settings, sources: Set[str]) -> None:
        self._settings = settings
        self._sources = sources
        self._process = ProcessPoolExecutor(
            1, get_context("spawn"), _live_with_parent, max_tasks_per_child=_REFRESHES_A_PROCESS
        )
        # The process begins without hearing Ctrl-C, which is the parent's.
        heard = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        # It takes seconds to import dbt and read the project.
        self._process.submit(_project, settings)
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)
        self.refreshed_to = Written(0)

    def refresh(self, written: Written) -> None:
        """Build the models from what is new in bronze and silver.

        All that was `written` is there. More may be written meanwhile; the next refresh looks at it again.

        Raises:
            LakehouseError: a model failed; its table is as it was.
        """
        self._process.submit(_refresh, self._settings, self._sources, written).result()
        self.refreshed_to = written

    def close(self) -> None:
        """End the process."""
        self._process.shutdown()


class GoldRefresher:
    """Refreshes gold in the background, while silver takes the next rows; at its end gold has them all.

    `start` reads the models, and `report` is called with the seconds of each refresh.
    """

    def __init__(self, start: Callable[[], GoldProcess], report: Callable[[float], None]) -> None:
        self._report = report
        self._written = Written(0)
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

    def refresh(self, written: Written) -> None:
        """Begin to refresh gold, or have it follow what is being done, when more was written.

        Raises:
            LakehouseError: the refresh before failed.
        """
        self._written = written
        if self._running.done():
            self._running.result()
            self._running = self._pool.submit(self._refresh)

    def _refresh(self) -> None:
        gold = self._gold.result()
        while self._written != gold.refreshed_to:
            started = time.monotonic()
            gold.refresh(self._written)
            self._report(time.monotonic() - started)


def _refresh(settings: Settings, sources: Set[str], written: Written) -> None:
    manifest = _project(settings)
    models = _models(settings, manifest, sources)
    if not models:
        return
    known = {"written_to": f"{written.silver:%Y-%m-%d %H:%M:%S.%f}"} if written.silver else {}
    # Nobody reads the manifest of a refresh, and writing it takes half a second.
    options = ["--cache-selected-only", "--no-write-json", "--vars", json.dumps(known)]
    arguments = ["run", "--target", _target(), "--select", *models.values(), *options]
    result = invoke(settings, arguments, manifest=manifest)
    if not result.success:
        ran = getattr(result.result, "results", [])
        failed = [f"{node.node.name}: {node.message}" for node in ran if str(node.status) == "error"]
        raise LakehouseError(f"Gold was not refreshed: {'; '.join(failed) or result.exception}")
    compact_tables(settings.warehouse, list(models))


def _models(settings: Settings, manifest: "Manifest", sources: Set[str]) -> dict[str, str]:
    """Models that follow `sources`, by their tables, but for those that read a table that is not there."""
    built = tables_built(manifest)
    following = {table: node for table, node in built.items() if "streaming" in manifest.nodes[node].tags}
    # On Databricks nobody looks what is there.
    existing = built if on_databricks() else settings.warehouse.tables()
    missing = {node for table, node in built.items() if table not in existing} - set(following.values())
    needed = {table: needed_by(manifest, node) for table, node in following.items()}
    return {
        table: manifest.nodes[node].name
        for table, node in following.items()
        if sources_of(manifest, needed[table]) & sources and not needed[table] & missing
    }


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
