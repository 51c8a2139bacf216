"""Whether Spark builds the same tables: the models of a home, once more, in a scratch folder."""

import os
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from deltalake import DeltaTable, QueryBuilder
from rich.console import Console

from lakehouse.engines.dbt import read_project, tables_built
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from lakehouse.terminal import say

_NO_TESTS = ("--exclude-resource-types", "test", "unit_test")
_LAST_LINES = 20
# The other tables of `ops` are written by dbt.
_READ_BY_MODELS = ("ops.loads", "ops.quarantine")


def verify(settings: Settings, console: Console) -> None:
    """Build silver, gold and snapshots on Spark from the bronze and streamed tables of a home, and compare.

    Raises:
        LakehouseError: Spark could not build them, or a table differs; each is shown.
    """
    built = built_by_dbt(settings)
    tables = settings.warehouse.tables()
    with TemporaryDirectory(prefix="lakehouse-verify-") as folder:
        scratch = Path(folder) / "warehouse"
        link_read(tables, scratch, built)
        _build_on_spark(settings.project, Path(folder))
        compared = sorted(built & tables.keys())
        differing = 0
        for name in compared:
            schema, table = name.split(".")
            if found := difference(tables[name], str(scratch / f"{schema}.db" / table)):
                say(console, f"{name}: {found}")
                differing += 1
    if differing:
        raise LakehouseError(f"{differing} of {len(compared)} tables differ from those that Spark builds.")
    console.print(f"Spark builds the same {len(compared)} tables.")


def link_read(tables: Mapping[str, str], warehouse: Path, built: Collection[str]) -> None:
    """Have in another warehouse what models read of these tables, and dbt does not build."""
    for name, location in tables.items():
        if name in _READ_BY_MODELS or (name not in built and not name.startswith("ops.")):
            schema, table = name.split(".")
            (warehouse / f"{schema}.db").mkdir(parents=True, exist_ok=True)
            (warehouse / f"{schema}.db" / table).symlink_to(location)


def difference(local: str, spark: str) -> str | None:
    """What differs between two Delta tables, given by their folders; null when their rows are the same."""
    a, b = DeltaTable(local), DeltaTable(spark)
    names = [sorted(field.name for field in table.schema().fields) for table in (a, b)]
    if names[0] != names[1]:
        return f"the columns differ: {', '.join(sorted(set(names[0]) ^ set(names[1])))}"
    columns = ", ".join(f'"{name}"' for name in names[0])
    # DataFusion's `except all` does not count copies.
    query = f"""
        select
            coalesce(sum(case when surplus > 0 then surplus end), 0) as only_here,
            coalesce(sum(case when surplus < 0 then -surplus end), 0) as only_on_spark
        from (
            select sum(one) as surplus
            from (select {columns}, 1 as one from a union all select {columns}, -1 as one from b) as rows
            group by {columns}
        ) as counted
    """
    answer = QueryBuilder().register("a", a).register("b", b).execute(query).read_all()
    here, there = (answer[name][0].as_py() for name in ("only_here", "only_on_spark"))
    return f"{here:,} rows only here, {there:,} only on Spark" if here or there else None


def built_by_dbt(settings: Settings) -> set[str]:
    """Names of the tables that dbt builds; those that it only describes are written by a stream."""
    manifest = read_project(settings, "local")
    return {
        name
        for name, node in tables_built(manifest).items()
        if manifest.nodes[node].config.materialized != "external"
    }


def _build_on_spark(project: Path, home: Path) -> None:
    """Run dbt in a process of its own: Java writes to the terminal as it likes."""
    places = ("--target-path", str(home / "target"), "--log-path", str(home / "logs"))
    done = subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "build", "--target", "spark", *_NO_TESTS, *places],
        cwd=project,
        env=os.environ | {"LAKEHOUSE_HOME": str(home), "LAKEHOUSE_BRONZE": ""},
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        lines = "\n".join(done.stdout.splitlines()[-_LAST_LINES:])
        raise LakehouseError(f"Spark could not build the models:\n{lines}")
