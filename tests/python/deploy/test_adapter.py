"""What the unmodified dbt-databricks sends for each node of the project, in a first and in a later build."""

import io
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from rich.console import Console

from lakehouse.engines.dbt import invoke, read_project
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings, load_settings
from lakehouse.steps.maintain import maintain_on_databricks

from .runs import failures
from .warehouse import Column, Table, Warehouse

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_BUILD = ["build", "--target", "databricks", "--exclude-resource-type", "unit_test"]
# What loads and snapshots add to the columns of a source.
_OF_BRONZE = ["_rescued_data", "_source_file", "_ingested_at", "_batch_id"]
_OF_SNAPSHOTS = ["dbt_scd_id", "dbt_updated_at", "dbt_valid_from", "dbt_valid_to"]


def settings(home: Path, schema: str | None = None) -> Settings:
    return load_settings(
        LAKEHOUSE_HOME=str(home),
        DATABRICKS_HOST="localhost",
        DATABRICKS_HTTP_PATH="/sql/1.0/warehouses/none",
        DATABRICKS_TOKEN="none",
        DATABRICKS_SCHEMA=schema,
    )


def send(home: Path, warehouse: Warehouse, *arguments: str, schema: str | None = None) -> None:
    """Run dbt against the warehouse, and expect that every node succeeds."""
    assert failures(settings(home, schema), warehouse.connect, *arguments) == {}


def columns_of(manifest: "Manifest") -> dict[Table, list[Column]]:
    """The columns of sources, seeds, snapshots and models, as they are declared."""
    declared = [*manifest.sources.values(), *manifest.nodes.values()]
    tables = [node for node in declared if node.resource_type in ("source", "seed", "snapshot", "model")]
    columns: dict[Table, list[Column]] = {}
    for node in tables:
        name = node.identifier if node.resource_type == "source" else node.alias
        own = [(column.name, column.data_type or "string") for column in node.columns.values()]  # type: ignore[union-attr]
        if node.resource_type == "snapshot":
            (bronze,) = (
                manifest.sources[id]
                for id in node.depends_on_nodes
                if not id.startswith("source.lakehouse.ops")
            )
            own = [(column.name, column.data_type or "string") for column in bronze.columns.values()]
            own += [(name, "string") for name in (*_OF_BRONZE, *_OF_SNAPSHOTS)]
        columns[str(node.database), node.schema, name] = own
    return columns


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Warehouse, int]]:
    """A home, the warehouse after two builds, and how many statements the first of them sent."""
    home = tmp_path_factory.mktemp("databricks")
    with mock.patch.dict("os.environ"):
        manifest = read_project(settings(home), "databricks")
    written = [node for node in manifest.nodes.values() if node.config.materialized == "external"]
    tables = {(str(t.database), t.schema, t.identifier) for t in manifest.sources.values()}
    warehouse = Warehouse(
        columns_of(manifest), tables | {(str(n.database), n.schema, n.alias) for n in written}
    )
    send(home, warehouse, *_BUILD)
    first = len(warehouse.statements)
    send(home, warehouse, *_BUILD, "--exclude-resource-type", "test")
    yield home, warehouse, first


Built = tuple[Path, Warehouse, int]


def test_keys_are_declared_when_a_table_is_made(built: Built) -> None:
    _, warehouse, first = built
    sent = [statement for id, statement in warehouse.statements[:first] if id == "model.lakehouse.fct_sales"]
    altered = [
        s.removeprefix("alter table `lakehouse`.`gold`.`fct_sales` ")
        for s in sent
        if s.startswith("alter table")
    ]
    gold = "`lakehouse`.`gold`"
    assert altered[:6] == [
        "change column `order_number` set not null",
        "change column `product_number` set not null",
        "add constraint fct_sales_key primary key(`order_number`, `product_number`) rely",
        "add constraint fct_sales_product_key foreign key(`product_key`) "
        f"references {gold}.`dim_product`(`product_key`)",
        "add constraint fct_sales_customer_key foreign key(`customer_key`) "
        f"references {gold}.`dim_customer`(`customer_key`)",
        "add constraint fct_sales_order_date foreign key(`order_date`) "
        f"references {gold}.`dim_date`(`date_day`)",
    ]


