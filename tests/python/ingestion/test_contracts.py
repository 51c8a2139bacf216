"""Contracts: what is read from the sources files, and how their errors are told."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from ingestion.contracts import ContractError, read_contracts, select_sources
from tests.python import PROJECT

TABLE = {
    "name": "orders",
    "config": {
        "meta": {"path": "shop/orders*.csv", "format": "csv", "delivery": "changes", "keys": ["id"]},
    },
    "columns": [
        {"name": "id", "data_type": "int", "description": "Order number."},
        {"name": "paid", "data_type": "decimal(10,2)", "description": "Amount."},
    ],
}
EXTRACT = {"connector": "rest", "resource": "orders"}
FRESHNESS = {"freshness": {"warn_after": {"count": 2, "period": "day"}}}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Any]:
    """Contracts of a sources file with these tables."""

    def read_tables(*tables: dict[str, Any]) -> Any:
        source = {"name": "shop", "config": FRESHNESS, "tables": list(tables)}
        (tmp_path / "_shop__sources.yml").write_text(yaml.safe_dump({"sources": [source]}))
        return read_contracts(tmp_path)

    return read_tables


def test_a_table_has_what_its_source_and_itself_declare(read: Callable[..., Any]) -> None:
    (table,) = read(TABLE)
    assert (table.label, table.bronze) == ("shop.orders", "bronze.shop_orders")
    assert table.schema_ddl.startswith("`id` int, `paid` decimal(10,2), `_rescued_data` string")
    assert table.freshness.warn_after.duration.days == 2


def test_a_table_says_where_it_is_extracted_from_and_whose_data_it_holds(read: Callable[..., Any]) -> None:
    table = extracted(cursor="changed", overlap={"count": 5, "period": "minute"})
    table["columns"].append({"name": "changed", "data_type": "timestamp", "description": ""})
    table["config"]["meta"] |= {"path": "shop/orders/*.json", "subject": "id", "newest_by": "paid"}
    (read_back,) = read(table)
    assert read_back.arrives.extract.overlap.duration.total_seconds() == 300
    assert (read_back.arrives.subject, read_back.arrives.newest_by) == ("id", "paid")


def test_a_table_that_python_writes_is_not_loaded(read: Callable[..., Any]) -> None:
    written = {"name": "forecast", "config": {"meta": {"written_by": "lakehouse forecast"}}}
    assert [table.name for table in read(TABLE, written)] == ["orders"]


def changed(**meta: Any) -> dict[str, Any]:
    table: dict[str, Any] = deepcopy(TABLE)
    table["config"]["meta"] |= meta
    return table


def without(setting: str) -> dict[str, Any]:
    table: dict[str, Any] = deepcopy(TABLE)
    del table["config"]["meta"][setting]
    return table


def extracted(**extract: Any) -> dict[str, Any]:
    """A table that a connector brings, with other values."""
    return changed(format="json", extract=EXTRACT | extract)


def with_column(**column: Any) -> dict[str, Any]:
    table: dict[str, Any] = deepcopy(TABLE)
    table["columns"].append({"name": "extra", "data_type": "int", "description": ""} | column)
    return table


@pytest.mark.parametrize(
    ("table", "told"),
    [
        (with_column(data_type="varchar"), "column extra: data_type: unknown data_type 'varchar'"),
        (with_column(data_type=None), "column extra: data_type: Input should be a valid string"),
        (with_column(name="id"), "column 'id' is declared twice"),
        (with_column(name="ID"), "column 'id' is declared twice"),
        (with_column(name="_rescued_data"), "column '_rescued_data' is reserved for the loader"),
        (with_column(name="_extra"), "column '_extra' is reserved for the loader"),
        (with_column(name="order id"), "column order id: name: 'order id' cannot be a column's name"),
        (
            with_column(data_type="date", config={"meta": {"day_of": "paid"}}),
            "column 'extra' is computed: give it the type date, and day_of or week_of an integer column",
        ),
        (
            with_column(config={"meta": {"week_of": "id"}}),
            "column 'extra' is computed: give it the type date",
        ),
        (changed(keys=["number"]), "key 'number' is not among the columns ['id', 'paid']"),
        (changed(format="xml"), "config.meta.format: Input should be 'csv', 'json', 'json_array' or 'xlsx'"),
        (changed(delivery="daily"), "config.meta.delivery: Input should be 'complete' or 'changes'"),
        (changed(options={"seperator": ";"}), "options: unknown seperator; a reader of csv takes"),
        (changed(options={"mode": "DROPMALFORMED"}), "options: unknown mode; a reader of csv takes"),
        (
            changed(format="json", options={"sep": ";"}),
            "options: unknown sep; a reader of json takes encoding",
        ),
        (
            changed(format="xlsx", options={"encoding": "utf-8"}),
            "options: unknown encoding; a reader of xlsx",
        ),
        (changed(options={"encoding": "no-such"}), "options: encoding 'no-such' is no encoding that Python"),
        (changed(options={"encoding": "rot13"}), "options: encoding 'rot13' is no encoding that Python"),
        (changed(options={"quote": "''"}), "options: quote \"''\" cannot be: give a single ASCII character"),
        (changed(options={"escape": ""}), "options: escape '' cannot be: give a single ASCII character"),
        (changed(options={"sep": ""}), "options: sep '' cannot be: give the characters between two fields"),
        (changed(options={"sep": "\n"}), "options: sep '\\n' cannot be: give the characters"),
        (changed(options={"sep": ";", "delimiter": ","}), "options: give sep or delimiter, not both"),
        (changed(options={"sep": '"'}), "options: give sep or delimiter, not both, and another character"),
        (changed(newest_by="day"), "newest_by 'day' is not among the columns ['id', 'paid']"),
        (changed(subject="who"), "subject 'who' is not among the columns ['id', 'paid']"),
        (changed(extract={"connector": "rest"}), "config.meta.extract.resource: Field required"),
        (extracted(connector="mainframe"), "there is no connector 'mainframe'; use one of "),
        (extracted(options={"colour": "red"}), "options: unknown colour; the connector rest takes next, "),
        (extracted(cursor="day"), "extract.cursor 'day' is not among the columns of times []"),
        (changed(extract=EXTRACT), "extract: connectors land what changed as JSON lines: format json"),
        (changed(extract=EXTRACT, format="json", path="shop/orders.json"), "'orders.json' needs one *"),
        (
            changed(extract={"connector": "a", "resource": "b", "coursor": "c"}),
            "config.meta.extract.coursor: Extra inputs are not permitted",
        ),
        (with_column(config={"meta": {"pii": "names"}}), "column extra: config.meta.pii: Input should be"),
        (with_column(config={"meta": {"pii": "name"}}), "columns ['extra'] are personal: say whose"),
        (changed(colour="red"), "config.meta.colour: Extra inputs are not permitted"),
        (changed(path="*/orders.csv"), "config.meta.path: '*/orders.csv' cannot be listed"),
        (changed(path="shop/{a,b}.csv"), "config.meta.path: 'shop/{a,b}.csv' cannot be listed"),
        (changed(path="../orders.csv"), "config.meta.path: '../orders.csv' leads out of the landing zone"),
        (without("path"), "config.meta.path: Field required"),
        (without("keys"), "config.meta.keys: Field required"),
    ],
)
def test_an_error_names_file_table_and_column(
    read: Callable[..., Any], tmp_path: Path, table: dict[str, Any], told: str
) -> None:
    with pytest.raises(ContractError) as error:
        read(table)
    assert f"{tmp_path}/_shop__sources.yml: table shop.orders: " in str(error.value)
    assert told in str(error.value)


def test_two_tables_cannot_share_a_bronze_table(read: Callable[..., Any]) -> None:
    with pytest.raises(ContractError, match=r"shop\.orders: another table is loaded to bronze\.shop_orders"):
        read(TABLE, TABLE)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"sources: [", "not valid YAML"),
        (b"sources: \xff", "not valid YAML"),
        (b"- a list", "not a list of sources"),
        (b"sources: [{tables: [{name: a}]}]", "not a list of sources with names and tables: 'name'"),
        (b"sources: [{name: a, tables: [b]}]", "not a list of sources"),
        (b"sources: [{name: a, tables: [{name: b, columns: [c]}]}]", "not a list of sources"),
    ],
)
def test_a_file_that_is_no_sources_file_is_named(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "_shop__sources.yml").write_bytes(content)
    with pytest.raises(ContractError, match=f"_shop__sources.yml: {told}"):
        read_contracts(tmp_path)


@pytest.mark.parametrize("content", ["", "sources:", "sources: [{name: shop, tables: }]"])
def test_a_file_without_tables_is_fine(tmp_path: Path, content: str) -> None:
    (tmp_path / "_shop__sources.yml").write_text(content)
    assert read_contracts(tmp_path) == []


def test_sources_are_selected_by_name() -> None:
    tables = read_contracts(PROJECT / "models")
    assert {table.source for table in select_sources(tables, ["crm"])} == {"crm"}
    assert select_sources(tables, []) == tables
    with pytest.raises(ValueError, match=r"unknown source crn, shoop; declared are .*crm"):
        select_sources(tables, ["shoop", "crn"])


@pytest.mark.parametrize("name", ["../x", "a b", 'a"b', "a'b", "a`b", "a/b", "1a", "ä", ""])
@pytest.mark.parametrize("field", ["name", "identifier"])
def test_a_table_that_has_no_plain_name_is_refused(read: Callable[..., Any], field: str, name: str) -> None:
    with pytest.raises(ContractError, match=r"_shop__sources\.yml: table shop") as raised:
        read(deepcopy(TABLE) | {field: name})
    assert f"{field}: {name!r} is no name" in str(raised.value)


@pytest.mark.parametrize("name", ["a/b", "a'b", 'a"b', "a\\b", "a\x1bb", "a\u202eb"])
def test_a_column_that_nothing_can_name_is_refused(read: Callable[..., Any], name: str) -> None:
    table = deepcopy(TABLE)
    table["columns"].append({"name": name, "data_type": "int", "description": ""})  # type: ignore[attr-defined]
    with pytest.raises(ContractError, match="cannot be a column's name"):
        read(table)
