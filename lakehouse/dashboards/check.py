"""Whether what the pages name exists: metrics, columns, queries, checks, filters, pages."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from lakehouse.alerts.declared import AnomalyCheck
from lakehouse.dashboards.declared import Declaration, Page, Tile, unknown
from lakehouse.errors import UsageError
from lakehouse.reading.query import with_references
from lakehouse.semantics.queries import Queries

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

# Columns of every model by its name, with their types.
Models = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Known:
    """What pages may name: metrics, columns of models, anomaly checks, and files below the project."""

    project: Path
    metrics: Queries
    models: Models
    checks: dict[str, AnomalyCheck]


def columns_of_models(manifest: "Manifest") -> Models:
    """Columns of all models, seeds and snapshots, as their YAML describes them, by name."""
    kinds = ("model", "seed", "snapshot")
    return {
        node.name: {name: column.data_type or "string" for name, column in node.columns.items()}
        for node in manifest.nodes.values()
        if node.resource_type in kinds
    }


def query_file(project: Path, query: str) -> Path:
    """The file of a tile's query."""
    return project / "analyses" / f"{query}.sql"


def check_pages(pages: Sequence[Declaration], known: Known) -> None:
    """Make sure that everything that the pages name exists.

    Raises:
        UsageError: something does not; the message has file and line of each.
    """
    names = {declared.name: declared.page for declared in pages}
    problems = [
        f"{declared.at(*place)}: {problem}"
        for declared in pages
        for place, problem in _problems(declared.page, names, known)
    ]
    if problems:
        raise UsageError("\n".join(problems))


Problem = tuple[tuple[int | str, ...], str]


def _problems(page: Page, pages: dict[str, Page], known: Known) -> Iterator[Problem]:
    models = known.models
    for number, narrowed in enumerate(page.filters):
        if narrowed.model not in models:
            yield ("filters", number, "model"), unknown("model", narrowed.model, models)
        elif narrowed.column not in models[narrowed.model]:
            problem = unknown(f"column of {narrowed.model}", narrowed.column, models[narrowed.model])
            yield ("filters", number, "column"), problem
    for number, tile in enumerate(page.tiles):
        of_kind = _of_query if tile.query else _of_check if tile.check else _of_metrics
        for place, problem in (*of_kind(tile, known), *_of_drill(tile, page, pages)):
            yield ("tiles", number, *place), problem


def _of_metrics(tile: Tile, known: Known) -> Iterator[Problem]:
    queries, refused = known.metrics.known, known.metrics.refused
    metrics = [queries[name] for name in tile.metrics if name in queries]
    for number, name in enumerate(tile.metrics):
        if name in refused:
            yield ("metrics", number), f"metric {name} cannot be shown: {refused[name]}."
        elif name not in queries:
            yield ("metrics", number), unknown("metric", name, queries)
    if len({metric.table for metric in metrics}) > 1:
        yield ("metrics",), "these metrics are of several semantic models; one tile shows one."
    for number, name in enumerate(tile.by):
        if metrics and name not in metrics[0].dimensions:
            yield ("by", number), unknown(f"dimension of {metrics[0].name}", name, metrics[0].dimensions)


def _of_check(tile: Tile, known: Known) -> Iterator[Problem]:
    if tile.check not in known.checks:
        yield ("check",), unknown("anomaly check", tile.check or "", known.checks)


def _of_query(tile: Tile, known: Known) -> Iterator[Problem]:
    file = query_file(known.project, tile.query or "")
    if not file.is_file():
        yield ("query",), f"there is no file {file}."
        return
    try:
        columns = columns_of_query(file.read_text(encoding="utf-8"), known.models)
    except (SqlglotError, UsageError) as error:
        yield ("query",), f"{file}: {str(error).splitlines()[0]}"
        return
    wanted = {"x": tile.x, "y": tile.y, "outline": tile.outline} | {"by": next(iter(tile.by), None)}
    named = [((key,), column) for key, column in wanted.items() if column]
    for place, column in [*named, *((("labels", column), column) for column in tile.labels)]:
        if column not in columns:
            yield place, unknown(f"column of {tile.query}", column, columns)


def _of_drill(tile: Tile, page: Page, pages: dict[str, Page]) -> Iterator[Problem]:
    if tile.drill is None:
        return
    name = tile.drill.page
    if name is not None and name not in pages:
        yield ("drill", "page"), unknown("page", name, pages)
        return
    filters = [narrowed.column for narrowed in (pages[name] if name else page).filters]
    if tile.drill.filter not in filters:
        yield ("drill", "filter"), unknown("filter of that page", tile.drill.filter, filters)


def columns_of_query(sql: str, models: Models) -> dict[str, str]:
    """Columns of the answer with their types in Databricks SQL, which are `UNKNOWN` where nothing says them.

    Raises:
        UsageError: the query reads a model that does not exist.
        SqlglotError: it reads a column that does not exist, or is no SQL.
    """

    def model(name: str) -> str:
        if name not in models:
            raise UsageError(unknown("model", name, models))
        return name

    named = with_references(sql, model, lambda source, table: f"{source}__{table}")
    query: Any = sqlglot.parse_one(named, dialect="databricks")
    # What the loader and dbt record is described without its columns.
    known = all(table.name in models for table in query.find_all(exp.Table) if table.name not in _ctes(query))
    schema: dict[str, object] = dict(models)
    if known:
        query = qualify(query, schema=schema, dialect="databricks", validate_qualify_columns=True)
    typed: Any = annotate_types(query, schema=schema, dialect="databricks")
    return {
        column.alias_or_name: column.type.sql("databricks") if column.type else "UNKNOWN"
        for column in typed.selects
    }


def _ctes(query: Any) -> set[str]:
    return {cte.alias for cte in query.find_all(exp.CTE)}
