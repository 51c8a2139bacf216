"""Writes `deploy/governance.sql` from the `pii` of columns: `python -m tools.governance`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, get_args

from ingestion.contracts import PersonalData
from lakehouse.engines.dbt import read_project
from lakehouse.settings import load_settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

FILE = Path("deploy/governance.sql")

# What those see who may not see personal data: of `value`, in SQL.
_MASKED = "case when value is not null then '***' end"
_MASKS = {
    # Its domain; of a phone number, which some columns hold as well, nothing.
    "email": "concat('***', regexp_extract(value, '@[A-Za-z0-9.-]+', 0))",
    "birth_date": "trunc(value, 'YEAR')",
}

_HEAD = """\
-- Who may see what on Databricks. `make governance` writes this file from the `pii` of columns: edit those.
-- Parameters: catalog, and the group pii_readers. The principal of the jobs has to be in it, or its merges
-- would write masks. Needed are a SQL warehouse, MANAGE on the catalog and the governed tag `pii` with the
-- values {kinds}.
-- Who may read which schema stands in deploy/resources/schemas.yml.
-- Run it when tables are there, and again when tables were made anew.

use catalog identifier(:catalog);"""

_MASK = """\
create or replace function governance.mask_{kind}(value {type}) returns {type}
return {mask};
create or replace policy mask_{kind} on catalog identifier(:catalog)
column mask identifier(:catalog).governance.mask_{kind}
to `account users` except identifier(:pii_readers)
for tables match columns has_tag_value('pii', '{kind}') as value on column value;"""

Column = tuple[str, str, str]


def governance(manifest: "Manifest") -> str:
    """The statements, as SQL of Databricks."""
    kinds = get_args(PersonalData)
    masks = (
        _MASK.format(
            kind=kind, type="date" if kind == "birth_date" else "string", mask=_MASKS.get(kind, _MASKED)
        )
        for kind in kinds
    )
    tags = (
        f"alter table {table} alter column `{column}` set tags ('pii' = '{kind}');"
        for table, column, kind in sorted(personal_columns(manifest))
    )
    parts = [
        _HEAD.format(kinds=", ".join(kinds)),
        "-- Of each kind one mask, wherever a column of the catalog has its tag.",
        "create schema if not exists governance;",
        *masks,
        "-- Which columns are personal.",
        "\n".join(tags),
    ]
    return "\n\n".join(parts) + "\n"


def personal_columns(manifest: "Manifest") -> set[Column]:
    """Table (`schema.name`), column and kind of everything that is personal."""
    kinds = ("model", "snapshot", "seed")
    nodes = [n for n in manifest.nodes.values() if n.resource_type in kinds]
    found = {column for node in (*manifest.sources.values(), *nodes) for column in _declared(node)}
    # What did not fit a column is kept beside it, and in every version.
    loaded = {table for table, _, _ in found if table.split(".")[0] in ("bronze", "snapshots")}
    return found | {(table, "_rescued_data", "message") for table in loaded}


def _declared(node: Any) -> Iterator[Column]:
    if node.resource_type != "source" and node.config.materialized == "ephemeral":
        return
    table = f"{node.schema}.{node.identifier}"
    for column in node.columns.values():
        if kind := column.config.meta.get("pii"):
            yield table, column.name, kind


def main() -> int:
    """Write the file."""
    with TemporaryDirectory(prefix="lakehouse-governance-") as home:
        settings = load_settings(LAKEHOUSE_HOME=home)
        (settings.project / FILE).write_text(governance(read_project(settings, "local")))
    return 0


if __name__ == "__main__":
    sys.exit(main())
