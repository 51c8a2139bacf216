"""Answers of a SQL warehouse; deploy/test_endpoint.py asks one that speaks the protocol of the connector."""

from typing import TYPE_CHECKING, Any
from unittest import mock

import pyarrow as pa
import pytest

from lakehouse.dashboards import sql_warehouse
from lakehouse.dashboards.sql_warehouse import SECONDS_KEPT, WarehouseAnswers
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.settings import load_settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

HERE = {"DATABRICKS_HOST": "127.0.0.1:1", "DATABRICKS_HTTP_PATH": "/sql/1.0/warehouses/w"}


@pytest.fixture
def answers(project: "Manifest", monkeypatch: pytest.MonkeyPatch) -> WarehouseAnswers:
    monkeypatch.setattr(sql_warehouse, "check_answers", lambda host: None)
    return WarehouseAnswers(load_settings(**HERE), project)


def test_an_answer_is_kept_for_a_minute(answers: WarehouseAnswers, monkeypatch: pytest.MonkeyPatch) -> None:
    connection: Any = mock.MagicMock()
    cursor = connection.cursor.return_value.__enter__.return_value
    cursor.fetchall_arrow.side_effect = [pa.table({"n": [1]}), pa.table({"n": [2]})]
    now = 1000.0
    monkeypatch.setattr(sql_warehouse, "connect", lambda settings: connection)
    monkeypatch.setattr(sql_warehouse, "monotonic", lambda: now)
    for later, value in ((0, 1), (SECONDS_KEPT - 1, 1), (SECONDS_KEPT + 1, 2)):
        now = 1000.0 + later
        with answers.open() as read:
            assert read("select count(*) from {{ ref('fct_sales') }}").rows == [(value,)]
    (first, _) = cursor.execute.call_args_list
    assert first.args == ("select count(*) from gold.fct_sales",)
    assert connection.close.call_count == 2


def test_an_error_of_the_warehouse_is_told_in_a_line(
    answers: WarehouseAnswers, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection: Any = mock.MagicMock()
    failed = RuntimeError("[INSUFFICIENT_PERMISSIONS] You may not.\n  at a.b.C")
    connection.cursor.return_value.__enter__.return_value.execute.side_effect = failed
    monkeypatch.setattr(sql_warehouse, "connect", lambda settings: connection)
    with pytest.raises(LakehouseError) as error, answers.open() as read:
        read("select 1")
    assert str(error.value) == "[INSUFFICIENT_PERMISSIONS] You may not."


def test_what_is_missing_is_said_at_the_start(project: "Manifest") -> None:
    with pytest.raises(UsageError, match="--target databricks needs DATABRICKS_HTTP_PATH"):
        WarehouseAnswers(load_settings(**HERE | {"DATABRICKS_HTTP_PATH": ""}), project)
    with pytest.raises(UsageError, match=r"DATABRICKS_HOST 127\.0\.0\.1:1 does not answer"):
        WarehouseAnswers(load_settings(**HERE), project)