def test_growing_tables_are_merged_and_clustered(built: Built) -> None:
    _, warehouse, first = built
    sent = [statement for id, statement in warehouse.statements if id == "model.lakehouse.fct_sales"]
    (created,) = (statement for statement in sent if statement.startswith("create or replace table"))
    assert "using delta CLUSTER BY (order_date)" in created
    later = [statement for id, statement in warehouse.statements[first:] if id == "model.lakehouse.fct_sales"]
    assert sum("merge into `lakehouse`.`gold`.`fct_sales`" in statement for statement in later) == 1


def test_macros_for_spark_leave_databricks_alone(built: Built) -> None:
    _, warehouse, _ = built
    assert not any("binaryFile" in statement for statement in warehouse.sent)


def test_maintenance_goes_over_every_table_that_is_there(built: Built) -> None:
    home, warehouse, _ = built
    before = len(warehouse.sent)
    shown = io.StringIO()
    with (
        mock.patch.dict("os.environ"),
        mock.patch("databricks.sql.connect", warehouse.connect),
    ):
        maintain_on_databricks(settings(home), timedelta(days=8), Console(file=shown, width=200))
    sent = warehouse.sent[before:]
    tables = sorted("`{}`.`{}`.`{}`".format(*table) for table in warehouse.tables)
    assert sorted(s.removeprefix("optimize ") for s in sent if s.startswith("optimize")) == tables
    assert sorted(s for s in sent if s.startswith("vacuum")) == [
        f"vacuum {t} retain 192 hours" for t in tables
    ]
    analyzed = [f"analyze table {table} compute statistics for all columns" for table in tables]
    assert sorted(s for s in sent if s.startswith("analyze")) == analyzed
    assert f"{tables[0]} was maintained" in shown.getvalue()


def test_maintenance_says_what_the_warehouse_refuses(built: Built) -> None:
    home, warehouse, _ = built
    with (
        mock.patch.dict("os.environ"),
        mock.patch("databricks.sql.connect", warehouse.connect),
        mock.patch.object(warehouse, "answer", side_effect=RuntimeError("no permission to MODIFY")),
        pytest.raises(LakehouseError, match="no permission to MODIFY"),
    ):
        maintain_on_databricks(settings(home), timedelta(days=7), Console(file=io.StringIO()))


def test_own_schemas_are_dropped_and_those_of_production_are_not(built: Built) -> None:
    home, warehouse, _ = built
    before = len(warehouse.sent)
    with mock.patch.dict("os.environ"), mock.patch("databricks.sql.connect", warehouse.connect):
        # The manifest of production stays.
        arguments = ("run-operation", "drop_schemas", "--target", "databricks", "--no-write-json")
        assert not invoke(settings(home), arguments).success
        assert warehouse.sent[before:] == []
        assert invoke(settings(home, "pr_12"), arguments).success
    names = ("gold", "silver", "snapshots", "ops")
    assert {f"drop schema if exists `lakehouse`.`pr_12_{name}` cascade" for name in names} <= set(
        warehouse.sent[before:]
    )
    assert all("`lakehouse`.`pr_12_" in statement for statement in warehouse.sent[before:])


def test_a_developer_has_tables_of_their_own(built: Built, tmp_path: Path) -> None:
    home, production, _ = built
    state = tmp_path / "production"
    shutil.copytree(home / "target", state)
    with mock.patch.dict("os.environ"):
        manifest = read_project(settings(tmp_path, "alice"), "databricks")
    warehouse = Warehouse(columns_of(manifest) | production.columns, production.tables)
    send(tmp_path, warehouse, "clone", "--target", "databricks", "--state", str(state), schema="alice")
    for schema, table in [("gold", "fct_sales"), ("silver", "users")]:
        own, shared = (f"`lakehouse`.`{prefix}{schema}`.`{table}`" for prefix in ("alice_", ""))
        assert f"create or replace table {own} shallow clone {shared}" in warehouse.sent

    # What is not built here is read from production, the bronze always.
    warehouse = Warehouse(warehouse.columns, production.tables)
    only = ["--select", "dim_product", "stg_storefront__orders", "--defer", "--state", str(state)]
    send(tmp_path, warehouse, "run", "--target", "databricks", *only, schema="alice")
    sent = "\n".join(warehouse.sent)
    assert "create or replace table `lakehouse`.`alice_gold`.`dim_product`" in sent
    assert "from `lakehouse`.`gold`.`dim_product_cost`" in sent
    assert "`lakehouse`.`bronze`.`storefront_orders`" in sent
