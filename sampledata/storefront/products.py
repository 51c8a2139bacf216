"""The storefront's products: a list in which some ids stand for two products and some are missing."""

import csv
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.landing.writer import complete_file
from sampledata.extract import Extract
from sampledata.files import delivery_file
from sampledata.places import CITIES
from sampledata.sampling import FloatArray, IntArray, Marks, Streams, pick, scatter

HEADERS = ["Product ID", "Category", "Sub-Category", "Product Name", "State", "Price per product"]

_AT_SCALE_1 = 1862
_AT_LEAST = 40
_FIRST_ID = 10_000_000
_ID_RATES = {"missing": 44 / 1862, "twice": 32 / 1862, "twice_same_name": 1 / 1862}
_NAME_RATES = {"nbsp": 0.023, "curly": 0.008, "accent": 0.001, "blank": 0.0016, "inch": 0.07}
_PRICE_RISE = 1.05
# Some prices are a third of what was paid for three.
_THIRD_RATES = {"third": 0.024}


class Subcategory(NamedTuple):
    """A sub-category: its id, products at scale 1, usual price, and what its products are called."""

    id: str
    name: str
    products: int
    price: float
    nouns: tuple[str, str]

    @property
    def category(self) -> str:
        """The name of the category, which the id begins with."""
        return {"FUR": "Furniture", "OFF": "Office Supplies", "TEC": "Technology"}[self.id[:3]]


SUBCATEGORIES = [
    Subcategory("FUR-BO", "Bookcases", 50, 102, ("Bookcase", "Library with Doors")),
    Subcategory("FUR-CH", "Chairs", 89, 105, ("Task Chair", "Stacking Chair")),
    Subcategory("FUR-FU", "Furnishings", 186, 16, ("Wall Clock", "Desk Lamp")),
    Subcategory("FUR-TA", "Tables", 56, 172, ("Conference Table", "Height-Adjustable Table")),
    Subcategory("OFF-AP", "Appliances", 97, 35, ("Surge Protector", "Vacuum")),
    Subcategory("OFF-AR", "Art", 157, 4.1, ("Colored Pencils", "Highlighters")),
    Subcategory("OFF-BI", "Binders", 211, 5.4, ("Ring Binder", "Binding Covers")),
    Subcategory("OFF-EN", "Envelopes", 44, 11.9, ("Envelopes", "Mailers")),
    Subcategory("OFF-FA", "Fasteners", 34, 2.7, ("Push Pins", "Rubber Bands")),
    Subcategory("OFF-LA", "Labels", 70, 3.8, ("Labels", "Removable Labels")),
    Subcategory("OFF-PA", "Paper", 277, 6.5, ("Paper", "Message Book")),
    Subcategory("OFF-ST", "Storage", 132, 34, ("File Cart", "Lockers")),
    Subcategory("OFF-SU", "Supplies", 36, 7.8, ("Scissors", "Letter Opener")),
    Subcategory("TEC-AC", "Accessories", 147, 30, ("Keyboard", "USB 2.0 Flash Drive")),
    Subcategory("TEC-CO", "Copiers", 13, 480, ("Digital Copier", "Laser Copier")),
    Subcategory("TEC-MA", "Machines", 63, 169, ("Inkjet Printer", "Label Maker")),
    Subcategory("TEC-PH", "Phones", 189, 77, ("Conference Phone", "Headset")),
]
_MAKERS = ["Alder", "Basalt", "Cinder", "Drift", "Ember", "Fjord", "Gale", "Harrier", "Ibex", "Juniper"]
_MAKERS += ["Kestrel", "Lynx & Sons", "Mistral", "Nomad", "Onyx", "Peregrine", "Quartz"]
_DETAILS = ["", "", "", "", ", Black", ", White, 2/Pack", " - 32 GB", "; 16GB", " with Stand", ", Gray"]
_SPECIAL_DETAILS = {"curly": " “Snap” 5 1/4”", "accent": " Résumé", "blank": " ", "inch": ', 8-1/2" x 11"'}
# How often the listed price is one that was already reduced.
_REDUCTIONS = {0.0: 0.52, 0.2: 0.36, 0.3: 0.045, 0.4: 0.025, 0.7: 0.03, 0.15: 0.02}


