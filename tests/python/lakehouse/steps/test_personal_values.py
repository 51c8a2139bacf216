"""Personal values are in tables alone: not in logs, compiled statements, state, errors or output."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.python.lakehouse.conftest import Lakehouse, copy_project

NAME, EMAIL, PHONE = "Zzyzx", "zz.canaria@leak.example", "+49 171 5550142"
CANARIES = [text.encode() for text in (NAME, "canaria", "leak.example", "5550142")]
HEADER = "cst_id,cst_key,cst_firstname,cst_lastname,cst_marital_status,cst_gndr,cst_create_date\n"
ROW = f"{{}},AW0001,{NAME},{EMAIL},{PHONE},M,2025-01-0{{}}\n"
LANDED = {
    # A record that is read, one that is broken, and one whose id is no number.
    "crm/cust_info.csv": HEADER + ROW.format(1, 1) + f"2,{NAME},{EMAIL}\n" + ROW.format(PHONE, 2),
    # Without a header, without a record, and in another format.
    "crm/cust_info_2.csv": ROW.format(3, 3),
    "crm/cust_info_3.csv": HEADER + f"{NAME},{EMAIL}\n",
    "storefront/Orders_1.json": f'{{"{NAME}": "{EMAIL}"}}\n',
    "events/file-1.json": f'["{NAME}"]\n',
}
CUSTOMERS = "{{ ref('stg_crm__customers') }}"
MODELS = {
    "models/silver/crm/canary.sql": f"select * from {CUSTOMERS}",
    "tests/silver/canary_is_found.sql": "select * from {{ ref('canary') }} where last_name is not null",
    "models/silver/crm/canary_number.sql": f"select cast(first_name as int) as number from {CUSTOMERS}",
    "models/silver/crm/canary_day.sql": f"select cast(last_name as date) as day from {CUSTOMERS}",
    "models/silver/crm/canary_twice.sql": f"""
{{{{ config(materialized='incremental', unique_key='last_name') }}}}
select last_name from {CUSTOMERS}
{{% if is_incremental() %}} union all select last_name from {CUSTOMERS} {{% endif %}}
""",
}
BUILD = ("build", "--select", "+stg_crm__customers", *(Path(name).stem for name in MODELS))


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Lakehouse, str]:
    """A lakehouse of a project with models and a test that fail, and all that its commands printed."""
    folder = tmp_path_factory.mktemp("personal")
    lakehouse = Lakehouse(folder, {"LAKEHOUSE_PROJECT": str(copy_project(folder / "project"))})
    for place, files in ((lakehouse.landing, LANDED), (folder / "project", MODELS)):
        for name, text in files.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_text(text)
    sources = [f"--source={source}" for source in ("crm", "storefront", "events")]
    output = lakehouse.run("load", *sources, exit_code=1)
    output += lakehouse.run(*BUILD, exit_code=1)
    # Plain dbt writes a log of all that it does.
    project = str(folder / "project")
    output += lakehouse.run_apart(
        "dbt", *BUILD, "--project-dir", project, "--profiles-dir", project, exit_code=1
    )
    return lakehouse, output


def _written(home: Path) -> Iterator[Path]:
    yield from (file for file in home.rglob("*") if file.is_file() and "warehouse" not in file.parts)


def test_tables_have_them(printed: tuple[Lakehouse, str]) -> None:
    lakehouse, _ = printed
    for table in ("bronze.crm_cust_info", "ops.quarantine", "ops.failed_rows"):
        rows = lakehouse.rows(f"select * from {table}")
        assert any(NAME in str(row) for row in rows), table
    assert lakehouse.value("select count(*) from ops.loads where status = 'refused'") == 4


def test_what_is_printed_has_none(printed: tuple[Lakehouse, str]) -> None:
    _, output = printed
    for failed in (
        "canary_is_found",
        "Cannot cast string ***",
        "The value *** of the type",
        "have the same key",
    ):
        assert failed in output
    assert [canary for canary in CANARIES if canary in output.encode()] == []


def test_what_is_written_has_none(printed: tuple[Lakehouse, str]) -> None:
    lakehouse, _ = printed
    files = list(_written(lakehouse.home))
    assert {"dbt.log", "run_results.json", "manifest.json"} <= {file.name for file in files}
    assert [
        (str(file.relative_to(lakehouse.home)), canary)
        for file in files
        for canary in CANARIES
        if canary in file.read_bytes()
    ] == []


def test_the_load_log_has_none(printed: tuple[Lakehouse, str]) -> None:
    lakehouse, _ = printed
    reasons = str(lakehouse.rows("select reason from ops.loads")).encode()
    assert [canary for canary in CANARIES if canary in reasons] == []
