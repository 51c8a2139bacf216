"""Versions of a table: what happened to it, and going back."""

from datetime import UTC, datetime

from dbt.adapters.lakehouse.delta import open_table
from deltalake.exceptions import DeltaError

from lakehouse.errors import LakehouseError, UsageError
from lakehouse.reading.rows import Rows

REMOVED = "files of version {} are gone: `lakehouse maintain` removed them, or the table is damaged."
# Restored, these would contradict the load log.
_APPEND_ONLY = ("bronze", "ops")
_ROWS_WRITTEN = ("num_added_rows", "num_target_rows_inserted", "numOutputRows")


def history(location: str) -> Rows:
    """Versions of a table, newest first: version, timestamp (UTC), operation, rows_written."""
    rows = []
    for commit in open_table(location).history():
        metrics = commit.get("operationMetrics") or {}
        written = next((int(metrics[name]) for name in _ROWS_WRITTEN if name in metrics), None)
        time = datetime.fromtimestamp(commit["timestamp"] / 1000, UTC)
        rows.append((commit["version"], f"{time:%Y-%m-%d %H:%M:%S}", commit["operation"], written))
    return Rows(["version", "timestamp", "operation", "rows_written"], rows)


def restore(name: str, location: str, version: int) -> None:
    """Make an earlier version of the table `name` (`schema.table`) its present one.

    Raises:
        UsageError: the table is append-only.
        LakehouseError: there is no such version, or its files were removed.
    """
    if name.split(".")[0] in _APPEND_ONLY:
        raise UsageError(f"{name} only ever grows, it cannot be restored; restore a table made from it.")
    table = open_table(location)
    versions = [commit["version"] for commit in table.history()]
    if version not in versions:
        raise LakehouseError(f"{name} has the versions {min(versions)} to {max(versions)}, not {version}.")
    if version == table.version():
        return
    try:
        table.restore(version)
    except DeltaError as error:
        if "missing file" not in str(error):
            raise
        raise LakehouseError(f"{name}: {REMOVED.format(version)}") from None
