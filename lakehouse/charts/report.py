"""Charts as files, and the page with the charts that people look at first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lakehouse.charts.chart import Axis, Chart, NothingToDraw, Number, compact, summed_chart, x_labels
from lakehouse.charts.model_docs import Model, read_models
from lakehouse.charts.spec import to_png, to_svg
from lakehouse.errors import UsageError
from lakehouse.reading.query import columns, read
from lakehouse.warehouse import Warehouse

TITLE = "The lakehouse at a glance"
FORMATS = (".png", ".svg", ".html")
# Pixels; the page shows the one that fits the screen.
WIDE, NARROW = 940, 340
MOST_TABLE_ROWS = 100
INGESTED_AT = "_ingested_at"


@dataclass(frozen=True)
class Figure:
    """A chart of the report. The SQL gives x, series, y and row_count, one row per x and series.

    `x`, `y` and `by` name the columns; the unit of `y` is that of the column in one of the tables.
    """

    title: str
    says: str
    tables: tuple[str, ...]
    sql: str
    x: str
    y: str
    by: str | None = None


@dataclass(frozen=True)
class Headline:
    """A number at the top of the report, in the unit of `column`."""

    label: str
    table: str
    sql: str
    column: str


FIGURES = (
    Figure(
        title="Events by action",
        says="What people do most in the app.",
        tables=("gold.events_by_action",),
        sql="""
            select action as x, null as series, sum(event_count) as y, count(*) as row_count
            from gold.events_by_action group by action
        """,
        x="action",
        y="event_count",
    ),
    Figure(
        title="Events by hour and action",
        says="When people use the app, and what they do then.",
        tables=("gold.events_by_hour",),
        sql="""
            select hour as x, action as series, sum(event_count) as y, count(*) as row_count
            from gold.events_by_hour group by hour, action
        """,
        x="hour",
        y="event_count",
        by="action",
    ),
    Figure(
        title="Storefront profit by year and category",
        says="Which categories of the storefront earn money, and which lose it.",
        tables=("gold.profit_cube",),
        sql="""
            select year as x, category as series, sum(profit) as y, count(*) as row_count
            from gold.profit_cube group by year, category
        """,
        x="year",
        y="profit",
        by="category",
    ),
    Figure(
        title="CRM revenue by year and country",
        says="Where the customers of the CRM live, by what they bought.",
        tables=("gold.fct_sales", "gold.dim_customer"),
        sql="""
            select
                year(sales.order_date) as x, customer.country as series,
                sum(sales.sales_amount) as y, count(*) as row_count
            from gold.fct_sales as sales
            left join gold.dim_customer as customer on sales.customer_key = customer.customer_key
            group by year(sales.order_date), customer.country
        """,
        x="order_year",
        y="sales_amount",
        by="country",
    ),
    Figure(
        title="CRM revenue by year and product line",
        says="Which product lines the revenue of the CRM comes from.",
        tables=("gold.fct_sales", "gold.dim_product"),
        sql="""
            select
                year(sales.order_date) as x, product.product_line as series,
                sum(sales.sales_amount) as y, count(*) as row_count
            from gold.fct_sales as sales
            left join gold.dim_product as product on sales.product_key = product.product_key
            group by year(sales.order_date), product.product_line
        """,
        x="order_year",
        y="sales_amount",
        by="product_line",
    ),
)

HEADLINES = (
    Headline("Sales lines", "gold.fct_sales", "count(*)", ""),
    Headline("Revenue", "gold.fct_sales", "sum(sales_amount)", "sales_amount"),
    Headline("Profit", "gold.fct_sales", "sum(profit)", "profit"),
    Headline("Storefront profit", "gold.profit_cube", "sum(profit)", "profit"),
    Headline("Events", "gold.events_by_action", "sum(event_count)", "event_count"),
)


def save(chart: Chart, out: Path) -> None:
    """Write the chart as .png (twice 800 pixels wide), .svg or self-contained .html.

    Raises:
        UsageError: the file has another ending, or cannot be written.
    """
    ending = out.suffix.lower()
    if ending not in FORMATS:
        raise UsageError(f"{out}: unknown ending '{out.suffix}'; use one of {', '.join(FORMATS)}.")
    if ending == ".png":
        write(out, to_png(chart))
    else:
        write(out, (to_svg(chart) if ending == ".svg" else chart_page(chart)).encode())


def write(out: Path, content: bytes) -> None:
    """Write a file, and the folder it is in.

    Raises:
        UsageError: it cannot be written there.
    """
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(content)
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}"
        raise UsageError(f"{out} cannot be written ({reason}). Choose another --out.") from None


def chart_page(chart: Chart) -> str:
    """One chart as a page of its own, with its numbers."""
    return _page(chart.title, [], [], [_drawn(chart)])


def report_page(warehouse: Warehouse, models: Path) -> str:
    """The report as a page; a chart whose tables are missing or empty is named with what builds it.

    Raises:
        UsageError: there is no warehouse yet.
        LakehouseError: a table has not the columns that its chart needs.
    """
    tables = warehouse.tables()
    known = read_models(models)
    headlines = [_headline(warehouse, known, item) for item in HEADLINES if item.table in tables]
    figures = [_figure(warehouse, known, figure, list(tables)) for figure in FIGURES]
    return _page(TITLE, [_age(warehouse, list(tables))], headlines, figures)


def _figure(
    warehouse: Warehouse, models: dict[str, Model], figure: Figure, tables: Sequence[str]
) -> dict[str, object]:
    if missing := [table for table in figure.tables if table not in tables]:
        return _missing(figure, f"not built yet: {' and '.join(missing)}")
    units = {name: unit for table in figure.tables for name, unit in _model(models, table).units.items()}
    axes = [Axis(column, units.get(column)) for column in (figure.x, figure.y, figure.by) if column]
    try:
        chart = summed_chart(read(warehouse, figure.sql), figure.title, figure.says, *axes)
    except NothingToDraw:
        return _missing(figure, f"no rows to draw in {figure.tables[0]}")
    return _drawn(chart)


def _missing(figure: Figure, reason: str) -> dict[str, object]:
    return {"title": figure.title, "missing": f"Left out, {reason}. Run `lakehouse run`."}


def _drawn(chart: Chart) -> dict[str, object]:
    return {
        "title": chart.title,
        "lines": [line for line in (chart.meaning, *chart.notes) if line],
        "wide": _inline(chart, WIDE, "wide"),
        "narrow": _inline(chart, NARROW, "narrow"),
        "table": _table(chart),
    }


def _inline(chart: Chart, width: int, css_class: str) -> Markup:
    """The chart's SVG as one image with a description, in the place of its parts."""
    description = escape(f"{chart.title}. {chart.summary}")
    svg = to_svg(chart, width, titled=False)
    return Markup(  # vl-convert escapes the texts of the SVG
        svg.replace('class="marks"', f'class="{css_class}" role="img" aria-label="{description}"', 1)
    )


