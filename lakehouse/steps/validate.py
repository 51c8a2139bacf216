"""Looking at one source: how many rows its tables have, and what its tests say."""

from dbt.adapters.lakehouse.delta import open_table
from rich.console import Console

from lakehouse.display import BuildDisplay
from lakehouse.engines.dbt import invoke, read_project, tables_of_source
from lakehouse.errors import LakehouseError
from lakehouse.settings import Settings
from lakehouse.terminal import narrow_table


def validate(settings: Settings, source: str, console: Console) -> None:
    """Show how many rows each table of a source has, then run every test that concerns it.

    Raises:
        LakehouseError: a test failed; each is shown with its message.
    """
    manifest = read_project(settings, "local")
    counts = narrow_table(f"Rows of {source}")
    counts.add_column("table")
    counts.add_column("rows", justify="right")
    locations = settings.warehouse.tables()
    for name in sorted(tables_of_source(manifest, source)):
        rows = f"{open_table(locations[name]).count():,}" if name in locations else "missing"
        counts.add_row(name, rows)
    console.print(counts)
    selection = ["--select", f"source:{source}+", "--indirect-selection", "buildable"]
    with BuildDisplay(console) as display:
        result = invoke(settings, ["test", *selection], display.update, manifest)
    display.summarize(result)
    if not result.success:
        raise LakehouseError(f"{source} is not valid. `lakehouse status` shows the failed rows.")
