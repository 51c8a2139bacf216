"""Charts of single tables, mostly through the command line."""

import struct
import sys
import zlib
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pyarrow as pa
import pytest

from lakehouse.charts.chart import Axis, Chart, compact, readable, summed_chart, table_chart, x_labels
from lakehouse.charts.model_docs import Model, read_models
from lakehouse.charts.spec import GREY, PALETTE, specification, to_svg
from lakehouse.cli import main
from lakehouse.reading.rows import Rows
from lakehouse.warehouse import Warehouse
from tests.python import PROJECT

from ..conftest import write_table
from .pages import contrast, faint_texts, needs_chromium, opened

MODELS = """
models:
  - name: sales
    description: >-
      One row per sale. Its second
      sentence is for the docs.
    columns:
      - {name: amount, config: {meta: {unit: USD}}}
      - {name: weight, meta: {unit: kg}}
  - name: long
    description: %s.
"""
LONG_NAME = "Mountain bike with a frame of carbon, in every size"
MONEY = pa.decimal128(18, 2)
Draw = Callable[..., Chart]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    warehouse = tmp_path_factory.mktemp("home") / "warehouse"
    start, days, hours = date(2026, 1, 1), timedelta(days=1), timedelta(hours=1)
    moment = datetime(2026, 1, 31, 22, tzinfo=UTC)
    products = [LONG_NAME, "Helmet", "Gloves", None]
    sales = {
        "sold_on": pa.array([start + days * n if n else None for n in range(40)], pa.date32()),
        "sold_at": pa.array([moment + hours * (n % 3) for n in range(40)], pa.timestamp("us", tz="UTC")),
        "year": pa.array([2023 + n % 3 for n in range(40)], pa.int32()),
        "product": [products[n % 4] for n in range(40)],
        "is_gift": [n % 2 == 0 for n in range(40)],
        "customer": [f"customer {n:02}" for n in range(40)],
        "amount": pa.array([Decimal("0.10")] * 38 + [Decimal("123456789012345.67"), None], MONEY),
        "weight": [float(n) for n in range(40)],
        "gain": pa.array([n - 20 for n in range(40)], pa.int64()),
    }
    write_table(warehouse, "gold.sales", pa.table(sales))
    odd = {"x": [1, 1], "y": ["", "b"], "series": [True, None], "row_count": [2, 3], "a-`b`": [0.5, None]}
    write_table(warehouse, "gold.odd", pa.table(odd))
    write_table(warehouse, "silver.twice", pa.table({"a": ["x"]}))
    write_table(warehouse, "gold.twice", pa.table({"a": ["x"]}))
    write_table(warehouse, "gold.empty", pa.table({"a": pa.array([], pa.string()), "n": pa.array([], MONEY)}))
    return warehouse


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    (folder / "gold").mkdir()
    (folder / "gold" / "_shop__models.yml").write_text(MODELS % ("long " * 50))
    return folder


@pytest.fixture
def draw(warehouse: Path, models: Path) -> Draw:
    """Charts of the table of sales."""
    return lambda *columns: table_chart(Warehouse(warehouse), models, "sales", *columns)


