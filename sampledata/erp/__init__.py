"""ERP extracts: birth date and gender, country, and product categories."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa

from sampledata.catalogue import CATEGORIES
from sampledata.customers import Customers, customer_keys
from sampledata.files import delivery_file, write_csv
from sampledata.sampling import DateArray, Marks, Streams, mark, pick

_PREFIXED_SHARE = 0.597
_EARLIEST_BIRTH = np.datetime64("1935-01-01")
_BIRTH_DAYS = 71 * 365
_FUTURE_YEARS = np.array([2043, 2050, 2058, 2066, 2081, 2980, 9999])

_MALE, _FEMALE, _BLANK = range(3)
_GENDERS = ["Male", "Female", "", "F", "M", "F ", "M ", " ", "  "]
_GENDER_BLANK_SHARE = 0.08
_GENDER_MISTAKEN_SHARE = 0.004
_CUSTOMER_DEFECTS = {
    "future_birth": 9e-4,
    "F": 2.2e-4,
    "M": 1.6e-4,
    "F ": 5e-5,
    "M ": 5e-5,
    " ": 1.6e-4,
    "  ": 5e-5,
}

_COUNTRIES = {
    "Australia": 0.194,
    "United States": 0.183,
    "USA": 0.140,
    "United Kingdom": 0.104,
    "France": 0.098,
    "Canada": 0.085,
    "US": 0.081,
    "Germany": 0.066,
    "DE": 0.031,
    "": 0.018,
    " ": 0.0,
    "  ": 0.0,
    "   ": 0.0,
}
_COUNTRY_DEFECTS = {" ": 1.1e-4, "  ": 1.1e-4, "   ": 5e-5}


def write(folder: Path, scale: float, streams: Streams, delivery: int) -> list[Path]:
    """Write one delivery of the three ERP extracts, all complete, and return their paths."""
    customers = Customers.of(streams, scale, delivery)
    tables = {
        "CUST_AZ12": _birth_and_gender(customers),
        "LOC_A101": _countries(customers),
        "PX_CAT_G1V2": iter([_categories()]),
    }
    return [write_csv(delivery_file(folder, name, delivery), t) for name, t in tables.items()]


def _birth_and_gender(customers: Customers) -> Iterator[pa.Table]:
    """Yield CUST_AZ12: older customers carry a prefix that the CRM does not know."""
    defects = mark(customers.streams.of("erp.CUST_AZ12.defects"), customers.count, _CUSTOMER_DEFECTS)
    for block in customers.blocks():
        rng = customers.streams.of("erp.CUST_AZ12", block.start)
        rows = np.arange(block.start, block.stop)
        prefixed = rows < _PREFIXED_SHARE * customers.count
        table = pa.table(
            {
                "CID": customer_keys(rows, pa.array(["AW", "NASAW"]).take(pa.array(prefixed * 1))),
                "BDATE": _births(rng, block, defects),
                "GEN": _genders(rng, block, defects, customers),
            }
        )
        yield table.filter(pa.array(customers.present(block)))


def _births(rng: np.random.Generator, block: range, defects: Marks) -> DateArray:
    births = _EARLIEST_BIRTH + rng.integers(0, _BIRTH_DAYS, len(block))
    future = defects.at("future_birth", block)
    years = rng.choice(_FUTURE_YEARS, len(future)) - 1970
    births[future] = years.astype("datetime64[Y]") + rng.integers(0, 365, len(future)).astype(
        "timedelta64[D]"
    )
    return births


def _genders(rng: np.random.Generator, block: range, defects: Marks, customers: Customers) -> pa.Array:
    mistaken = rng.random(len(block)) < _GENDER_MISTAKEN_SHARE
    codes = np.where(customers.female(block) ^ mistaken, _FEMALE, _MALE)
    codes[rng.random(len(block)) < _GENDER_BLANK_SHARE] = _BLANK
    for code, text in enumerate(_GENDERS):
        codes[defects.at(text, block)] = code
    return pa.array(_GENDERS).take(pa.array(codes))


def _countries(customers: Customers) -> Iterator[pa.Table]:
    """Yield LOC_A101: its keys have a dash that the CRM's do not have."""
    spellings = list(_COUNTRIES)
    defects = mark(customers.streams.of("erp.LOC_A101.defects"), customers.count, _COUNTRY_DEFECTS)
    for block in customers.blocks():
        rng = customers.streams.of("erp.LOC_A101", block.start)
        codes = pick(rng, list(_COUNTRIES.values()), len(block))
        for text in _COUNTRY_DEFECTS:
            codes[defects.at(text, block)] = spellings.index(text)
        table = pa.table(
            {
                "CID": customer_keys(np.arange(block.start, block.stop), "AW-"),
                "CNTRY": pa.array(spellings).take(pa.array(codes)),
            }
        )
        yield table.filter(pa.array(customers.present(block)))


def _categories() -> pa.Table:
    """Return PX_CAT_G1V2, which lacks one category that the CRM sells."""
    known = [category for category in CATEGORIES if category.in_erp]
    return pa.table(
        {
            "ID": [category.id for category in known],
            "CAT": [category.family for category in known],
            "SUBCAT": [category.subcategory for category in known],
            "MAINTENANCE": [category.maintenance for category in known],
        }
    )
