"""Runs of the unmodified dbt-databricks, with another connection than one to Databricks."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from lakehouse.engines.dbt import invoke
from lakehouse.settings import Settings

# What is skipped follows from what failed; some tests warn of the defects in sample data.
_GOOD = ("success", "pass", "warn", "no-op", "skipped")


@contextmanager
def connected_by(connect: Callable[..., Any]) -> Iterator[None]:
    """Who connects to Databricks does so by `connect`."""
    with (
        # What the modules of these tests export must not outlive them.
        mock.patch.dict(os.environ),
        mock.patch("databricks.sql.connect", connect),
        # The SDK would ask the host for minutes how it signs in.
        mock.patch("databricks.sdk.config.get_host_metadata", side_effect=ValueError("none")),
    ):
        yield


def failures(settings: Settings, connect: Callable[..., Any], *arguments: str) -> dict[str, str]:
    """Run dbt, which connects by `connect`; status and message of each node that failed, by name."""
    with connected_by(connect):
        result = invoke(settings, arguments)
    assert result.exception is None, result.exception
    ran = result.result.results  # type: ignore[union-attr]
    return {r.node.name: f"{r.status}: {r.message}" for r in ran if r.status not in _GOOD}
