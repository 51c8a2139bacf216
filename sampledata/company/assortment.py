"""What the online shop sells, the catalogue's models in their sizes and gift cards; where it is stored."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from sampledata.catalogue import CATEGORIES, Catalogue
from sampledata.company.model import Article, Product, Variant, Warehouse, cents
from sampledata.places import CITIES
from sampledata.sampling import FloatArray, Marks, Streams, mark
from sampledata.timeline import first_day, midnight

LOGS_BEGIN = midnight(first_day(2)) - timedelta(weeks=6)
"""Clicks, stock and scans of parcels are kept for weeks; those of the first delivery begin here."""

_CITY = {city.name: city for city in CITIES}
WAREHOUSES = [
    Warehouse(102_186_058_012, _CITY["Columbus"], "csv"),
    Warehouse(102_186_058_013, _CITY["Dallas"], "csv"),
    Warehouse(102_186_058_014, _CITY["Seattle"], "json"),
]

_ONLY_SIZE = "Default Title"
_GIFT_CARDS = [10, 25, 50, 100]
_GIFT_CARD_SHARE = 0.01
_DEFECTS = {"null_sku": 0.03, "empty_sku": 0.015, "sku_changes": 0.03}
_TIME_BEFORE_SKU_CHANGES = timedelta(days=20, hours=12)


@dataclass(frozen=True)
class Assortment:
    """The articles by their place, and how often each is bought, in proportion."""

    products: list[Product]
    articles: list[Article]
    popularity: FloatArray

    @classmethod
    def of(cls, streams: Streams, scale: float) -> "Assortment":
        """Return what is sold online at this scale: what sells at the counter, and gift cards."""
        catalogue = Catalogue.of(streams, scale)
        sold = np.flatnonzero(catalogue.popularity)
        defects = mark(streams.of("company.skus"), len(sold), _DEFECTS)
        popularity = catalogue.popularity[sold]
        products = list(_products(catalogue, sold.tolist(), defects))
        products.append(_gift_card(1 + len(products), len(sold)))
        articles = [Article(product, variant) for product in products for variant in product.variants]
        gift_cards = np.full(len(_GIFT_CARDS), _GIFT_CARD_SHARE * popularity.sum() / len(_GIFT_CARDS))
        return cls(products, articles, np.concatenate([popularity, gift_cards]))


def _products(catalogue: Catalogue, rows: list[int], defects: Marks) -> Iterator[Product]:
    """Yield a product per model, with the sizes that are sold as its variants, in the order of the rows."""
    titles: set[str] = set()
    place = {row: number for number, row in enumerate(rows)}
    spoilt = {kind: set(marked.tolist()) for kind, marked in defects.rows.items()}
    groups = itertools.groupby(rows, key=lambda row: (catalogue.category[row], catalogue.model[row]))
    for number, ((code, _), group) in enumerate(groups, start=1):
        category = CATEGORIES[code]
        members = list(group)
        title = _title(catalogue, members[0], titles)
        variants = tuple(
            _variant(catalogue, row, place[row], {kind for kind in spoilt if place[row] in spoilt[kind]})
            for row in members
        )
        yield Product(number, title, category.subcategory, variants)


def _title(catalogue: Catalogue, row: int, taken: set[str]) -> str:
    """A name without size, and with a number where another product has it."""
    size = _size(catalogue, row)
    name = catalogue.names[row].removesuffix(f" {size}") if size else catalogue.names[row]
    title = next(t for n in itertools.count(1) if (t := name if n == 1 else f"{name} {n}") not in taken)
    taken.add(title)
    return title


def _size(catalogue: Catalogue, row: int) -> str:
    """The size at the end of a product number, "" where there is but one."""
    sizes = CATEGORIES[catalogue.category[row]].sizes
    return catalogue.numbers[row].rpartition("-")[2] if len(sizes) > 1 else ""


def _variant(catalogue: Catalogue, row: int, place: int, defects: set[str]) -> Variant:
    sku = catalogue.numbers[row]
    without = None if "null_sku" in defects else ""
    has_none = bool({"null_sku", "empty_sku"} & defects)
    title, price = _size(catalogue, row) or _ONLY_SIZE, cents(100 * int(catalogue.price[row]) - 5)
    variant = Variant(place + 1, title, without if has_none else sku, price)
    if "sku_changes" not in defects:
        return variant
    return replace(variant, new_sku=f"{sku}-N", sku_changes_at=LOGS_BEGIN + _TIME_BEFORE_SKU_CHANGES)


def _gift_card(number: int, variants_before: int) -> Product:
    variants = tuple(
        Variant(variants_before + place, f"${value}", None, cents(100 * value))
        for place, value in enumerate(_GIFT_CARDS, start=1)
    )
    return Product(number, "Gift Card", "Gift Cards", variants, is_gift_card=True)
