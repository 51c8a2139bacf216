"""Charts as files, and the page with the charts that people look at first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lakehouse.charts.chart import (
    Axis,
    Chart,
    NothingToDraw,
    Number,
    Period,
    compact,
    summed_chart,
    x_labels,
)
from lakehouse.charts.model_docs import Model, read_models
from lakehouse.charts.spec import to_png, to_svg
from lakehouse.errors import UsageError
from lakehouse.reading.query import columns, names_referred_to, read
from lakehouse.warehouse import Warehouse

TITLE = "The lakehouse at a glance"
FORMATS = (".png", ".svg", ".html")
# Pixels; the page shows the one that fits the screen.
WIDE, NARROW = 940, 340
MOST_TABLE_ROWS = 100
INGESTED_AT = "_ingested_at"


@dataclass(frozen=True)
class Figure:
    """A chart of the report. `analyses/report/<query>.sql` gives x, series, y and row_count by x and series.

    `x`, `y` and `by` name the columns; the unit of `y` is that of the column in one of the models of the
    query. Days are added up by `period`.
    """

    query: str
    title: str
    says: str
    x: str
    y: str
    by: str
    period: Period | None = None


@dataclass(frozen=True)
class Headline:
    """A number at the top of the report, in the unit of `column`."""

    label: str
    table: str
    sql: str
    column: str = ""


FIGURES = (
    Figure(
        query="revenue_by_channel",
        title="Revenue by month and channel",
        says="What all channels earn, each sale counted once.",
        x="date_day",
        y="amount_usd",
        by="channel",
        period="month",
    ),
    Figure(
        query="crm_revenue_by_country",
        title="CRM revenue by year and country",
        says="Where the customers of the CRM live, by what they bought.",
        x="order_date",
        y="sales_amount",
        by="country",
        period="year",
    ),
    Figure(
        query="crm_revenue_by_product_line",
        title="CRM revenue by month and product line",
        says="Which product lines the revenue of the CRM comes from.",
        x="order_date",
        y="sales_amount",
        by="product_line",
        period="month",
    ),
    Figure(
        query="crm_profit_by_product_line",
        title="CRM profit by year and product line",
        says="Which product lines earn the CRM its money.",
        x="order_date",
        y="profit",
        by="product_line",
        period="year",
    ),
    Figure(
        query="storefront_profit_by_category",
        title="Storefront profit by year and category",
        says="Which categories of the storefront earn money, and which lose it.",
        x="order_date",
        y="profit",
        by="category",
        period="year",
    ),
    Figure(
        query="gym_exercise_by_gym",
        title="Exercise by day and gym",
        says="In which gyms people exercise, and how long.",
        x="visit_date",
        y="minutes_exercising",
        by="gym",
    ),
    Figure(
        query="events_by_day",
        title="Events by day and action",
        says="How much people use the app, and what they do most.",
        x="day",
        y="event_count",
        by="action",
    ),
    Figure(
        query="events_by_hour_of_day",
        title="Events by hour of the day and action",
        says="When people use the app (UTC), all days together.",
        x="hour_of_day",
        y="event_count",
        by="action",
    ),
)

HEADLINES = (
    Headline("Revenue of all channels", "gold.revenue_daily", "sum(amount_usd)", "amount_usd"),
    Headline("CRM sales lines", "gold.fct_sales", "count(*)"),
    Headline("CRM revenue", "gold.fct_sales", "sum(sales_amount)", "sales_amount"),
    Headline("CRM profit", "gold.fct_sales", "sum(profit)", "profit"),
    Headline("Storefront profit", "gold.profit_cube", "sum(profit)", "profit"),
    Headline("Exercise", "gold.gym_summary", "sum(minutes_exercising)", "minutes_exercising"),
    Headline("Events", "gold.events_by_action", "sum(event_count)"),
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


def report_page(warehouse: Warehouse, project: Path) -> str:
    """The report as a page, with the queries and the YAML of a dbt project.

    A chart whose tables are missing or empty is named with what builds it.

    Raises:
        UsageError: there is no warehouse yet.
        LakehouseError: a table has not the columns that its chart needs.
    """
    tables = warehouse.tables()
    known = read_models(project / "models")
    headlines = [_headline(warehouse, known, item) for item in HEADLINES if item.table in tables]
    queries = project / "analyses" / "report"
    figures = [
        _figure(warehouse, known, figure, (queries / f"{figure.query}.sql").read_text("utf-8"))
        for figure in FIGURES
    ]
    return _page(TITLE, [_age(warehouse, list(tables))], headlines, figures)


def _figure(warehouse: Warehouse, models: dict[str, Model], figure: Figure, sql: str) -> dict[str, object]:
    needed, built = names_referred_to(sql), {table.split(".")[1] for table in warehouse.tables()}
    if missing := [name for name in needed if name not in built]:
        return _missing(figure, f"not built yet: {' and '.join(missing)}")
    units = {name: unit for model in needed for name, unit in models.get(model, Model()).units.items()}
    axes = [Axis(column, units.get(column)) for column in (figure.x, figure.y, figure.by)]
    try:
        chart = summed_chart(read(warehouse, sql), figure.title, figure.says, *axes, period=figure.period)
    except NothingToDraw:
        return _missing(figure, f"no rows to draw in {needed[0]}")
    return _drawn(chart)


def _missing(figure: Figure, reason: str) -> dict[str, object]:
    return {"title": figure.title, "missing": f"Left out, {reason}. Run `lakehouse run`."}


def _drawn(chart: Chart) -> dict[str, object]:
    return {
        "title": chart.title,
        "lines": [line for line in (chart.meaning, *chart.notes) if line],
        "wide": inline_svg(chart, WIDE, "wide"),
        "narrow": inline_svg(chart, NARROW, "narrow"),
        "table": table_of(chart),
    }


def inline_svg(chart: Chart, width: int, css_class: str) -> Markup:
    """The chart's SVG as one image with a description, in the place of its parts."""
    return described(to_svg(chart, width, titled=False), f"{chart.title}. {chart.summary}", css_class)


