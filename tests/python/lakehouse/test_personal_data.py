"""What looks personal in the rows of the sample company is tagged: in bronze, and in all that is built."""

import json
import sys
from collections.abc import Mapping, Set

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from deltalake import DeltaTable

from ingestion.contracts import read_contracts
from tests.python import PROJECT

from .conftest import Lakehouse

# An e-mail address; a phone number with its country, or as in North America.
PERSONAL = r"[\w.+-]+@[\w-]+\.\w|\+\d[\d ().-]{7,}\d|\(\d{3}\) ?\d{3}-\d{4}"
# Numbers that people type who give none.
NOBODYS = {"silver.blocked_identifiers.value"}
# What did not fit a column is personal where its table is.
_RESCUED = "_rescued_data"

# Names of columns by `schema.table`.
Columns = Mapping[str, Set[str]]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Lakehouse:
    """Files and APIs of the sample company, in bronze."""
    lakehouse = Lakehouse(tmp_path_factory.mktemp("personal"), scale=0.005)
    lakehouse.deliver(1)
    servers = (sys.executable, "-m", "sampledata.servers", "--scale", str(lakehouse.scale))
    lakehouse.run_apart(*servers, "lakehouse", "extract")
    lakehouse.run("load")
    return lakehouse


def looking_personal(location: str, but: Set[str]) -> set[str]:
    """Columns of a table whose values look personal."""
    table = DeltaTable(location)
    names = [field.name for field in pa.schema(table.schema().to_arrow()) if field.name not in but]
    rows = table.to_pyarrow_table(columns=names)
    texts = [name for name in names if pa.types.is_string(rows.schema.field(name).type)]
    return {name for name in texts if pc.any(pc.match_substring_regex(rows[name], PERSONAL)).as_py()}


def untagged(tables: Mapping[str, str], tagged: Columns) -> set[str]:
    """Columns (`schema.table.column`) without `pii` whose values look personal."""
    return {
        f"{name}.{column}"
        for name, location in tables.items()
        for column in looking_personal(location, {*tagged[name], *([_RESCUED] if tagged[name] else [])})
    }


def test_bronze(loaded: Lakehouse) -> None:
    contracts = read_contracts(PROJECT / "models")
    tagged = {table.bronze: {c.name for c in table.declared if c.pii} for table in contracts}
    tables = {name: place for name, place in loaded.warehouse.tables().items() if name in tagged}
    assert len(tables) > 20
    assert untagged(tables, tagged) == set()
    # As it is looked for, it is found.
    assert "email" in looking_personal(tables["bronze.storefront_customers"], set())
    assert "default_phone" in looking_personal(tables["bronze.shopify_customers"], set())


def test_what_is_built(built: Lakehouse) -> None:
    manifest = json.loads((built.home / "target" / "manifest.json").read_text())
    tagged = {
        f"{node['schema']}.{node['alias']}": {
            name for name, column in node["columns"].items() if "pii" in column["config"].get("meta", {})
        }
        for node in manifest["nodes"].values()
        if node["resource_type"] in ("model", "snapshot", "seed")
    }
    tables = {name: place for name, place in built.warehouse.tables().items() if name in tagged}
    assert {"silver.stg_storefront__customers", "snapshots.storefront_customers"} <= tables.keys()
    assert untagged(tables, tagged) == NOBODYS
