"""Which part of the project a run builds: what depends on rows that came since the last complete build."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from dbt.contracts.graph.manifest import Manifest
from dbt.contracts.graph.nodes import SourceDefinition
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from ingestion.times import from_epoch_micros
from lakehouse.settings import PROJECT


@dataclass(frozen=True)
class Growth:
    """Sources that grew since the last build that ran every node without a failure, and when that was."""

    since: datetime
    tables: list[SourceDefinition]

    def __str__(self) -> str:
        names = ", ".join(f"{table.schema}.{table.identifier}" for table in self.tables)
        return f"New since the build of {self.since:%Y-%m-%d %H:%M} UTC: {names}. The rest is left as it is."

    @property
    def arguments(self) -> list[str]:
        """Arguments for dbt that select what depends on them, and all that warns, which it does each time."""
        grown = (f"source:{table.source_name}.{table.name}+" for table in self.tables)
        return ["--select", *grown, "config.severity:warn", "--vars", "{left_out_is_unchanged: true}"]


def find_growth(spark: SparkSession, manifest: Manifest) -> Growth | None:
    """What grew; None where all is to be built, as no complete build tells since when, or nothing grew."""
    since = _last_check(spark)
    if since is None or _is_incomplete(spark, manifest) or since < _project_changed_at():
        return None
    sources = [source for source in manifest.sources.values() if source.loaded_at_field]
    newest = "\nunion all\n".join(
        f"select '{source.unique_id}' as unique_id, max({source.loaded_at_field}) as loaded_at "
        f"from {source.schema}.{source.identifier}"
        for source in sources
    )
    grown = {row["unique_id"] for row in spark.sql(newest).where(F.col("loaded_at") > since).collect()}
    tables = [source for source in sources if source.unique_id in grown]
    return Growth(since, tables) if tables else None


def _last_check(spark: SparkSession) -> datetime | None:
    """When the last complete build began (UTC), see `macros/last_check.sql`."""
    if not spark.catalog.tableExists("ops.builds"):
        return None
    builds = spark.table("ops.builds")
    if "checked_project" not in builds.columns:
        return None
    checks = builds.where("checked_project is not null")
    newest = checks.select(F.unix_micros(F.max("started_at"))).first()
    return None if newest is None or newest[0] is None else from_epoch_micros(newest[0])


def _is_incomplete(spark: SparkSession, manifest: Manifest) -> bool:
    """Whether a table of the project is missing."""
    needed = set(_relations(manifest))
    schemas = [schema for schema in {schema for schema, _ in needed} if spark.catalog.databaseExists(schema)]
    found = {
        (table["namespace"], table["tableName"])
        for schema in schemas
        for table in spark.sql(f"show tables in {schema}").collect()
    }
    return not needed <= found


def _relations(manifest: Manifest) -> Iterator[tuple[str, str]]:
    for source in manifest.sources.values():
        yield source.schema, source.identifier.lower()
    for node in manifest.nodes.values():
        if node.resource_type in ("model", "snapshot", "seed"):
            yield node.schema, node.alias.lower()


def _project_changed_at() -> datetime:
    """When a file that dbt reads was last written (UTC)."""
    folders = [PROJECT / name for name in ("macros", "models", "snapshots", "tests")]
    found = (file for folder in folders for suffix in ("sql", "yml") for file in folder.rglob(f"*.{suffix}"))
    files = [PROJECT / "dbt_project.yml", *found]
    return datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC)
