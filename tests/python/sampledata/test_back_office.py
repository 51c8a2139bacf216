"""The sample data: repeatable, shaped and damaged like the real exports, with later deliveries."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from sampledata import SOURCES, generate
from sampledata.files import write_csv

HEADERS = {
    "crm/cust_info": "cst_id,cst_key,cst_firstname,cst_lastname,cst_marital_status,cst_gndr,cst_create_date",
    "crm/prd_info": "prd_id,prd_key,prd_nm,prd_cost,prd_line,prd_start_dt,prd_end_dt",
    "crm/sales_details": "sls_ord_num,sls_prd_key,sls_cust_id,sls_order_dt,sls_ship_dt,sls_due_dt,"
    "sls_sales,sls_quantity,sls_price",
    "erp/CUST_AZ12": "CID,BDATE,GEN",
    "erp/LOC_A101": "CID,CNTRY",
    "erp/PX_CAT_G1V2": "ID,CAT,SUBCAT,MAINTENANCE",
}
BACK_OFFICE = ["crm", "erp"]
FIRST_FILES = {f"{table}.csv" for table in HEADERS}


class Sample:
    """Generated files, read as text: `sample(table)` or `sample(table, delivery)`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, table: str, delivery: int = 1) -> pd.DataFrame:
        suffix = "" if delivery == 1 else f"_{delivery}"
        path = self.folder / f"{table}{suffix}.csv"
        return pd.read_csv(path, dtype=str, keep_default_na=False)

    def bytes(self) -> dict[str, bytes]:
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("full")
    generate(folder, scale=1, sources=BACK_OFFICE)
    return Sample(folder)