def described(svg: str, description: str, css_class: str) -> Markup:
    """An SVG of vl-convert, which escapes its texts, as an image with a description."""
    attributes = f'class="{css_class}" role="img" aria-label="{escape(description)}"'
    return Markup(svg.replace('class="marks"', attributes, 1))


def table_of(chart: Chart) -> dict[str, object]:
    """The numbers of a chart, a row per x and a column per series."""
    labels, values = x_labels(chart), {(point.x, point.series): point.y for point in chart.points}
    rows = [
        [labels[x], *(exact_text(values.get((x, name))) for name in chart.series)]
        for x in chart.xs[:MOST_TABLE_ROWS]
    ]
    caption = f"{chart.y.title} by {chart.by.title}" if chart.by else chart.y.title
    if len(chart.xs) > len(rows):
        caption += f", the first {len(rows)} of {len(chart.xs):,} rows"
    return {"caption": caption, "columns": [chart.x.title, *_headings(chart)], "rows": rows}


def _headings(chart: Chart) -> list[str]:
    return chart.series if chart.by else [chart.y.title]


def exact_text(value: Number | None) -> str:
    """Exact, except for floating point numbers, which never are."""
    if value is None:
        return ""
    return f"{value:,.6g}" if isinstance(value, float) else f"{value:,}"


def _headline(warehouse: Warehouse, models: dict[str, Model], headline: Headline) -> dict[str, object]:
    ((value,),) = read(warehouse, f"select {headline.sql} from {headline.table}").rows
    unit = models.get(headline.table.split(".")[1], Model()).units.get(headline.column)
    shown = "n/a" if value is None else compact(value)
    return {"label": headline.label, "value": shown, "exact": value, "unit": unit}


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
