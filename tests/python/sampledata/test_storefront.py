"""The storefront's sample files: formats, columns and defects as in the real ones, later deliveries."""

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from python_calamine import CalamineWorkbook

from sampledata import generate

CUSTOMER_HEADERS = ["Customer ID", "Customer Name", "email", "phone", "address", "Segment", "Country"]
CUSTOMER_HEADERS += ["City", "State", "Postal Code", "Region"]
PRODUCT_HEADERS = ["Product ID", "Category", "Sub-Category", "Product Name", "State", "Price per product"]
ORDER_FIELDS = ["Row ID", "Order ID", "Order Date", "Ship Date", "Ship Mode", "Customer ID", "Product ID"]
ORDER_FIELDS += ["Quantity", "Price", "Discount", "Profit"]
FILES = ["Customer.xlsx", "Products.csv", "Order.json"]


class Storefront:
    """Generated files of the storefront, as frames."""

    def __init__(self, folder: Path, scale: float, seed: int = 0, deliveries: int = 1) -> None:
        generate(folder, scale, seed, ["storefront"], deliveries)
        self.folder = folder / "storefront"

    def path(self, file: str, delivery: int = 1) -> Path:
        name = Path(file)
        return self.folder / (file if delivery == 1 else f"{name.stem}_{delivery}{name.suffix}")

    def customers(self, delivery: int = 1) -> pd.DataFrame:
        workbook = CalamineWorkbook.from_path(self.path("Customer.xlsx", delivery))
        headers, *rows = workbook.get_sheet_by_index(0).to_python()
        return pd.DataFrame(rows, columns=headers, dtype=object)

    def products(self, delivery: int = 1) -> pd.DataFrame:
        return pd.read_csv(self.path("Products.csv", delivery), dtype=str, keep_default_na=False)

    def orders(self, delivery: int = 1) -> pd.DataFrame:
        records = json.loads(self.path("Order.json", delivery).read_text("utf-8"))
        return pd.DataFrame(records, dtype=object)

    def bytes(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir()}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Storefront:
    return Storefront(tmp_path_factory.mktemp("full"), scale=1, deliveries=2)


@pytest.fixture(scope="module", params=[0, 7])
def small(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Storefront:
    return Storefront(tmp_path_factory.mktemp("small"), 0.05, seed=request.param, deliveries=3)


# Repeatability


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path, small: Storefront) -> None:
    once = Storefront(tmp_path / "once", 0.05, seed=3, deliveries=3).bytes()
    assert Storefront(tmp_path / "again", 0.05, seed=3, deliveries=3).bytes() == once
    other = small.bytes()
    assert set(other) == set(once)
    assert all(other[name] != once[name] for name in once)


def test_a_delivery_does_not_depend_on_how_many_follow(tmp_path: Path) -> None:
    one, three = (Storefront(tmp_path / str(n), 0.05, deliveries=n).bytes() for n in (1, 3))
    assert set(one) == set(FILES)
    assert len(three) == 9
    assert one.items() <= three.items()


# Files


def test_customers_come_in_one_sheet_of_texts_and_numbers(full: Storefront) -> None:
    assert CalamineWorkbook.from_path(full.path("Customer.xlsx")).sheet_names == ["Worksheet"]
    customers = full.customers()
    assert list(customers) == CUSTOMER_HEADERS
    types = {name: set(customers[name].map(type)) for name in customers}
    mixed = {"phone", "Postal Code"}
    assert all(types[name] == {float, str} for name in mixed)
    assert all(types[name] == {str} for name in types if name not in mixed)


def test_products_come_as_utf_8_with_lf_and_quotes_where_needed(full: Storefront) -> None:
    text = full.path("Products.csv").read_bytes().decode()
    assert text.splitlines()[0] == ",".join(PRODUCT_HEADERS)
    assert "\r" not in text
    assert not text.isascii()
    fields = [field for row in csv.reader(text.splitlines()) for field in row]
    assert text.count('"') == sum(2 + 2 * f.count('"') for f in fields if set(f) & set(',"'))


