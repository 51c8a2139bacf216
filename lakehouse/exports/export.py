"""What `lakehouse export` writes, each kind out of dbt's manifest; `aibi` out of pages and checks, too."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.errors import UsageError
from lakehouse.exports import Kind, clickhouse, metric_views
from lakehouse.exports.aibi import project as aibi
from lakehouse.exports.powerbi.power_query import Source
from lakehouse.exports.powerbi.project import OWNED, project
from lakehouse.semantics.gold import Gold, read_gold
from lakehouse.semantics.metrics import Metrics, read_metrics
from lakehouse.settings import Settings

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest


@dataclass(frozen=True)
class Export:
    """Texts by path below the folder that is asked for; in the folders `owned` nothing else stays."""

    files: dict[str, str]
    refused: dict[str, str] = field(default_factory=dict)
    owned: Collection[str] = ()


def export(kind: Kind, manifest: "Manifest", settings: Settings) -> Export:
    """The files of a kind, and why something is refused, by what it is.

    Raises:
        LakehouseError: the files would name what the project does not have.
    """
    return _KINDS[kind](manifest, settings)


def write(made: Export, out: Path) -> None:
    """Write the files below `out`.

    Raises:
        UsageError: one cannot be written there.
    """
    wanted = {out / name for name in made.files}
    try:
        for folder in made.owned:
            for file in (out / folder).rglob("*"):
                if file.is_file() and file not in wanted:
                    file.unlink()
        for name, text in made.files.items():
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            (out / name).write_bytes(text.encode())
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}"
        raise UsageError(f"The export cannot be written to {out} ({reason}). Choose another --out.") from None


def _aibi(manifest: "Manifest", settings: Settings) -> Export:
    return Export(*aibi.files(manifest, settings.project), aibi.OWNED)


def _powerbi(manifest: "Manifest", settings: Settings) -> Export:
    source = Source(
        warehouse=str(settings.warehouse.root),
        host=settings.databricks_host or "",
        http_path=settings.databricks_http_path or "",
        catalog=settings.databricks_catalog,
    )
    files, refused = project(*_gold(manifest), source)
    return Export(files, _metrics(refused), OWNED)


def _clickhouse(manifest: "Manifest", settings: Settings) -> Export:
    gold = read_gold(manifest)
    return Export({"clickhouse.sql": clickhouse.views(gold, settings.warehouse.folders.location)})


def _metric_views(manifest: "Manifest", settings: Settings) -> Export:
    files, refused = metric_views.statements(*_gold(manifest), settings.databricks_catalog)
    return Export(files, _metrics(refused))


def _gold(manifest: "Manifest") -> tuple[Gold, Metrics]:
    gold = read_gold(manifest)
    return gold, read_metrics(manifest, gold)


def _metrics(refused: dict[str, str]) -> dict[str, str]:
    return {f"the metric {name}": reason for name, reason in refused.items()}


_KINDS: dict[Kind, Callable[["Manifest", Settings], Export]] = {
    "aibi": _aibi,
    "powerbi": _powerbi,
    "clickhouse": _clickhouse,
    "metric-views": _metric_views,
}
