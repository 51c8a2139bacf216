"""Charts as files: pictures, and pages with the numbers beside them."""

from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from lakehouse.charts.chart import Chart, Number, x_labels
from lakehouse.charts.spec import to_png, to_svg
from lakehouse.errors import UsageError

FORMATS = (".png", ".svg", ".html")
# Pixels; the page shows the one that fits the screen.
WIDE, NARROW = 940, 340
MOST_TABLE_ROWS = 100


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
    return (
        html_templates(Path(__file__).parent)
        .get_template("chart.html.j2")
        .render(
            title=chart.title,
            lines=[line for line in (chart.meaning, *chart.notes) if line],
            wide=inline_svg(chart, WIDE, "wide"),
            narrow=inline_svg(chart, NARROW, "narrow"),
            table=table_of(chart),
            written=f"{datetime.now(UTC):%Y-%m-%d %H:%M}",
        )
    )


def html_templates(folder: Path) -> Environment:
    """The templates of a folder; what they are given is escaped, and has to be there."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


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