@dataclass(frozen=True)
class Products:
    """All products ever, known by their row number, as one delivery sees them."""

    extract: Extract

    @classmethod
    def of(cls, streams: Streams, scale: float, delivery: int) -> "Products":
        """Return the products at this scale: they grow with its square root, from 40."""
        first = max(_AT_LEAST, round(_AT_SCALE_1 * scale**0.5))
        return cls(Extract(streams, "storefront.products", first, delivery))

    @property
    def present(self) -> IntArray:
        """The sorted rows that are sold; the file lacks some of them."""
        return self.extract.present

    @cached_property
    def ids(self) -> pa.Array:
        """The ids of all rows: category, sub-category and a number, such as FUR-CH-10002961."""
        numbers = _FIRST_ID + scatter(np.arange(self.extract.count), max(12, self.extract.id_bits))
        prefixes = pa.array([s.id for s in SUBCATEGORIES]).take(pa.array(self._subcategory))
        return pc.binary_join_element_wise(prefixes, pa.array(numbers).cast(pa.string()), "-")

    @cached_property
    def price(self) -> FloatArray:
        """The list price of each product, in two decimals."""
        usual = np.array([subcategory.price for subcategory in SUBCATEGORIES])[self._subcategory]
        price = usual * self.extract.drawn("price", lambda rng, size: rng.lognormal(0, 0.9, size))
        for change in self.extract.changes:
            price[change.rows["changed"]] *= _PRICE_RISE
        return np.maximum(price, 0.5).round(2)

    @cached_property
    def cost_share(self) -> FloatArray:
        """What a product costs the company, as a share of its list price."""
        return self.extract.drawn("cost", lambda rng, size: rng.uniform(0.52, 0.78, size))

    def rows(self) -> list[tuple[str, ...]]:
        """Return the rows of this delivery in the order sent, all as text."""
        product, like = self._sent()
        own_name = np.isin(product, self._id_marks.rows["twice_same_name"])
        subcategory = [SUBCATEGORIES[code] for code in self._subcategory[product].tolist()]
        columns = [
            self.ids.take(pa.array(product)).to_pylist(),
            [s.category for s in subcategory],
            [s.name for s in subcategory],
            self._names(product, np.where(own_name, product, like)),
            [CITIES[code].state for code in self._city[like].tolist()],
            [f"{price:.10g}" for price in self._listed_price[like].tolist()],
        ]
        return list(zip(*columns, strict=True))

    def _sent(self) -> tuple[IntArray, IntArray]:
        """Return the products of the rows, and those that name, state and price are taken from."""
        marks = self._id_marks.rows
        listed = np.setdiff1d(self.present, marks["missing"])
        twice = np.intersect1d(listed, np.concatenate([marks["twice"], marks["twice_same_name"]]))
        product = np.concatenate([listed, twice])
        # The next product is of the same sub-category, with few exceptions.
        like = np.concatenate([listed, (twice + 1) % self.extract.first])
        order = np.argsort(self._position[like], kind="stable")
        return product[order], like[order]

    def _names(self, product: IntArray, like: IntArray) -> list[str]:
        """Return names, all different, but for those of a product sent twice with itself as model."""
        numbers = 100 + 2 * product + (like != product)
        rows = zip(self._subcategory[product].tolist(), like.tolist(), numbers.tolist(), strict=True)
        return [self._name(SUBCATEGORIES[code], row, number) for code, row, number in rows]

    def _name(self, subcategory: Subcategory, row: int, number: int) -> str:
        maker = _MAKERS[self._maker[row]]
        name = f"{maker} {subcategory.nouns[number // 2 % 2]} {number}{self._details[row]}"
        return name.replace(" ", "\N{NO-BREAK SPACE}", 2) if row in self._with_nbsp else name

    @cached_property
    def _subcategory(self) -> IntArray:
        weights: list[float] = [subcategory.products for subcategory in SUBCATEGORIES]
        return self.extract.drawn("subcategory", lambda rng, size: np.sort(pick(rng, weights, size)))

    @cached_property
    def _position(self) -> FloatArray:
        return self.extract.drawn("position", lambda rng, size: rng.random(size))

    @cached_property
    def _maker(self) -> IntArray:
        return self.extract.drawn("maker", lambda rng, size: rng.integers(0, len(_MAKERS), size))

    @cached_property
    def _city(self) -> IntArray:
        weights = [city.weight for city in CITIES]
        return self.extract.drawn("state", lambda rng, size: pick(rng, weights, size))

    @cached_property
    def _details(self) -> list[str]:
        drawn = self.extract.drawn("details", lambda rng, size: rng.integers(0, len(_DETAILS), size))
        details = [_DETAILS[code] for code in drawn.tolist()]
        for kind, special in _SPECIAL_DETAILS.items():
            for row in self._name_marks.rows[kind].tolist():
                details[row] = special
        return details

    @cached_property
    def _id_marks(self) -> Marks:
        return self.extract.marks("ids", _ID_RATES)

    @cached_property
    def _name_marks(self) -> Marks:
        return self.extract.marks("names", _NAME_RATES)

    @cached_property
    def _with_nbsp(self) -> set[int]:
        return set(self._name_marks.rows["nbsp"].tolist())

    @cached_property
    def _listed_price(self) -> FloatArray:
        weights = list(_REDUCTIONS.values())
        reduction = self.extract.drawn("reduction", lambda rng, size: pick(rng, weights, size))
        listed: FloatArray = (self.price * (1 - np.array(list(_REDUCTIONS))[reduction])).round(4)
        listed[self.extract.marks("prices", _THIRD_RATES).rows["third"]] /= 3
        return listed


def write_products(folder: Path, products: Products) -> Path:
    """Write a delivery of the products as CSV, quoted where needed, and return its path."""
    path = delivery_file(folder, "Products", products.extract.delivery)
    with complete_file(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADERS)
        writer.writerows(products.rows())
    return path