def test_orders_come_as_an_indented_array(full: Storefront) -> None:
    text = full.path("Order.json").read_text("utf-8")
    assert text == json.dumps(json.loads(text), indent=2)
    types = full.orders().map(lambda value: type(value).__name__)
    assert list(types) == ORDER_FIELDS
    assert set(types["Price"]) == {"int", "float", "str"}
    assert set(types["Discount"]) == set(types["Profit"]) == {"int", "float"}
    assert set(types["Row ID"]) == set(types["Quantity"]) == {"int"}


def test_keys_and_dates_look_like_the_real_ones(full: Storefront) -> None:
    orders = full.orders()
    assert orders["Order ID"].str.fullmatch(r"(CA|US)-20\d\d-1\d{5}").all()
    assert orders["Customer ID"].str.fullmatch(r"[A-Z]{2}-[12]\d{4}").all()
    assert orders["Product ID"].str.fullmatch(r"(FUR|OFF|TEC)-[A-Z]{2}-1000\d{4}").all()
    for column in ("Order Date", "Ship Date"):
        assert orders[column].str.fullmatch(r"[1-9]\d?/[1-9]\d?/20\d\d").all()
    assert (orders["Order Date"].str[-4:] == orders["Order ID"].str[3:7]).all()


# Sizes and keys


def test_scale_1_is_the_size_of_the_real_files(full: Storefront) -> None:
    assert list(full.orders()["Row ID"]) == list(range(1, 10_001))
    assert len(full.customers()) == 800
    assert len(full.products()) == pytest.approx(1851, abs=3)


@pytest.mark.parametrize("scale", [0.25, 4])
def test_rows_grow_with_the_scale_and_products_with_its_root(tmp_path: Path, scale: float) -> None:
    sample = Storefront(tmp_path, scale)
    assert len(sample.orders()) == 10_000 * scale
    assert len(sample.customers()) == 800 * scale
    assert len(sample.products()) == pytest.approx(1851 * scale**0.5, abs=3)


def test_the_smallest_scales_still_have_every_row(tmp_path: Path) -> None:
    sample = Storefront(tmp_path, scale=1e-9, deliveries=3)
    for delivery in (1, 2, 3):
        assert len(sample.orders(delivery)) and len(sample.customers(delivery))
        assert len(sample.products(delivery))


def test_an_order_is_of_one_customer_and_day_and_its_lines_are_scattered(full: Storefront) -> None:
    orders = full.orders()
    by_order = orders.groupby("Order ID")
    for column in ("Customer ID", "Order Date", "Ship Date", "Ship Mode"):
        assert by_order[column].nunique().max() == 1
    assert len(by_order) == pytest.approx(5009, rel=0.05)
    assert (orders["Order ID"] == orders["Order ID"].shift()).mean() < 0.01
    lasted = dates(orders["Ship Date"]) - dates(orders["Order Date"])
    assert lasted.dt.days.between(0, 7).all()


def dates(column: "pd.Series[Any]") -> "pd.Series[pd.Timestamp]":
    return pd.to_datetime(column, format="%d/%m/%Y")


def test_every_order_has_its_customer(small: Storefront) -> None:
    for delivery in (1, 2, 3):
        customers = set(small.customers(1)["Customer ID"]) | set(small.customers(delivery)["Customer ID"])
        assert set(small.orders(delivery)["Customer ID"]) <= customers


def test_customers_have_unique_ids_and_emails(small: Storefront) -> None:
    for delivery in (1, 2, 3):
        customers = small.customers(delivery)
        assert customers["Customer ID"].is_unique
        assert customers["email"].is_unique


def test_price_is_list_price_times_quantity_less_the_discount(full: Storefront) -> None:
    products = full.products().drop_duplicates("Product ID", keep=False)
    lines = full.orders().merge(products, on="Product ID")
    lines = lines[~lines["Price"].map(lambda price: isinstance(price, str))]
    price = lines["Price"].astype(float)
    undiscounted = price / lines["Quantity"].astype(int) / (1 - lines["Discount"].astype(float))
    as_listed = undiscounted / lines["Price per product"].astype(float)
    # Half of the listed prices are reduced ones.
    assert as_listed.between(0.99, 1.01).mean() == pytest.approx(0.5, abs=0.05)
    assert (lines["Profit"].astype(float) < price).all()


# Defects: how many of the real rows have each, and how to find them

Find = Callable[[Storefront], int]


def customers_where(column: str, pattern: str) -> Find:
    def count(sample: Storefront) -> int:
        texts = sample.customers()[column].map(lambda v: str(int(v)) if isinstance(v, float) else v)
        return int(texts.str.contains(pattern).sum())

    return count