@pytest.fixture(scope="module", params=[0, 7])
def tenth(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Sample:
    folder = tmp_path_factory.mktemp("tenth")
    generate(folder, scale=0.1, seed=request.param, sources=BACK_OFFICE, deliveries=3)
    return Sample(folder)


def sample_of(
    folder: Path,
    scale: float = 0.01,
    seed: int = 0,
    sources: Sequence[str] | None = BACK_OFFICE,
    deliveries: int = 1,
) -> Sample:
    generate(folder, scale, seed, sources, deliveries)
    return Sample(folder)


# Repeatability


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    once = sample_of(tmp_path / "once", seed=3, sources=None, deliveries=2).bytes()
    again = sample_of(tmp_path / "again", seed=3, sources=None, deliveries=2).bytes()
    assert once == again


def test_a_second_run_overwrites_with_the_same_bytes(tmp_path: Path) -> None:
    once = sample_of(tmp_path, sources=None).bytes()
    assert sample_of(tmp_path, sources=None).bytes() == once


def test_another_seed_gives_other_rows(tmp_path: Path) -> None:
    zero, one = (sample_of(tmp_path / str(seed), seed=seed).bytes() for seed in (0, 1))
    same = {name for name in zero if zero[name] == one[name]}
    assert same == {"erp/PX_CAT_G1V2.csv"}


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_does_not_depend_on_which_others_are_generated(tmp_path: Path, source: str) -> None:
    everything = sample_of(tmp_path / "all", sources=None).bytes()
    alone = sample_of(tmp_path / "one", sources=[source]).bytes()
    assert alone == {n: b for n, b in everything.items() if n.startswith(f"{source}/")}


def test_a_delivery_does_not_depend_on_how_many_follow(tmp_path: Path) -> None:
    one, three = (sample_of(tmp_path / str(n), deliveries=n).bytes() for n in (1, 3))
    assert set(one) == FIRST_FILES
    assert len(three) == 3 * len(one)
    assert one.items() <= three.items()


# Files


def test_the_written_paths_are_returned(tmp_path: Path) -> None:
    paths = generate(tmp_path, scale=0.01, deliveries=2)
    assert len(paths) == len(set(paths))
    assert set(paths) == {path for path in tmp_path.rglob("*") if path.is_file()}
    assert tmp_path / "crm/sales_details_2.csv" in paths


@pytest.mark.parametrize("table", HEADERS)
def test_files_have_the_header_crlf_line_ends_and_no_quotes(tenth: Sample, table: str) -> None:
    content = (tenth.folder / f"{table}.csv").read_bytes().decode()
    lines = content.split("\r\n")
    assert lines[0] == HEADERS[table]
    assert lines[-1] == ""
    assert {line.count(",") for line in lines[:-1]} == {HEADERS[table].count(",")}
    assert not set('"\r\n') & set("".join(lines))


def test_a_failed_write_leaves_the_earlier_file_and_nothing_else(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "names.csv", [pa.table({"name": ["earlier"]})])

    def failing() -> Iterator[pa.Table]:
        yield pa.table({"name": ["later"]})
        raise RuntimeError("stopped")

    with pytest.raises(RuntimeError, match="stopped"):
        write_csv(path, failing())
    assert path.read_bytes() == b"name\r\nearlier\r\n"
    assert list(tmp_path.iterdir()) == [path]


# Sizes


def test_scale_1_is_the_size_of_the_real_exports(full: Sample) -> None:
    assert len(full("crm/sales_details")) == 60_000
    assert len(full("crm/cust_info")) == pytest.approx(18_494, abs=10)
    assert len(full("erp/CUST_AZ12")) == len(full("erp/LOC_A101")) == 18_484
    assert len(full("erp/PX_CAT_G1V2")) == 37
    assert len(full("crm/prd_info")) == pytest.approx(400, rel=0.05)
    assert full("crm/prd_info").prd_key.nunique() == pytest.approx(300, rel=0.05)


@pytest.mark.parametrize("scale", [0.01, 0.25, 4])
def test_rows_grow_with_the_scale_and_products_with_its_root(
    tmp_path: Path, full: Sample, scale: float
) -> None:
    sample = sample_of(tmp_path, scale)
    assert len(sample("crm/sales_details")) == 60_000 * scale
    assert len(sample("erp/LOC_A101")) == round(18_484 * scale)
    products = full("crm/prd_info").prd_key.nunique() * scale**0.5
    assert sample("crm/prd_info").prd_key.nunique() == pytest.approx(products, abs=1)


def test_the_smallest_scales_still_have_every_table(tmp_path: Path) -> None:
    sample = sample_of(tmp_path, scale=1e-9, deliveries=3)
    for delivery in (1, 2, 3):
        assert all(len(sample(table, delivery)) for table in HEADERS)


# Keys


def product_number(products: pd.DataFrame) -> "pd.Series[str]":
    return products.prd_key.str[6:]


def test_every_sale_has_its_customer_and_product(tenth: Sample) -> None:
    customers = set(tenth("crm/cust_info").cst_id)
    products = set(product_number(tenth("crm/prd_info")))
    for delivery in (1, 2, 3):
        sales = tenth("crm/sales_details", delivery)
        assert set(sales.sls_cust_id) <= customers
        assert set(sales.sls_prd_key) <= products


def test_sales_products_and_erp_customers_have_unique_keys(tenth: Sample) -> None:
    for delivery in (1, 2, 3):
        sales = tenth("crm/sales_details", delivery)
        assert not sales.duplicated(["sls_ord_num", "sls_prd_key"]).any()
        products = tenth("crm/prd_info", delivery)
        assert products.prd_id.is_unique
        assert not products.duplicated(["prd_key", "prd_start_dt"]).any()
        assert product_number(products).nunique() == products.prd_key.nunique()
        assert tenth("erp/CUST_AZ12", delivery).CID.is_unique
        assert tenth("erp/LOC_A101", delivery).CID.is_unique


def test_crm_and_erp_know_the_same_customers(tenth: Sample) -> None:
    for delivery in (1, 2, 3):
        crm = tenth("crm/cust_info", delivery)
        keys = set(crm.cst_key[crm.cst_id != ""])
        assert keys == set(tenth("erp/CUST_AZ12", delivery).CID.str.removeprefix("NAS"))
        assert keys == set(tenth("erp/LOC_A101", delivery).CID.str.replace("-", ""))


def test_crm_and_erp_know_the_same_categories_but_one(tenth: Sample) -> None:
    sold = set(tenth("crm/prd_info").prd_key.str[:5].str.replace("-", "_"))
    assert sold - set(tenth("erp/PX_CAT_G1V2").ID) == {"CO_PE"}


# Shape of sales and products


def test_orders_are_numbered_by_day_and_shipped_after_a_week(full: Sample) -> None:
    sales = full("crm/sales_details")
    number = sales.sls_ord_num.str.removeprefix("SO").astype(int)
    shipped = pd.to_datetime(sales.sls_ship_dt)
    ordered = pd.to_datetime(sales.sls_order_dt, format="%Y%m%d", errors="coerce")
    assert number.is_monotonic_increasing
    assert set(number.diff().dropna()) == {0, 1}
    assert shipped.is_monotonic_increasing
    assert set((shipped - ordered).dropna().dt.days) == {7}
    assert set((pd.to_datetime(sales.sls_due_dt) - shipped).dt.days) == {5}
    assert (shipped.max() - shipped.min()).days == pytest.approx(3 * 365, abs=5)
    assert sales.groupby("sls_ord_num").sls_cust_id.nunique().max() == 1
    assert set(sales.sls_ord_num.value_counts()) >= {1, 2, 3, 4, 5, 6}


def test_a_product_has_one_price_and_up_to_three_cost_periods(full: Sample) -> None:
    sales = full("crm/sales_details")
    priced = sales[~sales.sls_price.str.startswith("-") & (sales.sls_price != "")]
    assert priced.groupby("sls_prd_key").sls_price.nunique().max() == 1
    assert set(full("crm/prd_info").prd_key.value_counts()) == {1, 2, 3}


def test_products_without_cost_are_never_sold(full: Sample) -> None:
    products = full("crm/prd_info")
    without_cost = set(product_number(products[products.prd_cost == ""]))
    assert len(without_cost) == 2
    assert not without_cost & set(full("crm/sales_details").sls_prd_key)


# Defects: each is counted in the rows that it makes differ from a clean export

Mask = Callable[[pd.DataFrame], "pd.Series[bool]"]


def number(column: "pd.Series[str]") -> "pd.Series[float]":
    return pd.to_numeric(column, errors="coerce")


def blank_around(column: str) -> Mask:
    return lambda t: t[column] != t[column].str.strip()


def one_of(column: str, *values: str) -> Mask:
    return lambda t: t[column].isin(values)


def empty(column: str) -> Mask:
    return one_of(column, "")


def negative(column: str) -> Mask:
    return lambda t: t[column].str.startswith("-")


def ends_before_start(products: pd.DataFrame) -> "pd.Series[bool]":
    return (products.prd_end_dt != "") & (products.prd_end_dt < products.prd_start_dt)


def sent_before(customers: pd.DataFrame) -> "pd.Series[bool]":
    return (customers.cst_id != "") & customers.cst_id.duplicated(keep="last")


def inconsistent(sales: pd.DataFrame) -> "pd.Series[bool]":
    product = number(sales.sls_quantity) * number(sales.sls_price)
    sent = number(sales.sls_sales)
    return (sent > 0) & (product > 0) & (sent != product)


def garbled_date(sales: pd.DataFrame) -> "pd.Series[bool]":
    return (sales.sls_order_dt != "0") & (sales.sls_order_dt.str.len() != 8)


# What, table, rows in the real exports (those of customers sent repeatedly or without id where
# a field is missing), how to find them.
DEFECTS: dict[str, tuple[str, float, Mask]] = {
    "customer without id": ("crm/cust_info", 4, empty("cst_id")),
    "customer sent before": ("crm/cust_info", 6, sent_before),
    "blank around first name": ("crm/cust_info", 17, blank_around("cst_firstname")),
    "blank around last name": ("crm/cust_info", 22, blank_around("cst_lastname")),
    "no marital status": ("crm/cust_info", 7, empty("cst_marital_status")),
    "no gender": ("crm/cust_info", 4578, empty("cst_gndr")),
    "trailing blank in line": ("crm/prd_info", 380, blank_around("prd_line")),
    "no line": ("crm/prd_info", 17, empty("prd_line")),
    "no cost": ("crm/prd_info", 2, empty("prd_cost")),
    "end before start": ("crm/prd_info", 200, ends_before_start),
    "category unknown to the ERP": (
        "crm/prd_info",
        7,
        lambda t: t.prd_key.str.startswith("CO-PE-"),
    ),
    "order date zero": ("crm/sales_details", 17, one_of("sls_order_dt", "0")),
    "order date garbled": ("crm/sales_details", 2, garbled_date),
    "price null": ("crm/sales_details", 7, empty("sls_price")),
    "price negative": ("crm/sales_details", 5, negative("sls_price")),
    "sales null": ("crm/sales_details", 8, empty("sls_sales")),
    "sales zero": ("crm/sales_details", 2, one_of("sls_sales", "0")),
    "sales negative": ("crm/sales_details", 3, negative("sls_sales")),
    "sales inconsistent": ("crm/sales_details", 10, inconsistent),
    "id prefix": ("erp/CUST_AZ12", 11_042, lambda t: t.CID.str.startswith("NAS")),
    "birth in the future": ("erp/CUST_AZ12", 16, lambda t: t.BDATE > "2030"),
    "gender empty": ("erp/CUST_AZ12", 1472, empty("GEN")),
    "gender blank": ("erp/CUST_AZ12", 4, one_of("GEN", " ", "  ")),
    "gender F": ("erp/CUST_AZ12", 4, one_of("GEN", "F")),
    "gender M": ("erp/CUST_AZ12", 3, one_of("GEN", "M")),
    "gender with trailing blank": ("erp/CUST_AZ12", 2, one_of("GEN", "F ", "M ")),
    "dash in id": ("erp/LOC_A101", 18_484, lambda t: t.CID.str.match(r"AW-\d{8}$")),
    "country DE": ("erp/LOC_A101", 566, one_of("CNTRY", "DE")),
    "country US": ("erp/LOC_A101", 1500, one_of("CNTRY", "US")),
    "country USA": ("erp/LOC_A101", 2591, one_of("CNTRY", "USA")),
    "country empty": ("erp/LOC_A101", 332, empty("CNTRY")),
    "country blank": ("erp/LOC_A101", 5, one_of("CNTRY", " ", "  ", "   ")),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_occurs_at_a_tenth_of_the_size(tenth: Sample, defect: str) -> None:
    table, _, found = DEFECTS[defect]
    assert found(tenth(table)).any()


@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_is_as_frequent_as_in_the_real_exports(full: Sample, defect: str) -> None:
    table, real, found = DEFECTS[defect]
    assert found(full(table)).sum() == pytest.approx(real, rel=0.15, abs=3)


def test_rows_without_id_have_a_key_and_nothing_else(full: Sample) -> None:
    customers = full("crm/cust_info")
    rows = customers[customers.cst_id == ""]
    assert (rows.cst_key != "").all()
    assert (rows.drop(columns="cst_key") == "").all(axis=None)


def test_customers_sent_repeatedly_are_completed_by_newer_rows(full: Sample) -> None:
    customers = full("crm/cust_info")
    repeated = customers[(customers.cst_id != "") & customers.cst_id.duplicated(keep=False)]
    sendings = [rows for _, rows in repeated.groupby("cst_id")]
    assert sorted(map(len, sendings)) == [2, 2, 2, 2, 3]
    for rows in sendings:
        assert rows.cst_create_date.is_monotonic_increasing
        assert rows.cst_create_date.is_unique
        assert (rows.iloc[:-1] == "").any(axis=1).all()
        assert (rows.iloc[-1] != "").all()


def test_a_product_period_ends_early_where_another_follows(full: Sample) -> None:
    products = full("crm/prd_info")
    followed = products.prd_key.duplicated(keep="last")
    assert ends_before_start(products)[followed].all()
    assert (ends_before_start(products) == (products.prd_end_dt != "")).all()


def test_three_sales_in_ten_are_older_than_their_product(full: Sample) -> None:
    products = full("crm/prd_info")
    since = products.prd_start_dt.str.replace("-", "").groupby(product_number(products)).min()
    sales = full("crm/sales_details")
    valid = sales[sales.sls_order_dt.str.len() == 8]
    older = valid.sls_order_dt < valid.sls_prd_key.map(since)
    assert older.mean() == pytest.approx(0.30, abs=0.05)


def test_countries_are_spelled_as_in_the_real_exports(full: Sample) -> None:
    expected = {"Australia", "Canada", "France", "United Kingdom"}
    expected |= {"DE", "Germany", "US", "USA", "United States", "", " ", "  ", "   "}
    assert set(full("erp/LOC_A101").CNTRY) == expected


def test_crm_and_erp_mostly_agree_on_gender(full: Sample) -> None:
    crm, erp = full("crm/cust_info"), full("erp/CUST_AZ12")
    both = crm.merge(erp, left_on="cst_key", right_on=erp.CID.str.removeprefix("NAS"))
    coded = both[(both.cst_gndr != "") & both.GEN.isin(["Male", "Female"])]
    assert 0.99 < (coded.cst_gndr == coded.GEN.str[0]).mean() < 1


# Deliveries


def customer_ids(sample: Sample, delivery: int) -> set[str]:
    return set(sample("crm/cust_info", delivery).cst_id)


def test_customers_are_removed_and_some_return(tenth: Sample) -> None:
    first, second, third = (customer_ids(tenth, delivery) for delivery in (1, 2, 3))
    assert len(first - second) == max(1, round(0.0005 * len(first)))
    assert second < first
    assert third - second
    assert second - third


def test_larger_deliveries_remove_5_customers_per_10_000(tmp_path: Path) -> None:
    sample = sample_of(tmp_path, scale=1, deliveries=3)
    first, second, third = (customer_ids(sample, delivery) for delivery in (1, 2, 3))
    assert len(first - second) == 9
    assert len(second - third) == 9
    assert 0 < len((first - second) & third) < 9


@pytest.mark.parametrize("column", ["cst_marital_status", "cst_lastname"])
def test_customers_change_between_deliveries(tenth: Sample, column: str) -> None:
    before, after = (
        tenth("crm/cust_info", delivery).drop_duplicates("cst_id", keep="last").set_index("cst_id")
        for delivery in (1, 2)
    )
    both = before.join(after, rsuffix="_after", how="inner")
    changed = (both[column] != both[f"{column}_after"]).sum()
    assert changed == pytest.approx(0.005 * len(before), abs=2)
    assert (both.cst_gndr == both.cst_gndr_after).all()


def test_erp_rows_do_not_change_between_deliveries(tenth: Sample) -> None:
    for table in ("erp/CUST_AZ12", "erp/LOC_A101"):
        both = tenth(table).merge(tenth(table, 2), on="CID", suffixes=("", "_after"))
        columns = HEADERS[table].split(",")[1:]
        assert all((both[column] == both[f"{column}_after"]).all() for column in columns)
    assert tenth("erp/PX_CAT_G1V2").equals(tenth("erp/PX_CAT_G1V2", 2))


def test_a_delivery_lacks_a_product_that_has_sold(tenth: Sample) -> None:
    for delivery in (2, 3):
        missing = set(product_number(tenth("crm/prd_info")))
        missing -= set(product_number(tenth("crm/prd_info", delivery)))
        assert len(missing) == 1
        assert missing <= set(tenth("crm/sales_details").sls_prd_key)


def test_new_costs_begin_with_the_delivery_and_follow_the_old_ones(tenth: Sample) -> None:
    first, second, third = (tenth("crm/prd_info", delivery) for delivery in (1, 2, 3))
    new = second[~second.prd_id.isin(first.prd_id)]
    assert len(new)
    assert set(new.prd_start_dt) == {"2025-01-01"}
    assert set(new.prd_end_dt) == {""}
    for key, cost in zip(new.prd_key, new.prd_cost, strict=True):
        old = second[(second.prd_key == key) & ~second.prd_id.isin(new.prd_id)]
        assert ends_before_start(old).all()
        assert int(old.prd_cost.iloc[-1]) < int(cost)
    assert len(third[third.prd_start_dt == "2025-01-08"])
    assert set(third.prd_id) - set(first.prd_id) - set(new.prd_id)


def test_later_sales_are_new_orders_and_corrections_of_the_delivery_before(tenth: Sample) -> None:
    key = ["sls_ord_num", "sls_prd_key"]
    for delivery in (2, 3):
        before, now = (tenth("crm/sales_details", n) for n in (delivery - 1, delivery))
        last = before.sls_ord_num.max()
        new, corrections = now[now.sls_ord_num > last], now[now.sls_ord_num <= last]
        assert len(new) == 60
        assert new.sls_order_dt.min() > before.sls_order_dt[before.sls_order_dt.str.len() == 8].max()
        assert int(new.sls_ord_num.iloc[0][2:]) == int(last[2:]) + 1

        both = corrections.merge(before, on=key, suffixes=("", "_before"))
        assert len(both) == len(corrections) > 0
        assert (both.sls_quantity != both.sls_quantity_before).all()
        assert (both.sls_sales != both.sls_sales_before).all()
        assert (both.sls_cust_id == both.sls_cust_id_before).all()


def test_new_orders_are_of_customers_and_products_still_there(tenth: Sample) -> None:
    for delivery in (2, 3):
        first_day = {2: "20250101", 3: "20250108"}[delivery]
        sales = tenth("crm/sales_details", delivery)
        new = sales[sales.sls_order_dt >= first_day]
        assert set(new.sls_cust_id) <= customer_ids(tenth, delivery)
        products = tenth("crm/prd_info", delivery)
        assert set(new.sls_prd_key) <= set(product_number(products))


# Errors


def test_an_unknown_source_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"unknown source fax; known are {', '.join(SOURCES)}"):
        generate(tmp_path / "out", sources=["crm", "fax"])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("scale", [0, -1, float("nan"), float("inf")])
def test_a_scale_that_is_not_above_zero_is_refused(tmp_path: Path, scale: float) -> None:
    with pytest.raises(ValueError, match="scale must be a number above 0"):
        generate(tmp_path, scale=scale)


def test_no_delivery_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="deliveries must be 1 or more"):
        generate(tmp_path, deliveries=0)
