"""What is asked of profiles.yml and of a target before anything is loaded for it."""

import socket
import time
from pathlib import Path
from unittest import mock

import pytest

from lakehouse.engines import dbt
from lakehouse.engines.dbt import check_target, profile_outputs
from lakehouse.errors import UsageError
from lakehouse.settings import Settings, load_settings
from tests.python import PROJECT

_DATABRICKS = {"DATABRICKS_HTTP_PATH": "/sql/1.0/warehouses/a", "DATABRICKS_TOKEN": "dapi"}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of an empty project."""
    (tmp_path / "dbt_project.yml").touch()
    return load_settings(LAKEHOUSE_PROJECT=str(tmp_path))


def test_a_profile_takes_any_value_of_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAKEHOUSE_HOME", """/a "b' {{ c }}: #""")
    outputs = profile_outputs(load_settings(LAKEHOUSE_PROJECT=str(PROJECT)))
    assert outputs["local"]["root"] == """/a "b' {{ c }}: #/warehouse"""
    assert outputs["local"]["threads"] == 4


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "No such file"),
        ("lakehouse:\n  outputs: [", r"line 2"),
        ("lakehouse: {}", "has no `outputs` below `lakehouse`"),
        ("", "has no `outputs` below `lakehouse`"),
        ("lakehouse: {outputs: {local: {root: '{{ env_var( }}'}}}", "cannot be read"),
        ("lakehouse: {outputs: {local: {root: '{{ variable }}'}}}", "'variable' is undefined"),
    ],
)
def test_a_broken_profile_is_named(settings: Settings, text: str | None, problem: str) -> None:
    if text is not None:
        (settings.project / "profiles.yml").write_text(text)
    with pytest.raises(UsageError, match=problem) as error:
        check_target("local", settings)
    assert str(settings.project / "profiles.yml") in str(error.value)


def test_a_server_that_is_not_there_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host = f"127.0.0.1:{server.getsockname()[1]}"
    with pytest.raises(UsageError, match=f"DATABRICKS_HOST {host} does not answer .*refused"):
        check_target("databricks", load_settings(DATABRICKS_HOST=f"https://{host}/", **_DATABRICKS))


def test_a_server_that_says_nothing_is_not_waited_for() -> None:
    started = time.monotonic()
    with socket.create_server(("127.0.0.1", 0)) as server, mock.patch.object(dbt, "_PATIENCE_SECONDS", 0.5):
        host = f"127.0.0.1:{server.getsockname()[1]}"
        with pytest.raises(UsageError, match=f"DATABRICKS_HOST {host} does not answer .*timed out"):
            check_target("databricks", load_settings(DATABRICKS_HOST=host, **_DATABRICKS))
    assert time.monotonic() - started < 5
