"""The check says where what is wrong, and knows the types of stored columns."""

from pathlib import Path

import pyarrow as pa
from dbt.adapters.lakehouse.folders import Folders
from deltalake import write_deltalake

from tests.python import PROJECT
from tools.check_sql import make_sources, refusals


def test_a_refusal_names_file_expression_and_what_to_use(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "warehouse")
    write_deltalake(folders.location("silver", "sales"), pa.table({"amount": [1.5], "lines": [2]}))
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "bad.sql").write_text(
        "select initcap('a') as a, cast(amount as string) as b from silver.sales"
    )
    (tmp_path / "models" / "good.sql").write_text("select amount / lines as price from silver.sales")
    (tmp_path / "models" / "torn.sql").write_text("select (")
    first, second, third = refusals(tmp_path, folders)
    assert (
        first == "models/bad.sql: initcap('a')\n    engines differ; use upper and lower of parts of the text"
    )
    assert second.startswith("models/bad.sql: CAST(sales.amount AS STRING)")
    assert third.startswith("models/torn.sql: cannot be parsed")


def test_all_sources_have_an_empty_table(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "warehouse")
    make_sources(folders, PROJECT / "models")
    assert {"bronze.crm_sales_details", "silver.heart_rate", "ops.loads"} <= folders.tables().keys()
