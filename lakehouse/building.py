"""Building silver and gold with dbt, with a display and a summary."""

import itertools
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

from dbt.cli.main import dbtRunner, dbtRunnerResult
from dbt.contracts.graph.manifest import Manifest
from rich.console import Console
from rich.table import Table

from lakehouse.cursor import one_sail_session, sail_reads
from lakehouse.display import BuildDisplay
from lakehouse.engines import quiet_spark
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.settings import PROJECT
from lakehouse.warehouse import Warehouse


class Gold:
    """The models that are refreshed while streams run, and up to when; dbt reads the project once."""

    def __init__(self) -> None:
        self._manifest = start("local")
        self.refreshed_to: datetime | None = None

    def refresh(self, written_to: datetime) -> None:
        """Build the models from what is new in silver.

        All that was written until `written_to` is there. More may be written meanwhile; the next refresh
        looks at it again.

        Raises:
            LakehouseError: a model failed; its table is as it was.
        """
        times = {"refreshed_to": self.refreshed_to, "written_to": written_to}
        known = {name: f"{time:%Y-%m-%d %H:%M:%S.%f}" for name, time in times.items() if time}
        # Nobody reads the manifest of a refresh, and writing it takes half a second.
        options = ["--cache-selected-only", "--no-write-json"]
        arguments = ["run", "--select", "tag:streaming", *options, "--vars", json.dumps(known)]
        result = _dbt(arguments, manifest=self._manifest)
        if not result.success:
            nodes = getattr(result.result, "results", [])
            failed = [f"{node.node.name}: {node.message}" for node in nodes if str(node.status) == "error"]
            raise LakehouseError(f"Gold was not refreshed: {'; '.join(failed) or result.exception}")
        self.refreshed_to = written_to


def build_models(arguments: Sequence[str], console: Console, manifest: Manifest | None = None) -> None:
    """`dbt build` with its own arguments.

    Raises:
        LakehouseError: a model or test failed.
        UsageError: dbt does not understand the arguments or the project.
    """
    if target_of(arguments) == "local":
        quiet_spark()
    with BuildDisplay(console) as display:
        result = _dbt(["build", *arguments], display, manifest)
    display.summarize(result)
    if result.exception is not None:
        raise UsageError(f"dbt: {result.exception}")
    if not result.success:
        raise LakehouseError(
            "Models or tests failed; tables that depend on them were left as they were. "
            "`lakehouse status` shows the failed rows."
        )


def of_sources(sources: Sequence[str]) -> list[str]:
    """Arguments for dbt that select what depends on `sources`; none where all are meant."""
    if not sources:
        return []
    # What depends on no source, such as the calendar, too; its tests against tables of other sources not.
    selected = ["--select", "tag:no_source", *(f"source:{source}+" for source in sources)]
    return [*selected, "--indirect-selection", "buildable"]


def start(target: str) -> Manifest:
    """Start Spark, and read the dbt project meanwhile."""
    with ThreadPoolExecutor(1) as pool:
        starting = pool.submit(quiet_spark)
        manifest = read_project(target)
        starting.result()
    return manifest


def read_project(target: str) -> Manifest:
    """Read the dbt project.

    Raises:
        UsageError: dbt does not understand it.
    """
    # A build or test that follows writes the manifest itself.
    parsed = _dbt(["parse", "--no-write-json", "--target", target])
    if parsed.exception is not None:
        raise UsageError(f"dbt: {parsed.exception}")
    manifest = parsed.result
    assert isinstance(manifest, Manifest)
    return manifest


def validate_source(source: str, console: Console) -> None:
    """Show how many rows each table of a source has, then run every test that concerns it.

    Raises:
        LakehouseError: a test failed; each is shown with its message.
    """
    manifest = start("local")
    counts = Table(title=f"Rows of {source}", title_justify="left")
    counts.add_column("table")
    counts.add_column("rows", justify="right")
    spark = quiet_spark()
    for name in sorted(relations_of(manifest, source)):
        rows = f"{spark.table(name).count():,}" if spark.catalog.tableExists(name) else "missing"
        counts.add_row(name, rows)
    console.print(counts)
    selection = ["--select", f"source:{source}+", "--indirect-selection", "buildable"]
    with BuildDisplay(console) as display:
        result = _dbt(["test", *selection], display, manifest)
    display.summarize(result)
    if not result.success:
        raise LakehouseError(f"{source} is not valid. `lakehouse status` shows the failed rows.")


def relations_of(manifest: Manifest, source: str) -> set[str]:
    """Tables of a source by `schema.name`: its own, and what is built of it and of no other source."""
    tables = {f"{t.schema}.{t.identifier}" for t in manifest.sources.values() if t.source_name == source}
    kinds = ("model", "snapshot", "seed")
    nodes = (node for node in manifest.nodes.values() if node.resource_type in kinds)
    return tables | {f"{n.schema}.{n.alias}" for n in nodes if _sources_of(manifest, n.unique_id) == {source}}


def _sources_of(manifest: Manifest, unique_id: str) -> set[str]:
    """Names of the sources that a node depends on, directly or not."""
    if unique_id in manifest.sources:
        return {manifest.sources[unique_id].source_name}
    parents = manifest.nodes[unique_id].depends_on_nodes
    return {name for parent in parents for name in _sources_of(manifest, parent)}


def target_of(arguments: Sequence[str]) -> str:
    """The dbt target that `arguments` choose."""
    for option, value in itertools.pairwise(arguments):
        if option in ("--target", "-t"):
            return value
    return next((a.split("=", 1)[1] for a in arguments if a.startswith("--target=")), "local")


def _dbt(
    arguments: Sequence[str],
    display: BuildDisplay | None = None,
    manifest: Manifest | None = None,
) -> dbtRunnerResult:
    runner = dbtRunner(manifest=manifest, callbacks=[display.update] if display else [])
    home = Path(os.environ["LAKEHOUSE_HOME"])
    places = {
        "--project-dir": PROJECT,
        "--profiles-dir": PROJECT,
        # Two lakehouses may be built at once.
        "--target-path": home / "target",
        "--log-path": home / "logs",
    }
    options = [str(part) for option in places.items() for part in option]
    # The display says what dbt would print.
    warehouse = Warehouse(home / "warehouse", os.environ.get("LAKEHOUSE_BRONZE"))
    cursors = {"local": sail_reads(warehouse), "sail": one_sail_session()}
    with cursors.get(target_of(arguments), nullcontext()):
        return runner.invoke(["--log-level", "none", *arguments, *options])
