"""The models that follow streams, refreshed in a process of their own."""

import json
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from functools import cache
from multiprocessing import get_context, parent_process
from typing import TYPE_CHECKING

from lakehouse.building import compact_tables
from lakehouse.engines.dbt import invoke, read_project
from lakehouse.errors import LakehouseError
from lakehouse.warehouse import Warehouse

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# Sail 0.7 keeps some 100 KB of each statement for as long as its process lives: it is replaced in time.
_REFRESHES_A_PROCESS = 200


class Gold:
    """The models that are refreshed while streams run, and up to when."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse = warehouse
        self._process = ProcessPoolExecutor(
            1, get_context("spawn"), _live_with_parent, max_tasks_per_child=_REFRESHES_A_PROCESS
        )
        # It takes seconds to import dbt and read the project.
        self._process.submit(_prepare)
        self.refreshed_to: datetime | None = None

    def refresh(self, written_to: datetime) -> None:
        """Build the models from what is new in silver.

        All that was written until `written_to` is there. More may be written meanwhile; the next refresh
        looks at it again.

        Raises:
            LakehouseError: a model failed; its table is as it was.
        """
        self._process.submit(_refresh, self._warehouse, written_to).result()
        self.refreshed_to = written_to

    def close(self) -> None:
        """End the process."""
        self._process.shutdown()


def _refresh(warehouse: Warehouse, written_to: datetime) -> None:
    known = json.dumps({"written_to": f"{written_to:%Y-%m-%d %H:%M:%S.%f}"})
    # Nobody reads the manifest of a refresh, and writing it takes half a second.
    options = ["--cache-selected-only", "--no-write-json", "--vars", known]
    result = invoke(["run", "--select", "tag:streaming", *options], manifest=_project())
    if not result.success:
        ran = getattr(result.result, "results", [])
        failed = [f"{node.node.name}: {node.message}" for node in ran if str(node.status) == "error"]
        raise LakehouseError(f"Gold was not refreshed: {'; '.join(failed) or result.exception}")
    nodes = [node for name, node in _project().nodes.items() if name.startswith("model.")]
    compact_tables(warehouse, [f"{node.schema}.{node.alias}" for node in nodes if "streaming" in node.tags])


def _prepare() -> None:
    _project()


@cache
def _project() -> "Manifest":
    return read_project("local")


def _live_with_parent() -> None:
    """Leave Ctrl-C to the parent, and end when it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None

    def end_with_parent() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