def products_where(pattern: str) -> Find:
    return lambda sample: int(sample.products()["Product Name"].str.contains(pattern).sum())


def percent_prices(sample: Storefront) -> int:
    return int(sample.orders()["Price"].map(lambda price: isinstance(price, str)).sum())


def ids_twice(sample: Storefront) -> int:
    return int(sample.products()["Product ID"].duplicated().sum())


def same_name_twice(sample: Storefront) -> int:
    return int(sample.products().duplicated(["Product ID", "Product Name"]).sum())


def unknown_products(sample: Storefront) -> int:
    return len(set(sample.orders()["Product ID"]) - set(sample.products()["Product ID"]))


def lines_of_unknown_products(sample: Storefront) -> int:
    return int((~sample.orders()["Product ID"].isin(sample.products()["Product ID"])).sum())


def same_product_in_order(sample: Storefront) -> int:
    return int(sample.orders().duplicated(["Order ID", "Product ID"]).sum())


def postal_codes_as_text(sample: Storefront) -> int:
    return int(sample.customers()["Postal Code"].map(lambda code: isinstance(code, str)).sum())


NBSP = "\N{NO-BREAK SPACE}"
DEFECTS: dict[str, tuple[int, Find]] = {
    "price in percent": (24, percent_prices),
    "product id twice": (33, ids_twice),
    "product id twice, same name": (1, same_name_twice),
    "unknown product": (44, unknown_products),
    "line of an unknown product": (204, lines_of_unknown_products),
    "same product on two lines": (8, same_product_in_order),
    "customer without a name": (8, customers_where("Customer Name", "^$")),
    "digits in a name": (24, customers_where("Customer Name", r"\d")),
    "dots in a name": (5, customers_where("Customer Name", r"\.\.")),
    "doubled blanks in a name": (18, customers_where("Customer Name", r"  +[A-Za-z]")),
    "symbols in a name": (28, customers_where("Customer Name", r"[&*@%<>_#;]")),
    "umlaut in a name": (15, customers_where("Customer Name", "[äöüÄÖÜ]")),
    "apostrophe in a name": (11, customers_where("Customer Name", r"\w'\w")),
    "hyphen in a name": (4, customers_where("Customer Name", r"\w-\w")),
    "line break in an address": (793, customers_where("address", r"\n")),
    "phone with extension": (330, customers_where("phone", r"\dx\d{3,5}$")),
    "phone with 001": (123, customers_where("phone", r"^001-\d{3}-\d{3}-\d{4}")),
    "phone as an error": (103, customers_where("phone", "^#ERROR!$")),
    "phone as a negative number": (32, customers_where("phone", "^-")),
    "phone as a number": (66, customers_where("phone", r"^\d+$")),
    "postal code without leading zero": (32, customers_where("Postal Code", r"^\d{4}$")),
    "postal code as text": (1, postal_codes_as_text),
    "non-breaking space in a product name": (42, products_where(NBSP)),
    "curly quote in a product name": (15, products_where("[“”]")),
    "accent in a product name": (2, products_where("[éà]")),
    "quote in a product name": (140, products_where('"')),
    "trailing blank in a product name": (3, products_where(" $")),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_occurs_at_a_twentieth_of_the_size(small: Storefront, defect: str) -> None:
    _, count = DEFECTS[defect]
    assert count(small) > 0


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_is_about_as_frequent_as_in_the_real_files(full: Storefront, defect: str) -> None:
    real, count = DEFECTS[defect]
    assert count(full) == pytest.approx(real, rel=0.3, abs=6)


def test_a_percent_is_a_hundred_times_the_price(full: Storefront) -> None:
    lines = full.orders()
    lines["percent"] = lines["Price"].map(lambda price: float(price[:-1]) if isinstance(price, str) else None)
    sold = lines[lines["percent"].notna()]
    others = lines[lines["percent"].isna()]
    known = sold.merge(others, on="Product ID", suffixes=("", "_other"))
    ratio = known["percent"] / full_price(known, "_other", "Price_other") / quantity_paid(known, "")
    assert len(known)
    assert ratio.tolist() == pytest.approx([100] * len(ratio), rel=0.02)


def quantity_paid(lines: pd.DataFrame, suffix: str) -> "pd.Series[float]":
    discount = lines[f"Discount{suffix}"].astype(float)
    return lines[f"Quantity{suffix}"].astype(int) * (1 - discount)


def full_price(lines: pd.DataFrame, suffix: str, price: str) -> "pd.Series[float]":
    return lines[price].astype(float) / quantity_paid(lines, suffix)


def test_ids_that_are_there_twice_agree_on_the_category(full: Storefront) -> None:
    products = full.products()
    twice = products[products["Product ID"].duplicated(keep=False)].groupby("Product ID")
    assert set(twice.size()) == {2}
    assert set(twice["Category"].nunique()) == set(twice["Sub-Category"].nunique()) == {1}
    assert sorted(twice["Product Name"].nunique())[:2] == [1, 2]


def test_real_names_survive_and_initials_are_of_the_id(full: Storefront) -> None:
    customers = full.customers()
    clean = customers[customers["Customer Name"].str.fullmatch(r"[^\W\d_]+ [^\W\d_]+(['-][^\W\d_]+)?")]
    initials = clean["Customer Name"].map(lambda name: "".join(part[0] for part in name.split()))
    assert (initials == clean["Customer ID"].str[:2]).all()
    assert 0.88 < len(clean) / len(customers) < 0.95


# Deliveries


def test_customers_are_added_removed_and_move(small: Storefront) -> None:
    for delivery in (2, 3):
        before, after = (small.customers(n).set_index("Customer ID") for n in (delivery - 1, delivery))
        assert 1 <= len(before.index.difference(after.index)) <= 2
        assert len(after.index.difference(before.index)) >= 1
        both = before.index.intersection(after.index)
        changed = (before.loc[both] != after.loc[both]).sum()
        assert set(changed[changed > 0].index) <= {"address"}


def test_five_in_a_thousand_change(full: Storefront) -> None:
    customers = [full.customers(n).set_index("Customer ID").address for n in (1, 2)]
    assert differences(*customers) == 4
    products = [full.products(n).set_index("Product Name") for n in (1, 2)]
    prices = [unique(extract)["Price per product"] for extract in products]
    assert differences(*prices) == pytest.approx(9, abs=1)


def differences(before: "pd.Series[Any]", after: "pd.Series[Any]") -> int:
    both = before.index.intersection(after.index)
    return int((before[both] != after[both]).sum())


def test_products_are_added_and_removed(small: Storefront) -> None:
    first, second, third = (small.products(n).set_index("Product Name") for n in (1, 2, 3))
    for before, after in ((first, second), (second, third)):
        assert 1 <= len(after.index.difference(before.index)) <= 3
        for column in ("Product ID", "Category", "Sub-Category", "State"):
            assert differences(unique(before)[column], unique(after)[column]) == 0
    assert len(first.index.difference(third.index)) >= 1


def unique(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[~frame.index.duplicated(keep=False)]


def test_later_orders_are_new_lines_and_corrections_of_the_delivery_before(small: Storefront) -> None:
    for delivery in (2, 3):
        before, now = small.orders(delivery - 1), small.orders(delivery)
        last = before["Row ID"].max() if delivery == 2 else 505
        new, corrections = now[now["Row ID"] > last], now[now["Row ID"] <= last]
        assert list(new["Row ID"]) == list(range(last + 1, last + 6))
        first_day = {2: "2025-01-01", 3: "2025-01-08"}[delivery]
        assert dates(new["Order Date"]).min() >= pd.Timestamp(first_day)

        both = corrections.merge(before, on="Row ID", suffixes=("", "_before"))
        assert len(both) == len(corrections) > 0
        assert (both["Quantity"] == both["Quantity_before"] + 1).all()
        assert (both["Price"] != both["Price_before"]).all()
        for column in ("Order ID", "Product ID", "Customer ID", "Order Date", "Discount"):
            assert (both[column] == both[f"{column}_before"]).all()


def test_order_ids_are_of_one_delivery_only(small: Storefront) -> None:
    first, second = small.orders(1), small.orders(2)
    new = second[second["Row ID"] > first["Row ID"].max()]
    assert not set(new["Order ID"]) & set(first["Order ID"])
    assert all(re.fullmatch(r"(CA|US)-2025-\d{6}", order) for order in new["Order ID"])
