"""Resources of the bundle: a dashboard for each page, a SQL alert for each check that is a query."""

from collections.abc import Callable, Sequence
from typing import Any

import yaml

from lakehouse.alerts.declared import Check
from lakehouse.alerts.in_sql import findings
from lakehouse.charts.chart import readable
from lakehouse.dashboards.declared import Declaration

FOLDER = "dashboards"
NO_QUERY = "it asks no query; the job's task `check` asks dbt how fresh sources are"

_HEAD = "# `make dashboards` writes this file from {source}: edit those.\n"
# After the pipeline, whose limit is four hours.
_SCHEDULE = "0 30 7 * * ?"

Resource = dict[str, Any]


def dashboards(pages: Sequence[Declaration]) -> str:
    """The dashboards, whose files lie beside the folder of the resources."""
    resources = {page.name: _dashboard(page) for page in pages}
    return _text("dashboards/ and the metrics", "dashboards", resources)


def alerts(checks: Sequence[Check], query: Callable[[str], str]) -> tuple[str, dict[str, str]]:
    """The alerts, and why a check is none, by name; `query` gives that of a check with names in a catalog."""
    resources, refused = {}, {}
    for check in checks:
        if check.kind == "freshness":
            refused[f"the check {check.name}"] = NO_QUERY
        else:
            resources[check.name] = _alert(check, findings(check, query(check.name)))
    return _text("alerts.yml and analyses/checks/", "alerts", resources), refused


def _dashboard(page: Declaration) -> Resource:
    return {
        "display_name": f"${{var.label}} {page.page.title}",
        "file_path": f"../{FOLDER}/{page.name}.lvdash.json",
        "warehouse_id": "${var.warehouse_id}",
        # Names in the file have their schema alone, so that it is the same for all targets.
        "dataset_catalog": "${var.catalog}",
        "dataset_schema": "gold",
        # Who looks at it sees what they may read, with masks.
        "embed_credentials": False,
        "permissions": _readers("analysts", "engineers"),
    }


def _alert(check: Check, query: str) -> Resource:
    """It is triggered by the first row, and told again when there is none."""
    return {
        "display_name": f"${{var.label}} {readable(check.name).lower()}",
        "custom_summary": f"{readable(check.name)}: {{{{ALERT_STATUS}}}}",
        "custom_description": f"{check.description} Owner: {check.owner}.\n{{{{QUERY_RESULT_TABLE}}}}\n",
        "query_text": f"{query}\n",
        "warehouse_id": "${var.warehouse_id}",
        "evaluation": {
            "source": {"name": "entity", "aggregation": "COUNT"},
            "comparison_operator": "GREATER_THAN",
            "threshold": {"value": {"double_value": 0}},
            "empty_result_state": "OK",
            "notification": {"notify_on_ok": True, "subscriptions": [{"user_email": "${var.mail}"}]},
        },
        "schedule": {
            "quartz_cron_schedule": _SCHEDULE,
            "timezone_id": "UTC",
            "pause_status": "${var.schedules}",
        },
        "permissions": _readers("engineers"),
    }


def _readers(*groups: str) -> list[Resource]:
    return [{"group_name": f"${{var.{group}}}", "level": "CAN_RUN"} for group in groups]


def _text(source: str, kind: str, resources: dict[str, Resource]) -> str:
    content = {"resources": {kind: resources}}
    return _HEAD.format(source=source) + yaml.dump(
        content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120
    )


class _Dumper(yaml.SafeDumper):
    """Lists stand below their key, further in; texts of several lines are written as they are."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Begin a list or a mapping."""
        super().increase_indent(flow, indentless=False)


def _represent(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _represent)
