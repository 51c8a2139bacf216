"""Building silver and gold with dbt, with a display and a summary."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from deltalake import DeltaTable
from rich.console import Console
from rich.table import Table

from ingestion.streams.compaction import compact
from lakehouse.display import BuildDisplay
from lakehouse.engines.dbt import invoke, read_project
from lakehouse.errors import LakehouseError, UsageError
from lakehouse.warehouse import Warehouse

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


def compact_tables(warehouse: Warehouse, names: Sequence[str]) -> None:
    """Join the small files of tables that have many; a stream adds some to each in every cycle."""
    for place, name in enumerate(names):
        schema, table = name.split(".")
        if warehouse.folders.exists(schema, table):
            compact(warehouse.folders.location(schema, table), place)


def build_models(arguments: Sequence[str], console: Console, manifest: "Manifest | None" = None) -> None:
    """`dbt build` with its own arguments.

    Raises:
        LakehouseError: a model or test failed.
        UsageError: dbt does not understand the arguments or the project.
    """
    with BuildDisplay(console) as display:
        result = invoke(["build", *arguments], display.update, manifest)
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


def validate_source(source: str, warehouse: Warehouse, console: Console) -> None:
    """Show how many rows each table of a source has, then run every test that concerns it.

    Raises:
        LakehouseError: a test failed; each is shown with its message.
    """
    manifest = read_project("local")
    counts = Table(title=f"Rows of {source}", title_justify="left")
    counts.add_column("table")
    counts.add_column("rows", justify="right")
    locations = warehouse.tables()
    for name in sorted(relations_of(manifest, source)):
        rows = f"{DeltaTable(locations[name]).count():,}" if name in locations else "missing"
        counts.add_row(name, rows)
    console.print(counts)
    selection = ["--select", f"source:{source}+", "--indirect-selection", "buildable"]
    with BuildDisplay(console) as display:
        result = invoke(["test", *selection], display.update, manifest)
    display.summarize(result)
    if not result.success:
        raise LakehouseError(f"{source} is not valid. `lakehouse status` shows the failed rows.")


def relations_of(manifest: "Manifest", source: str) -> set[str]:
    """Tables of a source by `schema.name`: its own, and what is built of it and of no other source."""
    tables = {f"{t.schema}.{t.identifier}" for t in manifest.sources.values() if t.source_name == source}
    kinds = ("model", "snapshot", "seed")
    nodes = (node for node in manifest.nodes.values() if node.resource_type in kinds)
    return tables | {f"{n.schema}.{n.alias}" for n in nodes if _sources_of(manifest, n.unique_id) == {source}}


def _sources_of(manifest: "Manifest", unique_id: str) -> set[str]:
    """Names of the sources that a node depends on, directly or not."""
    if unique_id in manifest.sources:
        return {manifest.sources[unique_id].source_name}
    parents = manifest.nodes[unique_id].depends_on_nodes
    return {name for parent in parents for name in _sources_of(manifest, parent)}