def _table(chart: Chart) -> dict[str, object]:
    """The numbers of a chart, a row per x and a column per series."""
    labels, values = x_labels(chart), {(point.x, point.series): point.y for point in chart.points}
    rows = [
        [labels[x], *(_number(values.get((x, name))) for name in chart.series)]
        for x in chart.xs[:MOST_TABLE_ROWS]
    ]
    caption = f"{chart.y.title} by {chart.by.title}" if chart.by else chart.y.title
    if len(chart.xs) > len(rows):
        caption += f", the first {len(rows)} of {len(chart.xs):,} rows"
    return {"caption": caption, "columns": [chart.x.title, *_headings(chart)], "rows": rows}


def _headings(chart: Chart) -> list[str]:
    return chart.series if chart.by else [chart.y.title]


def _number(value: Number | None) -> str:
    """Exact, except for floating point numbers, which never are."""
    if value is None:
        return ""
    return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}"


def _headline(warehouse: Warehouse, models: dict[str, Model], headline: Headline) -> dict[str, object]:
    ((value,),) = read(warehouse, f"select {headline.sql} from {headline.table}").rows
    unit = _model(models, headline.table).units.get(headline.column)
    shown = "n/a" if value is None else compact(value)
    return {"label": headline.label, "value": shown, "exact": value, "unit": unit}


def _model(models: dict[str, Model], table: str) -> Model:
    return models.get(table.split(".")[1], Model())


def _age(warehouse: Warehouse, tables: Sequence[str]) -> str:
    """When the newest row that was built upon was ingested; sums themselves do not know."""
    built = [table for table in tables if table.startswith(("silver.", "gold."))]
    dated = [table for table in built if INGESTED_AT in columns(warehouse, table)]
    times = [read(warehouse, f"select max({INGESTED_AT}) from {table}").rows[0][0] for table in dated]
    newest = max(filter(None, times), default=None)
    return f"Data of {_minute(newest)}." if newest else "No table says how old its data is."


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _page(
    title: str,
    lines: Sequence[str],
    headlines: Sequence[dict[str, object]],
    figures: Sequence[dict[str, object]],
) -> str:
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return templates.get_template("report.html.j2").render(
        title=title,
        lines=lines,
        headlines=headlines,
        figures=figures,
        written=_minute(datetime.now(UTC)),
    )
