"""Each metric of the project, as its YAML and so a metric view says it, is the figure that gold shows."""

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lakehouse.exports.metric_views import statements
from lakehouse.semantics.gold import read_gold
from lakehouse.semantics.metrics import read_metrics
from lakehouse.semantics.queries import MetricQuery, read_queries

from .conftest import Lakehouse

if TYPE_CHECKING:
    from dbt.contracts.graph.manifest import Manifest

_CRM, _STOREFRONT = (
    "(select sum(sales_amount) from gold.fct_sales)",
    "(select sum(price) from gold.fct_orders)",
)
_SHIPMENTS = "select count_if({}) from gold.fct_shipments"
# The same numbers by other ways. The files of `built` have neither shop nor payments.
_FIGURES = {
    "revenue": f"select {_CRM} + {_STOREFRONT}",
    "gross_sales": f"select {_CRM} + {_STOREFRONT}",
    "net_sales": f"select {_CRM} + {_STOREFRONT}",
    "returns": "select 0",
    "payment_fees": "select null",
    "orders": "select (select count(distinct order_number) from gold.fct_sales)"
    " + (select count(distinct order_id) from gold.fct_orders)",
    "customers": "select count(*) from gold.dim_person where person_key != '-1'"
    " and person_key in (select person_key from gold.fct_revenue)",
    "average_order_value": f"select cast({_CRM} + {_STOREFRONT} as double) / count(*) from"
    " (select order_number from gold.fct_sales union select order_id from gold.fct_orders)",
    "return_rate": "select 0",
    "crm_sales": "select sum(amount_usd) from gold.fct_revenue where channel = 'crm'",
    "crm_profit": "select sum(sales_amount - quantity * unit_cost) from gold.fct_sales",
    "crm_sales_with_cost": "select sum(sales_amount) from gold.fct_sales where unit_cost is not null",
    "crm_margin": "select 1 - cast(sum(quantity * unit_cost) as double) / cast(sum(sales_amount) as double)"
    " from gold.fct_sales where profit is not null",
    "storefront_profit": "select sum(profit) from gold.profit_by_category",
    "sessions": "select count(*) from gold.fct_sessions",
    "visitors": "select count(*) from (select distinct user_key from gold.fct_sessions)",
    "sessions_with_purchase": "select count_if(purchases > 0) from gold.fct_sessions",
    "conversion": "select avg(case when purchases > 0 then 1.0e0 else 0.0e0 end) from gold.fct_sessions",
    "stock_levels": "select count(*) from gold.inventory_levels",
    "stock_outs": "select count_if(available <= 0) from gold.inventory_levels",
    "stock_out_rate": "select avg(case when available <= 0 then 1.0e0 else 0.0e0 end)"
    " from gold.inventory_levels",
    "unexplained_drops": "select count_if(is_drop and not drop_explained) from gold.inventory_levels",
    "days_of_cover": "select cast(sum(days_of_cover) as double) / nullif(count(days_of_cover), 0)"
    " from gold.inventory_levels",
    "shipments": "select count(*) from gold.fct_shipments",
    "delivered_shipments": _SHIPMENTS.format("is_late or not is_late"),
    "shipments_on_time": _SHIPMENTS.format("not is_late"),
    "on_time_share": "select 1 - avg(cast(is_late as double)) from gold.fct_shipments",
    "overdue_shipments": _SHIPMENTS.format("is_overdue"),
    "lead_time": "select avg(cast(lead_time_hours as double)) from gold.fct_shipments",
    "people_in_segments": "select count(distinct person_key) from gold.customer_segments",
    "spent_in_two_years": "select sum(monetary) from gold.customer_segments",
}


@pytest.fixture(scope="module")
def metrics(project: "Manifest") -> dict[str, MetricQuery]:
    queries = read_queries(project)
    assert queries.known.keys() == _FIGURES.keys() and queries.refused == {}
    return queries.known


@pytest.mark.parametrize("name", _FIGURES)
def test_a_metric_is_the_figure_of_gold(built: Lakehouse, metrics: dict[str, MetricQuery], name: str) -> None:
    said, shown = built.value(metrics[name].sql()), built.value(_FIGURES[name])
    assert said == (None if shown is None else pytest.approx(shown, abs=0.001))


def test_a_join_of_a_metric_view_finds_its_columns_and_keeps_every_row(
    built: Lakehouse, project: "Manifest"
) -> None:
    gold = read_gold(project)
    files, _ = statements(gold, read_metrics(project, gold), "here")
    for text in files.values():
        # Folders have no catalog.
        view: dict[str, Any] = yaml.safe_load(text.split("$$")[1].replace("here.", ""))
        joins = [
            f"left join {join['source']} as {join['name']} on {join['on']}" for join in view.get("joins", [])
        ]
        joined = [dimension["expr"] for dimension in view["dimensions"] if "." in dimension["expr"]]
        found = ", ".join(["count(*)", *(f"max({column})" for column in joined)])
        (rows, *_), *_ = built.rows(f"select {found} from {view['source']} as source {' '.join(joins)}")
        assert rows == built.value(f"select count(*) from {view['source']}"), view["source"]
