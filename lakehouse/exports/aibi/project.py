"""The files of a project's pages and checks, below the folder of its deployment."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from lakehouse.alerts.declared import read_checks
from lakehouse.dashboards.check import Known, check_pages, columns_of_models, columns_of_query, query_file
from lakehouse.dashboards.declared import read_pages
from lakehouse.exports.aibi import bundle
from lakehouse.exports.aibi.dashboards import Sources, dashboard
from lakehouse.exports.aibi.datasets import Query
from lakehouse.reading.query import Names, sources_referred_to
from lakehouse.semantics.queries import read_queries

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

OWNED = (bundle.FOLDER,)

# Tables that Databricks does not have.
_LOCAL = {
    "ops.alerts": "`lakehouse check`, which writes ops.alerts, reads local tables; SQL alerts tell the same"
}


def files(manifest: "Manifest", project: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Files by path, and why parts of pages and checks are left out, by name.

    Raises:
        UsageError: a page or a check is wrong, or names what does not exist.
    """
    queries, models, names = read_queries(manifest), columns_of_models(manifest), Names(manifest)
    checks, pages = read_checks(project), read_pages(project)
    anomalies = {check.name: check for check in checks if check.kind == "anomaly"}
    check_pages(pages, Known(project, queries, models, anomalies))

    def written(query: str) -> str:
        return query_file(project, query).read_text(encoding="utf-8")

    def query(name: str) -> Query:
        sql = written(name)
        return Query(names.sql(sql), columns_of_query(sql, models), frozenset(sources_referred_to(sql)))

    sources = Sources(queries.known, anomalies, query, names.models, _LOCAL)
    made: dict[str, str] = {}
    refused: dict[str, str] = {}
    for page in pages:
        content, left_out = dashboard(page, sources)
        made[f"{bundle.FOLDER}/{page.name}.lvdash.json"] = _json(content)
        refused |= left_out
    made["resources/dashboards.yml"] = bundle.dashboards(pages)
    catalog = "`${var.catalog}`."
    alerts, left_out = bundle.alerts(checks, lambda name: names.sql(written(f"checks/{name}"), catalog))
    made["resources/alerts.yml"] = alerts
    return made, refused | left_out


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