@pytest.fixture
def run(
    warehouse: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """`lakehouse chart` with arguments; returns exit code and what it printed."""

    def run_chart(*arguments: str) -> tuple[int, str]:
        monkeypatch.setenv("LAKEHOUSE_HOME", str(warehouse.parent))
        monkeypatch.setattr(sys, "argv", ["lakehouse", "chart", *arguments])
        with pytest.raises(SystemExit) as stopped:
            main()
        printed = capsys.readouterr()
        return int(stopped.value.code or 0), printed.out + printed.err

    return run_chart


def test_colours_stand_out_from_white_and_from_black() -> None:
    for background in ("#ffffff", "#121212"):
        assert all(contrast(colour, background) >= 3 for colour in PALETTE)
        assert contrast(GREY, background) >= 4
    assert contrast("#ffffff", "#000000") == 21


def test_png(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder" / "sales.png"
    code, printed = run("gold.sales", "--x", "sold_on", "--y", "amount", "--by", "product", "--out", str(out))
    assert (code, str(out) in printed) == (0, True)
    width, height, pixels = _decoded(out.read_bytes())
    assert width == 1600
    assert 600 < height < 1600
    assert len(pixels) == height * (1 + 4 * width)
    assert len(set(pixels)) > 10


def test_svg_says_what_is_on_the_axes(draw: Draw) -> None:
    chart = draw("sold_at", "amount", "product")
    texts = _texts(to_svg(chart))
    assert {"Sales", "One row per sale.", "Sold at (UTC)", "Amount (USD)", "Product"} <= texts
    assert {"2026-01-31 22:00", "2026-02-01 00:00", "Helmet", "(none)"} <= texts
    assert "Weight (kg)" in _texts(to_svg(draw("is_gift", "weight")))


def test_svg_has_the_width_asked_for(draw: Draw) -> None:
    for columns in (("product", "amount"), ("sold_on", "gain", "product"), ("year", "gain", "product")):
        assert ElementTree.fromstring(to_svg(draw(*columns), width=340)).get("width") == "340"


def test_sums_are_exact(draw: Draw) -> None:
    sums = {point.x: point.y for point in draw("is_gift", "amount").points}
    assert sums == {"true": Decimal("123456789012347.57"), "false": Decimal("1.90")}


@pytest.mark.parametrize(
    ("columns", "marks"),
    [
        (("sold_on", "amount"), ["line"]),
        (("sold_on", "amount", "product"), ["line"]),
        (("sold_at", "amount"), ["bar", "text"]),
        (("year", "amount", "product"), ["bar"]),
        (("product", "amount"), ["bar", "text"]),
        (("gain", "amount"), ["line"]),
    ],
)
def test_the_mark_follows_the_type(draw: Draw, columns: tuple[str, ...], marks: list[str]) -> None:
    spec = specification(draw(*columns))
    assert [layer["mark"]["type"] for layer in spec.get("layer", [spec])] == marks


def test_parts_are_stacked_unless_one_is_negative(draw: Draw) -> None:
    assert "xOffset" not in specification(draw("year", "amount", "product"))["encoding"]
    losses = specification(draw("year", "gain", "product"))["encoding"]
    assert losses["y"]["stack"] is None
    assert losses["xOffset"]["field"] == "series"


def test_nothing_but_zeros_is_a_chart_too() -> None:
    zeros = Rows(["x", "series", "y", "row_count"], [("a", None, 0, 1), ("b", None, 0, 1)])
    assert {"a", "b", "0"} <= _texts(to_svg(summed_chart(zeros, "Zeros", "", Axis("name"), Axis("size"))))


def test_text_is_sorted_by_value_and_long_names_can_be_read(draw: Draw) -> None:
    chart = draw("product", "gain")
    assert chart.xs == ["(none)", "Gloves", "Helmet", LONG_NAME]
    assert [point.y for point in chart.points] == [10, 0, -10, -20]
    texts = _texts(to_svg(chart))
    assert {"Mountain bike with a frame of carbon, in", "every size", "-20"} <= texts


def test_only_the_top_of_many_categories_is_shown(draw: Draw) -> None:
    chart = draw("customer", "weight")
    assert chart.xs == [f"customer {n:02}" for n in range(39, 19, -1)]
    assert "The top 20 of 40 by weight." in _texts(to_svg(chart))


def test_series_are_in_the_order_of_numbers_or_by_size(draw: Draw) -> None:
    assert draw("is_gift", "weight", "year").series == ["2023", "2024", "2025"]
    assert draw("year", "weight", "product").series == ["(none)", "Gloves", "Helmet", LONG_NAME]


def test_small_series_are_added_up(draw: Draw) -> None:
    chart = draw("is_gift", "weight", "customer")
    assert len(chart.series) == len(PALETTE) + 1
    assert chart.series[0::7] == ["customer 39", "(other)"]
    assert sum(point.y for point in chart.points) == sum(range(40))
    assert "33 smaller series are added up as (other)." in _texts(to_svg(chart))


def test_names_of_columns_may_be_anything(warehouse: Path, models: Path) -> None:
    swapped = table_chart(Warehouse(warehouse), models, "gold.odd", "y", "x", "series")
    assert {(p.x, p.series, p.y) for p in swapped.points} == {("(empty)", "true", 1), ("b", "(none)", 1)}
    quoted = table_chart(Warehouse(warehouse), models, "gold.odd", "row_count", "a-`b`")
    assert [(p.x, p.y) for p in quoted.points] == [(2, 0.5)]


def test_a_date_that_python_cannot_hold_has_no_place() -> None:
    rows = [("0000-01-01", None, 5, 2), (date(2024, 1, 1), None, 1, 1)]
    axes = Axis("sold_on"), Axis("amount")
    chart = summed_chart(Rows(["x", "series", "y", "row_count"], rows), "Sales", "", *axes)
    assert (chart.xs, chart.notes) == ([date(2024, 1, 1)], ("Left out: 2 rows without sold on.",))


def days(first: date, number: int) -> Rows:
    """One piece sold a day."""
    return Rows(
        ["x", "series", "y", "row_count"], [(first + timedelta(days=n), None, 1, 1) for n in range(number)]
    )


@pytest.mark.parametrize(
    ("number", "last", "label", "notes"),
    [
        # Bars say how far the last one goes, a line leaves out what is not complete.
        (92, date(2024, 4, 1), "2024-04-01", 0),
        (100, date(2024, 4, 1), "2024-04\nuntil 9 Apr", 0),
        (366, date(2024, 12, 1), "2024-12", 0),
        (1096, date(2026, 12, 1), "2026-12", 0),
        (1097, date(2026, 12, 1), "2026-12", 1),
    ],
)
def test_many_days_are_added_up_by_month(number: int, last: date, label: str, notes: int) -> None:
    chart = summed_chart(days(date(2024, 1, 1), number), "Sales", "", Axis("sold_on"), Axis("pieces"))
    assert (chart.xs[-1], x_labels(chart)[chart.xs[-1]], len(chart.notes)) == (last, label, notes)
    assert sum(point.y for point in chart.points) == number - notes
    assert to_svg(chart, 340, titled=False).count("until") == label.count("until")


def test_a_running_year_is_marked() -> None:
    axes = Axis("sold_on"), Axis("pieces")
    running = summed_chart(days(date(2024, 1, 1), 400), "Sales", "", *axes, period="year")
    assert [(point.x.year, point.y) for point in running.points] == [(2024, 366), (2025, 34)]
    assert list(x_labels(running).values()) == ["2024", "2025\nuntil 3 Feb"]
    assert {"2024", "2025", "until 3 Feb"} <= _texts(to_svg(running, 340))
    complete = summed_chart(days(date(2024, 1, 1), 366), "Sales", "", *axes, period="year")
    assert list(x_labels(complete).values()) == ["2024"]


def test_rows_without_a_place_are_counted(draw: Draw) -> None:
    assert draw("sold_on", "amount").notes == (
        "Left out: 1 row without sold on.",
        "Left out: 1 row without amount.",
    )


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_html_opens_in_a_browser(run: Callable[..., tuple[int, str]], tmp_path: Path, scheme: str) -> None:
    out = tmp_path / "sales.html"
    assert run("sales", "--x", "product", "--y", "gain", "--out", str(out))[0] == 0
    with opened(out, scheme) as page:
        assert page.get_by_role("heading", name="Sales").is_visible()
        (image,) = page.get_by_role("img").all()
        assert image.get_attribute("aria-label") == "Sales. Bars: Gain by Product, highest 10 ((none))."
        assert faint_texts(page) == []


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["nothing", "--x", "a", "--y", "b"],
            2,
            "no table nothing.\nTables: gold.empty, gold.odd, gold.sales, ",
        ),
        (["twice", "--x", "a", "--y", "b"], 2, "give one of gold.twice, silver.twice"),
        (
            ["sales", "--x", "sold_in", "--y", "gain"],
            2,
            "gold.sales has no column sold_in.\nColumns: sold_on",
        ),
        (["sales", "--x", "year", "--y", "gain", "--by", "size"], 2, "gold.sales has no column size"),
        (
            ["sales", "--x", "year", "--y", "product"],
            2,
            "is string, not a number.\nNumbers in gold.sales: year",
        ),
        (["empty", "--x", "a", "--y", "n"], 1, "gold.empty is empty"),
    ],
)
def test_errors(
    run: Callable[..., tuple[int, str]], tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    exit_code, printed = run(*arguments, "--out", str(tmp_path / "x.svg"))
    assert exit_code == code
    assert message in printed


def test_errors_about_the_file(run: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    drawing = ["sales", "--x", "year", "--y", "gain", "--out"]
    assert run(*drawing, "x.gif") == (
        2,
        "Error: x.gif: unknown ending '.gif'; use one of .png, .svg, .html.\n",
    )
    code, printed = run(*drawing, str(tmp_path / "file" / "x.svg"))
    assert (code, "x.svg cannot be written (" in printed) == (2, True)


def test_no_table_at_all(tmp_path: Path, models: Path) -> None:
    with pytest.raises(Exception, match="run `lakehouse run` first"):
        table_chart(Warehouse(tmp_path), models, "sales", "year", "gain")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *[(0, "0"), (0.5, "0.5"), (-12.345, "-12.3"), (1234, "1,234"), (9999.7, "10,000"), (10_000, "10k")],
        *[
            (100_300, "100k"),
            (999_600, "1M"),
            (Decimal("1234567.89"), "1.23M"),
            (-2e9, "-2B"),
            (5e15, "5,000T"),
        ],
    ],
)
def test_compact(value: float, text: str) -> None:
    assert compact(value) == text


def test_readable() -> None:
    assert readable("fct_sales") == "Sales"
    assert readable("stg_crm__customers") == "CRM customers"


def test_models_are_read(models: Path) -> None:
    assert read_models(models) == {
        "sales": Model("One row per sale.", {"amount": "USD", "weight": "kg"}),
        "long": Model(),
    }
    assert read_models(PROJECT / "models")["fct_sales"].meaning == "One row per sales line of the CRM."


def _texts(svg: str) -> set[str]:
    elements = ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")
    return {text for element in elements for text in element.itertext()}


def _decoded(png: bytes) -> tuple[int, int, bytes]:
    """Width, height and rows of pixels (filtered, a byte before each row), every checksum verified."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, header, data = 8, b"", b""
    while place < len(png):
        (length,), kind = struct.unpack(">I", png[place : place + 4]), png[place + 4 : place + 8]
        content, checksum = png[place + 8 : place + 8 + length], png[place + 8 + length : place + 12 + length]
        assert struct.pack(">I", zlib.crc32(kind + content)) == checksum
        header, data = (content, data) if kind == b"IHDR" else (header, data + content * (kind == b"IDAT"))
        place += 12 + length
    width, height = struct.unpack(">II", header[:8])
    return width, height, zlib.decompress(data)
